//! The topics and schemas that a configuration asks for.

use crate::avro::{
    DEAD_LETTER, TRANSACTION_KEY, TRANSACTION_VALUE, key_schema, message_schemas, value_schema,
};
use crate::checkpoint;
use crate::config::Config;
use crate::relation;
use crate::table::TableShape;
use crate::topic_names::TopicNames;

/// A topic, and the schemas of its records.
#[derive(Debug, Clone)]
pub(crate) struct RequiredTopic {
    pub(crate) topic: String,
    /// Of the key when there is one, and of the value.
    pub(crate) schemas: Vec<RequiredSchema>,
}

/// A subject and its schema, with the one that is registered if that is refused.
#[derive(Debug, Clone)]
pub(crate) struct RequiredSchema {
    pub(crate) subject: String,
    pub(crate) schema: String,
    pub(crate) otherwise: Option<String>,
}

impl RequiredTopic {
    fn new(topic: String, key: Option<String>, value: String) -> Self {
        let required =
            |what, schema| RequiredSchema { subject: format!("{topic}-{what}"), schema, otherwise: None };
        let mut schemas = vec![required("value", value)];
        schemas.extend(key.map(|key| required("key", key)));
        Self { topic, schemas }
    }

    /// A table's topic.
    pub(crate) fn of_table(names: &TopicNames, shape: &TableShape) -> Self {
        let topic = names.of(&shape.name);
        let (key, value) = (key_schema(&topic, shape), value_schema(&topic, shape));
        let mut wanted = Self::new(topic.to_string(), key, value);
        if let Some(value) = wanted.schemas.first_mut() {
            value.otherwise = Some(value_schema(&topic, &shape.with_nulls()));
        }
        wanted
    }

    /// The topic of checkpoints.
    pub(crate) fn of_checkpoints(config: &Config) -> Self {
        Self::new(config.checkpoint_topic(), None, checkpoint::SCHEMA.to_owned())
    }

    /// The topics beside those of tables and checkpoints.
    pub(crate) fn beside(config: &Config) -> Vec<Self> {
        let relations = Self::new(config.side_topic("relation"), None, relation::SCHEMA.to_owned());
        let mut wanted = vec![relations];
        if config.events.transactions {
            let key = Some(TRANSACTION_KEY.to_owned());
            wanted.push(Self::new(config.side_topic("transaction"), key, TRANSACTION_VALUE.to_owned()));
        }
        if config.has_dead_letters() {
            wanted.push(Self::new(config.side_topic("dead_letter"), None, DEAD_LETTER.to_owned()));
        }
        if !config.events.messages.is_empty() {
            let (key, value) = message_schemas(config.rows.types.binary);
            wanted.push(Self::new(config.side_topic("message"), Some(key), value));
        }
        wanted
    }
}
