//! When a Kafka transaction ends, and when a checkpoint alone is worth one.

use std::time::{Duration, Instant};

use super::position::Unwritten;
use crate::capture::pace::Pace;
use crate::config::CommitConfig;
use crate::pgoutput::Begin;

/// How often an idle source's progress is written down and confirmed, so that it can release WAL.
const IDLE_INTERVAL: Duration = Duration::from_secs(10);

/// Decides when what was sent is committed.
pub(super) struct CommitPolicy {
    max_events: usize,
    interval: Duration,
    pace: Pace,
    /// Events in the open Kafka transaction that are rows of incremental snapshots.
    rows_taken_in: usize,
    /// Dead letters and messages in it, which are no events.
    uncounted: usize,
    committed_at: Instant,
}

impl CommitPolicy {
    pub(super) fn new(config: &CommitConfig, now: Instant) -> Self {
        Self {
            max_events: config.max_events,
            interval: config.interval,
            pace: Pace::new(config.interval, config.min_interval),
            rows_taken_in: 0,
            uncounted: 0,
            committed_at: now,
        }
    }

    /// Takes note of a source transaction that was received at this time.
    pub(super) fn arrived(&mut self, begin: &Begin, received_at_us: i64, now: Instant) {
        self.pace.arrived(begin.committed_at_us, received_at_us, now);
    }

    /// Takes note of rows of an incremental snapshot among the events: they are no load of the source, and hold nothing back.
    pub(super) fn took_in(&mut self, rows: usize) {
        self.rows_taken_in += rows;
    }

    /// Takes note of a dead letter or a message.
    pub(super) fn sent_uncounted(&mut self) {
        self.uncounted += 1;
    }

    /// Whether the open Kafka transaction ends at once, be it in the middle of a source transaction.
    #[inline]
    pub(super) fn is_full(&self, events: usize) -> bool {
        events + self.uncounted >= self.max_events
    }

    /// How long a Kafka transaction of this age is held for what may still come.
    pub(super) fn hold(&self, age: Duration, now: Instant) -> Duration {
        self.pace.rest(age, now)
    }

    /// Whether a Kafka transaction of this age ends between two source transactions. What has arrived meanwhile goes along,
    /// within limits.
    pub(super) fn is_due(&self, age: Duration, is_behind: bool, now: Instant) -> bool {
        age >= self.interval || !is_behind && self.hold(age, now).is_zero()
    }

    /// Whether the position alone is written: now and then, and at once when it completes a cut.
    pub(super) fn is_checkpoint_due(&self, unwritten: Unwritten, now: Instant) -> bool {
        match unwritten {
            Unwritten::Nothing => false,
            Unwritten::Position => now.saturating_duration_since(self.committed_at) >= IDLE_INTERVAL,
            Unwritten::Completeness => true,
        }
    }

    /// Takes note that a Kafka transaction of so many events ends.
    pub(super) fn ended(&mut self, events: usize, now: Instant) {
        let changes = events.saturating_sub(std::mem::take(&mut self.rows_taken_in));
        self.pace.ended(changes, now);
        self.uncounted = 0;
        self.committed_at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn policy() -> (CommitPolicy, Instant) {
        let now = Instant::now();
        let config = CommitConfig { max_events: 1_000, interval: 100 * MS, min_interval: Duration::ZERO };
        (CommitPolicy::new(&config, now), now)
    }

    #[test]
    fn a_kafka_transaction_ends_by_its_size_its_age_and_the_load() {
        let (mut policy, now) = policy();
        assert!(!policy.is_full(999) && policy.is_full(1_000));
        policy.ended(1_000, now);
        // 1,000 events hold the next ones for 20 ms.
        for (age, is_behind, is_due) in [
            (19 * MS, false, false),
            (20 * MS, false, true),
            (20 * MS, true, false),
            (99 * MS, true, false),
            (100 * MS, true, true),
        ] {
            assert_eq!(policy.is_due(age, is_behind, now + age), is_due, "{age:?} {is_behind}");
        }
    }

    #[test]
    fn dead_letters_fill_a_kafka_transaction_too() {
        let (mut policy, now) = policy();
        (0..600).for_each(|_| policy.sent_uncounted());
        assert!(!policy.is_full(399) && policy.is_full(400));
        policy.ended(400, now);
        assert!(!policy.is_full(999), "those of the last Kafka transaction are forgotten");
    }

    #[test]
    fn rows_of_a_snapshot_hold_no_change_back() {
        let (mut policy, now) = policy();
        policy.took_in(600);
        policy.took_in(399);
        policy.ended(1_000, now);
        assert_eq!(policy.hold(Duration::ZERO, now), MS / 50);
        policy.ended(500, now);
        assert_eq!(
            policy.hold(Duration::ZERO, now),
            10 * MS,
            "those of the last Kafka transaction are forgotten"
        );
    }

    #[test]
    fn a_position_alone_waits_unless_it_completes_a_cut() {
        let (mut policy, now) = policy();
        let due = |policy: &CommitPolicy, now| {
            [Unwritten::Nothing, Unwritten::Position, Unwritten::Completeness]
                .map(|unwritten| policy.is_checkpoint_due(unwritten, now))
        };
        let soon = now + Duration::from_millis(9_999);
        assert_eq!(due(&policy, soon), [false, false, true]);
        assert_eq!(due(&policy, soon + MS), [false, true, true]);
        policy.ended(0, soon);
        assert_eq!(due(&policy, soon + MS), [false, false, true]);
    }
}
