use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::task::block_in_place;

use super::outbox::{Outbox, Progress};
use super::tables::Tables;
use crate::avro::{Event, EventSource, Image, Operation, TableEncoder};
use crate::checkpoint::{Checkpoint, PHASE_STREAM, TableProgress};
use crate::config::Config;
use crate::error::{ErrorKind, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::pgoutput::{Begin, Commit, Datum, Message, OldTuple, RelationId, Tuple};
use crate::shutdown::Shutdown;
use crate::transport::{Received, ReplicationStream};

/// How often an idle source's progress is written down and confirmed, so that it can release WAL.
const IDLE_INTERVAL: Duration = Duration::from_secs(10);
/// How often due work is looked for while nothing is received.
const TICK: Duration = Duration::from_millis(500);

/// The streaming phase: from messages to Kafka transactions to confirmed positions.
pub(crate) struct Stream<S> {
    source: S,
    outbox: Outbox,
    tables: Tables,
    max_events: usize,
    interval: Duration,
    tombstones: bool,
    metrics: Metrics,
    /// The last event that is out, or in the open Kafka transaction.
    reached: EventId,
    /// Where the stream goes on after the last whole transaction.
    end: Lsn,
    committed_at_us: i64,
    snapshot_lsn: Lsn,
    /// What the snapshot read of each table, until the stream has passed it.
    snapshot_progress: BTreeMap<String, TableProgress>,
    /// What Kafka knows: the position and completeness of the last checkpoint.
    written: (EventId, bool),
    written_at: Instant,
    transaction: Option<Transaction>,
}

/// A source transaction being received.
struct Transaction {
    begin: Begin,
    ordinal: u64,
    previous_commit: Lsn,
}

impl<S: ReplicationStream> Stream<S> {
    pub(crate) fn new(
        source: S,
        outbox: Outbox,
        tables: Tables,
        config: &Config,
        metrics: &Metrics,
        checkpoint: &Checkpoint,
    ) -> Self {
        let reached =
            EventId { commit_lsn: Lsn(checkpoint.commit_lsn as u64), ordinal: checkpoint.ordinal as u64 };
        Self {
            source,
            outbox,
            tables,
            max_events: config.commit.max_events,
            interval: config.commit.interval,
            tombstones: config.kafka.tombstones,
            metrics: metrics.clone(),
            reached,
            end: Lsn(checkpoint.end_lsn as u64),
            committed_at_us: checkpoint.committed_at_us,
            snapshot_lsn: Lsn(checkpoint.snapshot_lsn as u64),
            snapshot_progress: checkpoint.snapshot_progress.clone(),
            written: (reached, checkpoint.complete),
            written_at: Instant::now(),
            transaction: None,
        }
    }

    /// Streams until the stop is asked for or something fails.
    pub(crate) async fn run(mut self, shutdown: &mut Shutdown) -> Result<()> {
        self.source.confirm(self.end);
        loop {
            let wait = self.outbox.age().map_or(TICK, |age| self.interval.saturating_sub(age));
            let received = tokio::select! {
                biased;
                () = shutdown.wait() => None,
                received = self.source.receive() => Some(Some(received?)),
                () = tokio::time::sleep(wait) => Some(None),
            };
            match received {
                Some(Some(Received::Message { lsn, message })) => self.message(lsn, message).await?,
                Some(Some(Received::KeepAlive { end })) => self.keep_alive(end),
                Some(None) => {}
                None => return self.stop().await,
            }
            self.commit_when_due()?;
        }
    }

    async fn stop(mut self) -> Result<()> {
        if self.outbox.age().is_some() {
            self.commit()?;
        }
        self.source.close().await;
        Ok(())
    }

    async fn message(&mut self, lsn: Lsn, message: Message) -> Result<()> {
        self.metrics.received(lsn);
        match message {
            Message::Begin(begin) => {
                let previous_commit = self.reached.commit_lsn;
                self.transaction = Some(Transaction { begin, ordinal: 0, previous_commit });
            }
            Message::Commit(commit) => self.finish_transaction(commit),
            Message::Relation(relation) => self.tables.describe(&relation).await?,
            Message::Insert { relation, new } => self.change(relation, lsn, Change::Insert(new)).await?,
            Message::Update { relation, old, new } => {
                self.change(relation, lsn, Change::Update(old, new)).await?;
            }
            Message::Delete { relation, old } => self.change(relation, lsn, Change::Delete(old)).await?,
            Message::Truncate { relations } => {
                for relation in relations {
                    self.change(relation, lsn, Change::Truncate).await?;
                }
            }
            Message::Origin { .. } | Message::Type { .. } | Message::Logical { .. } => {}
        }
        Ok(())
    }

    /// Encodes and sends one change, in one or two events.
    async fn change(&mut self, relation: RelationId, lsn: Lsn, change: Change) -> Result<()> {
        let Some(mut encoder) = self.tables.encoder(relation)? else {
            // Not captured, yet part of the transaction: positions don't depend on the configuration.
            self.next_ordinal();
            return Ok(());
        };
        let steps = match self.steps(&encoder, lsn, &change) {
            Err(error) if error.kind() == ErrorKind::UnexpectedNull => {
                self.tables.allow_nulls(relation, change.row()).await?;
                encoder = self.tables.encoder(relation)?.unwrap_or(encoder);
                self.steps(&encoder, lsn, &change)?
            }
            steps => steps?,
        };
        for step in steps {
            self.send(&encoder, &step)?;
        }
        Ok(())
    }

    fn steps(&self, encoder: &TableEncoder, lsn: Lsn, change: &Change) -> Result<Vec<Step>> {
        let Some(transaction) = &self.transaction else { return Ok(Vec::new()) };
        let source = EventSource {
            committed_at_us: transaction.begin.committed_at_us,
            previous_commit: Some(transaction.previous_commit),
            lsn,
            xid: Some(transaction.begin.xid),
        };
        let now_us = Utc::now().timestamp_micros();
        let event =
            |operation, before, after| encoder.value(&Event { operation, before, after, source, now_us });
        let step = |operation, key, value| Step { operation, key, value };
        Ok(match change {
            Change::Insert(new) => {
                vec![step(
                    Operation::Create,
                    encoder.key(new)?,
                    event(Operation::Create, None, Some(Image::Row(new)))?,
                )]
            }
            Change::Update(old, new) => {
                let (before, new) = match old {
                    None => (None, new.clone()),
                    Some(OldTuple::Key(old)) => (Some(Image::Key(old)), new.clone()),
                    Some(OldTuple::Full(old)) => (Some(Image::Row(old)), complete(new, old)),
                };
                let key = encoder.key(&new)?;
                let old_key =
                    before.map(|(Image::Key(old) | Image::Row(old))| encoder.key(old)).transpose()?.flatten();
                if let Some(old_key) = old_key.filter(|old_key| Some(old_key) != key.as_ref()) {
                    vec![
                        step(Operation::Delete, Some(old_key), event(Operation::Delete, before, None)?),
                        step(Operation::Create, key, event(Operation::Create, None, Some(Image::Row(&new)))?),
                    ]
                } else {
                    let before = before.filter(|image| matches!(image, Image::Row(_)));
                    vec![step(
                        Operation::Update,
                        key,
                        event(Operation::Update, before, Some(Image::Row(&new)))?,
                    )]
                }
            }
            Change::Delete(old) => {
                let (image, values) = match old {
                    OldTuple::Key(values) => (Image::Key(values), values),
                    OldTuple::Full(values) => (Image::Row(values), values),
                };
                vec![step(
                    Operation::Delete,
                    encoder.key(values)?,
                    event(Operation::Delete, Some(image), None)?,
                )]
            }
            Change::Truncate => {
                vec![step(Operation::Truncate, None, event(Operation::Truncate, None, None)?)]
            }
        })
    }

    /// Sends one event, unless Kafka has it already, and commits when the limit is reached.
    fn send(&mut self, encoder: &Arc<TableEncoder>, step: &Step) -> Result<()> {
        let Some(id) = self.next_ordinal() else { return Ok(()) };
        if id <= self.reached || self.is_in_snapshot(encoder, id) {
            return Ok(());
        }
        block_in_place(|| {
            self.outbox.event(&encoder.topic, step.key.as_deref(), &step.value, id, step.operation)?;
            match &step.key {
                Some(key) if step.operation == Operation::Delete && self.tombstones => {
                    self.outbox.tombstone(&encoder.topic, key, id)
                }
                _ => Ok(()),
            }
        })?;
        self.metrics.events(&encoder.shape.name, step.operation.letter()).inc();
        self.reached = id;
        if let Some(transaction) = &self.transaction {
            self.committed_at_us = transaction.begin.committed_at_us;
        }
        if self.outbox.events() >= self.max_events { self.commit() } else { Ok(()) }
    }

    /// Whether the snapshot read all of the table after this change.
    fn is_in_snapshot(&self, encoder: &TableEncoder, id: EventId) -> bool {
        if self.snapshot_progress.is_empty() {
            return false;
        }
        let progress = self.snapshot_progress.get(&encoder.shape.name.to_string());
        progress.is_some_and(|progress| id.commit_lsn.0 as i64 <= progress.read_at)
    }

    fn next_ordinal(&mut self) -> Option<EventId> {
        let transaction = self.transaction.as_mut()?;
        let ordinal = transaction.ordinal;
        transaction.ordinal += 1;
        Some(EventId { commit_lsn: transaction.begin.commit_lsn, ordinal })
    }

    fn finish_transaction(&mut self, commit: Commit) {
        if let Some(transaction) = self.transaction.take() {
            let last =
                EventId { commit_lsn: commit.commit_lsn, ordinal: transaction.ordinal.saturating_sub(1) };
            self.reached = self.reached.max(last);
            self.committed_at_us = transaction.begin.committed_at_us;
        }
        self.end = self.end.max(commit.end_lsn);
        self.metrics.received(commit.end_lsn);
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

    fn commit_when_due(&mut self) -> Result<()> {
        if self.transaction.is_some() {
            return Ok(());
        }
        let due = if let Some(age) = self.outbox.age() {
            age >= self.interval
        } else {
            // Nothing to send: the position alone, now and then, and at once when it completes a cut.
            let (reached, complete) = self.written;
            self.reached > reached
                && (self.written_at.elapsed() >= IDLE_INTERVAL || (!complete && self.is_complete()))
        };
        if due { self.commit() } else { Ok(()) }
    }

    /// Everything at or below the position is out: no transaction is half sent, and the stream has
    /// passed every snapshot whose rows are in Kafka.
    fn is_complete(&self) -> bool {
        self.transaction.is_none() && self.reached.commit_lsn >= self.snapshot_lsn
    }

    fn commit(&mut self) -> Result<()> {
        if self.is_complete() {
            self.snapshot_progress.clear();
        }
        let progress = Progress {
            id: self.reached,
            end: self.end,
            complete: self.is_complete(),
            committed_at_us: self.committed_at_us,
            phase: PHASE_STREAM,
            snapshot_lsn: self.snapshot_lsn,
            snapshot_progress: self.snapshot_progress.clone(),
        };
        block_in_place(|| self.outbox.commit(&progress))?;
        self.written = (progress.id, progress.complete);
        self.written_at = Instant::now();
        self.source.confirm(self.end);
        self.metrics.confirmed(self.end);
        Ok(())
    }
}

/// A change of one row or table, as received.
enum Change {
    Insert(Tuple),
    Update(Option<OldTuple>, Tuple),
    Delete(OldTuple),
    Truncate,
}

impl Change {
    fn row(&self) -> &[Datum] {
        match self {
            Self::Insert(row)
            | Self::Update(_, row)
            | Self::Delete(OldTuple::Key(row) | OldTuple::Full(row)) => row,
            Self::Truncate => &[],
        }
    }
}

/// An encoded event.
struct Step {
    operation: Operation,
    key: Option<Vec<u8>>,
    value: Vec<u8>,
}

/// The new row with values that the update left alone taken from the old one.
fn complete(new: &Tuple, old: &Tuple) -> Tuple {
    let fill =
        |(new, old): (&Datum, &Datum)| if *new == Datum::Unchanged { old.clone() } else { new.clone() };
    new.iter().zip(old).map(fill).collect()
}
