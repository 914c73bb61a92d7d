//! How the jobs themselves reach Kafka, beside Spark.

use clap::Args;
use rdkafka::config::{ClientConfig, FromClientConfig, RDKafkaLogLevel};
use rdkafka::error::KafkaError;

use crate::error::{Error, ErrorKind};

/// How Kafka is reached.
#[derive(Debug, Clone, Args)]
pub struct KafkaOptions {
    /// Kafka's bootstrap servers
    #[arg(long, env = "LAKEPULSE_KAFKA")]
    pub kafka: String,
    /// Further options of librdkafka, name=value, such as security.protocol=ssl
    #[arg(long = "kafka-client-option", env = "LAKEPULSE_KAFKA_CLIENT_OPTIONS", value_delimiter = ',', value_parser = parse_pair)]
    pub kafka_client_options: Vec<(String, String)>,
}

pub(crate) fn parse_pair(text: &str) -> std::result::Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("{text} is not name=value"))
}

impl KafkaOptions {
    /// A consumer that commits nothing by itself.
    pub(crate) fn consumer<C: FromClientConfig>(&self, group: &str) -> std::result::Result<C, KafkaError> {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.kafka)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("auto.offset.reset", "error")
            .set("allow.auto.create.topics", "false")
            .set_log_level(RDKafkaLogLevel::Error);
        for (name, value) in &self.kafka_client_options {
            config.set(name, value);
        }
        config.create()
    }
}

pub(crate) fn unreadable(topic: &str, error: KafkaError) -> Error {
    Error::caused(
        ErrorKind::Kafka,
        format!("could not read topic {topic}; is Kafka up, and may this user read it?"),
        error,
    )
}

/// A consumer group that says how far bronze is: by it silver knows what is worth looking for, and operators see bronze's lag.
pub(crate) mod progress {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
    use rdkafka::{Offset, TopicPartitionList};

    use super::{KafkaOptions, unreadable};
    use crate::error::{Error, ErrorKind, Result};
    use crate::lake::Lake;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Topic to partition to the offset that is read next, as Spark tells Kafka's offsets.
    pub(crate) type Offsets = BTreeMap<String, BTreeMap<String, i64>>;

    /// The group, for who commits and for who asks.
    pub(crate) struct Group(BaseConsumer);

    impl Group {
        pub(crate) fn open(options: &KafkaOptions, lake: &Lake) -> Result<Self> {
            let group = format!("{}.bronze", lake.topic_prefix);
            options.consumer(&group).map(Self).map_err(|error| unreadable(&group, error))
        }

        /// Says that everything before these offsets is in bronze. Blocks.
        pub(crate) fn commit(&self, offsets: &Offsets) -> Result<()> {
            let failed = |error| Error::caused(ErrorKind::Kafka, "could not commit bronze's offsets", error);
            let mut list = TopicPartitionList::new();
            for (topic, partitions) in offsets {
                for (partition, offset) in partitions {
                    let Ok(partition) = partition.parse() else { continue };
                    list.add_partition_offset(topic, partition, Offset::Offset(*offset)).map_err(failed)?;
                }
            }
            self.0.commit(&list, CommitMode::Sync).map_err(failed)
        }

        /// The offset in a topic of one partition up to which everything is in bronze; none while bronze has said nothing. Blocks.
        pub(crate) fn committed(&self, topic: &str) -> Result<Option<i64>> {
            let mut list = TopicPartitionList::new();
            list.add_partition(topic, 0);
            let committed =
                self.0.committed_offsets(list, PATIENCE).map_err(|error| unreadable(topic, error))?;
            Ok(committed.elements().first().and_then(|element| match element.offset() {
                Offset::Offset(offset) => Some(offset),
                _ => None,
            }))
        }
    }
}
