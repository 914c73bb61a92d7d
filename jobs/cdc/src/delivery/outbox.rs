use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::progress::Progress;
use crate::avro::{Operation, wire_header};
use crate::checkpoint::{ALL_TOPICS_EVERY, Checkpoint, IsolatedTable, PHASE_STREAM};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::{Batch, EventId, NodeId, Partition, Producer, Record, Records, partition_of};
use crate::metrics::Metrics;
use crate::table::TableName;
use crate::transport::SystemIdentity;

/// What is around key, value and texts in a record, at most.
const RECORD_OVERHEAD: usize = 128;

/// Kafka transactions: events go in one after the other, and each transaction ends with one checkpoint
/// record, so that events and the knowledge of them become visible together or not at all.
///
/// A commit is handed over and reported later by [`committed`](Self::committed); the events of the next
/// Kafka transaction may be added meanwhile. An outbox that failed is of no further use, since its counts
/// are ahead of Kafka.
pub(crate) struct Outbox {
    producer: Producer,
    checkpoint_topic: TopicId,
    checkpoint_schema_id: u32,
    identity: SystemIdentity,
    slot: String,
    topics: Vec<Topic>,
    by_name: HashMap<Arc<str>, TopicId>,
    /// Topics in the counts whose tables are not captured.
    left_out: BTreeSet<Arc<str>>,
    /// Tables whose events go to the topic of dead letters.
    isolated: BTreeMap<String, IsolatedTable>,
    relations: i64,
    /// Topics with events in the open Kafka transaction, or new to the counts.
    touched: Vec<TopicId>,
    open_since: Option<Instant>,
    events: usize,
    /// Bytes added and not handed over yet, and how many there may be.
    waiting_bytes: usize,
    max_waiting_bytes: usize,
    max_record_bytes: usize,
    checkpoints: u64,
    committing: VecDeque<Committing>,
    metrics: Metrics,
}

/// A topic's place in the outbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TopicId(usize);

struct Topic {
    name: Arc<str>,
    /// Events since the slot began.
    count: i64,
    /// Whether it is in the counts of checkpoints.
    counted: bool,
    touched: bool,
    /// None of them before the first event.
    partitions: Vec<Lane>,
}

/// What waits for one partition.
struct Lane {
    leader: NodeId,
    records: Records,
}

/// A commit that was handed over.
struct Committing {
    progress: Progress,
    since: Instant,
    events: usize,
}

impl Outbox {
    pub(crate) fn new(
        producer: Producer,
        kafka: &KafkaConfig,
        checkpoint_topic: String,
        checkpoint_schema_id: u32,
        identity: SystemIdentity,
        slot: String,
        metrics: Metrics,
    ) -> Self {
        let mut outbox = Self {
            producer,
            checkpoint_topic: TopicId(0),
            checkpoint_schema_id,
            identity,
            slot,
            topics: Vec::new(),
            by_name: HashMap::new(),
            left_out: BTreeSet::new(),
            isolated: BTreeMap::new(),
            relations: 0,
            touched: Vec::new(),
            open_since: None,
            events: 0,
            waiting_bytes: 0,
            max_waiting_bytes: kafka.queue_kbytes as usize * 1024 / 2,
            max_record_bytes: kafka.max_record_bytes as usize,
            checkpoints: 0,
            committing: VecDeque::new(),
            metrics,
        };
        outbox.checkpoint_topic = outbox.uncounted_topic(&checkpoint_topic.into());
        outbox
    }

    /// Takes over the counts of the last checkpoint; their topics count as left out until they are known.
    pub(crate) fn continue_counts(&mut self, counts: &BTreeMap<String, i64>) {
        for (name, count) in counts {
            let name = Arc::from(name.as_str());
            let id = self.topic(&name);
            if let Some(topic) = self.topics.get_mut(id.0) {
                topic.count = *count;
            }
            self.left_out.insert(name);
        }
    }

