use std::collections::HashSet;
use std::sync::Arc;

use tokio_postgres::Client;

use super::{Findings, some};
use crate::config::{Config, Partitions};
use crate::pgoutput::RelationId;
use crate::source::{Catalog, describe_unreadable, refused, remedy};
use crate::table::{TableName, TableShape};

/// A table that the configuration includes.
#[derive(Clone)]
pub(super) struct Included {
    pub(super) id: RelationId,
    pub(super) name: TableName,
    /// None when it can't be captured.
    pub(super) shape: Option<TableShape>,
}

pub(super) async fn check(client: &Arc<Client>, config: &Config, findings: &mut Findings) -> Vec<Included> {
    let mut catalog = Catalog::new(Arc::clone(client), &config.rows);
    let tables = catalog.tables(&config.tables, config.partitions).await;
    let Some(tables) = findings.known("tables", tables) else { return Vec::new() };
    let kind = if config.partitions == Partitions::Root { "whole" } else { "each partition" };
    findings.ok("tables", format!("{} included, partitioned ones {kind}", tables.len()));
    unlogged(client, config, findings).await;
    let names: HashSet<String> = tables.iter().map(|(_, name)| name.to_string()).collect();
    for name in config.rows.keys.keys().filter(|name| !names.contains(*name)) {
        findings.fix(
            "table keys",
            format!("tables.keys names {name}, which is no included table: correct the name"),
        );
    }
    let mut included = Vec::with_capacity(tables.len());
    for oid in catalog.unreadable() {
        findings.fix("tables", describe_unreadable(oid));
    }
    let mut unknown = Vec::new();
    for (id, name) in tables {
        let shape = catalog.shape_now(id, &name).await.map(|(shape, _)| shape);
        let shape = findings.known("table keys", shape);
        if let Some(shape) = &shape {
            let columns = catalog.unknown_columns(shape);
            unknown.extend(columns.into_iter().map(|(column, of)| format!("{name}.{column} ({of})")));
        }
        included.push(Included { id, name, shape });
    }
    if unknown.is_empty() {
        findings.ok("column types", "every column has a form of its own");
    } else {
        let form = if config.rows.types.unknown_as_text {
            "are written as PostgreSQL's texts"
        } else {
            "are left out, as types.unknown_as_text = false wants it"
        };
        findings.note("column types", format!("{} {form}", some(&unknown)));
    }
    replica_identities(client, &included, findings).await;
    included
}

/// Tables that the filter lets through and that leave no trace in the WAL.
async fn unlogged(client: &Client, config: &Config, findings: &mut Findings) {
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text, c.relpersistence = 't' FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 'p' AND n.nspname NOT LIKE 'pg\\_toast%' ORDER BY 1, 2",
            &[],
        )
        .await
        .map_err(refused("cannot list the unlogged tables"));
    let Some(rows) = findings.known("tables", rows) else { return };
    let passed_over: Vec<String> = rows
        .iter()
        .map(|row| (TableName { schema: row.get(0), table: row.get(1) }, row.get::<_, bool>(2)))
        .filter(|(name, _)| config.tables.matches(&name.schema, &name.table))
        .map(|(name, temporary)| format!("{name} ({})", if temporary { "temporary" } else { "unlogged" }))
        .collect();
    if !passed_over.is_empty() {
        findings.note(
            "tables",
            format!(
                "not in the WAL, and so not captured: {}; run ALTER TABLE … SET LOGGED for those that should be",
                some(&passed_over)
            ),
        );
    }
}

/// Tables and partitions whose old rows PostgreSQL can't name: a publication that told their updates and deletes would have
/// it refuse them.
async fn replica_identities(client: &Client, tables: &[Included], findings: &mut Findings) {
    const WHAT: &str = "replica identity";
    let ids: Vec<u32> = tables.iter().map(|table| table.id.0).collect();
    let rows = client
        .query(
            "SELECT n.nspname::text, l.relname::text, l.relreplident::text,
                    EXISTS (SELECT FROM pg_index i WHERE i.indrelid = l.oid AND i.indisvalid AND i.indimmediate
                               AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)
               FROM pg_class r
              CROSS JOIN LATERAL (SELECT t.relid::oid FROM pg_partition_tree(r.oid) t WHERE t.isleaf
                                  UNION SELECT r.oid WHERE r.relkind = 'r') AS p
               JOIN pg_class l ON l.oid = p.relid JOIN pg_namespace n ON n.oid = l.relnamespace
              WHERE r.oid = ANY ($1) AND l.relkind <> 'f' ORDER BY 1, 2",
            &[&ids],
        )
        .await
        .map_err(refused("cannot read the tables' replica identities"));
    let Some(rows) = findings.known(WHAT, rows) else { return };
    let mut told = 0;
    for row in &rows {
        let name = TableName { schema: row.get(0), table: row.get(1) };
        let why = match (row.get::<_, String>(2).as_str(), row.get(3)) {
            ("f", _) | (_, true) => {
                told += 1;
                continue;
            }
            ("n", _) => "is nothing",
            ("i", _) => "is an index that is gone",
            _ => "is the primary key, and there is none",
        };
        findings.note(
            WHAT,
            format!(
                "that of {name} {why}: its inserts alone are told, and after updates and deletes it is read again; {}",
                remedy(&name)
            ),
        );
    }
    if told == rows.len() {
        findings.ok(WHAT, format!("the old rows of {told} tables and partitions have names"));
    }
}
