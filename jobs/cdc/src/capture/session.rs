use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::isolation;
use super::readable::tell_apart;
use super::resume::{Start, decide};
use super::stream::{Publications, Stream};
use super::tables::Tables;
use super::timeline::follow as follow_timeline;
use crate::avro::TableEncoder;
use crate::checkpoint::{self, PHASE_STARTING};
use crate::config::{Config, SnapshotMode};
use crate::delivery::{Outbox, Progress};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::{EventId, Producer, Topics, last_checkpoint, recall_relations, signals};
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::relation::{self, Change, RelationLog};
use crate::required_topics::RequiredTopic;
use crate::shutdown::Shutdown;
use crate::snapshot::{self, Snapshot};
use crate::source::{self, Catalog, Characters, Server, SlotState};
use crate::table::{Lessons, TableName};
use crate::topic_names::TopicNames;
use crate::transport::{ExportedSnapshot, Replication, SlotKind, SystemIdentity};

/// How long a slot that another session reads from is waited for: a killed instance's session ends soon.
const SLOT_PATIENCE: Duration = Duration::from_secs(30);
const SLOT_POLL: Duration = Duration::from_millis(500);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// One session: from the servers' state to the stream, until the stop (`Ok`) or a failure.
pub(crate) async fn run(
    config: &Config,
    shutdown: &mut Shutdown,
    metrics: &Metrics,
    lessons: &Lessons,
    established: &mut bool,
) -> Result<()> {
    let client = Arc::new(source::connect(&config.source).await?);
    source::check_wal_level(&client).await?;
    let identity = identify(config).await?;
    let characters = Characters::of(&client).await?;
    let mut catalog = Catalog::new(Arc::clone(&client), &config.rows);
    let mut tables = catalog.tables(&config.tables, config.partitions).await?;
    source::signal_table(&client, config).await?;
    let mut published: Vec<_> = tables.iter().map(|(_, name)| name.clone()).collect();
    published.extend(config.signals.table.clone().filter(|table| !published.contains(table)));
    // Before the producer takes the transactional id: an instance that works is not to be fenced.
    let slot = free_slot(&client, config, shutdown).await?;

    let mut registry = Registry::new(&config.registry, *established)?;
    let mut topics = Topics::new(&config.kafka)?;
    let checkpoint_topic = config.checkpoint_topic();
    let relation_topic = config.side_topic("relation");
    let mut beside: Vec<String> =
        RequiredTopic::beside(config).into_iter().map(|required| required.topic).collect();
    beside.retain(|topic| *topic != relation_topic);
    let has_told_nothing = topics.ensure_own(&checkpoint_topic, &relation_topic, &beside).await?;
    if let Some(topic) = &config.signals.topic {
        topics.ensure(&[topic]).await?;
    }
    let schema_id =
        registry.register(&format!("{checkpoint_topic}-value"), checkpoint::SCHEMA, metrics).await?;
    let relation_schema =
        registry.register(&format!("{relation_topic}-value"), relation::SCHEMA, metrics).await?;
    let producer = Producer::open(&config.kafka, &config.slot, shutdown.clone()).await?;
    let last =
        last_checkpoint(&config.kafka, &checkpoint_topic, &config.slot, &mut registry, metrics).await?;
    let last = follow_timeline(config, last, &identity).await?;
    let mut relations = RelationLog::new(&relation_topic, relation_schema);
    if !has_told_nothing {
        recall_relations(&config.kafka, &relation_topic, &mut relations, &mut registry, metrics).await?;
    }
    let recalled = relations.records();
    let counts = last.as_ref().map(|last| last.counts.clone()).unwrap_or_default();
    let mut names = TopicNames::new(config);
    names.recall(&relations, &counts);
    let isolated = last.as_ref().map(|last| last.isolated.clone()).unwrap_or_default();
    let start = match decide(last, slot.as_ref(), &identity, &config.slot, &checkpoint_topic) {
        Err(error) if config.snapshot.mode == SnapshotMode::WhenNeeded && error.kind().is_gap() => {
            tracing::warn!("{}: a new snapshot is read, since snapshot.mode = when_needed", error.chain());
            source::drop_slot(&client, &config.slot).await?;
            Start::Fresh
        }
        start => start?,
    };
    let mode = config.snapshot.mode;
    if relations.is_empty() && !matches!(start, Start::Fresh) {
        let what = if mode == SnapshotMode::Never {
            "since snapshot.mode = never, no table is read: what changed before without an event stays unknown"
        } else {
            "every table is read as a whole, which tells what changed before without an event"
        };
        tracing::warn!(
            topic = relation_topic,
            "no relation record tells of the tables that were captured before: {what}"
        );
    }

    let mut arranged = source::arrange_publications(&client, config, &published).await?;
    if let Some(refused) = arranged.refused.take() {
        return Err(refused);
    }
    tables.retain(|(_, name)| !arranged.left_out.contains(name));
    let publications = arranged.streamed.clone();
    let goes_on = matches!(start, Start::Stream(_));
    let (arranged, again) = Publications::new(config, arranged, goes_on);
    let mut outbox = Outbox::new(
        producer,
        &config.kafka,
        checkpoint_topic,
        schema_id,
        identity.clone(),
        config.slot.clone(),
        metrics.clone(),
    );
    outbox.continue_counts(&counts);
    outbox.set_relations(recalled);
    outbox.continue_isolation(&isolated);
    registry.become_patient();
    let mut tables_in_stream =
        Tables::new((catalog, characters), registry, (topics, names), relations, config, metrics, lessons);
    let prepared = tables_in_stream.prepare(&tables, goes_on).await?;
    let mut encoders = Vec::with_capacity(prepared.len());
    let mut tellings = Vec::with_capacity(prepared.len());
    for table in prepared {
        outbox.know_topic(&table.encoder.topic);
        encoders.push(table.encoder);
        tellings.push(table.telling);
    }
    let mended = isolation::at_start(&encoders, &mut outbox);
    let side_topics = tables_in_stream.prepare_side_topics().await?;
    if shutdown.requested() {
        return Ok(());
    }

    let mut new = if mode == SnapshotMode::Never { Vec::new() } else { mended };
    let mut left = 0;
    let checkpoint = match start {
        Start::Stream(checkpoint) => {
            if mode != SnapshotMode::Never {
                new.extend(added(&encoders, &counts, &checkpoint.left_out));
            }
            *checkpoint
        }
        unfinished => {
            let (session, mut snapshot) = if let Start::Snapshot(checkpoint) = unfinished {
                let (session, exported) = create_slot(config, SlotKind::Temporary).await?;
                tracing::info!(at = %exported.consistent_point, "the snapshot goes on at a new position");
                let snapshot = Snapshot {
                    exported,
                    stream_from: slot.as_ref().map(|slot| slot.confirmed),
                    earlier: Lsn(checkpoint.snapshot_lsn as u64),
                    progress: checkpoint.snapshot_progress,
                    dead_letters: side_topics.dead_letters.clone(),
                    characters: tables_in_stream.characters.clone(),
                };
                (session, snapshot)
            } else {
                begin(&mut outbox).await?;
                let kind = Server::read(&client).await?.slot_kind(&config.source);
                let (session, exported) = create_slot(config, kind).await?;
                tracing::info!(slot = config.slot, at = %exported.consistent_point, "replication slot created");
                let snapshot = Snapshot {
                    exported,
                    stream_from: None,
                    earlier: Lsn(0),
                    progress: BTreeMap::new(),
                    dead_letters: side_topics.dead_letters.clone(),
                    characters: tables_in_stream.characters.clone(),
                };
                (session, snapshot)
            };
            *established = true;
            metrics.set_ready(true);
            // They hold from the snapshot on.
            let at = EventId { commit_lsn: snapshot.exported.consistent_point.before(), ordinal: 0 };
            for telling in &tellings {
                let relations = &mut tables_in_stream.relations;
                let changes = relations.tell(&mut outbox, telling.clone(), at, "start").await?;
                if changes.iter().any(Change::needs_image) {
                    snapshot.read_again(&telling.name);
                }
            }
            let read = if mode == SnapshotMode::Never { &[] } else { encoders.as_slice() };
            let apart = tell_apart(&client, &tables, read).await?;
            left = apart.left.len();
            let (read, snapshot) = match &config.snapshot.replica {
                None => (apart.readable.as_slice(), snapshot.left_to_the_stream(&apart.left)),
                // The slot's snapshot can't be had there: tables are read while the stream goes on.
                Some(_) => (&[][..], snapshot.left_to_the_stream(read)),
            };
            let relations = &mut tables_in_stream.relations;
            let done =
                snapshot::run(config, snapshot, read, (&mut outbox, relations), &identity, shutdown, metrics);
            let Some(checkpoint) = done.await? else { return Ok(()) };
            drop(session);
            checkpoint
        }
    };
    if mode == SnapshotMode::Only && left > 0 {
        let what = format!(
            "the snapshot lacks {left} tables that this user may not read: run what was said above, and start again"
        );
        return Err(Error::new(ErrorKind::SourceRefused, what));
    }
    if mode == SnapshotMode::Only {
        tracing::info!("the snapshot is out, and snapshot.mode = only: the capture ends");
        return Ok(());
    }

    new.extend(again);
    let signals = match &config.signals.topic {
        Some(topic) => Some(signals(&config.kafka, topic, &config.slot, &config.topic_prefix)?),
        None => None,
    };
    let from = Lsn(checkpoint.end_lsn as u64);
    let session = replicate(config).await?;
    let waiting = metrics.received_chunks();
    let replication = session.start(&config.slot, &publications, from, waiting).await?;
    *established = true;
    metrics.set_ready(true);
    tracing::info!(slot = config.slot, %from, commit_lsn = %checkpoint.position(), ordinal = checkpoint.ordinal, "streaming");
    let stream =
        Stream::new(replication, outbox, tables_in_stream, side_topics, config, metrics, &checkpoint)
            .with_publications(arranged)
            .with_signals(signals);
    Box::pin(stream.run(&new, &tables, tellings, shutdown)).await
}