    /// Takes note of a captured table's topic, which appears in the counts although it may have no events yet.
    pub(crate) fn know_topic(&mut self, name: &Arc<str>) {
        self.left_out.remove(name);
        if !self.by_name.contains_key(name) {
            let id = self.topic(name);
            self.touch(id);
        }
    }

    /// How many records the relation topic has, with those that are written now.
    pub(crate) fn set_relations(&mut self, records: i64) {
        self.relations = records;
    }

    /// Takes over the tables that were isolated at the last checkpoint.
    pub(crate) fn continue_isolation(&mut self, isolated: &BTreeMap<String, IsolatedTable>) {
        self.isolated = isolated.clone();
    }

    /// Takes note, for checkpoints, that a table is isolated; what is known of its beginning stays.
    pub(crate) fn isolate(&mut self, table: &TableName, isolated: IsolatedTable) {
        self.isolated.entry(table.key()).or_insert(isolated);
    }

    /// Whether some of a table's events may be dead letters alone.
    pub(crate) fn is_isolated(&self, table: &TableName) -> bool {
        !self.isolated.is_empty() && self.isolated.contains_key(&table.key())
    }

    /// Takes note that a table is isolated no more, and is read as a whole.
    pub(crate) fn end_isolation(&mut self, table: &TableName) {
        self.isolated.remove(&table.key());
    }

    /// Whether a topic is in the counts of checkpoints, or will be.
    pub(crate) fn knows_topic(&self, name: &Arc<str>) -> bool {
        self.by_name.contains_key(name)
    }

    /// The place of a topic whose records are no events, and which is in no count.
    pub(crate) fn uncounted_topic(&mut self, name: &Arc<str>) -> TopicId {
        let id = self.topic(name);
        if let Some(topic) = self.topics.get_mut(id.0) {
            topic.counted = false;
        }
        id
    }

    /// The topic's place, which it gets when it is new.
    pub(crate) fn topic(&mut self, name: &Arc<str>) -> TopicId {
        if let Some(id) = self.by_name.get(name) {
            return *id;
        }
        let id = TopicId(self.topics.len());
        self.topics.push(Topic {
            name: Arc::clone(name),
            count: 0,
            counted: true,
            touched: false,
            partitions: Vec::new(),
        });
        self.by_name.insert(Arc::clone(name), id);
        id
    }

    fn touch(&mut self, id: TopicId) {
        if let Some(topic) = self.topics.get_mut(id.0)
            && !topic.touched
        {
            topic.touched = true;
            self.touched.push(id);
        }
    }

    /// Adds an event, with more headers, and counts it.
    #[inline]
    pub(crate) async fn event(
        &mut self,
        topic: TopicId,
        (key, value): (Option<&[u8]>, &[u8]),
        headers: &[(&str, &[u8])],
        id: EventId,
        operation: Operation,
        now_us: i64,
    ) -> Result<()> {
        let operation = Some(operation.byte());
        let timestamp_ms = now_us / 1000;
        let record = Record { key, value: Some(value), id, operation, headers, timestamp_ms };
        self.add(topic, &record).await?;
        if let Some(topic) = self.topics.get_mut(topic.0) {
            topic.count += 1;
        }
        self.events += 1;
        Ok(())
    }

    /// Adds a record that is no event of a table and isn't counted.
    pub(crate) async fn uncounted(
        &mut self,
        topic: TopicId,
        (key, value): (Option<&[u8]>, &[u8]),
        id: EventId,
        now_us: i64,
    ) -> Result<()> {
        let timestamp_ms = now_us / 1000;
        let record = Record { key, value: Some(value), id, operation: None, headers: &[], timestamp_ms };
        self.add(topic, &record).await
    }

