//! The stream's place in the order of the source: what checkpoints tell, and what a restart leaves out.

use super::snapshot_progress::SnapshotProgress;
use crate::avro::{EventSource, SnapshotMark};
use crate::checkpoint::{Checkpoint, PHASE_STREAM};
use crate::delivery::Progress;
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::pgoutput::{Begin, Commit};

/// How far the stream is. It never goes back.
pub(super) struct Position {
    /// The last event that is out, or in the open Kafka transaction.
    reached: EventId,
    /// Where the stream goes on after the last whole transaction.
    end: Lsn,
    /// When the source committed what was reached last.
    committed_at_us: i64,
    transaction: Option<Transaction>,
    pub(super) snapshots: SnapshotProgress,
    /// The last checkpoint that Kafka has, or is being told.
    written: EventId,
    is_written_complete: bool,
}

/// The source transaction that is being received.
struct Transaction {
    begin: Begin,
    /// Of its next event.
    ordinal: u64,
    previous_commit: Lsn,
}

/// Where a checkpoint stands between transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CheckpointAt {
    /// At the last byte of the log that was read: a reader that waits for a commit finds it below an idle source's checkpoint.
    LastByte,
    /// At the last event, which leaves room below the next one for rows and relation records.
    LastEvent,
}

/// What a checkpoint would tell that the last one did not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unwritten {
    Nothing,
    /// A later position.
    Position,
    /// That everything at or below a later position is out, after a checkpoint that left it open.
    Completeness,
}

impl Position {
    pub(super) fn new(checkpoint: &Checkpoint) -> Self {
        let reached =
            EventId { commit_lsn: Lsn(checkpoint.commit_lsn as u64), ordinal: checkpoint.ordinal as u64 };
        Self {
            reached,
            end: Lsn(checkpoint.end_lsn as u64),
            committed_at_us: checkpoint.committed_at_us,
            transaction: None,
            snapshots: SnapshotProgress::new(
                Lsn(checkpoint.snapshot_lsn as u64),
                checkpoint.snapshot_progress.clone(),
            ),
            written: reached,
            is_written_complete: checkpoint.complete,
        }
    }

    /// The last event that is out, or in the open Kafka transaction.
    pub(super) fn reached(&self) -> EventId {
        self.reached
    }

    /// Where the stream goes on after the last whole transaction.
    pub(super) fn end(&self) -> Lsn {
        self.end
    }

    /// The transaction that is being received; none between transactions.
    pub(super) fn transaction(&self) -> Option<&Begin> {
        self.transaction.as_ref().map(|transaction| &transaction.begin)
    }

    #[inline]
    pub(super) fn is_between_transactions(&self) -> bool {
        self.transaction.is_none()
    }

    pub(super) fn begin(&mut self, begin: Begin) {
        let previous_commit = self.reached.commit_lsn;
        self.transaction = Some(Transaction { begin, ordinal: 0, previous_commit });
    }

    /// The transaction's next event; none between transactions.
    pub(super) fn peek_event(&self) -> Option<EventId> {
        let transaction = self.transaction.as_ref()?;
        Some(EventId { commit_lsn: transaction.begin.commit_lsn, ordinal: transaction.ordinal })
    }

    /// Goes on to the transaction's next event, which may be one that is not sent: ordinals do not depend on that.
    #[inline]
    pub(super) fn next_event(&mut self) -> Option<EventId> {
        let event = self.peek_event();
        if let Some(transaction) = &mut self.transaction {
            transaction.ordinal += 1;
        }
        event
    }

    /// What an event or a message at `lsn` tells of its source.
    pub(super) fn source(&self, lsn: Lsn) -> EventSource {
        let transaction = self.transaction.as_ref();
        EventSource {
            // A message between transactions has no time of its own.
            committed_at_us: transaction
                .map_or(self.committed_at_us, |transaction| transaction.begin.committed_at_us),
            previous_commit: Some(
                transaction.map_or(self.reached.commit_lsn, |transaction| transaction.previous_commit),
            ),
            lsn,
            xid: transaction.map(|transaction| transaction.begin.xid),
            snapshot: SnapshotMark::No,
        }
    }

    /// Whether an event is out already, as after a restart in the middle of its transaction.
    #[inline]
    pub(super) fn is_out(&self, event: EventId) -> bool {
        event <= self.reached
    }

    /// Takes note that everything up to this event is out, or in the open Kafka transaction.
    #[inline]
    pub(super) fn reach(&mut self, event: EventId) {
        self.reached = self.reached.max(event);
        if let Some(transaction) = &self.transaction {
            self.committed_at_us = transaction.begin.committed_at_us;
        }
    }

