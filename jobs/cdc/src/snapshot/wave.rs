use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::plan::{Planner, Range};
use super::read::{connect_at, read_ranges, reader_at};
use crate::avro::{EventSource, SnapshotMark, TableEncoder};
use crate::checkpoint::{Checkpoint, PHASE_SNAPSHOT, PHASE_STREAM, TableProgress};
use crate::config::Config;
use crate::delivery::{Outbox, Progress, SideTopic};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::relation::RelationLog;
use crate::shutdown::Shutdown;
use crate::source::Characters;
use crate::table::TableName;
use crate::transport::{Connection, ExportedSnapshot, SystemIdentity};

/// Ranges of a wave for each connection: more make fewer waits for the slowest, and larger Kafka
/// transactions.
const RANGES_PER_CONNECTION: usize = 2;
/// As many tables of one range take the place of one: each wave ends with a checkpoint that names every table, which may
/// be thousands.
const TABLES_PER_RANGE: usize = 16;
/// Chunks between the readers and the producer.
const QUEUED_CHUNKS: usize = 8;

/// An attempt at the snapshot.
pub(crate) struct Snapshot {
    pub(crate) exported: ExportedSnapshot,
    /// Where the slot stands; none when the exported snapshot is the slot's own.
    pub(crate) stream_from: Option<Lsn>,
    /// The largest position at which an earlier attempt read rows.
    pub(crate) earlier: Lsn,
    pub(crate) progress: BTreeMap<String, TableProgress>,
    /// Where rows go that have no encoding; none when they stop the capture.
    pub(crate) dead_letters: Option<SideTopic>,
    pub(crate) characters: Option<Arc<Characters>>,
}

impl Snapshot {
    /// Lets a table be read from its beginning, whatever an earlier attempt has read of it.
    pub(crate) fn read_again(&mut self, table: &TableName) {
        if let Some(progress) = self.progress.get_mut(&table.key()) {
            progress.done = false;
            progress.through.clear();
        }
    }

    /// Leaves the tables that are not read yet to the stream, from their beginning.
    pub(crate) fn left_to_the_stream(mut self, encoders: &[Arc<TableEncoder>]) -> Self {
        for encoder in encoders {
            let progress = self.progress.entry(encoder.shape.name.key()).or_default();
            if !progress.done {
                *progress = TableProgress::default();
            }
        }
        self
    }
}

/// The state of an attempt between waves.
struct Attempt<'a> {
    outbox: &'a mut Outbox,
    relations: &'a mut RelationLog,
    metrics: &'a Metrics,
    dead_letters: Option<SideTopic>,
    characters: Option<Arc<Characters>>,
    source: EventSource,
    snapshot_lsn: Lsn,
    /// Of the next event.
    ordinal: u64,
    rows: u64,
    stream_from: Lsn,
    earlier: Lsn,
    progress: BTreeMap<String, TableProgress>,
}

/// Reads what is left, and returns the checkpoint that the stream begins from; none when told to stop.
pub(crate) async fn run(
    config: &Config,
    snapshot: Snapshot,
    encoders: &[Arc<TableEncoder>],
    (outbox, relations): (&mut Outbox, &mut RelationLog),
    identity: &SystemIdentity,
    shutdown: &mut Shutdown,
    metrics: &Metrics,
) -> Result<Option<Checkpoint>> {
    let point = snapshot.exported.consistent_point;
    // The snapshot holds exactly the commits below the consistent point, which may itself be the LSN
    // of the first commit that is streamed.
    let snapshot_lsn = point.before();
    let source = EventSource {
        committed_at_us: Utc::now().timestamp_micros(),
        previous_commit: None,
        lsn: snapshot_lsn,
        xid: None,
        snapshot: SnapshotMark::Initial,
    };
    let mut attempt = Attempt {
        outbox,
        relations,
        metrics,
        dead_letters: snapshot.dead_letters,
        characters: snapshot.characters,
        source,
        snapshot_lsn,
        ordinal: 0,
        rows: 0,
        stream_from: snapshot.stream_from.unwrap_or(point),
        earlier: snapshot.earlier,
        progress: snapshot.progress,
    };
    for encoder in encoders {
        attempt.progress.entry(encoder.shape.name.key()).or_default();
    }
    // Before the first row: from here on the slot counts as ours.
    attempt.commit(PHASE_SNAPSHOT).await?;

    let name = &snapshot.exported.name;
    let mut readers = Vec::with_capacity(config.snapshot.connections);
    for _ in 0..config.snapshot.connections {
        readers.push(reader_at(config, name).await?);
    }
    let planning = connect_at(&config.source, name).await?;
    let mut planner = Planner::new(
        planning,
        encoders,
        &attempt.progress,
        config.snapshot.rows_per_range,
        attempt.characters.is_none(),
    )
    .await?;
    loop {
        planner.release().await?;
        let (mut ranges, mut taken) = (Vec::new(), 0);
        while taken < TABLES_PER_RANGE * RANGES_PER_CONNECTION * config.snapshot.connections {
            let Some(range) = planner.next().await? else { break };
            taken += if range.is_small_table() { 1 } else { TABLES_PER_RANGE };
            ranges.push(range);
        }
        if ranges.is_empty() {
            break;
        }
        if shutdown.requested() || !attempt.wave(&ranges, &mut readers, shutdown).await? {
            attempt.outbox.abort().await;
            return Ok(None);
        }
    }
    let progress = attempt.commit(PHASE_STREAM).await?;
    attempt.outbox.all_committed().await?;
    tracing::info!(rows = attempt.rows, at = %snapshot_lsn, "the snapshot is out");
    Ok(Some(progress.stream_checkpoint(identity, &config.slot)))
}

