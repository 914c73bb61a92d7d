//! The events of changes: encoded, and added to the open Kafka transaction with what goes along.

use super::transaction_metadata::{KeyAndValue, TransactionMetadata};
use crate::avro::{EventSource, Operation, dead_letter};
use crate::capture::captured::Captured;
use crate::capture::changes::{Change, Changes};
use crate::capture::isolation;
use crate::config::{Config, SkippedOperations};
use crate::delivery::{Outbox, SideTopic, SideTopics};
use crate::error::{Error, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::pgoutput::Begin;

/// Writes the events of one change after the other, each with its tombstone and the record of its transaction's beginning, or
/// as a dead letter.
pub(super) struct EventWriter {
    changes: Changes,
    skip: SkippedOperations,
    tombstones: bool,
    transactions: Option<TransactionMetadata>,
    dead_letters: Option<SideTopic>,
    metrics: Metrics,
    /// When the chunk being read was received.
    received_at_us: i64,
}

impl EventWriter {
    pub(super) fn new(config: &Config, side_topics: &SideTopics, metrics: &Metrics) -> Self {
        Self {
            changes: Changes::new(config.events.skip, config.kafka.max_record_bytes as usize),
            skip: config.events.skip,
            tombstones: config.kafka.tombstones,
            transactions: side_topics.transactions.clone().map(TransactionMetadata::new),
            dead_letters: side_topics.dead_letters.clone(),
            metrics: metrics.clone(),
            received_at_us: 0,
        }
    }

    pub(super) fn received(&mut self, at_us: i64) {
        self.received_at_us = at_us;
    }

    pub(super) fn received_at_us(&self) -> i64 {
        self.received_at_us
    }

    pub(super) fn dead_letters(&self) -> Option<&SideTopic> {
        self.dead_letters.as_ref()
    }

    /// Takes note of a transaction whose beginning was received at `lsn`.
    pub(super) fn begin(&mut self, begin: Begin, lsn: Lsn) {
        if let Some(transactions) = &mut self.transactions {
            transactions.begin(begin, lsn);
        }
    }

    /// Encodes a change, as one event or two.
    pub(super) fn encode(
        &mut self,
        table: &mut Captured,
        change: &Change<'_>,
        source: EventSource,
    ) -> Result<()> {
        let name = &table.encoder.shape.name;
        let block = self.transactions.as_mut().and_then(|transactions| transactions.block(name, source.lsn));
        self.changes.encode(table, change, source, block, self.received_at_us)
    }

    /// The number of events of the last change.
    pub(super) fn len(&self) -> usize {
        self.changes.len()
    }

    /// Whether the configuration leaves this event of the last change out.
    pub(super) fn skips(&self, event: usize) -> bool {
        self.changes.get(event).is_some_and(|event| self.skip.contains(event.operation))
    }

    /// Counts an event in its transaction, and returns whether the transaction's beginning is to be told before it.
    pub(super) fn count(&mut self, table: &Captured) -> bool {
        self.transactions.as_mut().is_some_and(|transactions| transactions.count(&table.encoder.shape.name))
    }

    /// Sends the record of the beginning of the transaction that this event is in.
    pub(super) async fn write_beginning(&self, event: EventId, outbox: &mut Outbox) -> Result<()> {
        let record = self.transactions.as_ref().and_then(TransactionMetadata::beginning);
        self.write_boundary(record, EventId { ordinal: 0, ..event }, outbox).await
    }

    /// Whether the transaction's end is a record, with a place behind the last event: so it is known whether Kafka has it.
    pub(super) fn tells_end(&self) -> bool {
        self.transactions.as_ref().is_some_and(TransactionMetadata::has_events)
    }

    /// Sends the record of the transaction's end at `lsn`.
    pub(super) async fn write_end(&self, lsn: Lsn, id: EventId, outbox: &mut Outbox) -> Result<()> {
        let record = self.transactions.as_ref().and_then(|transactions| transactions.end(lsn));
        self.write_boundary(record, id, outbox).await
    }

    async fn write_boundary(
        &self,
        record: Option<KeyAndValue>,
        id: EventId,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let (Some(transactions), Some((key, value))) = (&self.transactions, record) else { return Ok(()) };
        let topic = outbox.uncounted_topic(&transactions.topic().name);
        outbox.uncounted(topic, (Some(&key), &value), id, self.received_at_us).await
    }

    /// Sends an event of the last change, with its tombstone.
    pub(super) async fn write(
        &self,
        event: usize,
        table: &mut Captured,
        id: EventId,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let Some(event) = self.changes.get(event) else { return Ok(()) };
        let topic = *table.topic.get_or_insert_with(|| outbox.topic(&table.encoder.topic));
        let (record, headers) = ((event.key(), event.value.as_slice()), event.texts.headers());
        outbox.event(topic, record, &headers, id, event.operation, self.received_at_us).await?;
        if event.operation == Operation::Delete
            && self.tombstones
            && let Some(key) = event.key()
        {
            outbox.tombstone(topic, key, id, self.received_at_us).await?;
        }
        table.count(event.operation, event.bytes(), &self.metrics);
        Ok(())
    }

    /// Whether a change that fails like this is a dead letter.
    pub(super) fn buries(&self, failure: &Error) -> bool {
        self.dead_letters.as_ref().is_some_and(|topic| topic.takes(failure.kind()))
    }

    /// How many places a buried change has in its transaction.
    pub(super) fn places(&mut self, table: &Captured, change: &Change<'_>) -> usize {
        self.changes.events_if_taken(table, change)
    }

    /// Sends what has no encoding where it can be looked at.
    pub(super) async fn bury(
        &self,
        table: &mut Captured,
        (change, source): (&Change<'_>, EventSource),
        id: EventId,
        failure: &Error,
        outbox: &mut Outbox,
    ) -> Result<()> {
        let Some(topic) = &self.dead_letters else { return Ok(()) };
        let event = change.as_event(source, self.received_at_us);
        let value = dead_letter(topic, &table.encoder, &event, id, &failure.chain());
        if table.encoder.is_refused() {
            let isolated = isolation::begin(table, id, &topic.name, failure);
            outbox.isolate(&table.encoder.shape.name, isolated);
        } else {
            tracing::warn!(table = %table.encoder.shape.name, lsn = %id.commit_lsn, ordinal = id.ordinal, topic = %topic.name, "an event has no encoding: {}", failure.chain());
        }
        self.metrics.buried(&table.encoder.shape.name, 1);
        let topic = outbox.uncounted_topic(&topic.name);
        outbox.uncounted(topic, (None, &value), id, self.received_at_us).await
    }
}
