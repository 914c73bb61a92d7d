use std::time::{Duration, Instant};

/// How long a Kafka transaction is held open for each event that the one before it had: a lone change
/// leaves at once, and under load the fixed cost of a commit is spread over many.
const HOLD_PER_EVENT: Duration = Duration::from_micros(20);
/// How fast the least delay that was seen is forgotten: clocks drift, and so does the way.
const FORGOTTEN_IN: Duration = Duration::from_secs(60);

/// When the open Kafka transaction is to end.
///
/// Small Kafka transactions are early ones while there is computing time for all of them. When there is not, they come late
/// and cost what the others lack. So the more the source's commits come later than they could, the longer is the time between two
/// of ours. What the least possible delay is shows in the source's clock and ours, whatever they differ by.
#[derive(Debug)]
pub(crate) struct Pace {
    interval: Duration,
    min_interval: Duration,
    hold: Duration,
    /// From the source's commit to its receipt, by two clocks: the least, and what the last one has on top.
    least_delay_us: Option<i64>,
    excess: Duration,
    arrived_at: Instant,
    ended_at: Instant,
}

impl Pace {
    pub(crate) fn new(interval: Duration, min_interval: Duration) -> Self {
        let now = Instant::now();
        Self {
            interval,
            min_interval,
            hold: min_interval,
            least_delay_us: None,
            excess: Duration::ZERO,
            arrived_at: now,
            ended_at: now,
        }
    }

    /// Takes note of a source transaction that was received.
    pub(crate) fn arrived(&mut self, committed_at_us: i64, now_us: i64, now: Instant) {
        let delay = now_us.saturating_sub(committed_at_us);
        let least = self.least_delay_us.unwrap_or(delay);
        let excess = delay.saturating_sub(least);
        self.least_delay_us = Some(if excess <= 0 {
            delay
        } else {
            let share = (now - self.arrived_at).as_secs_f64() / FORGOTTEN_IN.as_secs_f64();
            least + (excess as f64 * share.min(1.0)) as i64
        });
        self.arrived_at = now;
        self.excess = Duration::from_micros(u64::try_from(excess).unwrap_or(0));
    }

    /// Takes note that a Kafka transaction of so many events ended.
    pub(crate) fn ended(&mut self, events: usize, now: Instant) {
        let events = u32::try_from(events).unwrap_or(u32::MAX);
        self.hold = HOLD_PER_EVENT.saturating_mul(events).min(self.interval).max(self.min_interval);
        self.ended_at = now;
    }

    /// How long a Kafka transaction of this age is to be held for more.
    pub(crate) fn rest(&self, age: Duration, now: Instant) -> Duration {
        let between = (self.excess / 2).min(self.interval);
        self.hold.saturating_sub(age).max(between.saturating_sub(now - self.ended_at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn pace() -> (Pace, Instant) {
        (Pace::new(100 * MS, Duration::ZERO), Instant::now())
    }

    #[test]
    fn a_lone_change_leaves_at_once() {
        let (mut pace, now) = pace();
        pace.ended(1, now);
        // The source's clock is an hour ahead, which is no delay.
        pace.arrived(3_600_000_000, 5_000, now + 50 * MS);
        assert_eq!(pace.rest(MS, now + 51 * MS), Duration::ZERO);
    }

    #[test]
    fn many_events_hold_the_next_ones() {
        let (mut pace, now) = pace();
        pace.ended(1_000, now);
        assert_eq!(pace.rest(5 * MS, now + 5 * MS), 15 * MS);
        pace.ended(1_000_000, now);
        assert_eq!(pace.rest(Duration::ZERO, now), 100 * MS);
    }

    #[test]
    fn late_changes_leave_together() {
        let (mut pace, now) = pace();
        pace.arrived(0, 1_000, now);
        pace.ended(1, now);
        pace.arrived(1_000, 42_000, now + MS);
        assert_eq!(pace.rest(MS, now + 2 * MS), 18 * MS, "half of the 40 ms that it came later");
        assert_eq!(pace.rest(MS, now + 30 * MS), Duration::ZERO);
        pace.arrived(0, 1_000_000, now + 2 * MS);
        assert_eq!(pace.rest(MS, now), 100 * MS, "the interval at most");
        pace.arrived(1_000_000, 1_001_000, now + 3 * MS);
        assert!(pace.rest(MS, now + MS).is_zero(), "in time again");
    }

    #[test]
    fn clocks_that_were_set_are_forgotten() {
        let (mut pace, mut now) = pace();
        pace.arrived(0, 0, now);
        for _ in 0..600 {
            now += Duration::from_secs(1);
            pace.arrived(0, 500_000, now);
        }
        assert!(pace.excess < MS, "{:?}", pace.excess);
    }
}
