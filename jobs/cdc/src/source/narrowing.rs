//! Row filters and column lists of our publications: the snapshot follows them as the stream does.

use std::collections::{HashMap, HashSet};

use tokio_postgres::Client;

use super::refused;
use crate::error::Result;
use crate::pgoutput::RelationId;

/// Tables of which a part is published.
pub(super) struct Narrowed {
    publications: Vec<String>,
    /// Whether the server is of a version that has filters and lists; none before it was asked.
    is_possible: Option<bool>,
    tables: HashMap<RelationId, Narrowing>,
}

struct Narrowing {
    row_filter: Option<String>,
    columns: Option<HashSet<String>>,
}

const FIRST_VERSION: i32 = 150_000;

const NARROWINGS: &str = "
    SELECT n.id, n.filter,
           (SELECT array_agg(a.attname::text) FROM pg_attribute a
             WHERE a.attrelid = n.id AND a.attnum = ANY (string_to_array(n.columns, ' ')::int2[]))
      FROM (SELECT r.prrelid AS id,
                   CASE WHEN bool_and(r.prqual IS NOT NULL) THEN string_agg('(' || pg_get_expr(r.prqual, r.prrelid) || ')', ' OR ') END AS filter,
                   CASE WHEN bool_and(r.prattrs IS NOT NULL) THEN min(r.prattrs::text) END AS columns
              FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
             WHERE p.pubname = ANY ($1) AND ($2::oid IS NULL OR r.prrelid = $2) GROUP BY r.prrelid) AS n
     WHERE n.filter IS NOT NULL OR n.columns IS NOT NULL";

impl Narrowed {
    pub(super) fn new(publications: &[String]) -> Self {
        Self { publications: publications.to_vec(), is_possible: None, tables: HashMap::new() }
    }

    /// Reads what is published of a table now; of all tables without one.
    pub(super) async fn read(&mut self, client: &Client, table: Option<RelationId>) -> Result<()> {
        let failed = || refused("cannot read the row filters and column lists of the publication");
        let is_possible = if let Some(known) = self.is_possible {
            known
        } else {
            let version = client.query_one("SELECT current_setting('server_version_num')::int", &[]).await;
            version.map_err(failed())?.get::<_, i32>(0) >= FIRST_VERSION
        };
        self.is_possible = Some(is_possible);
        if !is_possible {
            return Ok(());
        }
        let rows = client
            .query(NARROWINGS, &[&self.publications, &table.map(|table| table.0)])
            .await
            .map_err(failed())?;
        match table {
            Some(table) => drop(self.tables.remove(&table)),
            None => self.tables.clear(),
        }
        for row in rows {
            let columns: Option<Vec<String>> = row.get(2);
            let narrowing = Narrowing {
                row_filter: row.get(1),
                columns: columns.map(|columns| columns.into_iter().collect()),
            };
            self.tables.insert(RelationId(row.get(0)), narrowing);
        }
        Ok(())
    }

    /// Whether a column is published.
    pub(super) fn has(&self, table: RelationId, column: &str) -> bool {
        let columns = self.tables.get(&table).and_then(|narrowing| narrowing.columns.as_ref());
        columns.is_none_or(|columns| columns.contains(column))
    }

    /// The condition of the rows that are published.
    pub(super) fn row_filter(&self, table: RelationId) -> Option<String> {
        self.tables.get(&table)?.row_filter.clone()
    }
}