/// Tables that came since the last checkpoint, or that were left out then.
fn added(
    encoders: &[Arc<TableEncoder>],
    counts: &BTreeMap<String, i64>,
    left_out: &[String],
) -> Vec<TableName> {
    let is_new = |topic: &str| !counts.contains_key(topic) || left_out.iter().any(|left| left == topic);
    let new = encoders.iter().filter(|encoder| is_new(&encoder.topic));
    new.map(|encoder| encoder.shape.name.clone()).collect()
}

/// Asks over a replication connection, which also proves the right to replicate.
async fn identify(config: &Config) -> Result<SystemIdentity> {
    let unreachable = |_| {
        Error::new(
            ErrorKind::SourceUnreachable,
            format!("PostgreSQL at {} does not answer on a replication connection", config.source.place()),
        )
    };
    let mut session = replicate(config).await?;
    tokio::time::timeout(CONNECT_TIMEOUT, session.identify()).await.map_err(unreachable)?
}

/// A replication session; a change longer than four records is not held in memory: texts are longer than
/// what they become, and an update may bring two rows.
async fn replicate(config: &Config) -> Result<Replication> {
    let longest = (config.kafka.max_record_bytes as usize).saturating_mul(4);
    Replication::connect(&config.source, &config.slot, longest).await
}

