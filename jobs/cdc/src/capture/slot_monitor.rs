use std::time::Duration;

use crate::config::Config;
use crate::metrics::Metrics;
use crate::source::{self, WalStatus};

const INTERVAL: Duration = Duration::from_secs(2);

/// Keeps the metrics of the source's head and of the slot going, whatever the capture does, and warns when the
/// source is about to remove WAL that the slot needs.
pub(super) async fn monitor_slot(config: Config, metrics: Metrics) {
    let mut client = None;
    let mut before = WalStatus::Reserved;
    loop {
        tokio::time::sleep(INTERVAL).await;
        if client.is_none() {
            client = source::connect(&config.source).await.ok();
        }
        let Some(connected) = &client else { continue };
        let Ok(health) = source::health(connected, &config.slot).await else {
            client = None;
            continue;
        };
        metrics.source_head(health.head);
        metrics.slot(health.slot.as_ref());
        let Some(slot) = health.slot else { continue };
        let status = slot.wal_status;
        if let Some(advice) = std::mem::replace(&mut before, status).turned_to(status) {
            tracing::warn!(
                slot = config.slot,
                wal_status = status.name(),
                lag_bytes = slot.lag_bytes,
                confirmed = %slot.confirmed,
                "{advice}"
            );
        }
    }
}

impl WalStatus {
    /// What to say when the status has become another one that nobody should miss.
    fn turned_to(self, status: Self) -> Option<&'static str> {
        match status {
            _ if self == status => None,
            Self::Unreserved => Some(
                "PostgreSQL will remove WAL that the slot needs at its next checkpoint: raise max_slot_wal_keep_size now, \
                 and find out why the capture is behind",
            ),
            Self::Lost => Some(
                "PostgreSQL has removed WAL that the slot needed: events are lost; start over with `lakepulse-cdc drop --topics`",
            ),
            Self::Reserved | Self::Extended => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bad_turns_are_told() {
        use WalStatus::{Extended, Lost, Reserved, Unreserved};
        for (before, now, told) in [
            (Reserved, Extended, false),
            (Extended, Reserved, false),
            (Extended, Unreserved, true),
            (Unreserved, Unreserved, false),
            (Unreserved, Reserved, false),
            (Reserved, Lost, true),
            (Lost, Lost, false),
        ] {
            assert_eq!(before.turned_to(now).is_some(), told, "{before:?} {now:?}");
        }
    }
}
