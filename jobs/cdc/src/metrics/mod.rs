//! The metrics and their names.

mod build;
mod slot;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::Utc;
use prometheus::{
    Encoder, Histogram, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Registry, TextEncoder,
};

use self::build::Builder;
use self::slot::SlotMetrics;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::source::SlotHealth;
use crate::table::TableName;

const SOURCE_HEAD_LSN: &str = "lakepulse_cdc_source_head_lsn";
const RECEIVED_LSN: &str = "lakepulse_cdc_received_lsn";
const PRODUCED_LSN: &str = "lakepulse_cdc_produced_lsn";
const CONFIRMED_LSN: &str = "lakepulse_cdc_confirmed_lsn";
const EVENTS_TOTAL: &str = "lakepulse_cdc_events_total";
const EVENT_BYTES_TOTAL: &str = "lakepulse_cdc_event_bytes_total";
const EVENT_LATENCY_SECONDS: &str = "lakepulse_cdc_event_latency_seconds";
const RECEIVED_CHUNKS: &str = "lakepulse_cdc_received_chunks";
const PRODUCER_QUEUE_BYTES: &str = "lakepulse_cdc_producer_queue_bytes";
const REGISTRY_REQUESTS_TOTAL: &str = "lakepulse_cdc_registry_requests_total";
const REGISTRY_CACHE_HITS_TOTAL: &str = "lakepulse_cdc_registry_cache_hits_total";
const REGISTRY_SCHEMAS: &str = "lakepulse_cdc_registry_schemas";
const KAFKA_TRANSACTION_SECONDS: &str = "lakepulse_cdc_kafka_transaction_seconds";
const KAFKA_TRANSACTIONS_TOTAL: &str = "lakepulse_cdc_kafka_transactions_total";
const DEAD_LETTERS_TOTAL: &str = "lakepulse_cdc_dead_letters_total";
const TABLES_ISOLATED: &str = "lakepulse_cdc_tables_isolated";
const RETRIES_TOTAL: &str = "lakepulse_cdc_retries_total";
const LAST_COMMIT_TIMESTAMP_SECONDS: &str = "lakepulse_cdc_last_commit_timestamp_seconds";
const SNAPSHOT_TABLES: &str = "lakepulse_cdc_snapshot_tables";
const SNAPSHOT_TABLES_DONE: &str = "lakepulse_cdc_snapshot_tables_done";

/// Seconds, from a lone change to a server that was away.
const LATENCY_BUCKETS: [f64; 14] =
    [0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0];

/// Everything that is counted; cheap to clone.
#[derive(Clone)]
pub(crate) struct Metrics(Arc<Inner>);

struct Inner {
    registry: Registry,
    source_head: IntGauge,
    received: IntGauge,
    produced: IntGauge,
    confirmed: IntGauge,
    events: IntCounterVec,
    event_bytes: IntCounterVec,
    event_latency: Histogram,
    received_chunks: IntGauge,
    producer_queue: IntGauge,
    registry_requests: IntCounterVec,
    registry_hits: IntCounter,
    registry_schemas: IntGauge,
    slot: SlotMetrics,
    kafka_transaction: Histogram,
    kafka_transactions: IntCounter,
    dead_letters: IntCounterVec,
    isolated: IntGaugeVec,
    retries: IntCounterVec,
    last_commit: IntGauge,
    snapshot_tables: IntGauge,
    snapshot_tables_done: IntGauge,
    ready: AtomicBool,
}

impl Metrics {
    pub(crate) fn new() -> Result<Self> {
        build().map(|inner| Self(Arc::new(inner))).map_err(|cause| {
            Error::new(ErrorKind::Configuration, "the metrics can't be set up").caused_by(cause)
        })
    }

    pub(crate) fn source_head(&self, lsn: Lsn) {
        raise(&self.0.source_head, lsn);
    }

    pub(crate) fn received(&self, lsn: Lsn) {
        raise(&self.0.received, lsn);
        raise(&self.0.source_head, lsn);
    }

