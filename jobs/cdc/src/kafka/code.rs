//! The error codes of Kafka's protocol: what they mean for us.

use crate::error::{Error, ErrorKind};

pub(crate) const UNKNOWN_TOPIC: i16 = 3;
pub(crate) const LEADER_NOT_AVAILABLE: i16 = 5;
const COORDINATOR_LOADING: i16 = 14;
const COORDINATOR_NOT_AVAILABLE: i16 = 15;
const NOT_COORDINATOR: i16 = 16;
const CONCURRENT_TRANSACTIONS: i16 = 51;

/// Whether the coordinator asks to try again a moment later.
pub(crate) fn is_busy(code: i16) -> bool {
    matches!(code, COORDINATOR_LOADING | CONCURRENT_TRANSACTIONS)
}

/// Whether another broker has to be found, or the same one a moment later.
pub(crate) fn is_misdirected(code: i16) -> bool {
    matches!(code, COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR)
}

/// Turns an error code into an error; `what` says what was being done, and to what.
pub(crate) fn error(what: &str, code: i16) -> Error {
    let name = name(code);
    let (kind, advice) = match code {
        10 | 18 => (
            ErrorKind::KafkaRefused,
            ": the row is larger than a record may be; raise kafka.max_record_bytes and the topic's max.message.bytes",
        ),
        29 | 31 | 53 | 58 => {
            (ErrorKind::KafkaRefused, ": grant this user the right, or check the security properties")
        }
        33 | 34 => (ErrorKind::KafkaRefused, ": set sasl.mechanism to one that the broker offers"),
        35 => (ErrorKind::KafkaRefused, ": the broker is older than Kafka 2.1"),
        47 | 90 => {
            (ErrorKind::Fenced, ": another instance with the same slot has taken over; stop one of them")
        }
        44 => (ErrorKind::KafkaRefused, ": the topic's policy refuses it"),
        50 => (
            ErrorKind::KafkaRefused,
            ": transaction.timeout.ms is above the broker's transaction.max.timeout.ms",
        ),
        7 | 8 | 13 | COORDINATOR_LOADING | COORDINATOR_NOT_AVAILABLE | NOT_COORDINATOR => {
            (ErrorKind::KafkaUnreachable, "")
        }
        _ => (ErrorKind::KafkaTransaction, ""),
    };
    Error::new(kind, format!("{what}{advice}")).caused_by(BrokerError { code, name })
}

/// What the broker said.
#[derive(Debug, thiserror::Error)]
#[error("Kafka answers {name} ({code})")]
struct BrokerError {
    code: i16,
    name: &'static str,
}

fn name(code: i16) -> &'static str {
    match code {
        -1 => "UNKNOWN_SERVER_ERROR",
        UNKNOWN_TOPIC => "UNKNOWN_TOPIC_OR_PARTITION",
        LEADER_NOT_AVAILABLE => "LEADER_NOT_AVAILABLE",
        6 => "NOT_LEADER_OR_FOLLOWER",
        7 => "REQUEST_TIMED_OUT",
        10 => "MESSAGE_TOO_LARGE",
        COORDINATOR_LOADING => "COORDINATOR_LOAD_IN_PROGRESS",
        COORDINATOR_NOT_AVAILABLE => "COORDINATOR_NOT_AVAILABLE",
        NOT_COORDINATOR => "NOT_COORDINATOR",
        18 => "RECORD_LIST_TOO_LARGE",
        19 => "NOT_ENOUGH_REPLICAS",
        20 => "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
        29 => "TOPIC_AUTHORIZATION_FAILED",
        31 => "CLUSTER_AUTHORIZATION_FAILED",
        33 => "UNSUPPORTED_SASL_MECHANISM",
        34 => "ILLEGAL_SASL_STATE",
        35 => "UNSUPPORTED_VERSION",
        44 => "POLICY_VIOLATION",
        45 => "OUT_OF_ORDER_SEQUENCE_NUMBER",
        47 => "INVALID_PRODUCER_EPOCH",
        48 => "INVALID_TXN_STATE",
        49 => "INVALID_PRODUCER_ID_MAPPING",
        50 => "INVALID_TRANSACTION_TIMEOUT",
        CONCURRENT_TRANSACTIONS => "CONCURRENT_TRANSACTIONS",
        53 => "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
        56 => "KAFKA_STORAGE_ERROR",
        58 => "SASL_AUTHENTICATION_FAILED",
        59 => "UNKNOWN_PRODUCER_ID",
        90 => "PRODUCER_FENCED",
        _ => "an error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (code, kind) in [
            (10, ErrorKind::KafkaRefused),
            (29, ErrorKind::KafkaRefused),
            (47, ErrorKind::Fenced),
            (90, ErrorKind::Fenced),
            (16, ErrorKind::KafkaUnreachable),
            (6, ErrorKind::KafkaTransaction),
            (45, ErrorKind::KafkaTransaction),
            (19, ErrorKind::KafkaTransaction),
        ] {
            assert_eq!(error("x", code).kind(), kind, "{code}");
        }
    }
}