    /// Ends the transaction.
    pub(super) fn finish(&mut self, commit: Commit) {
        if let Some(transaction) = &self.transaction {
            let ordinal = transaction.ordinal.saturating_sub(1);
            self.reach(EventId { commit_lsn: commit.commit_lsn, ordinal });
        }
        self.transaction = None;
        self.end = self.end.max(commit.end_lsn);
    }

    /// Between transactions, the server's position is ours too.
    pub(super) fn keep_alive(&mut self, end: Lsn) {
        if self.is_between_transactions() && end > self.end {
            self.end = end;
            self.reached = self.last_passed();
        }
    }

    /// The last byte of the log that was read. The next commit may begin at `end` itself, so everything *before* it is out.
    pub(super) fn last_passed(&self) -> EventId {
        self.reached.max(EventId { commit_lsn: self.end.before(), ordinal: 0 })
    }

    /// Everything at or below the position is out: no transaction is half sent, and the stream has passed every snapshot whose
    /// rows are in Kafka.
    fn is_complete(&self) -> bool {
        self.is_between_transactions() && self.reached.commit_lsn >= self.snapshots.lsn()
    }

    /// Whether events at this position change the counts of no cut that Kafka knows.
    pub(super) fn is_above_cuts(&self, event: EventId) -> bool {
        !self.is_written_complete || event.commit_lsn > self.written.commit_lsn
    }

    fn told(&self, at: CheckpointAt) -> EventId {
        if at == CheckpointAt::LastByte && self.is_between_transactions() {
            self.last_passed()
        } else {
            self.reached
        }
    }

    pub(super) fn unwritten(&self, at: CheckpointAt) -> Unwritten {
        if self.told(at) <= self.written {
            Unwritten::Nothing
        } else if !self.is_written_complete && self.is_complete() {
            Unwritten::Completeness
        } else {
            Unwritten::Position
        }
    }

