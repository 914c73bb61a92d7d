//! Whether all rows of a table can be read, and their changes be told: the same question for `check` and for a run.

use tokio_postgres::Client;

use super::{quoted, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::RelationId;
use crate::table::{TableName, TableShape};

/// A table of which this user may not read everything, or whose log lacks a part.
#[derive(Debug, Clone)]
pub(crate) struct Hidden {
    pub(crate) id: RelationId,
    pub(crate) name: TableName,
    user: String,
    /// Whether the schema itself is closed.
    schema: bool,
    /// Whether row level security applies to this user.
    pub(crate) rows: bool,
    columns: Vec<String>,
    /// Partitions whose changes are not in the log, since they are foreign or unlogged tables.
    pub(crate) untold: Vec<TableName>,
}

/// Tables by their OIDs, or by the name that is shown or its key.
const HIDDEN: &str = concat!(
    "
    SELECT c.oid, n.nspname::text, c.relname::text, current_user::text, NOT has_schema_privilege(n.oid, 'USAGE'), row_security_active(c.oid),
           coalesce((SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_attribute a
             WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND NOT has_column_privilege(c.oid, a.attnum, 'SELECT')), '{}'),
           untold.schemas, untold.names
      FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     CROSS JOIN LATERAL (
           SELECT coalesce(array_agg(m.nspname::text ORDER BY m.nspname, l.relname), '{}') AS schemas,
                  coalesce(array_agg(l.relname::text ORDER BY m.nspname, l.relname), '{}') AS names
             FROM pg_class l JOIN pg_namespace m ON m.oid = l.relnamespace
            WHERE (l.relkind = 'f' OR l.relkind = 'r' AND l.relpersistence = 'u') AND ",
    is_partition_of!("l", "c"),
    ") AS untold
     WHERE (c.oid = ANY ($1) OR c.relkind IN ('r', 'p') AND $2 IN (
               concat(n.nspname, '.', c.relname),
               concat('\"', replace(n.nspname, '\"', '\"\"'), '\".\"', replace(c.relname, '\"', '\"\"'), '\"')))
       AND (NOT has_schema_privilege(n.oid, 'USAGE') OR NOT has_table_privilege(c.oid, 'SELECT') OR row_security_active(c.oid)
            OR untold.names <> '{}')
     ORDER BY 2, 3"
);

async fn read(client: &Client, ids: &[u32], name: &str) -> Result<Vec<Hidden>> {
    let rows = client
        .query(HIDDEN, &[&ids, &name])
        .await
        .map_err(refused("cannot read the rights on the tables"))?;
    let hidden = rows.iter().map(|row| {
        let (schemas, names): (Vec<String>, Vec<String>) = (row.get(7), row.get(8));
        Hidden {
            id: RelationId(row.get(0)),
            name: TableName { schema: row.get(1), table: row.get(2) },
            user: row.get(3),
            schema: row.get(4),
            rows: row.get(5),
            columns: row.get(6),
            untold: schemas
                .into_iter()
                .zip(names)
                .map(|(schema, table)| TableName { schema, table })
                .collect(),
        }
    });
    Ok(hidden.collect())
}

impl Hidden {
    /// Those of these tables that have something hidden.
    pub(crate) async fn among(client: &Client, tables: &[RelationId]) -> Result<Vec<Self>> {
        let ids: Vec<u32> = tables.iter().map(|table| table.0).collect();
        read(client, &ids, "").await
    }

    /// Whether this keeps a table of that shape from being read: columns that are not captured are not read either.
    pub(crate) fn hinders(&self, shape: Option<&TableShape>) -> bool {
        let is_read = |name: &String| {
            shape.is_none_or(|shape| {
                shape.columns.iter().any(|column| column.captured && column.name == *name)
            })
        };
        self.schema || self.rows || !self.untold.is_empty() || self.columns.iter().any(is_read)
    }

    /// What is hidden, and what to run.
    pub(crate) fn remedy(&self) -> String {
        let Self { name, user, .. } = self;
        let role = quoted(user);
        if !self.untold.is_empty() {
            let names: Vec<String> = self.untold.iter().map(TableName::quoted).collect();
            return format!(
                "the log lacks changes of partitions of {name} that are foreign or unlogged tables ({0}): run ALTER TABLE {1} DETACH \
                 PARTITION of each, or ALTER TABLE … SET LOGGED, or set tables.partitions = \"leaves\"",
                names.join(", "),
                name.quoted()
            );
        }
        if self.rows {
            return format!(
                "row level security hides rows of {name} from {user}: run ALTER ROLE {role} BYPASSRLS as a superuser"
            );
        }
        let schema = if self.schema {
            format!("GRANT USAGE ON SCHEMA {} TO {role}; ", quoted(&name.schema))
        } else {
            String::new()
        };
        format!("{user} may not read {name}: run {schema}GRANT SELECT ON {} TO {role}", name.quoted())
    }
}

/// Why a table, named by its key, can't be read, and what to run; none when the reason is another one.
pub(crate) async fn unreadable(client: &Client, table: &str) -> Option<String> {
    // Without SELECT on the whole table it can't be locked, which reading it beside the stream needs.
    read(client, &[], table).await.ok()?.first().map(Hidden::remedy)
}

/// Makes sure that the log tells the changes of all partitions. What this user may not read, PostgreSQL refuses by itself.
///
/// # Errors
/// [`ErrorKind::SourceRefused`] when it does not.
pub(crate) async fn expect_all_told(client: &Client, id: RelationId, name: &TableName) -> Result<()> {
    let hidden = Hidden::among(client, &[id]).await?;
    if hidden.iter().any(|hidden| !hidden.untold.is_empty()) {
        return Err(Error::new(ErrorKind::SourceRefused, format!("{name} can't be captured whole")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedies() {
        let hidden = |schema, rows| Hidden {
            id: RelationId(1),
            name: TableName { schema: "s".into(), table: "T".into() },
            user: "u".into(),
            schema,
            rows,
            columns: vec!["c".into()],
            untold: Vec::new(),
        };
        let leaf = TableName { schema: "s".into(), table: "f".into() };
        for (hidden, says) in [
            (
                Hidden { untold: vec![leaf], ..hidden(false, true) },
                "unlogged tables (\"s\".\"f\"): run ALTER TABLE \"s\".\"T\" DETACH PARTITION",
            ),
            (hidden(false, true), "ALTER ROLE \"u\" BYPASSRLS"),
            (
                hidden(true, false),
                "run GRANT USAGE ON SCHEMA \"s\" TO \"u\"; GRANT SELECT ON \"s\".\"T\" TO \"u\"",
            ),
            (hidden(false, false), "run GRANT SELECT ON \"s\".\"T\" TO \"u\""),
        ] {
            assert!(hidden.remedy().contains(says), "{}", hidden.remedy());
            assert!(hidden.hinders(None));
        }
    }
}
