//! A consumer group that says how far bronze is: by it silver knows what is worth looking for, and operators see bronze's lag.

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
        let committed = self.0.committed_offsets(list, PATIENCE).map_err(|error| unreadable(topic, error))?;
        Ok(committed.elements().first().and_then(|element| match element.offset() {
            Offset::Offset(offset) => Some(offset),
            _ => None,
        }))
    }
}
