//! Faults that a real server cannot be made to show on demand, from a server in this process.

mod connections;
mod headers;
pub(crate) mod mock;
mod streams;

use crate::{Error, RetryPolicy, SparkSession};
use arrow::array::{AsArray as _, types::Int64Type};
use mock::{BATCHES, ROWS_A_BATCH};
use std::time::Duration;

/// Waits of a millisecond, so that a test of ten retries takes no time.
fn quick_retries(max_retries: u32) -> RetryPolicy {
    let tick = Duration::from_millis(1);
    RetryPolicy { max_retries, initial_backoff: tick, max_backoff: tick, ..RetryPolicy::default() }
}

fn session_at(port: u16) -> SparkSession {
    let remote = format!("sc://127.0.0.1:{port}/;user_id=tester");
    SparkSession::builder().remote(&remote).retry_policy(quick_retries(10)).connect_lazily().unwrap()
}

/// The ids of the result, which every mock operation gives from 0 up.
async fn collect_ids(spark: &SparkSession) -> Result<Vec<i64>, Error> {
    let batches = spark.range(0..1).collect().await?;
    let ids = |batch: &arrow::array::RecordBatch| {
        batch.column(0).as_primitive::<Int64Type>().values().iter().copied().collect::<Vec<_>>()
    };
    Ok(batches.iter().flat_map(ids).collect())
}

fn all_ids() -> Vec<i64> {
    (0..(BATCHES * ROWS_A_BATCH) as i64).collect()
}
