//! What snapshot and stream have in common: Kafka transactions that hold events together with the knowledge of them, and
//! the topics beside those of tables.

mod outbox;
mod progress;
mod side_topics;

pub(crate) use self::outbox::{Outbox, TopicId, record_bytes};
pub(crate) use self::progress::Progress;
pub(crate) use self::side_topics::{SideTopic, SideTopics};
