//! What the jobs report: every metric's name, and the small HTTP server that Prometheus asks.

use axum::Router;
use axum::routing::get;
use prometheus::{Encoder, IntCounter, IntGauge, IntGaugeVec, Opts, Registry, TextEncoder};
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
    /// How long the last slice took to its commit, in milliseconds.
    pub silver_slice_ms: IntGauge,
    /// Events appended to the change log, rows of images not counted.
    pub silver_events: IntCounter,
    /// Slices that published a cut.
    pub silver_slices: IntCounter,
    /// 1 while events are missing below a checkpoint.
    pub silver_incomplete: IntGauge,
    /// The cut that typed tables were brought to.
    pub silver_merged_lsn: IntGauge,
    /// When the last transaction of that cut was committed, in milliseconds since 1970.
    pub silver_merged_committed_ms: IntGauge,
    /// How long the last round took, in milliseconds.
    pub silver_round_ms: IntGauge,
    /// Tables that the running round merges; 0 between rounds.
    pub silver_round_tables: IntGauge,
    /// Those of them that are merged already.
    pub silver_round_tables_done: IntGauge,
    /// Rounds that were recorded.
    pub silver_rounds: IntCounter,
    /// The LSN of the cut that a held table stands at, by its name; only of held ones.
    pub silver_held: IntGaugeVec,
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
            silver_slice_ms: gauge("lakepulse_silver_slice_ms", "Duration of the last slice")?,
            silver_events: counter("lakepulse_silver_events_total", "Events appended to silver.changes")?,
            silver_slices: counter("lakepulse_silver_slices_total", "Slices that published a cut")?,
            silver_incomplete: gauge("lakepulse_silver_incomplete", "1 while bronze lacks counted events")?,
            silver_merged_lsn: gauge("lakepulse_silver_merged_lsn", "Cut that typed tables were brought to")?,
            silver_merged_committed_ms: gauge(
                "lakepulse_silver_merged_committed_timestamp_ms",
                "When the last transaction of the merged cut was committed",
            )?,
            silver_round_ms: gauge("lakepulse_silver_round_ms", "Duration of the last merge round")?,
            silver_round_tables: gauge(
                "lakepulse_silver_round_tables",
                "Tables that the running round merges",
            )?,
            silver_round_tables_done: gauge(
                "lakepulse_silver_round_tables_done",
                "Tables that the running round has merged",
            )?,
            silver_rounds: counter("lakepulse_silver_rounds_total", "Merge rounds that were recorded")?,
            silver_held: {
                let options = Opts::new("lakepulse_silver_held", "Cut that a held table stands at");
                let held = IntGaugeVec::new(options, &["table"]).map_err(failed)?;
                registry.register(Box::new(held.clone())).map_err(failed)?;
                held
            },
            registry,
        })
    }

    fn text(&self) -> String {
        let mut text = Vec::new();
        // Only a metric without a value could fail to be written, and there is none.
        let _ = TextEncoder::new().encode(&self.registry.gather(), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }

    /// Serves `/metrics`, `/healthz` and what the job itself answers at an address, until the process ends.
    pub async fn serve(&self, address: &str, of_job: Router) -> Result<()> {
        let failed = |error: std::io::Error| {
            Error::caused(ErrorKind::Configuration, format!("could not serve metrics at {address}"), error)
        };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let metrics = self.clone();
        let router = of_job
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
