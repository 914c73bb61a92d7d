//! What every live test needs: a session of its own, names nobody else uses, patience with a deadline.

use arrow::array::{AsArray as _, RecordBatch, types::Int64Type};
use libtest_mimic::{Failed, Trial};
use spark_client::{SparkSession, arrow};
use std::time::{Duration, Instant};

/// A test with a server session of its own, stopped afterwards.
pub fn live<F, A>(name: &str, test: F) -> Trial
where
    F: FnOnce(SparkSession) -> A + Send + 'static,
    A: Future<Output = Result<(), Failed>>,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        runtime.block_on(async {
            let spark = SparkSession::builder().connect().await?;
            let outcome = test(spark.clone()).await;
            spark.stop().await?;
            outcome
        })
    })
}

/// A name for a table, view or query that no other test uses.
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{}", uuid::Uuid::new_v4().simple())
}

/// Asks again and again until it is true; an error after a minute.
pub async fn until(what: &str, mut is_true: impl AsyncFnMut() -> Result<bool, Failed>) -> Result<(), Failed> {
    let deadline = Instant::now() + Duration::from_secs(60);
    while !is_true().await? {
        if Instant::now() > deadline {
            return Err(format!("not within a minute: {what}").into());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

/// `assert_eq` that fails the test without ending its session early.
pub fn same<T: PartialEq + std::fmt::Debug>(found: T, expected: T) -> Result<(), Failed> {
    if found == expected { Ok(()) } else { Err(format!("expected {expected:?}, found {found:?}").into()) }
}

/// The number of ids in the first column, each of which must come once and in order, from 0.
pub fn ids_in_order(batches: &[RecordBatch]) -> Result<i64, Failed> {
    let mut next = 0;
    for batch in batches {
        for id in batch.column(0).as_primitive::<Int64Type>().values() {
            same(*id, next)?;
            next += 1;
        }
    }
    Ok(next)
}