    /// A Kafka transaction, with when the source committed the last transaction in it.
    pub(crate) fn produced(&self, lsn: Lsn, committed_at_us: i64, took: Duration) {
        raise(&self.0.produced, lsn);
        self.0.kafka_transactions.inc();
        self.0.kafka_transaction.observe(took.as_secs_f64());
        if committed_at_us > 0 {
            self.0.last_commit.set(committed_at_us / 1_000_000);
        }
    }

    pub(crate) fn confirmed(&self, lsn: Lsn) {
        raise(&self.0.confirmed, lsn);
    }

    /// How long the last event of a Kafka transaction took from the source's commit to Kafka's.
    pub(crate) fn arrived(&self, committed_at_us: i64) {
        let latency = Utc::now().timestamp_micros() - committed_at_us;
        self.0.event_latency.observe(latency.max(0) as f64 / 1e6);
    }

    /// The counters of one operation on one table: events, and the bytes of their keys and values.
    pub(crate) fn events(&self, table: &TableName, operation: &str) -> (IntCounter, IntCounter) {
        let labels = [table.schema.as_str(), table.table.as_str(), operation];
        (self.0.events.with_label_values(&labels), self.0.event_bytes.with_label_values(&labels))
    }

    /// The number of chunks that were received and are not encoded yet, kept by who receives them.
    pub(crate) fn received_chunks(&self) -> IntGauge {
        self.0.received_chunks.clone()
    }

    /// Bytes of records that Kafka has not acknowledged.
    pub(crate) fn producer_queue(&self, bytes: usize) {
        self.0.producer_queue.set(bytes as i64);
    }

    /// A request to the registry was answered, or not.
    pub(crate) fn registry_asked(&self, answered: bool) {
        self.0.registry_requests.with_label_values(&[if answered { "ok" } else { "error" }]).inc();
    }

    /// A schema's id was known without asking.
    pub(crate) fn registry_hit(&self) {
        self.0.registry_hits.inc();
    }

    pub(crate) fn registry_schemas(&self, known: usize) {
        self.0.registry_schemas.set(known as i64);
    }

    /// How the slot stands, none when there is no slot.
    pub(crate) fn slot(&self, health: Option<&SlotHealth>) {
        self.0.slot.set(health);
    }

    /// Events of a table that went to the topic of dead letters.
    pub(crate) fn buried(&self, table: &TableName, events: u64) {
        self.0.dead_letters.with_label_values(&[&table.schema, &table.table]).inc_by(events);
    }

    /// Whether the registry refuses a table's schemas, so that its events go to the topic of dead letters.
    pub(crate) fn isolated(&self, table: &TableName, is: bool) {
        let labels = [table.schema.as_str(), table.table.as_str()];
        if is {
            self.0.isolated.with_label_values(&labels).set(1);
        } else {
            // It fails for a table that wasn't.
            let _ = self.0.isolated.remove_label_values(&labels);
        }
    }

    pub(crate) fn retried(&self, object: &str) {
        self.0.retries.with_label_values(&[object]).inc();
    }

    pub(crate) fn snapshot(&self, tables: usize, done: usize) {
        self.0.snapshot_tables.set(tables as i64);
        self.0.snapshot_tables_done.set(done as i64);
    }

    pub(crate) fn set_ready(&self, ready: bool) {
        self.0.ready.store(ready, Ordering::Relaxed);
    }

    /// Whether a session captures at the moment.
    pub(crate) fn is_ready(&self) -> bool {
        self.0.ready.load(Ordering::Relaxed)
    }

