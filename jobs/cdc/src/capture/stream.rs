mod aside;
mod ddl;
mod discovery;
mod displaced;
mod incremental;
mod messages;
mod publications;
mod signals;
mod transaction;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::mpsc;

use self::discovery::Discovery;
use self::incremental::{Incremental, SOON};
use self::messages::Messages;
pub(super) use self::publications::Publications;
use self::signals::receive;
use self::transaction::Transaction;
use super::changes::{Change, Changes};
use super::displaced_rows::DisplacedRows;
use super::isolation;
use super::pace::Pace;
use super::tables::Tables;
use crate::avro::{Boundary, EventSource, Operation, SnapshotMark, TableEncoder, dead_letter};
use crate::checkpoint::{Checkpoint, PHASE_STREAM, TableProgress};
use crate::config::{Config, SkippedOperations};
use crate::delivery::{Outbox, Progress, SideTopics};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::{EventId, KafkaSignal, TRANSACTIONAL_IDS};
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::pgoutput::{Commit, Message, Relation, RelationId, decode};
use crate::relation::Telling;
use crate::shutdown::Shutdown;
use crate::source::Arranged;
use crate::table::TableName;
use crate::transport::{Chunk, Received, ReplicationStream};

/// How often an idle source's progress is written down and confirmed, so that it can release WAL.
const IDLE_INTERVAL: Duration = Duration::from_secs(10);
/// How often due work is looked for while nothing is received.
const TICK: Duration = Duration::from_millis(500);
/// Commits on their way while the next Kafka transaction is filled.
const MAX_COMMITTING: usize = TRANSACTIONAL_IDS - 1;

/// The streaming phase: from messages to Kafka transactions to confirmed positions.
pub(crate) struct Stream<S> {
    source: S,
    pub(super) outbox: Outbox,
    pub(super) tables: Tables,
    side_topics: SideTopics,
    changes: Changes,
    max_events: usize,
    interval: Duration,
    pace: Pace,
    /// Events in the open Kafka transaction that are rows of incremental snapshots.
    rows_taken_in: usize,
    tombstones: bool,
    skip: SkippedOperations,
    metrics: Metrics,
    /// The last event that is out, or in the open Kafka transaction.
    reached: EventId,
    /// Where the stream goes on after the last whole transaction.
    end: Lsn,
    committed_at_us: i64,
    snapshot_lsn: Lsn,
    /// What the snapshot read of each table, until the stream has passed it, and what is read incrementally.
    snapshot_progress: BTreeMap<String, TableProgress>,
    incremental: Incremental,
    discovery: Discovery,
    publications: Publications,
    messages: Messages,
    kafka_signals: Option<mpsc::Receiver<KafkaSignal>>,
    /// What Kafka knows or is being told: the position and completeness of the last checkpoint.
    written: (EventId, bool),
    written_at: Instant,
    /// When the chunk being read was received.
    now_us: i64,
    transaction: Option<Transaction>,
    /// Rows of the transaction whose keys may still be others'.
    displaced: DisplacedRows,
    /// The last event's name in the metadata of transactions.
    block_id: String,
}

impl<S: ReplicationStream> Stream<S> {
    pub(crate) fn new(
        source: S,
        outbox: Outbox,
        tables: Tables,
        side_topics: SideTopics,
        config: &Config,
        metrics: &Metrics,
        checkpoint: &Checkpoint,
    ) -> Self {
        let messages = Messages::new(config, side_topics.messages.as_ref());
        let reached =
            EventId { commit_lsn: Lsn(checkpoint.commit_lsn as u64), ordinal: checkpoint.ordinal as u64 };
        Self {
            source,
            outbox,
            tables,
            side_topics,
            changes: Changes::new(config.events.skip, config.kafka.max_record_bytes as usize),
            max_events: config.commit.max_events,
            interval: config.commit.interval,
            pace: Pace::new(config.commit.interval, config.commit.min_interval),
            rows_taken_in: 0,
            tombstones: config.kafka.tombstones,
            skip: config.events.skip,
            metrics: metrics.clone(),
            reached,
            end: Lsn(checkpoint.end_lsn as u64),
            committed_at_us: checkpoint.committed_at_us,
            snapshot_lsn: Lsn(checkpoint.snapshot_lsn as u64),
            snapshot_progress: checkpoint.snapshot_progress.clone(),
            incremental: Incremental::new(config),
            discovery: Discovery::new(config.discover_interval),
            publications: Publications::new(config, Arranged::default(), false).0,
            messages,
            kafka_signals: None,
            written: (reached, checkpoint.complete),
            written_at: Instant::now(),
            now_us: 0,
            transaction: None,
            displaced: DisplacedRows::new(config.kafka.queue_kbytes as usize * 1024 / 4),
            block_id: String::new(),
        }
    }

