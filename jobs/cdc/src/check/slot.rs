use tokio_postgres::Client;

use super::Findings;
use crate::capture::{Start, follow_timeline, where_to_start};
use crate::checkpoint::Checkpoint;
use crate::config::{Config, SnapshotMode};
use crate::kafka::{ClusterState, committed_checkpoint};
use crate::registry::Registry;
use crate::source::{self, Places, Server, SlotHealth, SlotState, WalStatus};
use crate::transport::SystemIdentity;

/// The slot's state, none when it can't be told.
pub(super) async fn check(
    client: &Client,
    config: &Config,
    server: Option<&Server>,
    findings: &mut Findings,
) -> Option<Option<SlotState>> {
    let name = &config.slot;
    let slot = findings.known("slot", source::read_slot(client, name, &config.source.database).await)?;
    let limit = server.map_or("", |server| server.max_slot_wal_keep_size.as_str());
    if slot.is_none() {
        match server.map(|server| server.slots) {
            Some(slots) if slots.taken >= slots.most => findings.fix(
                "slot",
                format!(
                    "{name} is not there, and all {} slots are taken: drop one, or raise max_replication_slots and restart PostgreSQL",
                    slots.most
                ),
            ),
            Some(slots) => {
                findings.ok("slot", format!("{name} will be created; {} of {} are taken", slots.taken, slots.most));
            }
            None => {}
        }
        return Some(slot);
    }
    let health = findings.known("slot", source::health(client, name).await)?;
    if let Some(health) = health.slot {
        tell(config, &health, limit, findings);
    }
    Some(slot)
}

fn tell(config: &Config, health: &SlotHealth, limit: &str, findings: &mut Findings) {
    let name = &config.slot;
    let kept = health.retained_bytes.map_or("no WAL".to_owned(), |bytes| format!("{bytes} bytes of WAL"));
    let room = match (limit, health.safe_bytes) {
        ("-1", _) | (_, None) => "max_slot_wal_keep_size sets no limit".to_owned(),
        (limit, Some(bytes)) => format!("{bytes} bytes more until max_slot_wal_keep_size = {limit}"),
    };
    let state = format!(
        "{name} stands at {}, {} bytes behind, and keeps {kept} ({}); {room}",
        health.confirmed,
        health.lag_bytes,
        health.wal_status.name()
    );
    match (health.wal_status, health.active_pid) {
        (WalStatus::Lost, _) if config.snapshot.mode == SnapshotMode::WhenNeeded => {
            findings.note("slot", format!("{state}: PostgreSQL has removed WAL that it needed"));
        }
        (WalStatus::Lost, _) => findings.fix(
            "slot",
            format!("{state}: PostgreSQL has removed WAL that it needed; start over with `lakepulse-cdc drop --topics`"),
        ),
        (WalStatus::Unreserved, _) => findings.fix(
            "slot",
            format!("{state}: PostgreSQL is about to remove WAL that it needs; raise max_slot_wal_keep_size and run the capture now"),
        ),
        (_, Some(pid)) => findings.note(
            "slot",
            format!("{state}; PostgreSQL pid {pid} reads from it, so a capture runs and another one would be refused"),
        ),
        _ => findings.ok("slot", state),
    }
}

const CHECKPOINT: &str = "checkpoint";

/// The last checkpoint, none when it can't be read.
pub(super) async fn last_checkpoint(
    config: &Config,
    cluster: &ClusterState,
    registry: &mut Registry,
    findings: &mut Findings,
) -> Option<Option<Checkpoint>> {
    let last = committed_checkpoint(config, cluster, registry).await;
    findings.known(CHECKPOINT, last)
}

/// Whether a capture could go on from the last checkpoint. `slots` are the server's places for them, where known.
pub(super) async fn check_against_checkpoint(
    config: &Config,
    identity: &SystemIdentity,
    (slot, slots): (Option<SlotState>, Option<Places>),
    last: Option<Checkpoint>,
    findings: &mut Findings,
) {
    const WHAT: &str = CHECKPOINT;
    let is_running = slot.as_ref().is_some_and(|slot| slot.active_pid.is_some());
    let followed = follow_timeline(config, last, identity).await;
    let Some(last) = findings.known(WHAT, followed) else { return };
    let topic = config.checkpoint_topic();
    let start = match where_to_start(last, slot.as_ref(), identity, &config.slot, &topic) {
        Err(gap) if config.snapshot.mode == SnapshotMode::WhenNeeded && gap.kind().is_gap() => {
            findings.note(
                WHAT,
                format!("a new snapshot is read, since snapshot.mode = when_needed: {}", gap.chain()),
            );
            return;
        }
        start => start,
    };
    match findings.known(WHAT, start) {
        Some(Start::Fresh) => findings.ok(WHAT, format!("none in {topic}: the first start reads a snapshot")),
        Some(Start::Snapshot(last)) => {
            let read = last.snapshot_progress.values().filter(|table| table.done).count();
            let goes_on =
                format!("the snapshot goes on: {read} of {} tables are read", last.snapshot_progress.len());
            match slots {
                Some(slots) if slots.taken >= slots.most && !is_running => findings.fix(
                    WHAT,
                    format!(
                        "{goes_on}; it needs a temporary slot, and all {} are taken: drop one, or raise max_replication_slots and \
                         restart PostgreSQL",
                        slots.most
                    ),
                ),
                _ => findings.ok(WHAT, goes_on),
            }
        }
        Some(Start::Stream(last)) => findings.ok(WHAT, format!("the stream goes on at {}", last.position())),
        None => {}
    }
}
