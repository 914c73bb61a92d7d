use tokio_postgres::Client;

use super::tables::Included;
use super::{Findings, some};
use crate::config::{Config, Partitions};
use crate::pgoutput::RelationId;
use crate::source::{
    Intended, Published, Server, create_inserts, intended, quoted, refused, remedy, untold_operations,
};
use crate::table::TableName;

const WHAT: &str = "publication";

pub(super) async fn check(
    client: &Client,
    config: &Config,
    server: &Server,
    included: &[Included],
    signals: Option<(RelationId, TableName)>,
    findings: &mut Findings,
) {
    let name = &config.publication;
    let signals = signals.filter(|(id, _)| !included.iter().any(|table| table.id == *id));
    let signals = signals.map(|(id, name)| Included { id, name, shape: None });
    let tables: &[Included] = &included.iter().cloned().chain(signals).collect::<Vec<_>>();
    let names: Vec<TableName> = tables.iter().map(|table| table.name.clone()).collect();
    let Some(intended) = findings.known(WHAT, intended(client, config, &names).await) else { return };
    let whole: Vec<&Included> =
        tables.iter().filter(|table| !intended.inserts_only.contains(&table.name)).collect();
    let published = Published::read(client, name, server.version).await;
    let by_root = config.partitions == Partitions::Root;
    let via_root = match &published {
        Ok(Some(published)) => published.via_root,
        _ => by_root,
    };
    inserts_only(client, (config, server), (tables, &intended), via_root, findings).await;
    match findings.known(WHAT, published) {
        None => {}
        Some(None) => to_be_made(client, config, server, &whole, findings).await,
        Some(Some(published)) => {
            let before = findings.0.len();
            if published.via_root != by_root && has_partitions(client, tables, findings).await {
                findings.fix(
                    WHAT,
                    format!(
                        "{name} publishes partitions otherwise than tables.partitions wants them: run ALTER PUBLICATION {} SET \
                         (publish_via_partition_root = {by_root}), or change the setting",
                        quoted(name)
                    ),
                );
            } else {
                lacking(client, config, &published, &whole, findings).await;
            }
            if let Some(untold) = untold_operations(config, &published.left_out) {
                findings.fix(WHAT, untold);
            }
            narrowed(config, &published, tables, findings);
            if !published.column_lists.is_empty() {
                keys_left_out(client, config, tables, findings).await;
            }
            if findings.0.len() == before {
                findings.ok(WHAT, format!("{name} publishes all that is asked for"));
            }
        }
    }
}

async fn to_be_made(
    client: &Client,
    config: &Config,
    server: &Server,
    tables: &[&Included],
    findings: &mut Findings,
) {
    let name = &config.publication;
    if tables.is_empty() {
        return;
    }
    if !server.may_create {
        findings.fix(
            WHAT,
            format!(
                "{name} is not there, and {} may not create it: run GRANT CREATE ON DATABASE {} TO {}, or create it as a superuser",
                server.user,
                quoted(&config.source.database),
                quoted(&server.user)
            ),
        );
    }
    let Some(foreign) = foreign(client, tables.iter().copied(), findings).await else { return };
    if !foreign.is_empty() {
        findings.fix(
            WHAT,
            format!(
                "{name} is not there, and {} does not own {}: let the owner, or a superuser, run CREATE PUBLICATION {} FOR TABLE {}",
                server.user,
                some(&foreign),
                quoted(name),
                tables.iter().map(|table| table.name.quoted()).collect::<Vec<_>>().join(", ")
            ),
        );
    }
    if server.may_create && foreign.is_empty() {
        findings.ok(WHAT, format!("{name} will be created for {} tables", tables.len()));
    }
}

/// Tables without a replica identity, which have a publication of their own.
async fn inserts_only(
    client: &Client,
    (config, server): (&Config, &Server),
    (tables, intended): (&[Included], &Intended),
    via_root: bool,
    findings: &mut Findings,
) {
    let (main, inserts) = (&config.publication, config.inserts_publication());
    for table in &intended.stuck {
        findings.fix(
            WHAT,
            format!(
                "{main} tells updates and deletes of {table}, which has no replica identity, so that PostgreSQL refuses them: {}; or run \
                 ALTER PUBLICATION {} DROP TABLE {}",
                remedy(table),
                quoted(main),
                table.quoted()
            ),
        );
    }
    if intended.inserts_only.is_empty() {
        return;
    }
    let of_added = tables.iter().filter(|table| intended.to_add.contains(&table.name));
    let Some(foreign) = foreign(client, of_added, findings).await else { return };
    let names = some(&intended.inserts_only);
    let may = intended.inserts.unwrap_or(server.may_create);
    if intended.is_too_young {
        findings.note(
            WHAT,
            format!("{inserts} is, or will be, younger than what the slot still has to tell: {names} are read once it can be streamed"),
        );
    }
    if intended.to_add.is_empty() || may && foreign.is_empty() {
        findings
            .note(WHAT, format!("{inserts} tells the inserts of {names}, which have no replica identity"));
        return;
    }
    let add: Vec<String> = intended.to_add.iter().map(TableName::quoted).collect();
    let make = if intended.inserts.is_none() {
        format!("{}; ", create_inserts(config, via_root))
    } else {
        String::new()
    };
    findings.fix(
        WHAT,
        format!(
            "{} may not publish the inserts of {names}, which have no replica identity: let the owner, or a superuser, run {make}ALTER \
             PUBLICATION {} ADD TABLE {}; or give them an identity; until then they are left out",
            server.user,
            quoted(&inserts),
            add.join(", ")
        ),
    );
}