    /// Makes up for what these publications leave untold.
    pub(crate) fn with_publications(mut self, publications: Publications) -> Self {
        self.publications = publications;
        self
    }

    /// Follows the signals of this topic too.
    pub(crate) fn with_signals(mut self, signals: Option<mpsc::Receiver<KafkaSignal>>) -> Self {
        self.kafka_signals = signals;
        self
    }

    /// Streams until the stop is asked for or something fails; tables that are new are read meanwhile.
    /// `tellings` are the tables that are included, as the catalog had them at the session's start.
    pub(crate) async fn run(
        mut self,
        new: &[TableName],
        tellings: Vec<Telling>,
        shutdown: &mut Shutdown,
    ) -> Result<()> {
        self.source.confirm(self.end);
        self.read_tables(new);
        self.incremental.hold(&self.publications.held());
        let included: Vec<_> = tellings.iter().map(|table| (table.id, table.name.clone())).collect();
        self.compare(tellings, &included).await?;
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                () = shutdown.wait() => return self.stop().await,
                committed = self.outbox.committed(), if self.outbox.committing() > 0 => self.confirm(&committed?),
                Some(signal) = receive(&mut self.kafka_signals), if self.transaction.is_none() => {
                    Box::pin(self.kafka_signal(signal)).await?;
                }
                chunk = self.source.receive() => self.chunk(&chunk?).await?,
                () = tokio::time::sleep(pause) => {}
            }
            self.read_on_if_due().await?;
            if self.discovery.has_found() {
                Box::pin(self.tell_found()).await?;
            }
            if self.transaction.is_none() && self.is_time_to_look() {
                Box::pin(self.discover()).await?;
            }
            self.commit_when_due().await?;
        }
    }

    async fn stop(mut self) -> Result<()> {
        if self.outbox.age().is_some() {
            self.commit().await?;
        }
        if let Some(progress) = self.outbox.all_committed().await? {
            self.confirm(&progress);
        }
        self.source.close().await;
        Ok(())
    }

    async fn chunk(&mut self, chunk: &Chunk) -> Result<()> {
        self.now_us = Utc::now().timestamp_micros();
        let mut last = Lsn(0);
        for received in chunk.received() {
            match received? {
                Received::Message { lsn, body } => {
                    last = last.max(lsn);
                    match &self.tables.characters {
                        Some(characters) if !body.is_ascii() => {
                            let recoded = Arc::clone(characters).message(body).await?;
                            self.message(lsn, decode(&recoded)?).await?;
                        }
                        _ => self.message(lsn, decode(body)?).await?,
                    }
                }
                Received::KeepAlive { end, .. } => self.keep_alive(end),
            }
        }
        self.metrics.received(last);
        Ok(())
    }

    async fn message(&mut self, lsn: Lsn, message: Message<'_>) -> Result<()> {
        match message {
            Message::Begin(begin) => {
                if self.incremental.stands_before(&begin) {
                    Box::pin(self.take_in_before(&begin)).await?;
                }
                self.pace.arrived(begin.committed_at_us, self.now_us, Instant::now());
                let began_at = self.side_topics.transactions.as_ref().map(|_| lsn);
                let previous_commit = self.reached.commit_lsn;
                let transaction = Transaction {
                    begin,
                    ordinal: 0,
                    previous_commit,
                    began_at,
                    begun: false,
                    events: Vec::new(),
                };
                self.transaction = Some(transaction);
            }
            Message::Commit(commit) => self.finish_transaction(commit).await?,
            Message::Relation(relation) => {
                Box::pin(self.relation(&relation)).await?;
            }
            Message::Insert { relation, new } => {
                if let Some(columns) = self.tables.signal_columns(relation) {
                    Box::pin(self.signal_row(new, columns)).await?;
                }
                self.change(relation, lsn, Change::Insert(new)).await?;
            }
            Message::Update { relation, old, new } => {
                self.change(relation, lsn, Change::Update(old, new)).await?;
            }
            Message::Delete { relation, old } => self.change(relation, lsn, Change::Delete(old)).await?,
            Message::Truncate { relations } => {
                for relation in relations {
                    self.change(relation, lsn, Change::Truncate).await?;
                }
            }
            Message::Logical { lsn, prefix, content, .. } => {
                Box::pin(self.logical(lsn, (prefix, content))).await?;
            }
            Message::Origin { .. } | Message::Type { .. } => {}
        }
        Ok(())
    }

    /// What the stream says of a table holds from its next event on.
    async fn relation(&mut self, relation: &Relation) -> Result<()> {
        self.displaced_before(relation).await?;
        let telling = self.tables.describe(relation).await?;
        self.read_again_if_mended(relation.id)?;
        let Some(table) = self.tables.get(relation.id)? else { return Ok(()) };
        let topic = Arc::clone(&table.encoder.topic);
        let (Some(telling), Some(transaction)) = (telling, &self.transaction) else {
            self.outbox.know_topic(&topic);
            return Ok(());
        };
        let at = EventId { commit_lsn: transaction.begin.commit_lsn, ordinal: transaction.ordinal };
        if at > self.reached {
            self.tell(telling, at, "stream").await?;
        }
        self.outbox.know_topic(&topic);
        Ok(())
    }

    /// Takes one change in, which is sent at once unless it has to wait for the transaction's end.
    async fn change(&mut self, relation: RelationId, lsn: Lsn, change: Change<'_>) -> Result<()> {
        let Some(transaction) = &self.transaction else { return Ok(()) };
        self.incremental.changed(relation, &transaction.begin);
        let Some(table) = self.tables.get(relation)? else {
            // Not captured, yet part of the transaction: positions don't depend on the configuration.
            self.next_ordinal();
            return Ok(());
        };
        if is_in_snapshot(&self.snapshot_progress, &table.encoder, transaction.begin.commit_lsn) {
            self.next_ordinal();
            return Ok(());
        }
        if table.displaces {
            return Box::pin(self.displace(relation, lsn, change)).await;
        }
        self.emit(relation, lsn, change).await
    }

    /// Encodes and sends one change, in one or two events.
    async fn emit(&mut self, relation: RelationId, lsn: Lsn, change: Change<'_>) -> Result<()> {
        let Some(transaction) = &self.transaction else { return Ok(()) };
        let source = EventSource {
            committed_at_us: transaction.begin.committed_at_us,
            previous_commit: Some(transaction.previous_commit),
            lsn,
            xid: Some(transaction.begin.xid),
            snapshot: SnapshotMark::No,
        };
        let Some(table) = self.tables.get(relation)? else {
            self.next_ordinal();
            return Ok(());
        };
        let block = transaction.block(&table.encoder, lsn, &mut self.block_id);
        let mut encoded = self.changes.encode(table, &change, source, block, self.now_us);
        if matches!(&encoded, Err(error) if error.kind().teaches()) {
            Box::pin(self.tables.learn(relation, change.images())).await?;
            if let Some(table) = self.tables.get(relation)? {
                encoded = self.changes.encode(table, &change, source, block, self.now_us);
            }
        }
        if let (Err(error), Some(topic)) = (&encoded, &self.side_topics.dead_letters)
            && topic.takes(error.kind())
        {
            return self.bury(relation, &change, source, error).await;
        }
        encoded.map_err(|error| at(error, lsn))?;
        for event in 0..self.changes.len() {
            if self.changes.get(event).is_some_and(|event| self.skip.contains(event.operation)) {
                self.next_ordinal();
            } else {
                self.send(relation, event).await?;
            }
        }
        Ok(())
    }

    /// Sends one encoded event, unless Kafka has it already, and commits when the limit is reached.
    async fn send(&mut self, relation: RelationId, event: usize) -> Result<()> {
        let Some(id) = self.next_ordinal() else { return Ok(()) };
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        if let (Some(topic), Some(transaction)) = (&self.side_topics.transactions, &mut self.transaction) {
            transaction.count(&table.encoder);
            // What Kafka has of it begins with its beginning.
            if !std::mem::replace(&mut transaction.begun, true) && id > self.reached {
                let id = EventId { ordinal: 0, ..id };
                let written =
                    transaction.boundary(topic, &Boundary::Begin, transaction.began_at.unwrap_or(Lsn(0)));
                let topic = self.outbox.uncounted_topic(&topic.name);
                self.outbox.uncounted(topic, (Some(&written.0), &written.1), id, self.now_us).await?;
            }
        }
        if id <= self.reached {
            return Ok(());
        }
        let Some(event) = self.changes.get(event) else { return Ok(()) };
        let topic = *table.topic.get_or_insert_with(|| self.outbox.topic(&table.encoder.topic));
        self.outbox.event(topic, event.key(), &event.value, id, event.operation, self.now_us).await?;
        if event.operation == Operation::Delete
            && self.tombstones
            && let Some(key) = event.key()
        {
            self.outbox.tombstone(topic, key, id, self.now_us).await?;
        }
        table.count(event.operation, event.bytes(), &self.metrics);
        self.sent(id).await
    }

    /// Sends what has no encoding where it can be looked at.
    async fn bury(
        &mut self,
        relation: RelationId,
        change: &Change<'_>,
        source: EventSource,
        error: &Error,
    ) -> Result<()> {
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        let events = self.changes.events_if_taken(table, change);
        let Some(id) = self.next_ordinal() else { return Ok(()) };
        let last = (1..events).filter_map(|_| self.next_ordinal()).last().unwrap_or(id);
        let (Some(topic), Some(table)) = (&self.side_topics.dead_letters, self.tables.get(relation)?) else {
            return Ok(());
        };
        if id <= self.reached {
            return Ok(());
        }
        let value =
            dead_letter(topic, &table.encoder, &change.as_event(source, self.now_us), id, &error.chain());
        if table.encoder.is_refused() {
            let isolated = isolation::begin(table, id, &topic.name, error);
            self.outbox.isolate(&table.encoder.shape.name, isolated);
        } else {
            tracing::warn!(table = %table.encoder.shape.name, lsn = %id.commit_lsn, ordinal = id.ordinal, topic = %topic.name, "an event has no encoding: {}", error.chain());
        }
        self.metrics.buried(&table.encoder.shape.name, 1);
        let topic = self.outbox.uncounted_topic(&topic.name);
        self.outbox.uncounted(topic, (None, &value), id, self.now_us).await?;
        self.sent(last).await
    }

    /// Takes note that everything up to here is in the open Kafka transaction, which ends when it is full.
    async fn sent(&mut self, id: EventId) -> Result<()> {
        self.reached = id;
        if let Some(transaction) = &self.transaction {
            self.committed_at_us = transaction.begin.committed_at_us;
        }
        if self.outbox.events() >= self.max_events { self.commit().await } else { Ok(()) }
    }

    fn next_ordinal(&mut self) -> Option<EventId> {
        let transaction = self.transaction.as_mut()?;
        let ordinal = transaction.ordinal;
        transaction.ordinal += 1;
        Some(EventId { commit_lsn: transaction.begin.commit_lsn, ordinal })
    }

    async fn finish_transaction(&mut self, commit: Commit) -> Result<()> {
        if !self.displaced.is_empty() {
            Box::pin(self.finish_displaced()).await?;
        }
        if let Some(transaction) = self.transaction.take() {
            let mut last =
                EventId { commit_lsn: commit.commit_lsn, ordinal: transaction.ordinal.saturating_sub(1) };
            if let Some(topic) = self.side_topics.transactions.as_ref().filter(|_| transaction.begun) {
                // As one event more, so that it is known whether Kafka has it.
                last.ordinal = transaction.ordinal;
                if last > self.reached {
                    let written =
                        transaction.boundary(topic, &Boundary::End(&transaction.events), commit.end_lsn);
                    let topic = self.outbox.uncounted_topic(&topic.name);
                    self.outbox.uncounted(topic, (Some(&written.0), &written.1), last, self.now_us).await?;
                }
            }
            self.reached = self.reached.max(last);
            self.committed_at_us = transaction.begin.committed_at_us;
        }
        self.end = self.end.max(commit.end_lsn);
        self.metrics.received(commit.end_lsn);
        self.read_on_if_due().await
    }

    /// Between transactions, the server's position is ours too.
    fn keep_alive(&mut self, end: Lsn) {
        self.metrics.received(end);
        if self.transaction.is_none() && end > self.end {
            // The next commit may begin at `end` itself, so everything *before* it is out.
            let position = EventId { commit_lsn: end.before(), ordinal: 0 };
            self.reached = self.reached.max(position);
            self.end = end;
        }
    }

    /// How long nothing is due while nothing arrives.
    fn pause(&self) -> Duration {
        match self.outbox.age() {
            Some(age) if self.transaction.is_none() && self.outbox.committing() < MAX_COMMITTING => {
                self.pace.rest(age, Instant::now())
            }
            _ if self.is_reading() => SOON,
            _ => TICK,
        }
    }

    async fn commit_when_due(&mut self) -> Result<()> {
        if self.transaction.is_some() || self.outbox.committing() >= MAX_COMMITTING {
            return Ok(());
        }
        let due = if let Some(age) = self.outbox.age() {
            // What has arrived meanwhile goes along, within limits.
            age >= self.interval
                || (!self.source.is_behind() && self.pace.rest(age, Instant::now()).is_zero())
        } else {
            // Nothing to send: the position alone, now and then, and at once when it completes a cut.
            let (reached, complete) = self.written;
            self.position() > reached
                && (self.written_at.elapsed() >= IDLE_INTERVAL || (!complete && self.is_complete()))
        };
        if due { self.commit().await } else { Ok(()) }
    }

    /// Everything at or below the position is out: no transaction is half sent, and the stream has
    /// passed every snapshot whose rows are in Kafka.
    fn is_complete(&self) -> bool {
        self.transaction.is_none() && self.reached.commit_lsn >= self.snapshot_lsn
    }

    /// The last position of which all is out: between transactions, the last byte of the log that was read, so that
    /// who waits for all that was committed so far need not wait for an idle source's checkpoint. While tables are read
    /// it is the last event, which leaves room for their rows.
    fn position(&self) -> EventId {
        if self.transaction.is_none() && !self.is_reading() && !self.discovery.has_found() {
            self.last_passed()
        } else {
            self.reached
        }
    }

    fn last_passed(&self) -> EventId {
        self.reached.max(EventId { commit_lsn: self.end.before(), ordinal: 0 })
    }

    async fn commit(&mut self) -> Result<()> {
        while self.outbox.committing() >= MAX_COMMITTING {
            let progress = self.outbox.committed().await?;
            self.confirm(&progress);
        }
        if self.is_complete() {
            self.snapshot_progress.retain(|_, progress| !progress.done);
        }
        let progress = Progress {
            // Never back behind a cut that was told.
            id: self.position().max(self.written.0),
            end: self.end,
            complete: self.is_complete(),
            committed_at_us: self.committed_at_us,
            phase: PHASE_STREAM,
            snapshot_lsn: self.snapshot_lsn,
            snapshot_progress: self.snapshot_progress.clone(),
        };
        let changes = self.outbox.events().saturating_sub(std::mem::take(&mut self.rows_taken_in));
        self.pace.ended(changes, Instant::now());
        self.written = (progress.id, progress.complete);
        self.written_at = Instant::now();
        self.outbox.commit(progress).await
    }

    /// Tells the source what is safe in Kafka.
    fn confirm(&self, progress: &Progress) {
        self.source.confirm(progress.end);
        self.metrics.confirmed(progress.end);
    }
}

/// A failure together with its place in the log.
#[cold]
fn at(error: Error, lsn: Lsn) -> Error {
    match error.kind() {
        ErrorKind::Encoding | ErrorKind::RecordTooLarge => {
            Error::new(error.kind(), format!("the change at LSN {lsn} can't be told")).caused_by(error)
        }
        _ => error,
    }
}

/// Whether the snapshot read all of the table after this change.
fn is_in_snapshot(
    snapshot_progress: &BTreeMap<String, TableProgress>,
    encoder: &TableEncoder,
    commit_lsn: Lsn,
) -> bool {
    if snapshot_progress.is_empty() {
        return false;
    }
    let progress = snapshot_progress.get(&encoder.shape.name.to_string());
    progress.is_some_and(|progress| commit_lsn.0 as i64 <= progress.read_at)
}
