use std::collections::HashSet;

use tokio_postgres::Client;

use super::refused;
use crate::error::Result;
use crate::table::TableName;

/// A publication as it is.
#[derive(Debug, Clone)]
pub(crate) struct Published {
    pub(crate) via_root: bool,
    /// Whether this user may add tables, which needs to own them too.
    pub(crate) may_alter: bool,
    /// Of insert, update, delete and truncate those that are left out.
    pub(crate) left_out: Vec<&'static str>,
    pub(crate) tables: HashSet<TableName>,
    /// Tables whose rows a condition chooses, with the condition.
    pub(crate) row_filters: Vec<(TableName, String)>,
    /// Tables of which only some columns are published.
    pub(crate) column_lists: Vec<TableName>,
}

impl Published {
    /// Reads the publication, none when there is no such one.
    pub(crate) async fn read(client: &Client, publication: &str, version: i32) -> Result<Option<Self>> {
        let failed = || refused(format!("cannot read publication {publication}"));
        let row = client
            .query_opt(
                "SELECT pubviaroot, pubinsert, pubupdate, pubdelete, pubtruncate, pg_has_role(pubowner, 'USAGE')
                   FROM pg_publication WHERE pubname = $1",
                &[&publication],
            )
            .await
            .map_err(failed())?;
        let Some(row) = row else { return Ok(None) };
        let operations = ["insert", "update", "delete", "truncate"];
        let left_out = operations.into_iter().zip(1..).filter(|(_, at)| !row.get::<_, bool>(*at));
        let mut published = Self {
            via_root: row.get(0),
            may_alter: row.get(5),
            left_out: left_out.map(|(name, _)| name).collect(),
            tables: HashSet::new(),
            row_filters: Vec::new(),
            column_lists: Vec::new(),
        };
        // Filters and lists came with PostgreSQL 15.
        let narrowed = if version >= 150_000 {
            "pg_get_expr(r.prqual, r.prrelid), r.prattrs IS NOT NULL"
        } else {
            "NULL::text, false"
        };
        let rows = client
            .query(
                &format!(
                    "SELECT t.schemaname::text, t.tablename::text, {narrowed}
                       FROM pg_publication p JOIN pg_publication_tables t ON t.pubname = p.pubname
                       LEFT JOIN pg_publication_rel r ON r.prpubid = p.oid AND r.prrelid =
                            (SELECT c.oid FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              WHERE n.nspname = t.schemaname AND c.relname = t.tablename)
                      WHERE p.pubname = $1 ORDER BY 1, 2"
                ),
                &[&publication],
            )
            .await
            .map_err(failed())?;
        for row in rows {
            let table = TableName { schema: row.get(0), table: row.get(1) };
            if let Some(condition) = row.get(2) {
                published.row_filters.push((table.clone(), condition));
            }
            if row.get(3) {
                published.column_lists.push(table.clone());
            }
            published.tables.insert(table);
        }
        Ok(Some(published))
    }

    /// Those of these tables that it lacks.
    pub(crate) fn lacks<'a>(&self, tables: impl Iterator<Item = &'a TableName>) -> Vec<&'a TableName> {
        tables.filter(|table| !self.tables.contains(table)).collect()
    }
}