/// Those of these tables that this user does not own.
async fn foreign(
    client: &Client,
    tables: impl Iterator<Item = &Included>,
    findings: &mut Findings,
) -> Option<Vec<TableName>> {
    let ids: Vec<u32> = tables.map(|table| table.id.0).collect();
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.oid = ANY ($1) AND NOT pg_has_role(c.relowner, 'USAGE') ORDER BY 1, 2",
            &[&ids],
        )
        .await
        .map_err(refused("cannot read who owns the tables"));
    let rows = findings.known(WHAT, rows)?;
    Some(rows.iter().map(|row| TableName { schema: row.get(0), table: row.get(1) }).collect())
}

async fn lacking(
    client: &Client,
    config: &Config,
    published: &Published,
    tables: &[&Included],
    findings: &mut Findings,
) {
    let missing = published.lacks(tables.iter().map(|table| &table.name));
    if missing.is_empty() {
        return;
    }
    let of_missing = tables.iter().copied().filter(|table| missing.contains(&&table.name));
    let Some(foreign) = foreign(client, of_missing, findings).await else { return };
    let name = &config.publication;
    if published.may_alter && foreign.is_empty() {
        findings.ok(WHAT, format!("{} will be added to {name}, and read", some(&missing)));
        return;
    }
    let names: Vec<String> = missing.iter().map(|table| table.quoted()).collect();
    findings.fix(
        WHAT,
        format!(
            "{name} lacks {}, and this user may not add them: run ALTER PUBLICATION {} ADD TABLE {}; or exclude them",
            some(&missing),
            quoted(name),
            names.join(", ")
        ),
    );
}

/// Filters are taken as they are.
fn narrowed(config: &Config, published: &Published, tables: &[Included], findings: &mut Findings) {
    let included = |name: &&TableName| tables.iter().any(|table| table.name == **name);
    for (table, condition) in published.row_filters.iter().filter(|(table, _)| included(&table)) {
        findings.note(
            WHAT,
            format!(
                "{} publishes only rows of {table} that satisfy {condition}; the snapshot reads the same",
                config.publication
            ),
        );
    }
    let lists: Vec<&TableName> = published.column_lists.iter().filter(included).collect();
    if !lists.is_empty() {
        findings
            .note(WHAT, format!("{} publishes only some columns of {}", config.publication, some(&lists)));
    }
}

/// Column lists without a column of the key, which PostgreSQL refuses updates and deletes for.
async fn keys_left_out(client: &Client, config: &Config, tables: &[Included], findings: &mut Findings) {
    let ids: Vec<u32> = tables.iter().map(|table| table.id.0).collect();
    let rows = client
        .query(
            "SELECT n.nspname::text, c.relname::text, string_agg(a.attname::text, ', ' ORDER BY a.attnum)
               FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid JOIN pg_class c ON c.oid = r.prrelid
               JOIN pg_namespace n ON n.oid = c.relnamespace
               JOIN pg_index i ON i.indrelid = c.oid AND CASE c.relreplident WHEN 'i' THEN i.indisreplident ELSE i.indisprimary END
               JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
              WHERE p.pubname = $1 AND c.oid = ANY ($2) AND r.prattrs IS NOT NULL AND NOT a.attnum = ANY (r.prattrs::int2[])
              GROUP BY 1, 2 ORDER BY 1, 2",
            &[&config.publication, &ids],
        )
        .await
        .map_err(refused("cannot read the column lists of the publication"));
    let Some(rows) = findings.known(WHAT, rows) else { return };
    for row in rows {
        let (table, columns) = (TableName { schema: row.get(0), table: row.get(1) }, row.get::<_, String>(2));
        findings.fix(
            WHAT,
            format!(
                "the column list of {table} in {} leaves out {columns} of its key, so that PostgreSQL refuses its updates and deletes: \
                 name every key column in the list",
                config.publication
            ),
        );
    }
}

async fn has_partitions(client: &Client, tables: &[Included], findings: &mut Findings) -> bool {
    let ids: Vec<u32> = tables.iter().map(|table| table.id.0).collect();
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_class WHERE oid = ANY ($1) AND (relkind = 'p' OR relispartition))",
            &[&ids],
        )
        .await
        .map_err(refused("cannot read which tables are partitioned"));
    findings.known(WHAT, row).is_some_and(|row| row.get(0))
}
