use std::collections::BTreeMap;

use crate::checkpoint::{Checkpoint, PHASE_STREAM, TableProgress};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::transport::SystemIdentity;

/// What a checkpoint says of the source.
#[derive(Debug, Clone)]
pub(crate) struct Progress {
    /// The last event that is out.
    pub(crate) id: EventId,
    /// Where the stream goes on.
    pub(crate) end: Lsn,
    pub(crate) complete: bool,
    pub(crate) committed_at_us: i64,
    pub(crate) phase: &'static str,
    pub(crate) snapshot_lsn: Lsn,
    pub(crate) snapshot_progress: BTreeMap<String, TableProgress>,
}

impl Progress {
    /// The checkpoint of a slot, without what it says of topics and tables.
    pub(super) fn checkpoint(&self, identity: &SystemIdentity, slot: &str) -> Checkpoint {
        Checkpoint {
            commit_lsn: self.id.commit_lsn.0 as i64,
            end_lsn: self.end.0 as i64,
            ordinal: self.id.ordinal as i64,
            complete: self.complete,
            committed_at_us: self.committed_at_us,
            phase: self.phase.to_owned(),
            snapshot_lsn: self.snapshot_lsn.0 as i64,
            snapshot_progress: self.snapshot_progress.clone(),
            ..Checkpoint::starting(identity, slot)
        }
    }

    /// The checkpoint from which the stream begins once the snapshot is out.
    pub(crate) fn stream_checkpoint(&self, identity: &SystemIdentity, slot: &str) -> Checkpoint {
        Checkpoint { phase: PHASE_STREAM.to_owned(), ..self.checkpoint(identity, slot) }
    }
}
