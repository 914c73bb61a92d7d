use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::avro::{Operation, wire_header};
use crate::checkpoint::{ALL_TOPICS_EVERY, Checkpoint, TableProgress};
use crate::error::Result;
use crate::kafka::{EventId, Producer, Record};
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::transport::SystemIdentity;

/// Kafka transactions: events go in one after the other, and each transaction ends with one checkpoint
/// record, so that events and the knowledge of them become visible together or not at all.
///
/// Calls block; an outbox that failed is of no further use, since its counts are ahead of Kafka.
pub(crate) struct Outbox {
    producer: Producer,
    checkpoint_topic: String,
    checkpoint_schema_id: u32,
    identity: SystemIdentity,
    slot: String,
    counts: BTreeMap<Arc<str>, i64>,
    touched: BTreeSet<Arc<str>>,
    open_since: Option<Instant>,
    events: usize,
    checkpoints: u64,
    metrics: Metrics,
}

/// What a checkpoint says of the source.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// The last event that is out.
    pub(crate) id: EventId,
    /// Where the stream goes on.
    pub(crate) end: Lsn,
    pub(crate) complete: bool,
    pub(crate) committed_at_us: i64,
    pub(crate) phase: &'static str,
    pub(crate) snapshot_lsn: Lsn,
    pub(crate) snapshot_progress: BTreeMap<String, TableProgress>,
}

impl Outbox {
    pub(crate) fn new(
        producer: Producer,
        checkpoint_topic: String,
        checkpoint_schema_id: u32,
        identity: SystemIdentity,
        slot: String,
        metrics: Metrics,
    ) -> Self {
        Self {
            producer,
            checkpoint_topic,
            checkpoint_schema_id,
            identity,
            slot,
            counts: BTreeMap::new(),
            touched: BTreeSet::new(),
            open_since: None,
            events: 0,
            checkpoints: 0,
            metrics,
        }
    }

    /// Takes over the counts of the last checkpoint.
    pub(crate) fn continue_counts(&mut self, counts: &BTreeMap<String, i64>) {
        self.counts = counts.iter().map(|(topic, count)| (Arc::from(topic.as_str()), *count)).collect();
    }

    /// Lets a topic appear in the counts although it has no events yet.
    pub(crate) fn know_topic(&mut self, topic: &Arc<str>) {
        if !self.counts.contains_key(topic) {
            self.counts.insert(Arc::clone(topic), 0);
            self.touched.insert(Arc::clone(topic));
        }
    }

    /// Adds an event and counts it.
    pub(crate) fn event(
        &mut self,
        topic: &Arc<str>,
        key: Option<&[u8]>,
        value: &[u8],
        id: EventId,
        operation: Operation,
    ) -> Result<()> {
        self.send(&Record { topic, key, value: Some(value), id, operation: Some(operation.letter()) })?;
        match self.counts.get_mut(topic) {
            Some(count) => *count += 1,
            None => {
                self.counts.insert(Arc::clone(topic), 1);
            }
        }
        if !self.touched.contains(topic) {
            self.touched.insert(Arc::clone(topic));
        }
        self.events += 1;
        Ok(())
    }

    /// Adds the tombstone that follows a delete; it has the delete's identity and isn't counted.
    pub(crate) fn tombstone(&mut self, topic: &Arc<str>, key: &[u8], id: EventId) -> Result<()> {
        self.send(&Record { topic, key: Some(key), value: None, id, operation: None })
    }

    /// Events in the open Kafka transaction.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// How long the open Kafka transaction is open, none when none is.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.open_since.map(|since| since.elapsed())
    }

    /// Writes the checkpoint and commits; without events, a Kafka transaction of the checkpoint alone.
    pub(crate) fn commit(&mut self, progress: &Progress) -> Result<()> {
        let all_topics =
            self.checkpoints.is_multiple_of(ALL_TOPICS_EVERY) || !progress.snapshot_progress.is_empty();
        let count =
            |topic: &Arc<str>| (topic.to_string(), self.counts.get(topic).copied().unwrap_or_default());
        let checkpoint = Checkpoint {
            system_id: self.identity.system_id.clone(),
            timeline: self.identity.timeline as i32,
            slot: self.slot.clone(),
            commit_lsn: progress.id.commit_lsn.0 as i64,
            end_lsn: progress.end.0 as i64,
            ordinal: progress.id.ordinal as i64,
            complete: progress.complete,
            committed_at_us: progress.committed_at_us,
            phase: progress.phase.to_owned(),
            snapshot_lsn: progress.snapshot_lsn.0 as i64,
            counts: if all_topics {
                self.counts.keys().map(count).collect()
            } else {
                self.touched.iter().map(count).collect()
            },
            all_topics,
            snapshot_progress: progress.snapshot_progress.clone(),
        };
        let mut value = Vec::with_capacity(256);
        wire_header(self.checkpoint_schema_id, &mut value);
        value.extend(checkpoint.encode()?);
        let (topic, key) = (self.checkpoint_topic.clone(), self.slot.clone());
        self.send(&Record {
            topic: &topic,
            key: Some(key.as_bytes()),
            value: Some(&value),
            id: progress.id,
            operation: None,
        })?;
        self.producer.commit()?;
        let took = self.age().unwrap_or_default();
        self.metrics.produced(progress.id.commit_lsn, progress.committed_at_us, took);
        tracing::debug!(lsn = %progress.id.commit_lsn, ordinal = progress.id.ordinal, events = self.events, complete = progress.complete, took_ms = took.as_millis(), "Kafka transaction committed");
        self.checkpoints += 1;
        self.events = 0;
        self.open_since = None;
        self.touched.clear();
        Ok(())
    }

    /// Gives up what isn't committed.
    pub(crate) fn abort(&mut self) {
        if self.open_since.take().is_some() {
            self.producer.abort();
        }
    }

    fn send(&mut self, record: &Record<'_>) -> Result<()> {
        if self.open_since.is_none() {
            self.producer.begin()?;
            self.open_since = Some(Instant::now());
        }
        self.producer.send(record)
    }
}
