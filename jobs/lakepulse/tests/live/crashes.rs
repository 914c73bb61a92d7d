//! A part dies while changes are under way; afterwards silver equals the source.

use std::time::Duration;

use super::Outcome;
use super::pipeline::Pipeline;

const SOON: Duration = Duration::from_secs(300);

/// The first snapshot is interrupted again and again before it is done.
pub fn capture_killed_in_snapshot(pipeline: &Pipeline) -> Outcome {
    for _ in 0..3 {
        pipeline.up(&["capture"])?;
        pipeline.kill("capture")?;
    }
    pipeline.up(&["capture", "bronze", "silver"])?;
    pipeline.verify()
}

pub fn capture_killed_in_stream(pipeline: &Pipeline) -> Outcome {
    let mut workload = pipeline.workload(600, 1)?;
    for _ in 0..3 {
        let before = produced(pipeline);
        pipeline.until("capture produces", SOON, || Ok(produced(pipeline) > before))?;
        pipeline.kill("capture")?;
        pipeline.up(&["capture"])?;
    }
    workload.kill()?;
    workload.wait()?;
    pipeline.verify()
}

fn produced(pipeline: &Pipeline) -> Option<f64> {
    pipeline.metric("LAKEPULSE_CAPTURE_METRICS", "lakepulse_cdc_produced_lsn")
}

/// The Spark Connect server, and with it the executor, is killed while a MERGE runs.
pub fn spark_killed_in_merge(pipeline: &Pipeline) -> Outcome {
    let mut workload = pipeline.workload(10, 2)?;
    pipeline.until("silver merges", SOON, || Ok(tables(pipeline).is_some_and(|(all, done)| all > done)))?;
    pipeline.kill("spark-connect")?;
    finish(&mut workload)?;
    pipeline.up(&["spark-connect", "bronze", "silver"])?;
    pipeline.verify()
}

/// The silver job is killed when some tables of a round stand at its cut and others do not.
pub fn silver_killed_between_tables(pipeline: &Pipeline) -> Outcome {
    let mut workload = pipeline.workload(10, 3)?;
    pipeline.until("some tables are merged and some are not", SOON, || {
        Ok(tables(pipeline).is_some_and(|(all, done)| done >= 1.0 && all > done))
    })?;
    pipeline.kill("silver")?;
    finish(&mut workload)?;
    pipeline.up(&["silver"])?;
    pipeline.verify()
}

/// The silver job is killed when events are published and no round has merged them.
pub fn silver_killed_between_append_and_round(pipeline: &Pipeline) -> Outcome {
    pipeline.verify()?;
    let published = || silver(pipeline, "lakepulse_silver_events_total");
    let before = published();
    let mut workload = pipeline.workload(10, 7)?;
    pipeline.until("events are published and not merged", SOON, || {
        let is_behind =
            silver(pipeline, "lakepulse_silver_cut_lsn") > silver(pipeline, "lakepulse_silver_merged_lsn");
        Ok(published() > before && is_behind)
    })?;
    pipeline.kill("silver")?;
    finish(&mut workload)?;
    pipeline.up(&["silver"])?;
    pipeline.verify()
}

/// How many tables the running round merges, and how many are done.
fn tables(pipeline: &Pipeline) -> Option<(f64, f64)> {
    silver(pipeline, "lakepulse_silver_round_tables")
        .zip(silver(pipeline, "lakepulse_silver_round_tables_done"))
}

fn silver(pipeline: &Pipeline, metric: &str) -> Option<f64> {
    pipeline.metric("LAKEPULSE_SILVER_METRICS", metric)
}

pub fn kafka_restarted(pipeline: &Pipeline) -> Outcome {
    let mut workload = pipeline.workload(10, 4)?;
    pipeline.kill("kafka")?;
    finish(&mut workload)?;
    pipeline.up(&["kafka", "capture", "bronze", "silver"])?;
    pipeline.verify()
}

pub fn postgres_restarted(pipeline: &Pipeline) -> Outcome {
    finish(&mut pipeline.workload(3, 5)?)?;
    pipeline.stop("postgres")?;
    pipeline.up(&["postgres", "registry", "metastore", "capture", "bronze", "silver"])?;
    finish(&mut pipeline.workload(3, 6)?)?;
    pipeline.verify()
}

fn finish(workload: &mut std::process::Child) -> Outcome {
    let status = workload.wait()?;
    if status.success() { Ok(()) } else { Err(format!("the workload ended with {status}").into()) }
}
