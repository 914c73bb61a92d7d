//! How often silver looks for a cut, and when it stops waiting for one.

use std::time::{Duration, Instant};

use clap::Args;

use super::{Cycle, Silver};
use crate::error::{Error, ErrorKind, Result};

/// How often silver looks for a cut, and when it gives up waiting.
#[derive(Debug, Clone, Args)]
pub struct Pace {
    /// Milliseconds between two looks when there was nothing to do
    #[arg(long, env = "LAKEPULSE_SILVER_PAUSE_MS", default_value_t = 500)]
    pub pause_ms: u64,
    /// Seconds after which events that are counted but missing in bronze count as lost
    #[arg(long, env = "LAKEPULSE_SILVER_MISSING_LIMIT", default_value_t = 600)]
    pub missing_limit_seconds: u64,
}

impl Silver {
    /// Publishes cut after cut; ends only with an error. Events that a checkpoint counts and that bronze still lacks
    /// after the limit are an error: they are lost, or bronze stands still.
    pub async fn keep_publishing(&self, pace: &Pace) -> Result<()> {
        let metrics = &self.metrics;
        let limit = Duration::from_secs(pace.missing_limit_seconds);
        let pause = Duration::from_millis(pace.pause_ms);
        let mut missing_since: Option<(i64, Instant)> = None;
        let mut last = self.last_published().await?;
        if let Some(last) = &last {
            metrics.silver_cut_lsn.set(last.cut.lsn);
            metrics.silver_committed_ms.set(last.cut.committed_at_us / 1000);
        }
        let mut seen = None;
        loop {
            let size = self.lake.events_size(&self.spark).await?;
            if seen == Some(size) && missing_since.is_none() {
                tokio::time::sleep(pause).await;
                continue;
            }
            let started = Instant::now();
            match self.cycle_from(last.clone()).await? {
                Cycle::Published(published) => {
                    missing_since = None;
                    metrics.silver_incomplete.set(0);
                    metrics.silver_cycles.inc();
                    metrics.silver_cut_lsn.set(published.cut.lsn);
                    metrics.silver_committed_ms.set(published.cut.committed_at_us / 1000);
                    metrics
                        .silver_cycle_ms
                        .set(i64::try_from(started.elapsed().as_millis()).unwrap_or(i64::MAX));
                    tracing::info!(
                        cut = published.cut.lsn,
                        ms = started.elapsed().as_millis(),
                        behind_ms = (published.published_at_us - published.cut.committed_at_us) / 1000,
                        "published"
                    );
                    last = Some(*published);
                }
                Cycle::Waiting { missing_at: None } => {
                    missing_since = None;
                    // A look for a cut costs some twenty times as much as to see that bronze is as it was.
                    seen = Some(size);
                    tokio::time::sleep(pause).await;
                }
                Cycle::Waiting { missing_at: Some(lsn) } => {
                    metrics.silver_incomplete.set(1);
                    let (at, since) = *missing_since.get_or_insert((lsn, Instant::now()));
                    if at != lsn {
                        missing_since = Some((lsn, Instant::now()));
                    } else if since.elapsed() > limit {
                        return Err(Error::new(
                            ErrorKind::Incomplete,
                            format!(
                                "bronze still lacks events that the checkpoint at LSN {lsn} counts, after {} s; see \"Counts \
                                 that do not fit\" in docs/operations.md",
                                limit.as_secs()
                            ),
                        ));
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }
}
