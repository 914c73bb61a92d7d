//! The Kafka side: topics, the transactional producer, and the checkpoint topic read back.

mod checkpoints;
mod client;
mod producer;
mod topics;

pub(crate) use self::checkpoints::last_checkpoint;
pub(crate) use self::client::{check_reachable, reachable_topics};
pub(crate) use self::producer::{EventId, Producer, Record};
pub(crate) use self::topics::{Topics, delete_topics};
