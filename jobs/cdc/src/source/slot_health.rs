use serde::Serialize;
use tokio_postgres::Client;

use super::refused;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;

/// The source's head, and how far behind it the slot stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Health {
    pub(crate) head: Lsn,
    /// None when there is no such slot.
    pub(crate) slot: Option<SlotHealth>,
}

/// What the slot keeps from being removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotHealth {
    pub(crate) confirmed: Lsn,
    pub(crate) active_pid: Option<i32>,
    pub(crate) wal_status: WalStatus,
    /// Bytes of WAL that are kept for the slot, none when they are lost.
    pub(crate) retained_bytes: Option<i64>,
    /// Bytes that may still be written before WAL is removed that the slot needs; none without a limit.
    pub(crate) safe_bytes: Option<i64>,
    /// From the confirmed position to the head.
    pub(crate) lag_bytes: i64,
}

/// Whether the WAL that a slot needs is there, in PostgreSQL's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum WalStatus {
    Reserved,
    /// More than `max_wal_size`, and kept nevertheless.
    Extended,
    /// To be removed at the next checkpoint of the server.
    Unreserved,
    Lost,
}

impl WalStatus {
    pub(crate) const ALL: [Self; 4] = [Self::Reserved, Self::Extended, Self::Unreserved, Self::Lost];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Reserved => "reserved",
            Self::Extended => "extended",
            Self::Unreserved => "unreserved",
            Self::Lost => "lost",
        }
    }
}

/// Reads the head and the slot's health.
pub(crate) async fn health(client: &Client, slot: &str) -> Result<Health> {
    let head = super::head(client).await?;
    let row = client
        .query_opt(
            "SELECT coalesce(confirmed_flush_lsn, '0/0')::text, active_pid, wal_status,
                    pg_wal_lsn_diff($2::text::pg_lsn, restart_lsn)::bigint, safe_wal_size,
                    pg_wal_lsn_diff($2::text::pg_lsn, confirmed_flush_lsn)::bigint
               FROM pg_replication_slots WHERE slot_name = $1",
            &[&slot, &head.to_string()],
        )
        .await
        .map_err(refused(format!("cannot read how replication slot {slot} stands")))?;
    let Some(row) = row else { return Ok(Health { head, slot: None }) };
    let confirmed: String = row.get(0);
    let confirmed = confirmed.parse().map_err(|cause: crate::lsn::ParseLsnError| {
        Error::new(ErrorKind::Protocol, format!("replication slot {slot} has no position")).caused_by(cause)
    })?;
    let status: Option<String> = row.get(2);
    Ok(Health {
        head,
        slot: Some(SlotHealth {
            confirmed,
            active_pid: row.get(1),
            wal_status: WalStatus::ALL
                .into_iter()
                .find(|known| Some(known.name()) == status.as_deref())
                // A slot without any WAL to keep has no status.
                .unwrap_or(WalStatus::Lost),
            retained_bytes: row.get::<_, Option<i64>>(3).map(|bytes| bytes.max(0)),
            safe_bytes: row.get(4),
            lag_bytes: row.get::<_, Option<i64>>(5).unwrap_or_default().max(0),
        }),
    })
}
