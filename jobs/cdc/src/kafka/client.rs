use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};

const METADATA_TIMEOUT: Duration = Duration::from_secs(10);

/// librdkafka reports every lost connection on its own; those lines go to the debug level, since what
/// matters reaches us as the error of a call.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quiet;

impl ClientContext for Quiet {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "{reason}");
    }
}

impl ConsumerContext for Quiet {}

/// The properties that every client has.
pub(crate) fn client_config(kafka: &KafkaConfig) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &kafka.bootstrap)
        .set("client.id", "lakepulse-cdc")
        .set("reconnect.backoff.max.ms", "2000")
        // Off: it would log the properties with their secrets.
        .set_log_level(RDKafkaLogLevel::Warning);
    for (name, value) in &kafka.properties {
        config.set(name, value.expose());
    }
    config
}

/// A consumer that reads committed records only and belongs to no group.
pub(crate) fn reader(kafka: &KafkaConfig) -> Result<BaseConsumer<Quiet>> {
    client_config(kafka)
        .set("group.id", "lakepulse-cdc")
        .set("enable.auto.commit", "false")
        .set("isolation.level", "read_committed")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        // The broker answers at the end of a topic after half a second otherwise, and a start waits for it.
        .set("fetch.wait.max.ms", "10")
        .create_with_context(Quiet)
        .map_err(|cause| translate("cannot set up a Kafka consumer: check kafka.properties", cause))
}

/// A cluster as its brokers describe it.
#[derive(Debug, Clone)]
pub(crate) struct ClusterState {
    pub(crate) brokers: usize,
    /// Each topic's number of partitions.
    pub(crate) topics: BTreeMap<String, usize>,
}

/// Asks for the brokers and topics that there are.
pub(crate) fn cluster_state(kafka: &KafkaConfig) -> Result<ClusterState> {
    let metadata = reader(kafka)?.fetch_metadata(None, METADATA_TIMEOUT).map_err(|cause| {
        Error::new(
            ErrorKind::KafkaUnreachable,
            format!("cannot reach Kafka at {}: check that a broker runs, kafka.bootstrap and the security properties", kafka.bootstrap),
        )
        .caused_by(cause)
    })?;
    let topics = metadata.topics().iter().map(|topic| (topic.name().to_owned(), topic.partitions().len()));
    Ok(ClusterState { brokers: metadata.brokers().len(), topics: topics.collect() })
}

/// Sorts a Kafka failure into a kind; `what` says what was being done.
pub(crate) fn translate(what: impl Into<String>, cause: KafkaError) -> Error {
    use RDKafkaErrorCode as Code;
    let what = what.into();
    let (kind, advice) = match cause.rdkafka_error_code() {
        Some(
            Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed
            | Code::TransactionalIdAuthorizationFailed
            | Code::GroupAuthorizationFailed
            | Code::SaslAuthenticationFailed,
        ) => (ErrorKind::KafkaRefused, ": grant this user the right, or check the security properties"),
        Some(Code::MessageSizeTooLarge | Code::MessageBatchTooLarge | Code::InvalidMessageSize) => (
            ErrorKind::KafkaRefused,
            ": the row is larger than a record may be; raise kafka.max_record_bytes and the topic's max.message.bytes",
        ),
        Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch) => {
            (ErrorKind::Fenced, ": another instance with the same slot has taken over; stop one of them")
        }
        Some(
            Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::NotCoordinator,
        ) => (ErrorKind::KafkaUnreachable, ""),
        _ if is_configuration(&cause) => (ErrorKind::Configuration, ""),
        _ => (ErrorKind::KafkaTransaction, ""),
    };
    Error::new(kind, format!("{what}{advice}")).caused_by(cause)
}

fn is_configuration(cause: &KafkaError) -> bool {
    matches!(cause, KafkaError::ClientConfig(..) | KafkaError::ClientCreation(_))
}
