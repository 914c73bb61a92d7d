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
    let row = client
        .query_one(
            "WITH head AS (SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END AS lsn)
             SELECT head.lsn::text, s.slot_name IS NOT NULL, coalesce(s.confirmed_flush_lsn, '0/0')::text, s.active_pid, s.wal_status,
                    pg_wal_lsn_diff(head.lsn, s.restart_lsn)::bigint, s.safe_wal_size, pg_wal_lsn_diff(head.lsn, s.confirmed_flush_lsn)::bigint
               FROM head LEFT JOIN pg_replication_slots s ON s.slot_name = $1",
            &[&slot],
        )
        .await
        .map_err(refused(format!("cannot read how replication slot {slot} stands")))?;
    let lsn = |text: String| {
        text.parse().map_err(|cause: crate::lsn::ParseLsnError| {
            Error::new(ErrorKind::Protocol, format!("a position of replication slot {slot} is no LSN"))
                .caused_by(cause)
        })
    };
    let head = lsn(row.get(0))?;
    if !row.get::<_, bool>(1) {
        return Ok(Health { head, slot: None });
    }
    let status: Option<String> = row.get(4);
    Ok(Health {
        head,
        slot: Some(SlotHealth {
            confirmed: lsn(row.get(2))?,
            active_pid: row.get(3),
            wal_status: WalStatus::ALL
                .into_iter()
                .find(|known| Some(known.name()) == status.as_deref())
                // A slot without any WAL to keep has no status.
                .unwrap_or(WalStatus::Lost),
            retained_bytes: row.get::<_, Option<i64>>(5).map(|bytes| bytes.max(0)),
            safe_bytes: row.get(6),
            lag_bytes: row.get::<_, Option<i64>>(7).unwrap_or_default().max(0),
        }),
    })
}
