use crate::checkpoint::{Checkpoint, PHASE_STARTING, PHASE_STREAM};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::source::SlotState;
use crate::transport::SystemIdentity;

/// Where a session begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Start {
    /// Nothing is there: create the slot and read the snapshot that it exports.
    Fresh,
    /// The slot is there, the snapshot isn't finished: read the rest at a new snapshot.
    Snapshot(Box<Checkpoint>),
    /// Go on with the stream.
    Stream(Box<Checkpoint>),
}

/// Decides from what the checkpoint topic and the source say, and refuses every combination in which
/// events could have been lost.
pub(crate) fn decide(
    checkpoint: Option<Checkpoint>,
    slot: Option<&SlotState>,
    identity: &SystemIdentity,
    slot_name: &str,
    checkpoint_topic: &str,
) -> Result<Start> {
    const START_OVER: &str =
        "to start over, run `lakepulse-cdc drop --topics`, or set a new slot and topic_prefix";
    let refuse = |kind, message: String| Err(Error::new(kind, message));
    let Some(checkpoint) = checkpoint else {
        return match slot {
            None => Ok(Start::Fresh),
            Some(_) => refuse(
                ErrorKind::SlotMoved,
                format!(
                    "replication slot {slot_name} is there, but topic {checkpoint_topic} has no checkpoint of it: nobody can \
                     tell what was captured; drop the slot (`lakepulse-cdc drop`) or set another one"
                ),
            ),
        };
    };
    if checkpoint.system_id != identity.system_id || checkpoint.timeline != identity.timeline as i32 {
        return refuse(
            ErrorKind::SourceChanged,
            format!(
                "the checkpoint of slot {slot_name} is of system {} timeline {}, but this source is system {} timeline {}: \
                 its WAL is another one; {START_OVER}",
                checkpoint.system_id, checkpoint.timeline, identity.system_id, identity.timeline
            ),
        );
    }
    let starting = checkpoint.phase == PHASE_STARTING;
    let Some(slot) = slot else {
        if starting {
            return Ok(Start::Fresh);
        }
        return refuse(
            ErrorKind::SlotMissing,
            format!(
                "replication slot {slot_name} is missing: events lost since {}, the last position in {checkpoint_topic}; {START_OVER}",
                checkpoint.position()
            ),
        );
    };
    if slot.lost {
        return refuse(
            ErrorKind::SlotInvalidated,
            format!(
                "replication slot {slot_name} is invalidated: PostgreSQL has removed WAL after {}, so events are lost; raise \
                 max_slot_wal_keep_size, and {START_OVER}",
                checkpoint.position()
            ),
        );
    }
    let end = Lsn(checkpoint.end_lsn as u64);
    if !starting && slot.confirmed > end {
        return refuse(
            ErrorKind::SlotMoved,
            format!(
                "replication slot {slot_name} stands at {}, past {end}, the last position in {checkpoint_topic}: it was \
                 re-created or advanced by somebody else, and the events between are lost; {START_OVER}",
                slot.confirmed
            ),
        );
    }
    Ok(if checkpoint.phase == PHASE_STREAM {
        Start::Stream(Box::new(checkpoint))
    } else {
        Start::Snapshot(Box::new(checkpoint))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::PHASE_SNAPSHOT;

    fn identity() -> SystemIdentity {
        SystemIdentity { system_id: "7".into(), timeline: 1 }
    }

    fn checkpoint(phase: &str, end: i64) -> Checkpoint {
        let start = Checkpoint::starting(&identity(), "s");
        Checkpoint { phase: phase.into(), end_lsn: end, commit_lsn: end, ..start }
    }

    fn slot(confirmed: u64, lost: bool) -> SlotState {
        SlotState { active_pid: None, confirmed: Lsn(confirmed), lost }
    }

    #[test]
    fn starts_and_refusals() {
        let elsewhere = Checkpoint { timeline: 2, ..checkpoint(PHASE_STREAM, 9) };
        let table = [
            (None, None, Ok("Fresh")),
            (None, Some(slot(5, false)), Err(ErrorKind::SlotMoved)),
            (Some(checkpoint(PHASE_STARTING, 0)), None, Ok("Fresh")),
            (Some(checkpoint(PHASE_STARTING, 0)), Some(slot(5, false)), Ok("Snapshot")),
            (Some(checkpoint(PHASE_SNAPSHOT, 5)), Some(slot(5, false)), Ok("Snapshot")),
            (Some(checkpoint(PHASE_SNAPSHOT, 5)), None, Err(ErrorKind::SlotMissing)),
            (Some(checkpoint(PHASE_SNAPSHOT, 5)), Some(slot(6, false)), Err(ErrorKind::SlotMoved)),
            (Some(checkpoint(PHASE_STREAM, 9)), Some(slot(5, false)), Ok("Stream")),
            (Some(checkpoint(PHASE_STREAM, 9)), Some(slot(9, false)), Ok("Stream")),
            (Some(checkpoint(PHASE_STREAM, 9)), Some(slot(10, false)), Err(ErrorKind::SlotMoved)),
            (Some(checkpoint(PHASE_STREAM, 9)), Some(slot(9, true)), Err(ErrorKind::SlotInvalidated)),
            (Some(checkpoint(PHASE_STREAM, 9)), None, Err(ErrorKind::SlotMissing)),
            (Some(elsewhere), Some(slot(9, false)), Err(ErrorKind::SourceChanged)),
        ];
        for (checkpoint, slot, expected) in table {
            let case = format!("{checkpoint:?} {slot:?}");
            let start = decide(checkpoint, slot.as_ref(), &identity(), "s", "p.checkpoint");
            let name = start.map_err(|error| error.kind()).map(|start| match start {
                Start::Fresh => "Fresh",
                Start::Snapshot(_) => "Snapshot",
                Start::Stream(_) => "Stream",
            });
            assert_eq!(name, expected, "{case}");
        }
    }
}
