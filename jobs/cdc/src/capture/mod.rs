//! The capture itself: sessions one after the other, each from the last checkpoint.

mod captured;
mod changes;
mod displaced_rows;
mod isolation;
mod pace;
mod readable;
mod resume;
mod session;
mod signal;
mod slot_monitor;
mod stream;
mod tables;
mod timeline;

use std::time::{Duration, Instant};

pub(crate) use self::resume::{Start, decide as where_to_start};
use self::slot_monitor::monitor_slot;
pub(crate) use self::timeline::follow as follow_timeline;
use crate::config::Config;
use crate::error::Result;
use crate::http;
use crate::metrics::Metrics;
use crate::retry::{Backoff, Decision, decide};
use crate::shutdown::Shutdown;
use crate::table::Lessons;

/// A session that lasted this long makes the next failure a new one.
const STABLE: Duration = Duration::from_secs(60);

/// Captures until the stop is asked for.
///
/// # Errors
/// The failure that a person has to act on; what waiting can mend is waited for.
pub async fn run(config: &Config, shutdown: Shutdown) -> Result<()> {
    let metrics = Metrics::new()?;
    if let Some(address) = config.metrics_listen {
        http::serve(address, metrics.clone()).await?;
    }
    let monitor = tokio::spawn(monitor_slot(config.clone(), metrics.clone()));
    let result = sessions(config, shutdown, &metrics).await;
    monitor.abort();
    result
}

async fn sessions(config: &Config, mut shutdown: Shutdown, metrics: &Metrics) -> Result<()> {
    let mut established = false;
    let mut backoff = Backoff::new();
    let lessons = Lessons::default();
    loop {
        let begun = Instant::now();
        let result = session::run(config, &mut shutdown, metrics, &lessons, &mut established).await;
        metrics.set_ready(false);
        let error = match result {
            Ok(()) => return Ok(()),
            Err(error) => error,
        };
        match decide(error.kind(), established) {
            _ if shutdown.requested() => return Err(error),
            Decision::Stop => return Err(error),
            Decision::AtOnce => {
                metrics.retried("session");
                tracing::warn!("{}; starting again from the last checkpoint", error.chain());
                continue;
            }
            Decision::Wait => {}
        }
        if begun.elapsed() > STABLE {
            backoff = Backoff::new();
        }
        let pause = backoff.pause();
        metrics.retried("session");
        tracing::warn!(
            pause_ms = pause.as_millis(),
            "{}; starting again from the last checkpoint",
            error.chain()
        );
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = shutdown.wait() => return Ok(()),
        }
    }
}
