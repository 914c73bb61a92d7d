//! What the jobs report: every metric's name, and the small HTTP server that Prometheus asks.

use axum::Router;
use axum::routing::get;
use prometheus::{Encoder, IntCounter, IntGauge, Registry, TextEncoder};
use tokio::net::TcpListener;

use crate::error::{Error, ErrorKind, Result};

/// The metrics of bronze, silver and gold; a job leaves those of the others at 0.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Micro-batches that bronze has appended.
    pub bronze_batches: IntCounter,
    /// Records that bronze has appended since it started.
    pub bronze_records: IntCounter,
    /// Records that Kafka has and bronze has not read yet.
    pub bronze_behind_records: IntGauge,
    /// The last published cut.
    pub silver_cut_lsn: IntGauge,
    /// When the last transaction of that cut was committed, in milliseconds since 1970.
    pub silver_committed_ms: IntGauge,
    /// How long the last cycle took, in milliseconds.
    pub silver_cycle_ms: IntGauge,
    /// Tables that the running cycle merges; 0 between cycles.
    pub silver_cycle_tables: IntGauge,
    /// Those of them that are merged already.
    pub silver_cycle_tables_done: IntGauge,
    /// Cycles that published a cut.
    pub silver_cycles: IntCounter,
    /// 1 while events are missing below a checkpoint that bronze already holds.
    pub silver_incomplete: IntGauge,
}

impl Metrics {
    /// Registers all of them.
    pub fn new() -> Result<Self> {
        let registry = Registry::new();
        let failed = |error: prometheus::Error| {
            Error::caused(ErrorKind::Configuration, "could not register a metric", error)
        };
        let counter = |name: &str, help: &str| -> Result<IntCounter> {
            let counter = IntCounter::new(name, help).map_err(failed)?;
            registry.register(Box::new(counter.clone())).map_err(failed)?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge> {
            let gauge = IntGauge::new(name, help).map_err(failed)?;
            registry.register(Box::new(gauge.clone())).map_err(failed)?;
            Ok(gauge)
        };
        Ok(Self {
            bronze_batches: counter(
                "lakepulse_bronze_batches_total",
                "Micro-batches appended to bronze.events",
            )?,
            bronze_records: counter("lakepulse_bronze_records_total", "Records appended to bronze.events")?,
            bronze_behind_records: gauge("lakepulse_bronze_behind_records", "Records in Kafka not read yet")?,
            silver_cut_lsn: gauge("lakepulse_silver_cut_lsn", "Commit LSN of the last published cut")?,
            silver_committed_ms: gauge(
                "lakepulse_silver_committed_timestamp_ms",
                "When the last transaction of the published cut was committed",
            )?,
            silver_cycle_ms: gauge("lakepulse_silver_cycle_ms", "Duration of the last cycle")?,
            silver_cycle_tables: gauge(
                "lakepulse_silver_cycle_tables",
                "Tables that the running cycle merges",
            )?,
            silver_cycle_tables_done: gauge(
                "lakepulse_silver_cycle_tables_done",
                "Tables that the running cycle has merged",
            )?,
            silver_cycles: counter("lakepulse_silver_cycles_total", "Cycles that published a cut")?,
            silver_incomplete: gauge("lakepulse_silver_incomplete", "1 while bronze lacks counted events")?,
            registry,
        })
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        // Only a metric without a value could fail to be written, and there is none.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Serves `/metrics` and `/healthz` at an address, until the process ends.
    pub async fn serve(&self, address: &str) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::caused(ErrorKind::Configuration, format!("could not serve metrics at {address}"), error)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let metrics = self.clone();
        let router = Router::new()
            .route("/metrics", get(move || async move { metrics.text() }))
            .route("/healthz", get(|| async { "ok\n" }));
        tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the metrics server ended");
            }
        });
        Ok(())
    }
}
