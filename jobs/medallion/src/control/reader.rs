//! Follows the checkpoint topic and the relation topic.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use rdkafka::consumer::{Consumer, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use serde::de::DeserializeOwned;

use super::checkpoint::Checkpoint;
use super::relation::RelationRecord;
use super::shape::SourceTable;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::progress::Group;
use crate::kafka::{KafkaOptions, unreadable};
use crate::lake::Lake;
use crate::registry::Registry;

/// A checkpoint, and where it stands in its topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Noted {
    pub offset: i64,
    /// In milliseconds since 1970.
    pub written_ms: Option<i64>,
    pub checkpoint: Checkpoint,
}

/// What capture has told so far. Memory: one shape for each change of a table, and a checkpoint for each that silver is behind, of which
/// no more than [`MOST_CHECKPOINTS`] are read ahead.
pub struct Control {
    consumer: StreamConsumer,
    bronze: Group,
    registry: Registry,
    schemas: HashMap<i32, Arc<Schema>>,
    checkpoint_topic: String,
    relation_topic: String,
    /// Read and not taken yet, the oldest first.
    pending: VecDeque<Noted>,
    /// How many relation records were read.
    relations: i64,
    /// By topic.
    tables: Arc<BTreeMap<String, SourceTable>>,
}

/// Read ahead of silver.
const MOST_CHECKPOINTS: usize = 20_000;

/// So long may it take to read what was told up to a checkpoint that was passed.
const RECALL_LIMIT: Duration = Duration::from_secs(120);

/// At a time.
const LONGEST_TAKE: Duration = Duration::from_millis(200);

impl std::fmt::Debug for Control {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Control")
            .field("checkpoint_topic", &self.checkpoint_topic)
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Reads checkpoints behind the one at `offset`, or all there are, and all relation records. What was told up to that checkpoint is known
    /// then.
    pub async fn open(
        options: &KafkaOptions,
        lake: &Lake,
        registry: Registry,
        offset: Option<i64>,
    ) -> Result<Self> {
        let (checkpoint_topic, relation_topic) = (lake.checkpoint_topic(), lake.relation_topic());
        let failed = |error| unreadable(&checkpoint_topic, error);
        // No group: offsets are silver's own, in the commits of `silver.changes`.
        let consumer: StreamConsumer =
            options.consumer(&format!("{}.silver", lake.topic_prefix)).map_err(failed)?;
        let bronze = Group::open(options, lake)?;
        let mut assignment = TopicPartitionList::new();
        let from = offset.map_or(Offset::Beginning, Offset::Offset);
        assignment.add_partition_offset(&checkpoint_topic, 0, from).map_err(failed)?;
        assignment.add_partition_offset(&relation_topic, 0, Offset::Beginning).map_err(failed)?;
        consumer.assign(&assignment).map_err(failed)?;
        let mut control = Self {
            consumer,
            bronze,
            registry,
            schemas: HashMap::new(),
            checkpoint_topic,
            relation_topic,
            pending: VecDeque::new(),
            relations: 0,
            tables: Arc::default(),
        };
        if let Some(offset) = offset {
            control.recall(offset).await?;
        }
        Ok(control)
    }

    async fn recall(&mut self, offset: i64) -> Result<()> {
        let begun = Instant::now();
        // That checkpoint or one after it, with the relation records that belong to it.
        while self.pending().next().is_none() {
            if begun.elapsed() > RECALL_LIMIT {
                let (checkpoints, relations) = (&self.checkpoint_topic, &self.relation_topic);
                return Err(Error::new(
                    ErrorKind::Incomplete,
                    format!(
                        "{checkpoints} has no checkpoint from offset {offset} on, or {relations} lacks records that belong to it; were the \
                         topics made anew?"
                    ),
                ));
            }
            self.advance(LONGEST_TAKE).await?;
        }
        self.passed(offset);
        Ok(())
    }

    /// Takes what has come, and waits up to `patience` for a first record when nothing has. A source that never pauses writes checkpoints
    /// faster than they could be waited out.
    pub async fn advance(&mut self, patience: Duration) -> Result<()> {
        let mut wait = patience;
        let mut begun: Option<Instant> = None;
        while self.pending.len() < MOST_CHECKPOINTS
            && begun.is_none_or(|begun| begun.elapsed() < LONGEST_TAKE)
        {
            let Ok(received) = tokio::time::timeout(wait, self.consumer.recv()).await else { break };
            match received {
                Ok(message) => {
                    let record = Received::of(&message);
                    drop(message);
                    self.take(record).await?;
                }
                // Capture has not made its topics yet.
                Err(KafkaError::MessageConsumption(
                    rdkafka::types::RDKafkaErrorCode::UnknownTopicOrPartition
                    | rdkafka::types::RDKafkaErrorCode::UnknownTopic,
                )) => break,
                Err(error) => return Err(unreadable(&self.checkpoint_topic, error)),
            }
            begun.get_or_insert_with(Instant::now);
            wait = Duration::from_millis(5);
        }
        Ok(())
    }

