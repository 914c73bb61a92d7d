use tokio_postgres::Transaction;

use crate::error::{Error, statement};

/// A foreign key taken off for a load.
struct ForeignKey {
    table: String,
    name: String,
    definition: String,
}

/// The foreign keys of some tables, off until [`restore`](Self::restore) puts them back. Checking a
/// whole table by one join takes a fraction of the time of checking row by row during COPY; both
/// happen in the load's transaction, so nobody ever sees the tables without them.
pub(crate) struct Suspended(Vec<ForeignKey>);

impl Suspended {
    pub(crate) async fn take_off(phase: &Transaction<'_>, tables: &[&str]) -> Result<Self, Error> {
        let rows = phase
            .query(
                "SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
                  WHERE contype = 'f' AND conrelid::regclass::text = ANY ($1) ORDER BY 1, 2",
                &[&tables],
            )
            .await
            .map_err(statement("cannot list the foreign keys"))?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            let key = ForeignKey { table: row.get(0), name: row.get(1), definition: row.get(2) };
            let sql = format!("ALTER TABLE {} DROP CONSTRAINT {}", key.table, key.name);
            phase
                .batch_execute(&sql)
                .await
                .map_err(statement(format!("cannot take {} off {}", key.name, key.table)))?;
            keys.push(key);
        }
        Ok(Self(keys))
    }

    /// Puts them back, which checks every row.
    pub(crate) async fn restore(self, phase: &Transaction<'_>) -> Result<(), Error> {
        for key in self.0 {
            let sql = format!("ALTER TABLE {} ADD CONSTRAINT {} {}", key.table, key.name, key.definition);
            phase
                .batch_execute(&sql)
                .await
                .map_err(statement(format!("the rows of {} break {}", key.table, key.name)))?;
        }
        Ok(())
    }
}
