use std::collections::HashSet;
use std::time::Duration;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::error::RDKafkaErrorCode;

use super::client::{Quiet, client_config, reachable_topics, translate};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};

const TIMEOUT: Duration = Duration::from_secs(30);
/// Topics in one request; brokers refuse more than 10,000 changes in one.
const TOGETHER: usize = 500;
/// Checkpoints are kept for ever, but not more of them than this: the last of a quiet capture must
/// outlive any retention time.
const CHECKPOINT_BYTES: &str = "1073741824";

/// The topics that are known to be there.
pub(crate) struct Topics {
    kafka: KafkaConfig,
    known: HashSet<String>,
}

impl Topics {
    pub(crate) fn new(kafka: &KafkaConfig) -> Result<Self> {
        let known = tokio::task::block_in_place(|| reachable_topics(kafka))?;
        Ok(Self { kafka: kafka.clone(), known: known.into_iter().map(|(name, _)| name).collect() })
    }

    /// Creates the checkpoint topic when it isn't there.
    pub(crate) async fn ensure_checkpoints(&mut self, topic: &str) -> Result<()> {
        if self.known.contains(topic) {
            return Ok(());
        }
        let new = NewTopic::new(topic, 1, TopicReplication::Fixed(self.kafka.replication_factor))
            .set("cleanup.policy", "delete")
            .set("retention.ms", "-1")
            .set("retention.bytes", CHECKPOINT_BYTES);
        self.create(&[new]).await?;
        self.known.insert(topic.to_owned());
        Ok(())
    }

    /// Creates the tables' topics that aren't there.
    pub(crate) async fn ensure(&mut self, topics: &[&str]) -> Result<()> {
        let missing: Vec<&str> =
            topics.iter().copied().filter(|topic| !self.known.contains(*topic)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let max_record_bytes = self.kafka.max_record_bytes.to_string();
        let new: Vec<NewTopic<'_>> = missing
            .iter()
            .map(|topic| {
                NewTopic::new(
                    topic,
                    self.kafka.partitions,
                    TopicReplication::Fixed(self.kafka.replication_factor),
                )
                .set("cleanup.policy", &self.kafka.cleanup_policy)
                .set("max.message.bytes", &max_record_bytes)
            })
            .collect();
        for together in new.chunks(TOGETHER) {
            self.create(together).await?;
        }
        tracing::info!(topics = missing.len(), "topics created");
        self.known.extend(missing.into_iter().map(str::to_owned));
        Ok(())
    }

    async fn create(&self, topics: &[NewTopic<'_>]) -> Result<()> {
        let results = admin(&self.kafka)?
            .create_topics(topics, &AdminOptions::new().operation_timeout(Some(TIMEOUT)))
            .await
            .map_err(|cause| translate("cannot create topics", cause))?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((topic, code)) => {
                    return Err(Error::new(
                        ErrorKind::KafkaRefused,
                        format!("cannot create topic {topic}: create it yourself, or let this user create topics; check kafka.replication_factor"),
                    )
                    .caused_by(code));
                }
            }
        }
        Ok(())
    }
}

/// Deletes these topics; those that aren't there are passed over.
pub(crate) async fn delete_topics(kafka: &KafkaConfig, topics: &[&str]) -> Result<()> {
    let results = admin(kafka)?
        .delete_topics(topics, &AdminOptions::new().operation_timeout(Some(TIMEOUT)))
        .await
        .map_err(|cause| translate("cannot delete topics", cause))?;
    for result in results {
        match result {
            Ok(_) | Err((_, RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {}
            Err((topic, code)) => {
                return Err(Error::new(ErrorKind::KafkaRefused, format!("cannot delete topic {topic}"))
                    .caused_by(code));
            }
        }
    }
    Ok(())
}

fn admin(kafka: &KafkaConfig) -> Result<AdminClient<Quiet>> {
    client_config(kafka)
        .create_with_context(Quiet)
        .map_err(|cause| translate("cannot set up a Kafka admin client: check kafka.properties", cause))
}
