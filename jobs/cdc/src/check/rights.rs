use std::collections::BTreeMap;

use tokio_postgres::Client;

use super::tables::Included;
use super::{Findings, some};
use crate::source::{Server, quoted, refused};

const WHAT: &str = "rights";

/// Whether the snapshot may read every table.
pub(super) async fn check(client: &Client, server: &Server, tables: &[Included], findings: &mut Findings) {
    let ids: Vec<u32> = tables.iter().map(|table| table.id.0).collect();
    let rows = client
        .query(
            "SELECT c.oid, a.attname::text FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
              WHERE c.oid = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped
                AND NOT (has_schema_privilege(c.relnamespace, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT'))",
            &[&ids],
        )
        .await
        .map_err(refused("cannot read the rights on the tables"));
    let Some(rows) = findings.known(WHAT, rows) else { return };
    let mut hidden: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in &rows {
        hidden.entry(row.get(0)).or_default().push(row.get(1));
    }
    // A column that is not captured is not read.
    let unreadable: Vec<&Included> = tables
        .iter()
        .filter(|table| {
            let captured = |name: &String| {
                table.shape.as_ref().is_none_or(|shape| {
                    shape.columns.iter().any(|column| column.captured && column.name == *name)
                })
            };
            hidden.get(&table.id.0).is_some_and(|columns| columns.iter().any(captured))
        })
        .collect();
    if unreadable.is_empty() {
        findings.ok(WHAT, format!("{} may read {} tables", server.user, tables.len()));
        return;
    }
    let names: Vec<String> = unreadable.iter().map(|table| table.name.quoted()).collect();
    let mut schemas: Vec<String> = unreadable.iter().map(|table| quoted(&table.name.schema)).collect();
    schemas.dedup();
    let user = quoted(&server.user);
    findings.fix(
        WHAT,
        format!(
            "{} may not read {}: run GRANT USAGE ON SCHEMA {} TO {user} and GRANT SELECT ON {} TO {user}",
            server.user,
            some(&unreadable.iter().map(|table| &table.name).collect::<Vec<_>>()),
            schemas.join(", "),
            names.join(", ")
        ),
    );
}
