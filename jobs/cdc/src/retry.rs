//! Whether to try again after a failure: decided here and nowhere else.

use std::time::Duration;

use crate::error::ErrorKind;

/// What to do after a session ended with an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    /// A person has to act.
    Stop,
    /// Waiting can help.
    Wait,
    /// It does not happen again.
    AtOnce,
}

/// Decides by the kind of failure. `established`: this process has captured before, so that the
/// servers and the configuration were right; before that, an unreachable server is likely a mistake.
pub(crate) fn decide(kind: ErrorKind, established: bool) -> Decision {
    match kind {
        ErrorKind::SourceStarting | ErrorKind::SourceBusy | ErrorKind::KafkaTransaction => Decision::Wait,
        ErrorKind::SourceUnreachable
        | ErrorKind::KafkaUnreachable
        | ErrorKind::RegistryUnreachable
        | ErrorKind::RegistryFailing
            if established =>
        {
            Decision::Wait
        }
        kind if kind.teaches() => Decision::AtOnce,
        _ => Decision::Stop,
    }
}

/// Waiting times that double up to a limit.
#[derive(Debug)]
pub(crate) struct Backoff {
    next: Duration,
}

const FIRST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

impl Backoff {
    pub(crate) fn new() -> Self {
        Self { next: FIRST }
    }

    /// How long to wait now.
    pub(crate) fn pause(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(LONGEST);
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decisions() {
        use ErrorKind as K;
        let table = [
            (K::Configuration, Decision::Stop, Decision::Stop),
            (K::SourceUnreachable, Decision::Stop, Decision::Wait),
            (K::SourceRefused, Decision::Stop, Decision::Stop),
            (K::SourceStarting, Decision::Wait, Decision::Wait),
            (K::SourceBusy, Decision::Wait, Decision::Wait),
            (K::SlotMissing, Decision::Stop, Decision::Stop),
            (K::SlotInvalidated, Decision::Stop, Decision::Stop),
            (K::SlotMoved, Decision::Stop, Decision::Stop),
            (K::SlotBusy, Decision::Stop, Decision::Stop),
            (K::SourceChanged, Decision::Stop, Decision::Stop),
            (K::KafkaUnreachable, Decision::Stop, Decision::Wait),
            (K::KafkaRefused, Decision::Stop, Decision::Stop),
            (K::KafkaTransaction, Decision::Wait, Decision::Wait),
            (K::Fenced, Decision::Stop, Decision::Stop),
            (K::RegistryUnreachable, Decision::Stop, Decision::Wait),
            (K::RegistryFailing, Decision::Stop, Decision::Wait),
            (K::SchemaIncompatible, Decision::Stop, Decision::Stop),
            (K::Encoding, Decision::Stop, Decision::Stop),
            (K::NeedsText, Decision::AtOnce, Decision::AtOnce),
            (K::UnknownLabel, Decision::AtOnce, Decision::AtOnce),
        ];
        for (kind, at_start, later) in table {
            assert_eq!((decide(kind, false), decide(kind, true)), (at_start, later), "{kind:?}");
        }
    }

    #[test]
    fn pauses_double_up_to_the_limit() {
        let mut backoff = Backoff::new();
        let pauses: Vec<_> = (0..9).map(|_| backoff.pause()).collect();
        assert_eq!(pauses.first(), Some(&FIRST));
        assert_eq!(pauses.last(), Some(&LONGEST));
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
    }
}
