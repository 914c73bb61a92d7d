use std::collections::HashMap;
use std::time::{Duration, Instant};

use apache_avro::Schema;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::task::block_in_place;

use super::client::{Quiet, reader, translate};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::relation::{self, RelationLog, RelationRecord};

const POLL: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(60);
/// Records that are read at a time.
const TOGETHER: usize = 1_000;

/// The committed records of the relation topic, from its beginning to its end as of the call.
struct Records {
    consumer: BaseConsumer<Quiet>,
    topic: String,
    end: i64,
    position: i64,
}

/// Lets the log know everything that was told before.
///
/// Call it after the producer has fenced its predecessor: nothing is written any more then.
pub(crate) async fn recall_relations(
    kafka: &KafkaConfig,
    topic: &str,
    log: &mut RelationLog,
    registry: &mut Registry,
    metrics: &Metrics,
) -> Result<()> {
    let unreadable = |cause: apache_avro::Error| {
        Error::new(ErrorKind::Protocol, format!("a schema of topic {topic} can't be read")).caused_by(cause)
    };
    let reader_schema = Schema::parse_str(relation::SCHEMA).map_err(unreadable)?;
    let mut writers: HashMap<u32, Schema> = HashMap::new();
    let mut records = block_in_place(|| Records::open(kafka, topic))?;
    loop {
        let values = block_in_place(|| records.next())?;
        if values.is_empty() {
            return Ok(());
        }
        for value in values {
            let Some(([0, id @ ..], body)) = value.split_first_chunk::<5>() else {
                let what = format!("a record of topic {topic} is not in Confluent's wire format");
                return Err(Error::new(ErrorKind::Protocol, what));
            };
            let id = u32::from_be_bytes(*id);
            if let std::collections::hash_map::Entry::Vacant(entry) = writers.entry(id) {
                let schema = registry.schema(id, metrics).await?;
                entry.insert(Schema::parse_str(&schema).map_err(unreadable)?);
            }
            if let Some(writer) = writers.get(&id) {
                log.recall(RelationRecord::decode(writer, &reader_schema, body)?);
            }
        }
    }
}

impl Records {
    fn open(kafka: &KafkaConfig, topic: &str) -> Result<Self> {
        let failed = |cause: KafkaError| translate(format!("cannot read topic {topic}"), cause);
        let consumer = reader(kafka)?;
        let (low, high) = consumer.fetch_watermarks(topic, 0, Duration::from_secs(10)).map_err(failed)?;
        let mut assignment = TopicPartitionList::new();
        assignment.add_partition_offset(topic, 0, Offset::Offset(low)).map_err(failed)?;
        consumer.assign(&assignment).map_err(failed)?;
        Ok(Self { consumer, topic: topic.to_owned(), end: high, position: low })
    }

    /// The next values, none at the end.
    fn next(&mut self) -> Result<Vec<Vec<u8>>> {
        let failed = |cause: KafkaError| translate(format!("cannot read topic {}", self.topic), cause);
        let (mut values, mut heard) = (Vec::new(), Instant::now());
        while self.position < self.end && values.len() < TOGETHER {
            match self.consumer.poll(POLL) {
                Some(Ok(message)) => {
                    heard = Instant::now();
                    self.position = message.offset() + 1;
                    values.extend(message.payload().map(<[u8]>::to_vec));
                }
                // What is left are markers of transactions.
                Some(Err(KafkaError::PartitionEOF(_))) => self.position = self.end,
                Some(Err(cause)) => return Err(failed(cause)),
                None if heard.elapsed() > PATIENCE => {
                    return Err(Error::new(
                        ErrorKind::KafkaUnreachable,
                        format!("topic {} gave nothing for {} s", self.topic, PATIENCE.as_secs()),
                    ));
                }
                None => {}
            }
        }
        Ok(values)
    }
}
