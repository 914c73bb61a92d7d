//! How Kafka is reached, by the jobs themselves and by Spark.

pub(crate) mod offsets;
pub(crate) mod progress;

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
    /// Further options of Spark's Kafka consumer, name=value, such as kafka.security.protocol=SSL
    #[arg(long = "kafka-option", env = "LAKEPULSE_KAFKA_OPTIONS", value_delimiter = ',', value_parser = parse_pair)]
    pub kafka_options: Vec<(String, String)>,
}

/// How long a broker holds back an answer that would be empty; Kafka's default is 500.
const FETCH_WAIT_MS: u32 = 20;

pub(crate) fn parse_pair(text: &str) -> std::result::Result<(String, String), String> {
    text.split_once('=')
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("{text} is not name=value"))
}

impl KafkaOptions {
    /// Options of every reader of Spark's.
    pub(crate) fn of_spark(&self) -> Vec<(&str, String)> {
        let mut options: Vec<(&str, String)> =
            self.kafka_options.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        options.extend([
            ("kafka.bootstrap.servers", self.kafka.clone()),
            // An aborted transaction of capture is never seen.
            ("kafka.isolation.level", "read_committed".to_owned()),
            // A reader that goes on waits first for what it asked for when it left off.
            ("kafka.fetch.max.wait.ms", FETCH_WAIT_MS.to_string()),
            ("includeHeaders", true.to_string()),
            ("failOnDataLoss", true.to_string()),
        ]);
        options
    }

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