impl Attempt<'_> {
    /// Reads some ranges and commits them; false when it was broken off.
    async fn wave(
        &mut self,
        ranges: &[Range],
        readers: &mut Vec<Connection>,
        shutdown: &Shutdown,
    ) -> Result<bool> {
        for range in ranges.iter().filter(|range| range.begins_table()) {
            let at = self.next_position();
            self.relations.begin_image(self.outbox, &range.encoder.shape.name, at).await?;
        }
        let queue = Arc::new(Mutex::new(VecDeque::from(ranges.to_vec())));
        let (out, mut chunks) = mpsc::channel(QUEUED_CHUNKS);
        let mut tasks = JoinSet::new();
        for client in readers.drain(..) {
            let meant_for = (self.dead_letters.clone(), self.characters.clone());
            tasks.spawn(read_ranges(client, Arc::clone(&queue), self.source, meant_for, out.clone()));
        }
        drop(out);
        while let Some(chunk) = chunks.recv().await {
            if shutdown.overdue() {
                return Ok(false);
            }
            let id = EventId { commit_lsn: self.snapshot_lsn, ordinal: self.ordinal };
            let next = chunk.send(self.outbox, id, self.dead_letters.as_ref(), self.metrics).await?;
            self.rows += next.ordinal - self.ordinal;
            self.ordinal = next.ordinal;
        }
        while let Some(ended) = tasks.join_next().await {
            let client = ended.map_err(|cause| {
                Error::new(ErrorKind::SourceUnreachable, "a reader of the snapshot ended early")
                    .caused_by(cause)
            })??;
            readers.push(client);
        }
        for range in ranges {
            let progress = self.progress.entry(range.encoder.shape.name.key()).or_default();
            progress.done = range.through.is_none();
            if progress.read_at == 0 {
                progress.read_at = self.snapshot_lsn.0 as i64;
            }
            progress.through = range.through.clone().unwrap_or_default();
            if progress.done {
                let at = self.next_position();
                self.relations.end_image(self.outbox, &range.encoder.shape.name, at).await?;
            }
        }
        self.commit(PHASE_SNAPSHOT).await?;
        Ok(true)
    }

    /// A place of its own for what is no row.
    fn next_position(&mut self) -> EventId {
        let id = EventId { commit_lsn: self.snapshot_lsn, ordinal: self.ordinal };
        self.ordinal += 1;
        id
    }

    /// Hands over a commit, and waits for the one before it.
    async fn commit(&mut self, phase: &'static str) -> Result<Progress> {
        self.outbox.all_committed().await?;
        let streaming = phase == PHASE_STREAM;
        let stream_lsn = self.stream_from.before();
        let newest = self.snapshot_lsn.max(self.earlier);
        let complete = streaming && stream_lsn >= newest;
        let mut progress = Progress {
            id: EventId {
                commit_lsn: if streaming { stream_lsn } else { self.snapshot_lsn },
                ordinal: self.ordinal.saturating_sub(1),
            },
            end: self.stream_from,
            complete,
            committed_at_us: self.source.committed_at_us,
            phase,
            snapshot_lsn: newest,
            snapshot_progress: self.progress.clone(),
        };
        if complete {
            // The stream reads what is not done.
            progress.snapshot_progress.retain(|_, progress| !progress.done);
        }
        self.outbox.commit(progress.clone()).await?;
        let done = self.progress.values().filter(|progress| progress.done).count();
        self.metrics.snapshot(self.progress.len(), done);
        Ok(progress)
    }
}