    /// Adds the tombstone that follows a delete; it has the delete's identity and isn't counted.
    pub(crate) async fn tombstone(
        &mut self,
        topic: TopicId,
        key: &[u8],
        id: EventId,
        now_us: i64,
    ) -> Result<()> {
        let timestamp_ms = now_us / 1000;
        let record = Record { key: Some(key), value: None, id, operation: None, headers: &[], timestamp_ms };
        self.add(topic, &record).await
    }

    #[inline]
    async fn add(&mut self, id: TopicId, record: &Record<'_>) -> Result<()> {
        let parts = [record.key, record.value].into_iter().flatten();
        let parts = parts.chain(record.headers.iter().map(|(_, content)| *content));
        let size = record_bytes(parts.map(<[u8]>::len).sum());
        let Some(topic) = self.topics.get_mut(id.0) else { return Ok(()) };
        if size > self.max_record_bytes {
            return Err(too_large(&topic.name, size));
        }
        if self.open_since.is_none() {
            self.open_since = Some(Instant::now());
        }
        if topic.partitions.is_empty() {
            self.find_leaders(id).await?;
        }
        if self.waiting_bytes + size > self.max_waiting_bytes {
            let batches = self.take_all();
            self.write(batches, false).await?;
        }
        self.touch(id);
        let Some(topic) = self.topics.get_mut(id.0) else { return Ok(()) };
        let index = partition_of(record.key, topic.partitions.len());
        let Some(lane) = topic.partitions.get_mut(index) else { return Ok(()) };
        if lane.records.len() + size > self.producer.batch_bytes() && !lane.records.is_empty() {
            let batch = lane.take(&topic.name, index);
            self.waiting_bytes -= batch.records.len();
            self.write(vec![batch], false).await?;
        }
        // The lanes are where they were, but had to be let go of for the producer.
        if let Some(lane) = self.topics.get_mut(id.0).and_then(|topic| topic.partitions.get_mut(index)) {
            let before = lane.records.len();
            lane.records.push(record);
            self.waiting_bytes += lane.records.len() - before;
        }
        Ok(())
    }

    /// Hands batches over; the queue's length is told before, since this may wait for room in it.
    async fn write(&mut self, batches: Vec<Batch>, commit: bool) -> Result<()> {
        let bytes: usize = batches.iter().map(|batch| batch.records.len()).sum();
        self.metrics.producer_queue(self.producer.queued_bytes() + self.waiting_bytes + bytes);
        self.producer.write(batches, commit).await
    }

    async fn find_leaders(&mut self, id: TopicId) -> Result<()> {
        let Some(topic) = self.topics.get_mut(id.0) else { return Ok(()) };
        let leaders = self.producer.leaders(&topic.name).await?;
        topic.partitions =
            leaders.into_iter().map(|leader| Lane { leader, records: Records::default() }).collect();
        Ok(())
    }

    /// Everything that waits, at most one batch for each partition.
    fn take_all(&mut self) -> Vec<Batch> {
        self.waiting_bytes = 0;
        let mut batches = Vec::new();
        for id in &self.touched {
            if let Some(topic) = self.topics.get_mut(id.0) {
                for (index, lane) in topic.partitions.iter_mut().enumerate() {
                    if !lane.records.is_empty() {
                        batches.push(lane.take(&topic.name, index));
                    }
                }
            }
        }
        batches
    }

    /// Events in the open Kafka transaction.
    pub(crate) fn events(&self) -> usize {
        self.events
    }

    /// How long the open Kafka transaction is open, none when none is.
    pub(crate) fn age(&self) -> Option<Duration> {
        self.open_since.map(|since| since.elapsed())
    }

    /// Commits that were handed over and are not reported yet.
    pub(crate) fn committing(&self) -> usize {
        self.committing.len()
    }

