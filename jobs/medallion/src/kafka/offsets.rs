//! Where in their topics the records of a span of time are.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Offset, TopicPartitionList};

use super::{KafkaOptions, unreadable};
use crate::error::Result;
use crate::kafka::progress::Offsets;
use crate::lake::Lake;

const PATIENCE: Duration = Duration::from_secs(10);

/// Asks Kafka for offsets by time.
pub(crate) struct TopicOffsets {
    consumer: BaseConsumer,
    /// How many partitions topics have.
    partitions: HashMap<String, i32>,
}

/// Records of some topics: from the first offsets, and up to but without the second.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Offsets,
    pub(crate) to: Offsets,
}

impl std::fmt::Debug for TopicOffsets {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("TopicOffsets").field("partitions", &self.partitions).finish_non_exhaustive()
    }
}

impl TopicOffsets {
    pub(crate) fn open(options: &KafkaOptions, lake: &Lake) -> Result<Self> {
        let group = format!("{}.silver", lake.topic_prefix);
        let consumer = options.consumer(&group).map_err(|error| unreadable(&group, error))?;
        Ok(Self { consumer, partitions: HashMap::new() })
    }

    /// Forgets how many partitions there are.
    pub(crate) fn forget(&mut self) {
        self.partitions.clear();
    }

    /// What was written to these topics from one moment, or the beginning, until another, in milliseconds since 1970, as far as the times of
    /// records tell; only what is committed. Partitions without such records are left out. Blocks.
    pub(crate) fn written(&mut self, topics: &[&str], from_ms: Option<i64>, to_ms: i64) -> Result<Span> {
        let whole = topics.join(", ");
        let failed = |error| unreadable(&whole, error);
        let partitions = self.partitions_of(topics)?;
        let from = from_ms.map_or(Offset::Beginning, Offset::Offset);
        let starts = self.ask(partitions.iter().copied(), from).map_err(failed)?;
        let mut ends = self.ask(partitions.iter().copied(), Offset::Offset(to_ms)).map_err(failed)?;
        // Nothing is that young there.
        let open = ends.iter().filter(|(_, end)| end.is_none()).map(|(place, _)| *place);
        ends.extend(self.ask(open.collect::<Vec<_>>().into_iter(), Offset::End).map_err(failed)?);
        let mut span = Span::default();
        for (place @ (topic, partition), start) in starts {
            let Some((start, end)) = start.zip(ends.get(&place).copied().flatten()) else { continue };
            if start < end {
                let add = |offsets: &mut Offsets, offset| {
                    offsets.entry(topic.to_owned()).or_default().insert(partition.to_string(), offset)
                };
                add(&mut span.from, start);
                add(&mut span.to, end);
            }
        }
        Ok(span)
    }

    fn partitions_of<'t>(&mut self, topics: &[&'t str]) -> Result<Vec<(&'t str, i32)>> {
        let mut all = Vec::new();
        for topic in topics {
            let count = if let Some(count) = self.partitions.get(*topic) {
                *count
            } else {
                let metadata = self.consumer.fetch_metadata(Some(topic), PATIENCE);
                let metadata = metadata.map_err(|error| unreadable(topic, error))?;
                let count = metadata.topics().first().map_or(0, |topic| topic.partitions().len() as i32);
                self.partitions.insert((*topic).to_owned(), count);
                count
            };
            all.extend((0..count).map(|partition| (*topic, partition)));
        }
        Ok(all)
    }

    /// The offset of each partition's first record at or after a time; none where there is no such record.
    fn ask<'t>(
        &self,
        partitions: impl Iterator<Item = (&'t str, i32)>,
        time: Offset,
    ) -> std::result::Result<BTreeMap<(&'t str, i32), Option<i64>>, KafkaError> {
        let mut answers: BTreeMap<(&str, i32), Option<i64>> = BTreeMap::new();
        let mut list = TopicPartitionList::new();
        for (topic, partition) in partitions {
            answers.insert((topic, partition), None);
            list.add_partition_offset(topic, partition, time)?;
        }
        if answers.is_empty() {
            return Ok(answers);
        }
        let found = self.consumer.offsets_for_times(list, PATIENCE)?;
        for element in found.elements() {
            element.error()?;
            if let Offset::Offset(offset) = element.offset() {
                let place = answers.iter_mut().find(|((topic, partition), _)| {
                    *topic == element.topic() && *partition == element.partition()
                });
                if let Some((_, answer)) = place {
                    *answer = Some(offset);
                }
            }
        }
        Ok(answers)
    }
}
