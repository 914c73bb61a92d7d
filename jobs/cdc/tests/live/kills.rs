//! SIGKILLs, each followed by the proof that every event is there exactly once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lakepulse_wwi::{LoadOptions, Source, WorkloadOptions, create_schema, load, run_workload};

use crate::Outcome;
use crate::capture::Capture;
use crate::compare::all_tables;
use crate::stage::{Result, Stage, eventually};

fn wide_world_importers(rows: u32) -> Result<(Stage, Source)> {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let source: Source = stage.source_url.parse()?;
    stage.runtime.block_on(async {
        create_schema(&source).await?;
        load(&source, LoadOptions { seed: 3, rows }).await
    })?;
    Ok((stage, source))
}

/// Business transactions that go on until they are told to end, however slow the machine is.
struct Workload {
    ending: Arc<AtomicBool>,
    transactions: tokio::task::JoinHandle<Result<u64>>,
}

impl Workload {
    fn start(stage: &Stage, source: &Source, mut seed: u64) -> Self {
        let (source, ending) = (source.clone(), Arc::new(AtomicBool::new(false)));
        let told = ending.clone();
        let transactions = stage.runtime.spawn(async move {
            let mut transactions = 0;
            while !told.load(Ordering::Relaxed) {
                let options =
                    WorkloadOptions { rate: 100.0, duration: Duration::from_secs(1), connections: 2, seed };
                transactions += run_workload(&source, options).await?.transactions();
                seed += 1;
            }
            Ok(transactions)
        });
        Self { ending, transactions }
    }

    fn end(self, stage: &Stage) -> Outcome {
        self.ending.store(true, Ordering::Relaxed);
        assert!(stage.runtime.block_on(self.transactions)?? > 0);
        Ok(())
    }
}

fn verify(stage: &Stage, capture: Capture) -> Outcome {
    let topics = capture.finish(stage)?;
    all_tables(stage, &topics)
}

/// Checkpoints of the snapshot that a capture has written so far.
fn snapshot_tables_done(capture: &Capture) -> usize {
    capture.log().lines().filter(|line| line.contains("Kafka transaction committed")).count()
}

pub fn during_snapshot() -> Outcome {
    let (stage, source) = wide_world_importers(30_000)?;
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 500\nconnections = 2");
    let debug = [("LAKEPULSE_LOG", "debug,rdkafka=off,hyper=off,reqwest=off,tokio_postgres=off")];
    let load = Workload::start(&stage, &source, 5);
    for commits in [1, 2, 5, 9, 3] {
        let capture = Capture::start_with(&config, &debug)?;
        eventually("some waves of the snapshot", || Ok(snapshot_tables_done(&capture) >= commits))
            .map_err(|error| format!("{error}\n{}", capture.log()))?;
        assert!(!capture.log().contains("the snapshot is out"), "killed too late: {commits}");
        capture.kill()?;
    }
    let mut capture = Capture::start_with(&config, &[])?;
    capture.wait_for("streaming")?;
    load.end(&stage)?;
    verify(&stage, capture)
}

pub fn during_streaming() -> Outcome {
    let (stage, source) = wide_world_importers(6_000)?;
    let mut capture = Capture::start(&stage)?;
    capture.wait_for("streaming")?;
    let load = Workload::start(&stage, &source, 7);
    for number in 0..6 {
        // Some changes further on, wherever that is.
        let before = stage.value("SELECT count(*) FROM sales.orders")?;
        stage.sql(&format!(
            "UPDATE sales.order_lines SET quantity = quantity + 1 WHERE order_line_id % 7 = {number}"
        ))?;
        eventually("the workload to go on", || {
            Ok(stage.value("SELECT count(*) FROM sales.orders")? != before)
        })?;
        capture.kill()?;
        capture = Capture::start(&stage)?;
        capture.wait_for("streaming")?;
    }
    load.end(&stage)?;
    verify(&stage, capture)
}

pub fn of_the_replication_session() -> Outcome {
    let (stage, source) = wide_world_importers(6_000)?;
    let mut capture = Capture::start(&stage)?;
    capture.wait_for("streaming")?;
    let load = Workload::start(&stage, &source, 9);
    for _ in 0..3 {
        let active = format!(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{}' AND active",
            stage.name
        );
        eventually("the slot to be read", || Ok(stage.value(&active)?.is_some()))?;
        stage.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'lakepulse-cdc' AND pid IN (SELECT active_pid FROM pg_replication_slots WHERE database = current_database())")?;
    }
    load.end(&stage)?;
    capture.wait_for("starting again from the last checkpoint")?;
    verify(&stage, capture)
}
