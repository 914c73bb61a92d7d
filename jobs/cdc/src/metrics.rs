//! The metrics and their names.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use prometheus::{
    Encoder, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};

use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::table::TableName;

const SOURCE_HEAD_LSN: &str = "lakepulse_cdc_source_head_lsn";
const RECEIVED_LSN: &str = "lakepulse_cdc_received_lsn";
const PRODUCED_LSN: &str = "lakepulse_cdc_produced_lsn";
const CONFIRMED_LSN: &str = "lakepulse_cdc_confirmed_lsn";
const EVENTS_TOTAL: &str = "lakepulse_cdc_events_total";
const KAFKA_TRANSACTION_SECONDS: &str = "lakepulse_cdc_kafka_transaction_seconds";
const KAFKA_TRANSACTIONS_TOTAL: &str = "lakepulse_cdc_kafka_transactions_total";
const DEAD_LETTERS_TOTAL: &str = "lakepulse_cdc_dead_letters_total";
const RETRIES_TOTAL: &str = "lakepulse_cdc_retries_total";
const LAST_COMMIT_TIMESTAMP_SECONDS: &str = "lakepulse_cdc_last_commit_timestamp_seconds";
const SNAPSHOT_TABLES: &str = "lakepulse_cdc_snapshot_tables";
const SNAPSHOT_TABLES_DONE: &str = "lakepulse_cdc_snapshot_tables_done";

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
    kafka_transaction: Histogram,
    kafka_transactions: IntCounter,
    dead_letters: IntCounterVec,
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

    /// The counter of one operation on one table.
    pub(crate) fn events(&self, table: &TableName, operation: &str) -> IntCounter {
        self.0.events.with_label_values(&[&table.schema, &table.table, operation])
    }

    /// Events of a table that have no encoding and went to the topic of dead letters.
    pub(crate) fn buried(&self, table: &TableName, events: u64) {
        self.0.dead_letters.with_label_values(&[&table.schema, &table.table]).inc_by(events);
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
    let gauge = |name: &str, help: &str| -> prometheus::Result<IntGauge> {
        let gauge = IntGauge::new(name, help)?;
        registry.register(Box::new(gauge.clone()))?;
        Ok(gauge)
    };
    let source_head = gauge(SOURCE_HEAD_LSN, "End of the source's write-ahead log, in bytes")?;
    let received = gauge(RECEIVED_LSN, "Position received from the slot, in bytes")?;
    let produced = gauge(PRODUCED_LSN, "Position committed to Kafka, in bytes")?;
    let confirmed = gauge(CONFIRMED_LSN, "Position confirmed to the slot, in bytes")?;
    let last_commit =
        gauge(LAST_COMMIT_TIMESTAMP_SECONDS, "When the source committed the last transaction produced")?;
    let snapshot_tables = gauge(SNAPSHOT_TABLES, "Tables of the initial snapshot")?;
    let snapshot_tables_done = gauge(SNAPSHOT_TABLES_DONE, "Tables that the initial snapshot has read")?;
    let events = IntCounterVec::new(
        Opts::new(EVENTS_TOTAL, "Events produced, tombstones not counted"),
        &["schema", "table", "op"],
    )?;
    let dead_letters = IntCounterVec::new(
        Opts::new(DEAD_LETTERS_TOTAL, "Events that have no encoding, in the topic of dead letters"),
        &["schema", "table"],
    )?;
    let retries =
        IntCounterVec::new(Opts::new(RETRIES_TOTAL, "Waits for a server that failed"), &["object"])?;
    let kafka_transactions = IntCounter::new(KAFKA_TRANSACTIONS_TOTAL, "Kafka transactions committed")?;
    let kafka_transaction = Histogram::with_opts(
        HistogramOpts::new(
            KAFKA_TRANSACTION_SECONDS,
            "From the first event of a Kafka transaction to its commit",
        )
        .buckets(vec![0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0]),
    )?;
    registry.register(Box::new(events.clone()))?;
    registry.register(Box::new(dead_letters.clone()))?;
    registry.register(Box::new(retries.clone()))?;
    registry.register(Box::new(kafka_transactions.clone()))?;
    registry.register(Box::new(kafka_transaction.clone()))?;
    Ok(Inner {
        registry,
        source_head,
        received,
        produced,
        confirmed,
        events,
        dead_letters,
        kafka_transaction,
        kafka_transactions,
        retries,
        last_commit,
        snapshot_tables,
        snapshot_tables_done,
        ready: AtomicBool::new(false),
    })
}