    /// What the checkpoint says that is about to be written.
    pub(super) fn checkpoint(&mut self, at: CheckpointAt) -> Progress {
        let complete = self.is_complete();
        if complete {
            self.snapshots.forget_finished();
        }
        // Never back behind a cut that was told.
        self.written = self.told(at).max(self.written);
        self.is_written_complete = complete;
        Progress {
            id: self.written,
            end: self.end,
            complete,
            committed_at_us: self.committed_at_us,
            phase: PHASE_STREAM,
            snapshot_lsn: self.snapshots.lsn(),
            snapshot_progress: self.snapshots.tables().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::checkpoint::TableProgress;
    use crate::transport::SystemIdentity;

    fn id(commit_lsn: u64, ordinal: u64) -> EventId {
        EventId { commit_lsn: Lsn(commit_lsn), ordinal }
    }

    /// After a checkpoint at this event, behind which the stream goes on at 110.
    fn position(commit_lsn: i64, ordinal: i64, complete: bool) -> Position {
        let identity = SystemIdentity { system_id: "7".into(), timeline: 1 };
        let starting = Checkpoint::starting(&identity, "s");
        Position::new(&Checkpoint { commit_lsn, ordinal, complete, end_lsn: 110, ..starting })
    }

    fn begin(position: &mut Position, commit_lsn: u64) {
        position.begin(Begin {
            commit_lsn: Lsn(commit_lsn),
            committed_at_us: commit_lsn as i64 * 10,
            xid: 5,
        });
    }

    fn finish(position: &mut Position, commit_lsn: u64, end_lsn: u64) {
        position.finish(Commit { commit_lsn: Lsn(commit_lsn), end_lsn: Lsn(end_lsn) });
    }

    #[test]
    fn a_restart_leaves_out_the_events_that_kafka_has() {
        let mut position = position(120, 1, false);
        begin(&mut position, 120);
        let events: Vec<_> = (0..4).filter_map(|_| position.next_event()).collect();
        let left_out: Vec<_> = events.iter().map(|event| position.is_out(*event)).collect();
        assert_eq!((events[3], left_out), (id(120, 3), vec![true, true, false, false]));
    }

    #[test]
    fn an_idle_stream_stands_at_the_last_byte_unless_room_is_left() {
        let mut position = position(90, 3, true);
        assert_eq!(position.unwritten(CheckpointAt::LastEvent), Unwritten::Nothing);
        assert_eq!(position.unwritten(CheckpointAt::LastByte), Unwritten::Position);
        let progress = position.checkpoint(CheckpointAt::LastByte);
        assert_eq!((progress.id, progress.end, progress.complete), (id(109, 0), Lsn(110), true));
        position.keep_alive(Lsn(110));
        assert_eq!(position.unwritten(CheckpointAt::LastByte), Unwritten::Nothing);
        position.keep_alive(Lsn(200));
        assert_eq!(position.checkpoint(CheckpointAt::LastEvent).id, id(199, 0));
        begin(&mut position, 200);
        assert!(!position.is_out(id(200, 0)), "a commit that begins where the server stood");
    }

    #[test]
    fn a_transaction_moves_the_end_only_once_it_is_whole() {
        let mut position = position(90, 0, true);
        begin(&mut position, 120);
        let event = position.next_event().unwrap();
        position.reach(event);
        position.keep_alive(Lsn(500));
        let progress = position.checkpoint(CheckpointAt::LastByte);
        assert_eq!((progress.id, progress.end, progress.complete), (id(120, 0), Lsn(110), false));
        assert_eq!(progress.committed_at_us, 1200);
        position.next_event();
        finish(&mut position, 120, 130);
        let progress = position.checkpoint(CheckpointAt::LastEvent);
        assert_eq!((progress.id, progress.end, progress.complete), (id(120, 1), Lsn(130), true));
    }

    #[test]
    fn nothing_comes_below_a_cut_that_was_told() {
        let mut position = position(90, 0, false);
        assert!(position.is_above_cuts(id(80, 0)), "an incomplete checkpoint is no cut");
        position.checkpoint(CheckpointAt::LastByte);
        assert!(!position.is_above_cuts(id(109, 7)) && position.is_above_cuts(id(110, 0)));
        assert_eq!(position.checkpoint(CheckpointAt::LastEvent).id, id(109, 0), "not back to the last event");
    }

    #[test]
    fn nothing_is_complete_before_the_stream_has_passed_the_snapshot() {
        let mut position = position(90, 0, false);
        let tables = [true, false]
            .map(|done| (format!("s.{done}"), TableProgress { done, read_at: 150, through: Vec::new() }));
        position.snapshots = SnapshotProgress::new(Lsn(150), tables.into());
        position.keep_alive(Lsn(150));
        let progress = position.checkpoint(CheckpointAt::LastByte);
        assert_eq!((progress.complete, progress.snapshot_progress.len()), (false, 2));
        position.keep_alive(Lsn(151));
        assert_eq!(position.unwritten(CheckpointAt::LastByte), Unwritten::Completeness);
        let progress = position.checkpoint(CheckpointAt::LastByte);
        assert_eq!((progress.complete, progress.snapshot_lsn), (true, Lsn(150)));
        assert_eq!(progress.snapshot_progress.into_keys().collect::<Vec<_>>(), ["s.false"]);
    }

    #[test]
    fn a_message_between_transactions_has_the_time_of_what_was_reached() {
        let mut position = position(90, 0, true);
        begin(&mut position, 120);
        let source = position.source(Lsn(118));
        assert_eq!((source.xid, source.previous_commit, source.lsn), (Some(5), Some(Lsn(90)), Lsn(118)));
        finish(&mut position, 120, 130);
        let source = position.source(Lsn(140));
        assert_eq!(
            (source.xid, source.previous_commit, source.committed_at_us),
            (None, Some(Lsn(120)), 1200)
        );
    }

    /// What the source does next.
    #[derive(Debug, Clone)]
    enum Step {
        /// A transaction of so many events, with a checkpoint after this one.
        Transaction(u64, u64),
        KeepAlive,
        Checkpoint(bool),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..5_u64, 0..5_u64).prop_map(|(events, cut)| Step::Transaction(events, cut)),
            Just(Step::KeepAlive),
            any::<bool>().prop_map(Step::Checkpoint),
        ]
    }

    proptest! {
        /// Checkpoints are in order, and each cut counts every event at or below it that is ever sent.
        #[test]
        fn cuts_are_final(steps in prop::collection::vec(step(), 0..30)) {
            let mut position = position(90, 0, true);
            let (mut log, mut last, mut cut) = (110, id(90, 0), id(90, 0));
            let mut tell = |position: &mut Position, at| {
                let progress = position.checkpoint(at);
                assert!(progress.id >= last, "{:?} after {last:?}", progress.id);
                last = progress.id;
                if progress.complete {
                    cut = progress.id;
                }
                cut
            };
            let mut cut_by_now = id(90, 0);
            for step in steps {
                match step {
                    Step::Transaction(events, checkpoint) => {
                        let commit = log + 3;
                        log += 10;
                        begin(&mut position, commit);
                        for ordinal in 0..events {
                            let event = position.next_event().unwrap();
                            prop_assert!(!position.is_out(event) && position.is_above_cuts(event));
                            prop_assert!(event > cut_by_now);
                            position.reach(event);
                            if ordinal == checkpoint {
                                cut_by_now = tell(&mut position, CheckpointAt::LastByte);
                            }
                        }
                        finish(&mut position, commit, log);
                    }
                    Step::KeepAlive => {
                        log += 5;
                        position.keep_alive(Lsn(log));
                    }
                    Step::Checkpoint(is_idle) => {
                        let at = if is_idle { CheckpointAt::LastByte } else { CheckpointAt::LastEvent };
                        cut_by_now = tell(&mut position, at);
                    }
                }
            }
        }
    }
}