    /// Prometheus' text format.
    pub(crate) fn text(&self) -> String {
        let mut out = Vec::new();
        // Writing to a Vec doesn't fail.
        let _ = TextEncoder::new().encode(&self.0.registry.gather(), &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

/// LSN gauges never go back: a restarted session begins at what was produced before.
fn raise(gauge: &IntGauge, lsn: Lsn) {
    let value = lsn.0 as i64;
    if value > gauge.get() {
        gauge.set(value);
    }
}

fn build() -> prometheus::Result<Inner> {
    let registry = Registry::new();
    let build = Builder(&registry);
    let by_operation = ["schema", "table", "op"];
    let inner = Inner {
        source_head: build.gauge(SOURCE_HEAD_LSN, "End of the source's write-ahead log, in bytes")?,
        received: build.gauge(RECEIVED_LSN, "Position received from the slot, in bytes")?,
        produced: build.gauge(PRODUCED_LSN, "Position committed to Kafka, in bytes")?,
        confirmed: build.gauge(CONFIRMED_LSN, "Position confirmed to the slot, in bytes")?,
        events: build.counters(EVENTS_TOTAL, "Events produced, tombstones not counted", &by_operation)?,
        event_bytes: build.counters(
            EVENT_BYTES_TOTAL,
            "Bytes of the keys and values of events, uncompressed",
            &by_operation,
        )?,
        event_latency: build.histogram(
            EVENT_LATENCY_SECONDS,
            "From the source's commit of the last event in a Kafka transaction to Kafka's commit",
            &LATENCY_BUCKETS,
        )?,
        received_chunks: build.gauge(RECEIVED_CHUNKS, "Chunks of the stream received and not yet encoded")?,
        producer_queue: build.gauge(PRODUCER_QUEUE_BYTES, "Bytes of records on their way to Kafka")?,
        registry_requests: build.counters(
            REGISTRY_REQUESTS_TOTAL,
            "Requests to the schema registry, by whether they were answered",
            &["outcome"],
        )?,
        registry_hits: build
            .counter(REGISTRY_CACHE_HITS_TOTAL, "Schemas found without asking the registry")?,
        registry_schemas: build.gauge(REGISTRY_SCHEMAS, "Schemas whose ids are known")?,
        slot: SlotMetrics::new(&build)?,
        dead_letters: build.counters(
            DEAD_LETTERS_TOTAL,
            "Events in the topic of dead letters",
            &["schema", "table"],
        )?,
        isolated: build.gauges(
            TABLES_ISOLATED,
            "1 for a table whose schemas the registry refuses",
            &["schema", "table"],
        )?,
        retries: build.counters(RETRIES_TOTAL, "Waits for a server that failed", &["object"])?,
        kafka_transaction: build.histogram(
            KAFKA_TRANSACTION_SECONDS,
            "From the first event of a Kafka transaction to its commit",
            &LATENCY_BUCKETS,
        )?,
        kafka_transactions: build.counter(KAFKA_TRANSACTIONS_TOTAL, "Kafka transactions committed")?,
        last_commit: build.gauge(
            LAST_COMMIT_TIMESTAMP_SECONDS,
            "When the source committed the last transaction produced",
        )?,
        snapshot_tables: build.gauge(SNAPSHOT_TABLES, "Tables of the initial snapshot")?,
        snapshot_tables_done: build
            .gauge(SNAPSHOT_TABLES_DONE, "Tables that the initial snapshot has read")?,
        ready: AtomicBool::new(false),
        registry: registry.clone(),
    };
    Ok(inner)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// Names of this program's metrics in a text.
    fn names(text: &str) -> BTreeSet<&str> {
        let parts = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
        parts.filter(|part| part.starts_with("lakepulse_cdc_")).collect()
    }

    #[test]
    fn every_metric_is_documented() {
        let source =
            [include_str!("mod.rs").split("mod tests").next().unwrap(), include_str!("slot.rs")].concat();
        let documented = include_str!("../../../../docs/metrics.md");
        assert_eq!(names(&source), names(documented));
    }

    #[test]
    fn what_is_counted_is_served() {
        let metrics = Metrics::new().unwrap();
        let table = TableName { schema: "s".into(), table: "t".into() };
        let (events, bytes) = metrics.events(&table, "c");
        events.inc();
        bytes.inc_by(7);
        metrics.registry_asked(true);
        let text = metrics.text();
        for line in [
            "lakepulse_cdc_events_total{op=\"c\",schema=\"s\",table=\"t\"} 1",
            "lakepulse_cdc_event_bytes_total{op=\"c\",schema=\"s\",table=\"t\"} 7",
            "lakepulse_cdc_registry_requests_total{outcome=\"ok\"} 1",
        ] {
            assert!(text.contains(line), "{line} is missing in {text}");
        }
    }
}
