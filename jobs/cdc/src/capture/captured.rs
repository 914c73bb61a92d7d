use std::sync::Arc;

use prometheus::IntCounter;

use crate::avro::{Operation, Stamp, TableEncoder};
use crate::delivery::TopicId;
use crate::metrics::Metrics;

/// A table in the stream.
pub(crate) struct Captured {
    pub(crate) encoder: Arc<TableEncoder>,
    pub(crate) stamp: Stamp,
    /// The topic's place in the outbox, once an event went there.
    pub(crate) topic: Option<TopicId>,
    /// Whether it was said where the table's isolation begins.
    pub(super) isolation_told: bool,
    /// Whether two of its rows may have one key within a transaction, and old rows are told in full.
    pub(super) displaces: bool,
    counters: [Option<(IntCounter, IntCounter)>; 5],
}

impl Captured {
    pub(super) fn new(encoder: Arc<TableEncoder>) -> Self {
        Self {
            encoder,
            stamp: Stamp::default(),
            topic: None,
            isolation_told: false,
            displaces: false,
            counters: [const { None }; 5],
        }
    }

    /// Counts one event of so many bytes in the metrics.
    pub(crate) fn count(&mut self, operation: Operation, bytes: usize, metrics: &Metrics) {
        if let Some(counters) = self.counters.get_mut(operation as usize) {
            let new = || metrics.events(&self.encoder.shape.name, operation.letter());
            let (events, size) = counters.get_or_insert_with(new);
            events.inc();
            size.inc_by(bytes as u64);
        }
    }
}