    /// Ends the Kafka transaction with a checkpoint and hands it over to be committed; without events, a
    /// Kafka transaction of the checkpoint alone.
    pub(crate) async fn commit(&mut self, progress: Progress) -> Result<()> {
        let since = self.open_since.take().unwrap_or_else(Instant::now);
        let mut value = Vec::with_capacity(512);
        wire_header(self.checkpoint_schema_id, &mut value);
        self.checkpoint(&progress).encode(&mut value);
        let key = self.slot.clone();
        let record = Record {
            key: Some(key.as_bytes()),
            value: Some(&value),
            id: progress.id,
            operation: None,
            headers: &[],
            timestamp_ms: chrono::Utc::now().timestamp_millis(),
        };
        self.add(self.checkpoint_topic, &record).await?;
        let batches = self.take_all();
        for id in self.touched.drain(..) {
            if let Some(topic) = self.topics.get_mut(id.0) {
                topic.touched = false;
            }
        }
        self.write(batches, true).await?;
        self.committing.push_back(Committing { progress, since, events: self.events });
        self.checkpoints += 1;
        self.events = 0;
        self.open_since = None;
        Ok(())
    }

    fn checkpoint(&self, progress: &Progress) -> Checkpoint {
        let all_topics =
            self.checkpoints.is_multiple_of(ALL_TOPICS_EVERY) || !progress.snapshot_progress.is_empty();
        let count = |topic: &Topic| (topic.name.to_string(), topic.count);
        Checkpoint {
            counts: if all_topics {
                self.topics.iter().filter(|topic| topic.counted).map(count).collect()
            } else {
                let touched = self.touched.iter().filter_map(|id| self.topics.get(id.0));
                touched.filter(|topic| topic.counted).map(count).collect()
            },
            all_topics,
            left_out: self.left_out.iter().map(ToString::to_string).collect(),
            isolated: self.isolated.clone(),
            relations: self.relations,
            ..progress.checkpoint(&self.identity, &self.slot)
        }
    }

    /// Waits for the oldest commit that was handed over; safe to drop and call again.
    pub(crate) async fn committed(&mut self) -> Result<Progress> {
        self.producer.committed().await?;
        let committed = self.committing.pop_front().ok_or_else(|| {
            Error::new(ErrorKind::KafkaTransaction, "Kafka committed what was not asked for")
        })?;
        let (progress, took) = (committed.progress, committed.since.elapsed());
        self.metrics.produced(progress.id.commit_lsn, progress.committed_at_us, took);
        if committed.events > 0 && progress.phase == PHASE_STREAM {
            self.metrics.arrived(progress.committed_at_us);
        }
        self.metrics.producer_queue(self.producer.queued_bytes() + self.waiting_bytes);
        tracing::debug!(lsn = %progress.id.commit_lsn, ordinal = progress.id.ordinal, events = committed.events, complete = progress.complete, took_us = took.as_micros(), "Kafka transaction committed");
        Ok(progress)
    }

    /// Waits for every commit that was handed over; the last one's progress.
    pub(crate) async fn all_committed(&mut self) -> Result<Option<Progress>> {
        let mut last = None;
        while self.committing() > 0 {
            last = Some(self.committed().await?);
        }
        Ok(last)
    }

    /// Gives up what isn't committed.
    pub(crate) async fn abort(&mut self) {
        if self.open_since.take().is_some() {
            self.producer.abort().await;
        }
    }
}

impl Lane {
    fn take(&mut self, topic: &Arc<str>, index: usize) -> Batch {
        Batch {
            partition: Partition { topic: Arc::clone(topic), index: index as i32 },
            leader: self.leader,
            records: self.records.take(),
        }
    }
}

/// What a record takes, at most, whose key, value and texts take so much.
pub(crate) fn record_bytes(content: usize) -> usize {
    content + RECORD_OVERHEAD
}

#[cold]
fn too_large(topic: &str, size: usize) -> Error {
    Error::new(
        ErrorKind::RecordTooLarge,
        format!(
            "an event for topic {topic} has {size} bytes: the row is larger than a record may be; raise kafka.max_record_bytes and \
             the topic's max.message.bytes"
        ),
    )
}
