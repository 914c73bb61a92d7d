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
pub(super) struct Batch(DataFrame);

impl Batch {
    pub(super) async fn keep(spark: &SparkSession, lake: &Lake, previous: i64, cut: Cut) -> Result<Self> {
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
            .sort_within_partitions(["topic"]);
        events.cache().await.doing(format!("keeping the events of {}", lake.events()))?;
        Ok(Self(events))
    }

    /// The events, for plans of another session.
    pub(super) fn events(&self, session: &SparkSession) -> DataFrame {
        self.0.in_session(session)
    }

    /// Lets go of them. When that fails, Spark pushes them out in time.
    pub(super) async fn release(&self) {
        if let Err(error) = self.0.unpersist().await {
            tracing::warn!(%error, "the events of a cycle stay in Spark's memory");
        }
    }
}
