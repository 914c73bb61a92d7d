//! How often silver merges, and when it stops waiting for events.

use std::time::Duration;

use clap::Args;

/// How often silver merges, and when it gives up waiting.
#[derive(Debug, Clone, Args)]
pub struct Pace {
    /// Milliseconds between the starts of two slices, at least
    #[arg(long, env = "LAKEPULSE_SILVER_SLICE_MS", default_value_t = 2500)]
    pub slice_ms: u64,
    /// Seconds that typed tables may be behind the last published cut, beside the time that the merges themselves take
    #[arg(long, env = "LAKEPULSE_SILVER_MERGE_AGE", default_value_t = 120)]
    pub merge_age_seconds: u64,
    /// After a round, rest so many times as long as it took, within that age
    #[arg(long, env = "LAKEPULSE_SILVER_REST", default_value_t = 3.0)]
    pub rest: f64,
    /// Seconds after which events that are counted but missing in Kafka and in bronze count as lost
    #[arg(long, env = "LAKEPULSE_SILVER_MISSING_LIMIT", default_value_t = 600)]
    pub missing_limit_seconds: u64,
}

impl Pace {
    /// How long to rest after a round that took so long.
    pub(super) fn rest_after(&self, took: Duration) -> Duration {
        let age = Duration::from_secs(self.merge_age_seconds);
        Duration::try_from_secs_f64(took.as_secs_f64() * self.rest.max(0.0)).unwrap_or(age).min(age)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rest_is_bounded() {
        let pace = |rest| Pace { slice_ms: 1, merge_age_seconds: 120, rest, missing_limit_seconds: 1 };
        let check = |rest, took, expected| {
            assert_eq!(pace(rest).rest_after(Duration::from_secs(took)), Duration::from_secs(expected));
        };
        check(3.0, 0, 0);
        check(3.0, 10, 30);
        check(3.0, 100, 120);
        check(-1.0, 100, 0);
        check(f64::INFINITY, 100, 120);
    }
}
