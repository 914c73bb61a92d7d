use prometheus::{IntGauge, IntGaugeVec, Result};

use super::build::Builder;
use crate::source::{SlotHealth, WalStatus};

const RETAINED_BYTES: &str = "lakepulse_cdc_slot_retained_bytes";
const SAFE_BYTES: &str = "lakepulse_cdc_slot_safe_bytes";
const LAG_BYTES: &str = "lakepulse_cdc_slot_lag_bytes";
const WAL_STATUS: &str = "lakepulse_cdc_slot_wal_status";

/// What the slot keeps the source from removing.
pub(super) struct SlotMetrics {
    retained: IntGauge,
    safe: IntGauge,
    lag: IntGauge,
    status: IntGaugeVec,
}

impl SlotMetrics {
    pub(super) fn new(build: &Builder<'_>) -> Result<Self> {
        Ok(Self {
            retained: build.gauge(RETAINED_BYTES, "WAL that the source keeps for the slot")?,
            safe: build.gauge(
                SAFE_BYTES,
                "WAL until max_slot_wal_keep_size makes the slot useless, -1 without a limit",
            )?,
            lag: build.gauge(LAG_BYTES, "From the slot's confirmed position to the source's head")?,
            status: build.gauges(WAL_STATUS, "1 for the slot's wal_status, 0 for the others", &["status"])?,
        })
    }

    /// All of them 0 without a slot.
    pub(super) fn set(&self, slot: Option<&SlotHealth>) {
        self.retained.set(slot.and_then(|slot| slot.retained_bytes).unwrap_or_default());
        self.safe.set(slot.map_or(0, |slot| slot.safe_bytes.unwrap_or(-1)));
        self.lag.set(slot.map_or(0, |slot| slot.lag_bytes));
        for status in WalStatus::ALL {
            let is = slot.is_some_and(|slot| slot.wal_status == status);
            self.status.with_label_values(&[status.name()]).set(i64::from(is));
        }
    }
}
