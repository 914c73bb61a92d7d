use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use rdkafka::admin::{
    AdminClient, AdminOptions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier, TopicReplication,
};
use rdkafka::error::RDKafkaErrorCode;

use super::client::{Quiet, client_config, cluster_state, translate};
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
        let there = tokio::task::block_in_place(|| cluster_state(kafka))?;
        Ok(Self { kafka: kafka.clone(), known: there.topics.into_keys().collect() })
    }

    /// Creates the topics of checkpoints, of relation records, and those beside that aren't there; whether that of relation
    /// records is new.
    pub(crate) async fn ensure_own(
        &mut self,
        checkpoint: &str,
        relation: &str,
        beside: &[String],
    ) -> Result<bool> {
        let longest = self.kafka.max_record_bytes.to_string();
        let mut own = vec![
            (checkpoint, checkpoints(&self.kafka, checkpoint)),
            (relation, relations(&self.kafka, relation, &longest)),
        ];
        own.extend(beside.iter().map(|name| (name.as_str(), events(&self.kafka, name, &longest))));
        own.retain(|(name, _)| !self.known.contains(*name));
        let (names, new): (Vec<_>, Vec<_>) = own.into_iter().unzip();
        let created =
            if new.is_empty() { Vec::new() } else { create(&self.kafka, &new, Intent::Make).await? };
        self.known.extend(names.into_iter().map(str::to_owned));
        Ok(created.iter().any(|name| name == relation))
    }

    /// Creates the tables' topics that aren't there.
    pub(crate) async fn ensure(&mut self, topics: &[&str]) -> Result<()> {
        let missing: Vec<&str> =
            topics.iter().copied().filter(|topic| !self.known.contains(*topic)).collect();
        if missing.is_empty() {
            return Ok(());
        }
        let longest = self.kafka.max_record_bytes.to_string();
        let new: Vec<_> = missing.iter().map(|topic| events(&self.kafka, topic, &longest)).collect();
        for together in new.chunks(TOGETHER) {
            create(&self.kafka, together, Intent::Make).await?;
        }
        tracing::info!(topics = missing.len(), "topics created");
        self.known.extend(missing.into_iter().map(str::to_owned));
        Ok(())
    }
}

/// Asks whether these topics could be created, checkpoints in the first; creates none.
pub(crate) async fn may_create(kafka: &KafkaConfig, checkpoint: Option<&str>, topics: &[&str]) -> Result<()> {
    let longest = kafka.max_record_bytes.to_string();
    let mut new: Vec<_> = topics.iter().map(|topic| events(kafka, topic, &longest)).collect();
    new.extend(checkpoint.map(|topic| checkpoints(kafka, topic)));
    if new.is_empty() { Ok(()) } else { create(kafka, &new, Intent::Ask).await.map(drop) }
}

fn checkpoints<'a>(kafka: &KafkaConfig, topic: &'a str) -> NewTopic<'a> {
    NewTopic::new(topic, 1, TopicReplication::Fixed(kafka.replication_factor))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", CHECKPOINT_BYTES)
}

/// Every record is kept: whoever comes new learns from them how the tables came to look as they do.
fn relations<'a>(kafka: &KafkaConfig, topic: &'a str, longest: &'a str) -> NewTopic<'a> {
    NewTopic::new(topic, 1, TopicReplication::Fixed(kafka.replication_factor))
        .set("cleanup.policy", "delete")
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1")
        .set("max.message.bytes", longest)
}

fn events<'a>(kafka: &'a KafkaConfig, topic: &'a str, longest: &'a str) -> NewTopic<'a> {
    NewTopic::new(topic, kafka.partitions, TopicReplication::Fixed(kafka.replication_factor))
        .set("cleanup.policy", &kafka.cleanup_policy)
        .set("max.message.bytes", longest)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Intent {
    Make,
    Ask,
}

/// Creates topics; the names of those that were not there.
async fn create(kafka: &KafkaConfig, topics: &[NewTopic<'_>], intent: Intent) -> Result<Vec<String>> {
    let options = AdminOptions::new().operation_timeout(Some(TIMEOUT)).validate_only(intent == Intent::Ask);
    let results = admin(kafka)?
        .create_topics(topics, &options)
        .await
        .map_err(|cause| translate("cannot create topics", cause))?;
    let mut created = Vec::new();
    for result in results {
        match result {
            Ok(name) => created.push(name),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(Error::new(
                    ErrorKind::KafkaRefused,
                    format!("cannot create topic {topic}: create it yourself, or let this user create topics; check kafka.replication_factor"),
                )
                .caused_by(code));
            }
        }
    }
    Ok(created)
}

/// What readers and the producer meet in a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicSettings {
    pub(crate) cleanup_policy: String,
    pub(crate) max_message_bytes: u64,
    /// None without a limit.
    pub(crate) retention_ms: Option<u64>,
}

/// Reads the settings of topics that are there.
pub(crate) async fn topic_settings(
    kafka: &KafkaConfig,
    topics: &[&str],
) -> Result<BTreeMap<String, TopicSettings>> {
    let what = "cannot read the topics' settings: let this user describe their configuration";
    let resources: Vec<_> = topics.iter().map(|topic| ResourceSpecifier::Topic(topic)).collect();
    let answers = admin(kafka)?
        .describe_configs(&resources, &AdminOptions::new().request_timeout(Some(TIMEOUT)))
        .await
        .map_err(|cause| translate(what, cause))?;
    let mut settings = BTreeMap::new();
    for answer in answers {
        let resource = answer.map_err(|code| Error::new(ErrorKind::KafkaRefused, what).caused_by(code))?;
        let value = |name: &str| resource.get(name).and_then(|entry| entry.value.clone()).unwrap_or_default();
        let found = TopicSettings {
            cleanup_policy: value("cleanup.policy"),
            max_message_bytes: value("max.message.bytes").parse().unwrap_or(u64::MAX),
            retention_ms: value("retention.ms").parse().ok(),
        };
        if let OwnedResourceSpecifier::Topic(topic) = resource.specifier {
            settings.insert(topic, found);
        }
    }
    Ok(settings)
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
