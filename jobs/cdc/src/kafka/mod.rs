//! The Kafka side: topics, the transactional producer, and the checkpoint topic read back.
//!
//! Topics and the checkpoints are read through librdkafka. Records are produced by a client of our own: a
//! record is written once, into the batch that is sent, without a message, a list of headers and a delivery report of
//! its own.

mod batch;
mod broker;
mod checkpoints;
mod client;
mod cluster;
mod code;
mod partition;
mod producer;
mod protocol;
mod relations;
mod scram;
mod security;
mod signals;
mod topics;
mod transaction;

pub(crate) use self::batch::{Record, Records};
pub(crate) use self::checkpoints::{committed_checkpoint, last_checkpoint};
pub(crate) use self::client::{ClusterState, cluster_state};
pub(crate) use self::cluster::NodeId;
pub(crate) use self::partition::partition_of;
pub(crate) use self::producer::{EventId, Producer, TRANSACTIONAL_IDS, find_coordinator};
pub(crate) use self::relations::recall_relations;
pub(crate) use self::signals::{KafkaSignal, signals};
pub(crate) use self::topics::{TopicSettings, Topics, delete_topics, may_create, topic_settings};
pub(crate) use self::transaction::{Batch, Partition};
