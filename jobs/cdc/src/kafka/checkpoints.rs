use std::time::{Duration, Instant};

use rdkafka::consumer::Consumer;
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};

use super::client::{ClusterState, reader, translate};
use crate::checkpoint::Checkpoint;
use crate::config::{Config, KafkaConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metrics;
use crate::registry::Registry;

const POLL: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);
/// Offsets looked at first; a record with all topics comes every 500 checkpoints, each of which takes
/// two offsets (itself and the transaction's marker).
const FIRST_LOOK: i64 = 2_000;

/// The last committed checkpoint of this slot, with the counts of all topics, or none.
///
/// Call it after the producer has fenced its predecessor: nothing is written any more then.
pub(crate) async fn last_checkpoint(
    kafka: &KafkaConfig,
    topic: &str,
    slot: &str,
    registry: &mut Registry,
    metrics: &Metrics,
) -> Result<Option<Checkpoint>> {
    let mut look = FIRST_LOOK;
    loop {
        let (records, from_start) = tokio::task::block_in_place(|| tail(kafka, topic, slot, look))?;
        let mut last: Option<Checkpoint> = None;
        for value in records.iter().rev() {
            let older = decode(value, registry, metrics).await?;
            let counted = older.all_topics;
            let newest = match last.take() {
                None => older,
                Some(mut newest) => {
                    for (topic, count) in older.counts {
                        newest.counts.entry(topic).or_insert(count);
                    }
                    newest
                }
            };
            if counted {
                return Ok(Some(newest));
            }
            last = Some(newest);
        }
        match last {
            Some(_) if from_start => {
                return Err(Error::new(
                    ErrorKind::Protocol,
                    format!(
                        "topic {topic} holds no checkpoint of slot {slot} with the counts of all topics: its retention has cut it off; start over with a new slot and topic_prefix"
                    ),
                ));
            }
            None if from_start => return Ok(None),
            _ => look = look.saturating_mul(8),
        }
    }
}

/// The last committed checkpoint of a capture that may be at work, so that another one may follow it at any time; takes
/// nothing from it.
pub(crate) async fn committed_checkpoint(
    config: &Config,
    cluster: &ClusterState,
    registry: &mut Registry,
) -> Result<Option<Checkpoint>> {
    let topic = config.checkpoint_topic();
    if !cluster.topics.contains_key(&topic) {
        return Ok(None);
    }
    last_checkpoint(&config.kafka, &topic, &config.slot, registry, &Metrics::new()?).await
}

async fn decode(value: &[u8], registry: &mut Registry, metrics: &Metrics) -> Result<Checkpoint> {
    let wrong = || Error::new(ErrorKind::Protocol, "a checkpoint record is not in Confluent's wire format");
    let (header, body) = value.split_at_checked(5).ok_or_else(wrong)?;
    let id = match header {
        [0, id @ ..] => u32::from_be_bytes(id.try_into().map_err(|_| wrong())?),
        _ => return Err(wrong()),
    };
    Checkpoint::decode(&registry.schema(id, metrics).await?, body)
}

/// This slot's records among the last `look` offsets, oldest first, and whether those were all.
fn tail(kafka: &KafkaConfig, topic: &str, slot: &str, look: i64) -> Result<(Vec<Vec<u8>>, bool)> {
    let failed = |cause: KafkaError| translate(format!("cannot read topic {topic}"), cause);
    let consumer = reader(kafka)?;
    let (low, high) = consumer.fetch_watermarks(topic, 0, Duration::from_secs(10)).map_err(failed)?;
    let from = low.max(high.saturating_sub(look));
    let mut records = Vec::new();
    if low == high {
        return Ok((records, true));
    }
    let mut assignment = TopicPartitionList::new();
    assignment.add_partition_offset(topic, 0, Offset::Offset(from)).map_err(failed)?;
    consumer.assign(&assignment).map_err(failed)?;
    let begun = Instant::now();
    loop {
        match consumer.poll(POLL) {
            Some(Ok(message)) => {
                if message.key() == Some(slot.as_bytes())
                    && let Some(value) = message.payload()
                {
                    records.push(value.to_vec());
                }
                // A capture that works writes on, and the end may never be reached.
                if message.offset() >= high - 1 {
                    return Ok((records, from == low));
                }
            }
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok((records, from == low)),
            Some(Err(cause)) => return Err(failed(cause)),
            None if begun.elapsed() > PATIENCE => {
                return Err(Error::new(
                    ErrorKind::KafkaUnreachable,
                    format!("topic {topic} gave nothing for {} s", PATIENCE.as_secs()),
                ));
            }
            None => {}
        }
    }
}
