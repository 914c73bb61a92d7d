use std::time::Duration;

use rdkafka::Message;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use tokio::sync::{mpsc, oneshot};

use super::client::{Quiet, client_config, translate};
use crate::config::KafkaConfig;
use crate::error::Result;

const POLL: Duration = Duration::from_millis(500);

/// A signal that came by Kafka.
pub(crate) struct KafkaSignal {
    pub(crate) text: String,
    /// Told once what it has changed is safe: the signal is not read again then.
    pub(crate) followed: oneshot::Sender<()>,
}

/// Reads the signals of a topic whose keys are `key`, one after the other, from where an earlier session left off; the
/// first session begins with what comes next.
pub(crate) fn signals(
    kafka: &KafkaConfig,
    topic: &str,
    slot: &str,
    key: &str,
) -> Result<mpsc::Receiver<KafkaSignal>> {
    let failed = |cause| translate(format!("cannot read signals from topic {topic}"), cause);
    let consumer: BaseConsumer<Quiet> = client_config(kafka)
        .set("group.id", format!("lakepulse-cdc-{slot}-signals"))
        .set("enable.auto.commit", "false")
        .set("auto.offset.reset", "latest")
        .set("isolation.level", "read_committed")
        .create_with_context(Quiet)
        .map_err(failed)?;
    consumer.subscribe(&[topic]).map_err(failed)?;
    let (sender, signals) = mpsc::channel(1);
    let key = key.to_owned();
    // Ends with its receiver, that is, with the session.
    tokio::task::spawn_blocking(move || {
        while !sender.is_closed() {
            let message = match consumer.poll(POLL) {
                None => continue,
                Some(Err(cause)) => {
                    tracing::warn!("signals are late: {cause}");
                    continue;
                }
                Some(Ok(message)) => message,
            };
            if message.key() == Some(key.as_bytes())
                && let Some(value) = message.payload()
            {
                let (followed, wait) = oneshot::channel();
                let text = String::from_utf8_lossy(value).into_owned();
                let sent = sender.blocking_send(KafkaSignal { text, followed });
                if sent.is_err() || wait.blocking_recv().is_err() {
                    return;
                }
            }
            if let Err(cause) = consumer.commit_message(&message, CommitMode::Sync) {
                tracing::warn!("a signal may be read again: {cause}");
            }
        }
    });
    Ok(signals)
}