    async fn take(&mut self, record: Received) -> Result<()> {
        if record.topic == self.relation_topic {
            let told: RelationRecord = self.decode(&record).await?;
            self.relations += 1;
            self.tell(&told);
        } else {
            let checkpoint = self.decode(&record).await?;
            self.pending.push_back(Noted {
                offset: record.offset,
                written_ms: record.written_ms,
                checkpoint,
            });
        }
        Ok(())
    }

    fn tell(&mut self, told: &RelationRecord) {
        let moved = told.changes.iter().any(|change| change.what == "topic");
        if moved {
            let name = format!("{}.{}", told.schema, told.table);
            for (topic, table) in Arc::make_mut(&mut self.tables) {
                if table.name == name && *topic != told.topic {
                    table.gone.get_or_insert(told.position());
                }
            }
        }
        let tables = Arc::make_mut(&mut self.tables);
        tables.entry(told.topic.clone()).or_insert_with(|| SourceTable::new(told)).tell(told);
    }

    async fn decode<T: DeserializeOwned>(&mut self, record: &Received) -> Result<T> {
        let wrong = |what: &str| {
            Error::new(
                ErrorKind::Incomplete,
                format!(
                    "the record at offset {} of {} {what}; was it written by another program?",
                    record.offset, record.topic
                ),
            )
        };
        let (header, mut body) =
            record.value.split_at_checked(5).ok_or_else(|| wrong("is not in Confluent's wire format"))?;
        let id = match header {
            [0, id @ ..] => i32::from_be_bytes(id.try_into().unwrap_or_default()),
            _ => return Err(wrong("is not in Confluent's wire format")),
        };
        let schema = self.schema(id).await?;
        let read =
            GenericDatumReader::builder(&schema).build().and_then(|reader| reader.read_value(&mut body));
        let value = read.and_then(|value| apache_avro::from_value(&value));
        value.map_err(|error| Error::caused(ErrorKind::Incomplete, wrong("can't be read").to_string(), error))
    }

    async fn schema(&mut self, id: i32) -> Result<Arc<Schema>> {
        if let Some(schema) = self.schemas.get(&id) {
            return Ok(schema.clone());
        }
        let text = self.registry.text(id).await?;
        let schema = Schema::parse_str(&text).map_err(|error| {
            Error::caused(
                ErrorKind::Registry,
                format!("schema {id} of the registry is no Avro schema"),
                error,
            )
        })?;
        let schema = Arc::new(schema);
        self.schemas.insert(id, schema.clone());
        Ok(schema)
    }

    /// Checkpoints that silver has not passed yet, with all relation records that belong to them.
    pub fn pending(&self) -> impl Iterator<Item = &Noted> {
        self.pending.iter().take_while(|noted| noted.checkpoint.relations <= self.relations)
    }

    /// Of those the ones that bronze has, as far as it says: the events that they count may come a moment later.
    pub fn in_bronze(&self) -> Result<impl Iterator<Item = &Noted>> {
        let committed = tokio::task::block_in_place(|| self.bronze.committed(&self.checkpoint_topic))?;
        Ok(self.pending().take_while(move |noted| committed.is_none_or(|next| noted.offset < next)))
    }

    /// Forgets the checkpoints up to this offset.
    pub fn passed(&mut self, offset: i64) {
        while self.pending.front().is_some_and(|noted| noted.offset <= offset) {
            self.pending.pop_front();
        }
    }

    /// What was told of each table, by its topic.
    pub fn tables(&self) -> &Arc<BTreeMap<String, SourceTable>> {
        &self.tables
    }
}

struct Received {
    topic: String,
    offset: i64,
    written_ms: Option<i64>,
    value: Vec<u8>,
}

impl Received {
    fn of(message: &BorrowedMessage<'_>) -> Self {
        Self {
            topic: message.topic().to_owned(),
            offset: message.offset(),
            written_ms: message.timestamp().to_millis(),
            value: message.payload().unwrap_or_default().to_vec(),
        }
    }
}
