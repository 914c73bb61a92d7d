use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};

use super::client::{client_config, translate};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::shutdown::Shutdown;

const INIT_TIMEOUT: Duration = Duration::from_secs(30);
/// One call's share of a commit, after which the wait is made visible.
const COMMIT_SLICE: Duration = Duration::from_secs(2);
const FULL_QUEUE_PAUSE: Duration = Duration::from_millis(2);
/// Longer than the slowest wave of the snapshot should take; a broker refuses more than
/// `transaction.max.timeout.ms`, 15 minutes by default.
const TRANSACTION_TIMEOUT_MS: &str = "300000";

/// The identity of an event in the order of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId {
    pub(crate) commit_lsn: Lsn,
    pub(crate) ordinal: u64,
}

/// A record to be produced.
#[derive(Debug)]
pub(crate) struct Record<'a> {
    pub(crate) topic: &'a str,
    pub(crate) key: Option<&'a [u8]>,
    /// None for a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) id: EventId,
    /// Debezium's letter of the operation; none on tombstones and checkpoints.
    pub(crate) operation: Option<&'static str>,
}

/// The one transactional producer of a slot.
pub(crate) struct Producer {
    inner: ThreadedProducer<Deliveries>,
    deliveries: Deliveries,
    shutdown: Shutdown,
    transactional_id: String,
}

/// Remembers the first delivery that failed in the current transaction.
#[derive(Clone, Default)]
struct Deliveries {
    failure: Arc<Mutex<Option<KafkaError>>>,
}

/// Whether the commit may still succeed when it is asked for again.
fn is_unfinished(cause: &KafkaError) -> bool {
    match cause {
        KafkaError::Transaction(cause) => cause.is_retriable(),
        KafkaError::Flush(code) => *code == RDKafkaErrorCode::OperationTimedOut,
        _ => false,
    }
}

impl ClientContext for Deliveries {
    fn log(&self, _: RDKafkaLogLevel, facility: &str, message: &str) {
        tracing::debug!(facility, "{message}");
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(%error, "{reason}");
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Err((cause, _)) = result {
            let mut failure = self.failure.lock().unwrap_or_else(PoisonError::into_inner);
            failure.get_or_insert_with(|| cause.clone());
        }
    }
}

impl Producer {
    /// Connects and fences every older producer of the same slot; what it left open is aborted.
    /// Blocks.
    pub(crate) fn open(kafka: &KafkaConfig, slot: &str, shutdown: Shutdown) -> Result<Self> {
        let transactional_id = format!("lakepulse-cdc-{slot}");
        let deliveries = Deliveries::default();
        let mut config = client_config(kafka);
        let defaults = [
            ("transactional.id", transactional_id.as_str()),
            ("enable.idempotence", "true"),
            ("transaction.timeout.ms", TRANSACTION_TIMEOUT_MS),
            ("linger.ms", "5"),
            ("batch.size", "1000000"),
            ("compression.type", "lz4"),
            ("queue.buffering.max.messages", "0"),
            // The Java client's hash, so that keys land where Debezium's would.
            ("partitioner", "murmur2_random"),
        ];
        for (name, value) in defaults {
            if config.get(name).is_none() {
                config.set(name, value);
            }
        }
        config.set("queue.buffering.max.kbytes", kafka.queue_kbytes.to_string());
        config.set("message.max.bytes", kafka.max_record_bytes.to_string());
        let inner: ThreadedProducer<Deliveries> = config
            .create_with_context(deliveries.clone())
            .map_err(|cause| translate("cannot set up the Kafka producer: check kafka.properties", cause))?;
        let producer = Self { inner, deliveries, shutdown, transactional_id };
        producer
            .inner
            .init_transactions(INIT_TIMEOUT)
            .map_err(|cause| producer.failed("cannot take the transactional id", cause))?;
        Ok(producer)
    }

    pub(crate) fn begin(&self) -> Result<()> {
        self.deliveries.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.inner.begin_transaction().map_err(|cause| self.failed("cannot begin a Kafka transaction", cause))
    }

    /// Queues a record; waits, blocking, while the queue is full.
    pub(crate) fn send(&self, record: &Record<'_>) -> Result<()> {
        let mut headers = OwnedHeaders::new_with_capacity(3)
            .insert(Header { key: "commit_lsn", value: Some(&record.id.commit_lsn.0.to_be_bytes()) })
            .insert(Header { key: "ordinal", value: Some(&record.id.ordinal.to_be_bytes()) });
        if let Some(operation) = record.operation {
            headers = headers.insert(Header { key: "op", value: Some(operation) });
        }
        let mut message: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(record.topic).headers(headers);
        message.payload = record.value;
        message.key = record.key;
        if record.key.is_none() {
            // Keeps the rows of a table without a key, and its TRUNCATE, in order.
            message.partition = Some(0);
        }
        loop {
            match self.inner.send(message) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), returned)) => {
                    self.give_up_if_overdue(record.topic)?;
                    self.check_deliveries()?;
                    message = returned;
                    std::thread::sleep(FULL_QUEUE_PAUSE);
                }
                Err((cause, _)) => {
                    return Err(self.failed(&format!("cannot produce to topic {}", record.topic), cause));
                }
            }
        }
    }

    /// Commits; waits, blocking, as long as trying again can help. After an error the session is over:
    /// whether the transaction counts is found out from the checkpoint topic.
    pub(crate) fn commit(&self) -> Result<()> {
        loop {
            match self.inner.commit_transaction(COMMIT_SLICE) {
                Ok(()) => return Ok(()),
                Err(cause) if is_unfinished(&cause) => {
                    self.give_up_if_overdue("the commit")?;
                    tracing::warn!(%cause, "the Kafka transaction can't be committed yet; trying again");
                }
                Err(cause) => {
                    self.check_deliveries()?;
                    return Err(self.failed("cannot commit a Kafka transaction", cause));
                }
            }
        }
    }

    /// Aborts what is open; used when leaving it to the next instance would hold readers up.
    pub(crate) fn abort(&self) {
        if let Err(cause) = self.inner.abort_transaction(COMMIT_SLICE) {
            tracing::debug!(%cause, "the Kafka transaction was left to be fenced");
        }
    }

    fn check_deliveries(&self) -> Result<()> {
        let failure = self.deliveries.failure.lock().unwrap_or_else(PoisonError::into_inner).take();
        failure.map_or(Ok(()), |cause| Err(self.failed("a record was not delivered", cause)))
    }

    fn give_up_if_overdue(&self, what: &str) -> Result<()> {
        if self.shutdown.overdue() {
            return Err(Error::new(
                ErrorKind::Stopped,
                format!(
                    "Kafka did not take {what} in time after the stop was asked for; the next start repeats this Kafka transaction"
                ),
            ));
        }
        Ok(())
    }

    fn failed(&self, what: &str, cause: KafkaError) -> Error {
        // After a fatal error every call says just that; the first reason is kept by the client.
        let cause = match self.inner.client().fatal_error() {
            Some((reason, _)) => KafkaError::Global(reason),
            None => cause,
        };
        if let KafkaError::Transaction(inner) = &cause
            && inner.txn_requires_abort()
        {
            return Error::new(
                ErrorKind::KafkaTransaction,
                format!("{what} (transactional.id {})", self.transactional_id),
            )
            .caused_by(cause);
        }
        translate(format!("{what} (transactional.id {})", self.transactional_id), cause)
    }
}
