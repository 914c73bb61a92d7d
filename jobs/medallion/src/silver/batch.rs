//! The events of one cycle, read from bronze once and kept for all tables that are merged.

use spark_client::functions::{col, lit};
use spark_client::{DataFrame, SparkSession};

use super::cut::Cut;
use crate::error::{Doing, Result};
use crate::lake::Lake;

/// The events of `bronze.events` above one cut and not above the next, in the executors' memory, and on their disks
/// where that is too small. Whatever is planned on top of it has no LSN in it, so that Spark compiles it once and not
/// again in each cycle.
#[derive(Debug)]
pub(super) struct Batch {
    events: DataFrame,
    tasks: i32,
}

const SHUFFLE_PARTITIONS: &str = "spark.sql.shuffle.partitions";

/// How many tasks the server plans after a shuffle.
pub(super) async fn most_tasks(spark: &SparkSession) -> Result<i32> {
    let setting =
        spark.conf().get(SHUFFLE_PARTITIONS).await.doing("reading the number of shuffle partitions")?;
    Ok(setting.and_then(|tasks| tasks.parse().ok()).unwrap_or(1))
}

impl Batch {
    /// `tasks`: into how many partitions the events are divided.
    pub(super) async fn keep(
        spark: &SparkSession,
        lake: &Lake,
        previous: i64,
        cut: Cut,
        tasks: i32,
    ) -> Result<Self> {
        // Spark finds kept rows by their plan, also those that a job left behind which was killed. Bronze may have
        // grown since, so that no plan may be the same as an earlier one.
        let nonce = format!("{}-{}", std::process::id(), crate::job::now_us());
        let events = spark
            .table(&lake.events())
            .filter(
                col("commit_lsn").gt(previous)
                    & col("commit_lsn").leq(cut.lsn)
                    & lit(nonce.as_str()).is_not_null(),
            )
            .coalesce(tasks)
            .sort_within_partitions(["topic"]);
        events.cache().await.doing(format!("keeping the events of {}", lake.events()))?;
        Ok(Self { events, tasks })
    }

    /// The events, for plans of another session.
    pub(super) fn events(&self, session: &SparkSession) -> DataFrame {
        self.events.in_session(session)
    }

    /// Gives a session as many tasks after a shuffle as the events have partitions.
    pub(super) async fn set_tasks(&self, session: &SparkSession) -> Result<()> {
        session
            .conf()
            .set(SHUFFLE_PARTITIONS, self.tasks)
            .await
            .doing("setting the number of shuffle partitions")
    }

    /// Lets go of them. When that fails, Spark pushes them out in time.
    pub(super) async fn release(&self) {
        if let Err(error) = self.events.unpersist().await {
            tracing::warn!(%error, "the events of a cycle stay in Spark's memory");
        }
    }
}
