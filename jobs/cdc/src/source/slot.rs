use tokio_postgres::Client;

use super::{quoted, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;

/// A slot as `pg_replication_slots` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlotState {
    pub(crate) active_pid: Option<i32>,
    /// Where the stream goes on: everything before it may be forgotten.
    pub(crate) confirmed: Lsn,
    /// PostgreSQL has thrown away WAL that the slot needs.
    pub(crate) lost: bool,
}

/// Reads the slot's state, `None` when there is no such slot.
pub(crate) async fn read_slot(client: &Client, slot: &str, database: &str) -> Result<Option<SlotState>> {
    let row = client
        .query_opt(
            "SELECT plugin, database, active_pid, confirmed_flush_lsn::text, coalesce(wal_status, '') = 'lost'
               FROM pg_replication_slots WHERE slot_name = $1",
            &[&slot],
        )
        .await
        .map_err(refused(format!("cannot read replication slot {slot}")))?;
    let Some(row) = row else { return Ok(None) };
    let plugin: Option<String> = row.get(0);
    let of_database: Option<String> = row.get(1);
    if plugin.as_deref() != Some("pgoutput") || of_database.as_deref() != Some(database) {
        return Err(Error::new(
            ErrorKind::Configuration,
            format!(
                "replication slot {slot} belongs to database {} and plugin {}: choose another name for the slot",
                of_database.as_deref().unwrap_or("none"),
                plugin.as_deref().unwrap_or("none")
            ),
        ));
    }
    let confirmed: Option<String> = row.get(3);
    let confirmed =
        confirmed.as_deref().unwrap_or("0/0").parse().map_err(|cause: crate::lsn::ParseLsnError| {
            Error::new(ErrorKind::Protocol, format!("replication slot {slot} has no position"))
                .caused_by(cause)
        })?;
    Ok(Some(SlotState { active_pid: row.get(2), confirmed, lost: row.get(4) }))
}

/// Drops the slot; false when there was none.
pub(crate) async fn drop_slot(client: &Client, slot: &str) -> Result<bool> {
    let dropped = client
        .execute(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
            &[&slot],
        )
        .await
        .map_err(refused(format!(
            "cannot drop replication slot {slot}: stop the instance that reads from it"
        )))?;
    Ok(dropped > 0)
}

/// Drops the publication; false when there was none.
pub(crate) async fn drop_publication(client: &Client, publication: &str) -> Result<bool> {
    let failed = || refused(format!("cannot drop publication {publication}"));
    let there = client
        .query_opt("SELECT FROM pg_publication WHERE pubname = $1", &[&publication])
        .await
        .map_err(failed())?;
    if there.is_none() {
        return Ok(false);
    }
    client
        .batch_execute(&format!("DROP PUBLICATION IF EXISTS {}", quoted(publication)))
        .await
        .map_err(failed())?;
    Ok(true)
}
