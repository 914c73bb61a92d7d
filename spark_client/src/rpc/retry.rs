//! Whether, when and how often a call is tried again.

use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

/// How a session waits before it tries a call again. The defaults are PySpark's: 15 retries from 50 ms,
/// four times longer each time up to a minute, so about ten minutes in all.
///
/// ```no_run
/// # async fn run() -> Result<(), spark_client::Error> {
/// use spark_client::{RetryPolicy, SparkSession};
/// let impatient = RetryPolicy { max_retries: 3, ..RetryPolicy::default() };
/// let spark = SparkSession::builder().retry_policy(impatient).connect().await?;
/// # let _ = spark;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RetryPolicy {
    /// Retries after the first try. Every response of a result sets the count back to 0.
    pub max_retries: u32,
    /// Wait before the first retry.
    pub initial_backoff: Duration,
    /// The longest wait, jitter and the server's wish apart.
    pub max_backoff: Duration,
    /// How many times longer each wait is than the one before.
    pub backoff_multiplier: f64,
    /// Up to this much is added to a wait, at random.
    pub jitter: Duration,
    /// Waits shorter than this get no jitter.
    pub min_jitter_threshold: Duration,
    /// The longest wait that a server may ask for by `RetryInfo`.
    pub max_server_delay: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            max_retries: 15,
            initial_backoff: Duration::from_millis(50),
            max_backoff: Duration::from_secs(60),
            backoff_multiplier: 4.0,
            jitter: Duration::from_millis(500),
            min_jitter_threshold: Duration::from_secs(2),
            max_server_delay: Duration::from_secs(600),
        }
    }
}

impl RetryPolicy {
    /// Tries once and never again.
    pub fn never() -> Self {
        Self { max_retries: 0, ..Self::default() }
    }

    pub(crate) fn start(&self) -> Retries {
        Retries { policy: self.clone(), done: 0, next_wait: self.initial_backoff }
    }
}

/// The retries of one call so far.
#[derive(Debug)]
pub(crate) struct Retries {
    policy: RetryPolicy,
    done: u32,
    next_wait: Duration,
}

impl Retries {
    /// How long to wait before the next try, or `None` when it is not to be tried again.
    pub(crate) fn after(&mut self, status: &Status) -> Option<Duration> {
        if is_retryable(status) { self.next(server_delay(status), rand::random()) } else { None }
    }

    /// Like [`Self::after`] for a failure that is known to be worth another try.
    pub(crate) fn after_lost_request(&mut self) -> Option<Duration> {
        self.next(None, rand::random())
    }

    /// Something arrived: failures from here on are new ones.
    pub(crate) fn reset(&mut self) {
        if self.done > 0 {
            *self = self.policy.start();
        }
    }

    /// `chance` is the random part, from 0 to 1.
    fn next(&mut self, server_delay: Option<Duration>, chance: f64) -> Option<Duration> {
        if self.done >= self.policy.max_retries {
            return None;
        }
        self.done += 1;
        let mut wait = self.next_wait;
        self.next_wait = wait.mul_f64(self.policy.backoff_multiplier).min(self.policy.max_backoff);
        if let Some(asked) = server_delay {
            wait = wait.max(asked.min(self.policy.max_server_delay));
        }
        if wait >= self.policy.min_jitter_threshold {
            wait += self.policy.jitter.mul_f64(chance);
        }
        Some(wait)
    }
}

/// The one place that says which failures are worth another try.
pub(crate) fn is_retryable(status: &Status) -> bool {
    match status.code() {
        Code::Unavailable => true,
        // Another call took over the response stream; this one may take it back.
        Code::Internal if status.message().contains("INVALID_CURSOR.DISCONNECTED") => true,
        _ => connection_was_lost(status) || status.get_details_retry_info().is_some(),
    }
}

/// A status that tonic made from an error of the connection, where gRPC asks for UNAVAILABLE.
fn connection_was_lost(status: &Status) -> bool {
    let made_here = std::error::Error::source(status).is_some();
    let cut_message = status.code() == Code::Internal && status.message().contains("Unexpected EOF decoding");
    cut_message
        || (made_here
            && matches!(status.code(), Code::Unknown | Code::Internal | Code::Cancelled | Code::Aborted))
}

fn server_delay(status: &Status) -> Option<Duration> {
    status.get_details_retry_info().and_then(|info| info.retry_delay)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::ErrorDetails;

    fn waits(policy: &RetryPolicy, chance: f64) -> Vec<u64> {
        let mut retries = policy.start();
        std::iter::from_fn(|| retries.next(None, chance)).map(|wait| wait.as_millis() as u64).collect()
    }

    #[test]
    fn default_waits_are_those_of_pyspark() {
        let without_jitter = waits(&RetryPolicy::default(), 0.0);
        assert_eq!(without_jitter.len(), 15);
        assert_eq!(without_jitter[..7], [50, 200, 800, 3200, 12_800, 51_200, 60_000]);
        assert!(without_jitter.iter().sum::<u64>() >= 600_000, "ten minutes are bridged");
        assert_eq!(waits(&RetryPolicy::default(), 1.0)[..5], [50, 200, 800, 3700, 13_300]);
    }

    #[test]
    fn never_tries_again() {
        assert_eq!(waits(&RetryPolicy::never(), 0.0), Vec::<u64>::new());
    }

    #[test]
    fn the_server_may_ask_for_more_patience_within_bounds() {
        let policy = RetryPolicy { max_server_delay: Duration::from_secs(5), ..RetryPolicy::default() };
        for (asked_ms, wait_ms) in [(10, 50), (1_000, 1_000), (60_000, 5_000)] {
            let wait = policy.start().next(Some(Duration::from_millis(asked_ms)), 0.0);
            assert_eq!(wait, Some(Duration::from_millis(wait_ms)), "{asked_ms}");
        }
    }

    #[test]
    fn a_response_sets_the_count_back() {
        let mut retries = RetryPolicy { max_retries: 1, ..RetryPolicy::default() }.start();
        assert!(retries.next(None, 0.0).is_some());
        assert!(retries.next(None, 0.0).is_none());
        retries.reset();
        assert_eq!(retries.next(None, 0.0), Some(Duration::from_millis(50)));
    }

    #[test]
    fn what_is_retried() {
        let with_retry_info = Status::with_error_details(
            Code::ResourceExhausted,
            "busy",
            ErrorDetails::with_retry_info(Some(Duration::from_secs(1))),
        );
        let lost = Status::from_error(Box::new(std::io::Error::other("connection reset")));
        for (status, retried) in [
            (Status::unavailable("down"), true),
            (Status::internal("[INVALID_CURSOR.DISCONNECTED] taken over"), true),
            (Status::internal("Unexpected EOF decoding stream."), true),
            (with_retry_info, true),
            (lost, true),
            (Status::internal("[DIVIDE_BY_ZERO] no"), false),
            (Status::unknown("said by the server"), false),
            (Status::cancelled("said by the server"), false),
            (Status::invalid_argument("no"), false),
            (Status::unauthenticated("no"), false),
            (Status::resource_exhausted("too big"), false),
        ] {
            assert_eq!(is_retryable(&status), retried, "{status:?}");
        }
    }
}
