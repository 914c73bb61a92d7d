//! What PostgreSQL knows of the tables and the publications that a capture wants them in.

use std::collections::HashMap;

use tokio_postgres::Client;

use super::refused;
use crate::config::Config;
use crate::error::Result;
use crate::table::TableName;

/// A publication as it is.
#[derive(Debug, Clone)]
pub(super) struct Publication {
    pub(super) via_root: bool,
    /// Of insert, update, delete and truncate those that it leaves out.
    pub(super) left_out: Vec<String>,
    pub(super) may_alter: bool,
    /// Whether every catalog that the slot may still need has it: no slot is there, or it looks at later catalogs alone.
    pub(super) is_older_than_slot: bool,
}

impl Publication {
    /// Whether it publishes updates or deletes.
    pub(super) fn tells_changes(&self) -> bool {
        !["update", "delete"].iter().all(|change| self.left_out.iter().any(|name| name == change))
    }
}

/// A table, and where it is published.
#[derive(Debug, Clone)]
pub(super) struct Standing {
    pub(super) name: TableName,
    /// Whether it is divided into partitions, or is one.
    pub(super) has_partitions: bool,
    /// Whether PostgreSQL can name each of its rows in an update or delete; of a partitioned table, in all of its leaves.
    pub(super) has_identity: bool,
    /// Updated and deleted rows since PostgreSQL counts them, those of transactions that failed too.
    pub(super) changes: i64,
    pub(super) in_main: bool,
    /// By its name, and not by its schema or as one of all tables.
    pub(super) named_in_main: bool,
    pub(super) in_inserts: bool,
}

/// What there is of the publications, and the tables in the order that they were asked for.
#[derive(Debug, Clone)]
pub(super) struct Identities {
    pub(super) main: Option<Publication>,
    pub(super) inserts: Option<Publication>,
    pub(super) has_slot: bool,
    pub(super) tables: Vec<Standing>,
}

/// A slot whose `catalog_xmin` is above the publication's transaction reads no catalog without it. A publication that was
/// made before the slot says so in its comment.
const PUBLICATIONS: &str = "
    SELECT p.pubname::text, p.pubviaroot,
           array_remove(ARRAY[CASE WHEN NOT p.pubinsert THEN 'insert' END, CASE WHEN NOT p.pubupdate THEN 'update' END,
                              CASE WHEN NOT p.pubdelete THEN 'delete' END, CASE WHEN NOT p.pubtruncate THEN 'truncate' END], NULL),
           pg_has_role(p.pubowner, 'USAGE'),
           s.slot_name IS NULL OR age(p.xmin) < 0 OR age(p.xmin) > age(s.catalog_xmin)
             OR coalesce(obj_description(p.oid, 'pg_publication') = $4, false),
           s.slot_name IS NOT NULL
      FROM (SELECT 1) AS one
      LEFT JOIN pg_replication_slots s ON s.slot_name = $3
      LEFT JOIN pg_publication p ON p.pubname IN ($1, $2)";

const TABLES: &str = concat!(
    "
    WITH main AS MATERIALIZED (SELECT p.oid AS pub, t.relid FROM pg_publication p, pg_get_publication_tables(p.pubname) t WHERE p.pubname = $3),
         inserts AS MATERIALIZED (SELECT t.relid FROM pg_publication p, pg_get_publication_tables(p.pubname) t WHERE p.pubname = $4)
    SELECT n.nspname::text, c.relname::text, c.relkind = 'p' OR c.relispartition, leaves.named, leaves.changes,
           c.oid IN (SELECT relid FROM main),
           EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid WHERE r.prrelid = c.oid AND p.pubname = $3),
           c.oid IN (SELECT relid FROM inserts)
      FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
      JOIN pg_namespace n ON n.nspname = wanted.schema
      JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name
     CROSS JOIN LATERAL (
           SELECT bool_and(l.relreplident = 'f'
                        OR EXISTS (SELECT FROM pg_index i WHERE i.indrelid = l.oid AND i.indisvalid AND i.indimmediate
                                      AND CASE l.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident END)) AS named,
                  sum(pg_stat_get_tuples_updated(l.oid) + pg_stat_get_tuples_deleted(l.oid))::bigint AS changes
             FROM (WITH part AS (SELECT p.oid FROM pg_class p WHERE p.relkind <> 'p' AND ",
    is_partition_of!("p", "c"),
    ")
                   SELECT oid FROM part UNION SELECT c.oid WHERE NOT EXISTS (SELECT FROM part)) AS leaf
             JOIN pg_class l ON l.oid = leaf.oid AND l.relkind <> 'f') AS leaves"
);

impl Identities {
    pub(super) async fn read(client: &Client, config: &Config, tables: &[TableName]) -> Result<Self> {
        let (main, inserts) = (&config.publication, config.inserts_publication());
        let failed = || refused(format!("cannot read publication {main}"));
        let rows = client
            .query(PUBLICATIONS, &[main, &inserts, &config.slot, &older_than(&config.slot)])
            .await
            .map_err(failed())?;
        let mut identities = Self { main: None, inserts: None, has_slot: false, tables: Vec::new() };
        for row in &rows {
            identities.has_slot |= row.get::<_, bool>(5);
            let Some(name) = row.get::<_, Option<String>>(0) else { continue };
            let publication = Publication {
                via_root: row.get(1),
                left_out: row.get(2),
                may_alter: row.get(3),
                is_older_than_slot: row.get(4),
            };
            let place = if name == *main { &mut identities.main } else { &mut identities.inserts };
            *place = Some(publication);
        }
        let (schemas, names): (Vec<&str>, Vec<&str>) =
            tables.iter().map(|table| (table.schema.as_str(), table.table.as_str())).unzip();
        let rows = client.query(TABLES, &[&schemas, &names, main, &inserts]).await.map_err(failed())?;
        let mut found: HashMap<TableName, Standing> = HashMap::with_capacity(rows.len());
        for row in rows {
            let standing = Standing {
                name: TableName { schema: row.get(0), table: row.get(1) },
                has_partitions: row.get(2),
                has_identity: row.get::<_, Option<bool>>(3).unwrap_or_default(),
                changes: row.get::<_, Option<i64>>(4).unwrap_or_default(),
                in_main: row.get(5),
                named_in_main: row.get(6),
                in_inserts: row.get(7),
            };
            found.insert(standing.name.clone(), standing);
        }
        // One that is gone is published as if it were there: PostgreSQL says so best.
        let gone = |name: &TableName| Standing {
            name: name.clone(),
            has_partitions: false,
            has_identity: true,
            changes: 0,
            in_main: false,
            named_in_main: false,
            in_inserts: false,
        };
        identities.tables =
            tables.iter().map(|name| found.remove(name).unwrap_or_else(|| gone(name))).collect();
        Ok(identities)
    }
}

/// The comment of a publication that was there before the slot.
pub(super) fn older_than(slot: &str) -> String {
    format!("made before replication slot {slot}")
}