async fn create_slot(config: &Config, kind: SlotKind) -> Result<(Replication, ExportedSnapshot)> {
    let mut session = replicate(config).await?;
    let temporary = kind == SlotKind::Temporary;
    let name = if temporary { format!("{:.50}_snapshot", config.slot) } else { config.slot.clone() };
    let exported = session.create_slot(&name, kind).await?;
    Ok((session, exported))
}

/// Says that a slot of this capture is about to come into being.
async fn begin(outbox: &mut Outbox) -> Result<()> {
    let progress = Progress {
        id: EventId { commit_lsn: Lsn(0), ordinal: 0 },
        end: Lsn(0),
        complete: false,
        committed_at_us: 0,
        phase: PHASE_STARTING,
        snapshot_lsn: Lsn(0),
        snapshot_progress: BTreeMap::new(),
    };
    outbox.commit(progress).await?;
    outbox.all_committed().await.map(drop)
}

/// The slot's state once nobody reads from it.
async fn free_slot(client: &Client, config: &Config, shutdown: &mut Shutdown) -> Result<Option<SlotState>> {
    let begun = Instant::now();
    loop {
        let slot = source::read_slot(client, &config.slot, &config.source.database).await?;
        let Some(pid) = slot.as_ref().and_then(|slot| slot.active_pid) else { return Ok(slot) };
        if begun.elapsed() >= SLOT_PATIENCE || shutdown.requested() {
            return Err(Error::new(
                ErrorKind::SlotBusy,
                format!(
                    "replication slot {} is read by another session (PostgreSQL pid {pid}): stop the other instance, or end its \
                     session with pg_terminate_backend({pid})",
                    config.slot
                ),
            ));
        }
        if begun.elapsed() < SLOT_POLL {
            tracing::warn!(
                slot = config.slot,
                pid,
                "the replication slot is read by another session; waiting for it"
            );
        }
        tokio::time::sleep(SLOT_POLL).await;
    }
}
