//! What a run would do, found out without creating or taking anything.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::task::block_in_place;
use tokio_postgres::Client;

use crate::capture::{Start, follow_timeline, where_to_start};
use crate::checkpoint::TableProgress;
use crate::config::{Config, Partitions, SourceConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::{cluster_state, committed_checkpoint};
use crate::pgoutput::RelationId;
use crate::registry::{Registry, Standing};
use crate::required_topics::RequiredTopic;
use crate::source::{self, Catalog, Published, Server, intended, refused};
use crate::table::TableName;
use crate::topic_names::TopicNames;
use crate::transport::Replication;

/// Says line by line what [`run`](crate::run) would do.
///
/// # Errors
/// What would stop the run before it begins.
pub async fn dry_run(config: &Config) -> Result<Vec<String>> {
    let client = Arc::new(source::connect(&config.source).await?);
    source::check_wal_level(&client).await?;
    let longest = config.kafka.max_record_bytes as usize;
    let identity = Replication::connect(&config.source, &config.slot, longest).await?.identify().await?;
    let slot = source::read_slot(&client, &config.slot, &config.source.database).await?;
    if let Some(pid) = slot.as_ref().and_then(|slot| slot.active_pid) {
        return Err(Error::new(
            ErrorKind::SlotBusy,
            format!(
                "replication slot {} is read by another session (PostgreSQL pid {pid}): stop the other instance",
                config.slot
            ),
        ));
    }
    let mut catalog = Catalog::new(Arc::clone(&client), &config.rows);
    let tables = catalog.tables(&config.tables, config.partitions).await?;
    source::signal_table(&client, config).await?;
    let mut plan = publications(&client, config, &tables).await?;
    let cluster = block_in_place(|| cluster_state(&config.kafka))?;
    let mut registry = Registry::new(&config.registry, false)?;
    let last = committed_checkpoint(config, &cluster, &mut registry).await?;
    let mut names = TopicNames::survey(config, &cluster, last.as_ref(), &mut registry).await?;
    plan.extend(names.give(tables.iter().map(|(_, name)| name)).iter().map(ToString::to_string));
    let mut wanted = vec![RequiredTopic::of_checkpoints(config)];
    for (id, name) in &tables {
        wanted.push(RequiredTopic::of_table(&names, &catalog.shape_now(*id, name).await?.0));
    }
    wanted.extend(RequiredTopic::beside(config));
    let last = follow_timeline(config, last, &identity).await?;
    let start = where_to_start(last, slot.as_ref(), &identity, &config.slot, &config.checkpoint_topic())?;

    let topics = wanted.iter().map(|wanted| &wanted.topic);
    plan.push(listed("create topics", topics.filter(|topic| !cluster.topics.contains_key(*topic)).collect()));
    plan.extend(subjects(config, &registry, &wanted).await?);
    match start {
        Start::Fresh => {
            plan.push(format!("create replication slot {}", config.slot));
            plan.push(snapshot(&client, config, &tables, &BTreeMap::new()).await?);
        }
        Start::Snapshot(last) => {
            plan.push(snapshot(&client, config, &tables, &last.snapshot_progress).await?);
        }
        Start::Stream(last) => plan.push(format!("go on with the stream at {}", last.position())),
    }
    Ok(plan)
}

/// The publications as they would be made or used.
async fn publications(
    client: &Client,
    config: &Config,
    tables: &[(RelationId, TableName)],
) -> Result<Vec<String>> {
    let name = &config.publication;
    let all: Vec<TableName> = tables.iter().map(|(_, name)| name.clone()).collect();
    let intended = intended(client, config, &all).await?;
    let listed = |tables: &[&TableName]| {
        let names: Vec<String> = tables.iter().map(ToString::to_string).collect();
        names.join(", ")
    };
    let whole: Vec<&TableName> = all.iter().filter(|table| !intended.inserts_only.contains(table)).collect();
    let version = Server::read(client).await?.version;
    let mut plan = Vec::new();
    let by_root = config.partitions == Partitions::Root;
    match Published::read(client, name, version).await? {
        None => plan.push(format!(
            "create publication {name} (publish_via_partition_root = {by_root}) for {} tables: {}",
            whole.len(),
            listed(&whole)
        )),
        Some(published) => {
            let lacks = published.lacks(whole.into_iter());
            plan.push(if lacks.is_empty() {
                format!("use publication {name}")
            } else {
                format!("add to publication {name}, and read while the stream goes on: {}", listed(&lacks))
            });
        }
    }
    let inserts = config.inserts_publication();
    if intended.inserts.is_none() {
        plan.push(format!("create publication {inserts} (publish = 'insert, truncate')"));
    }
    if !intended.inserts_only.is_empty() {
        let names: Vec<&TableName> = intended.inserts_only.iter().collect();
        plan.push(format!(
            "publish inserts and truncations alone in {inserts}, and read again after updates and deletes: {}",
            listed(&names)
        ));
    }
    Ok(plan)
}

/// The subjects that would get a version, and those whose schemas would be refused.
async fn subjects(config: &Config, registry: &Registry, wanted: &[RequiredTopic]) -> Result<Vec<String>> {
    let (mut new, mut refused) = (Vec::new(), Vec::new());
    for required in wanted.iter().flat_map(|wanted| &wanted.schemas) {
        let subject = &required.subject;
        match registry.look_up(required).await? {
            Standing::Known => {}
            Standing::NewSubject | Standing::NewVersion => new.push(subject),
            Standing::Incompatible if config.registry.isolates => refused.push(subject),
            Standing::Incompatible => {
                return Err(Error::new(
                    ErrorKind::SchemaIncompatible,
                    format!(
                        "the registry would refuse the schema of subject {subject}: `lakepulse-cdc check` says what to do"
                    ),
                ));
            }
        }
    }
    let mut lines = vec![listed("register schemas under", new)];
    if !refused.is_empty() {
        lines.push(listed("isolate the tables of refused schemas", refused));
    }
    Ok(lines)
}

/// The tables that would be read, and how many rows PostgreSQL believes they have.
async fn snapshot(
    client: &Client,
    config: &Config,
    tables: &[(RelationId, TableName)],
    progress: &BTreeMap<String, TableProgress>,
) -> Result<String> {
    let left: Vec<&(RelationId, TableName)> = tables
        .iter()
        .filter(|(_, name)| !progress.get(&name.key()).is_some_and(|progress| progress.done))
        .collect();
    let ids: Vec<u32> = left.iter().map(|(id, _)| id.0).collect();
    // A table that was never analyzed is not estimated; a partitioned one has the rows of its partitions.
    let rows = client
        .query(
            "SELECT c.oid, coalesce(sum(p.reltuples) FILTER (WHERE p.reltuples >= 0), 0)::bigint, bool_or(p.reltuples < 0)
               FROM pg_class c
              CROSS JOIN LATERAL (SELECT t.relid::oid FROM pg_partition_tree(c.oid) t WHERE t.isleaf
                                  UNION SELECT c.oid WHERE c.relkind = 'r') AS leaf
               JOIN pg_class p ON p.oid = leaf.relid
              WHERE c.oid = ANY ($1) GROUP BY c.oid",
            &[&ids],
        )
        .await
        .map_err(refused("cannot read the sizes of tables"))?;
    let estimates: BTreeMap<u32, (i64, bool)> =
        rows.iter().map(|row| (row.get(0), (row.get(1), row.get(2)))).collect();
    let mut total = 0;
    let mut texts = Vec::with_capacity(left.len());
    for (id, name) in left {
        let (rows, unknown) = estimates.get(&id.0).copied().unwrap_or_default();
        total += rows;
        texts.push(if unknown { format!("{name} (never analyzed)") } else { format!("{name} ({rows})") });
    }
    let place = config.snapshot.replica.as_ref().map(SourceConfig::place);
    let from = place.map(|place| format!(" from {place}, while the stream goes on")).unwrap_or_default();
    Ok(format!("read a snapshot of {} tables{from}, about {total} rows: {}", texts.len(), texts.join(", ")))
}

fn listed(what: &str, names: Vec<&String>) -> String {
    if names.is_empty() {
        return format!("{what}: none");
    }
    let names: Vec<&str> = names.into_iter().map(String::as_str).collect();
    format!("{what}: {}", names.join(", "))
}
