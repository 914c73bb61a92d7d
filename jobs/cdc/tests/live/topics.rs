//! The topics as a consumer sees them that reads committed records only.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

use crate::ledger::Ledger;
use crate::stage::{Result, Stage};

#[derive(Debug, Clone)]
pub struct Record {
    pub topic: String,
    pub key: Option<Value>,
    /// None for a tombstone.
    pub value: Option<Value>,
    pub commit_lsn: u64,
    pub ordinal: u64,
    /// The header `op`.
    pub op: Option<String>,
    /// The headers of PostgreSQL's texts, by the names of fields; empty without a header.
    pub text: BTreeMap<String, String>,
    pub text_before: BTreeMap<String, String>,
    pub value_schema_id: u32,
}

impl Record {
    pub fn operation(&self) -> Option<String> {
        match field(self.value.as_ref()?, "op") {
            Value::String(operation) => Some(operation.clone()),
            _ => None,
        }
    }
}

/// A field of a record, out of its union.
pub fn field<'a>(record: &'a Value, name: &str) -> &'a Value {
    match record {
        Value::Record(fields) => {
            fields.iter().find(|(field, _)| field == name).map_or(&Value::Null, |(_, value)| {
                if let Value::Union(_, inner) = value { inner } else { value }
            })
        }
        Value::Union(_, inner) => field(inner, name),
        _ => &Value::Null,
    }
}

#[derive(Debug)]
pub struct Topics {
    pub records: Vec<Record>,
    /// Of the topics that are not of tables: where transactions begin and end, and dead letters.
    pub beside: Vec<Record>,
    /// Relation records.
    pub relations: Vec<Record>,
    pub checkpoints: Vec<Value>,
}

impl Topics {
    /// Everything under the stage's prefix.
    pub fn read(stage: &Stage) -> Result<Self> {
        let mut records = Vec::new();
        let topics = Self::read_through(stage, |record| records.push(record))?;
        Ok(Self { records, ..topics })
    }

    /// Relation records alone.
    pub fn read_relations(stage: &Stage) -> Result<Vec<Record>> {
        let relation = format!("{}.relation", stage.name);
        Ok(Self::read_some(stage, |topic| topic == relation, drop)?.relations)
    }

    /// Everything under the stage's prefix but the events of tables, of which each is shown as it comes.
    pub fn read_through(stage: &Stage, show: impl FnMut(Record)) -> Result<Self> {
        Self::read_some(stage, |_| true, show)
    }

    fn read_some(
        stage: &Stage,
        is_wanted: impl Fn(&str) -> bool,
        mut show: impl FnMut(Record),
    ) -> Result<Self> {
        let consumer: BaseConsumer = rdkafka::ClientConfig::new()
            .set("bootstrap.servers", &stage.kafka)
            .set("group.id", &stage.name)
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .create()?;
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(10))?;
        let prefix = format!("{}.", stage.name);
        let mut assignment = TopicPartitionList::new();
        let is_ours = |name: &str| name.starts_with(&prefix) && is_wanted(name);
        for topic in metadata.topics().iter().filter(|topic| is_ours(topic.name())) {
            for partition in topic.partitions() {
                assignment.add_partition_offset(topic.name(), partition.id(), Offset::Beginning)?;
            }
        }
        consumer.assign(&assignment)?;
        let mut schemas = Schemas { stage, known: HashMap::new() };
        let (mut beside, mut checkpoints, mut relations) = (Vec::new(), Vec::new(), Vec::new());
        let mut open = assignment.count();
        while open > 0 {
            match consumer.poll(Duration::from_secs(30)) {
                None => return Err("Kafka gave nothing for 30 s".into()),
                Some(Err(KafkaError::PartitionEOF(_))) => open -= 1,
                // librdkafka connects again by itself.
                Some(Err(KafkaError::MessageConsumption(
                    RDKafkaErrorCode::AllBrokersDown | RDKafkaErrorCode::BrokerTransportFailure,
                ))) => {}
                Some(Err(error)) => return Err(error.into()),
                Some(Ok(message)) => {
                    let number = |name: &str| -> Result<u64> {
                        let headers = message.headers().ok_or("a record has no headers")?;
                        let header =
                            headers.iter().find(|header| header.key == name).and_then(|header| header.value);
                        Ok(u64::from_be_bytes(header.ok_or("a header is missing")?.try_into()?))
                    };
                    let op = message.headers().and_then(|headers| {
                        let header = headers.iter().find(|header| header.key == "op")?;
                        Some(String::from_utf8_lossy(header.value?).into_owned())
                    });
                    let texts = |name: &str| -> Result<BTreeMap<String, String>> {
                        let mut headers = message.headers().into_iter().flat_map(Headers::iter);
                        let Some(header) = headers.find(|header| header.key == name) else {
                            return Ok(BTreeMap::new());
                        };
                        let texts: BTreeMap<_, _> = serde_json::from_slice(header.value.unwrap_or_default())?;
                        if texts.is_empty() { Err("a header has no texts".into()) } else { Ok(texts) }
                    };
                    let value = message.payload().map(|bytes| schemas.decode(bytes)).transpose()?;
                    if message.topic() == format!("{prefix}checkpoint") {
                        if op.is_some() {
                            return Err("a checkpoint has an operation".into());
                        }
                        checkpoints.push(value.ok_or("a checkpoint has no value")?);
                        continue;
                    }
                    let name = message.topic().trim_start_matches(&prefix);
                    let record = Record {
                        topic: message.topic().to_owned(),
                        // The key of a relation record is the table's name.
                        key: message
                            .key()
                            .filter(|_| name != "relation")
                            .map(|bytes| schemas.decode(bytes))
                            .transpose()?,
                        value_schema_id: message
                            .payload()
                            .map_or(0, |bytes| u32::from_be_bytes([bytes[1], bytes[2], bytes[3], bytes[4]])),
                        value,
                        commit_lsn: number("commit_lsn")?,
                        ordinal: number("ordinal")?,
                        op,
                        text: texts("text")?,
                        text_before: texts("text_before")?,
                    };
                    let has_texts = !record.text.is_empty() || !record.text_before.is_empty();
                    if has_texts && matches!(record.op.as_deref(), None | Some("t")) {
                        return Err(format!("texts beside {record:?}").into());
                    }
                    if matches!(name, "transaction" | "dead_letter" | "message") {
                        beside.push(record);
                    } else if name == "relation" {
                        relations.push(record);
                    } else {
                        // Of a tombstone both are none.
                        if record.op != record.operation() {
                            let (op, event) = (record.op, record.value);
                            return Err(format!("header op {op:?} on an event {event:?}").into());
                        }
                        show(record);
                    }
                }
            }
        }
        Ok(Self { records: Vec::new(), beside, relations, checkpoints })
    }

    /// Records of a table, in their order in Kafka.
    pub fn table(&self, stage: &Stage, table: &str) -> Vec<&Record> {
        let topic = format!("{}.{table}", stage.name);
        self.records.iter().filter(|record| record.topic == topic).collect()
    }

    /// Offsets that a table's topic of one partition has, taken by records and by the ends of Kafka transactions.
    pub fn offsets(stage: &Stage, table: &str) -> Result<u64> {
        let consumer: BaseConsumer =
            rdkafka::ClientConfig::new().set("bootstrap.servers", &stage.kafka).create()?;
        let topic = format!("{}.{table}", stage.name);
        let (low, high) = consumer.fetch_watermarks(&topic, 0, Duration::from_secs(10))?;
        Ok((high - low).try_into()?)
    }

    /// The promises that every reader builds on, beside the operation in a header.
    pub fn check(&self) -> Result<()> {
        let mut ledger = Ledger::default();
        self.records.iter().for_each(|record| ledger.add(record));
        ledger.check(&self.checkpoints)
    }
}

/// Writer schemas by id.
struct Schemas<'a> {
    stage: &'a Stage,
    known: HashMap<u32, Schema>,
}

impl Schemas<'_> {
    fn decode(&mut self, bytes: &[u8]) -> Result<Value> {
        let (header, mut body) = bytes.split_at(5);
        let id = u32::from_be_bytes(header[1..].try_into()?);
        if !self.known.contains_key(&id) {
            let url = format!("{}/schemas/ids/{id}", self.stage.registry);
            let answer: serde_json::Value =
                self.stage.runtime.block_on(async { reqwest::get(&url).await?.json().await })?;
            let text = answer["schema"].as_str().ok_or("the registry's answer has no schema")?;
            self.known.insert(id, Schema::parse_str(text)?);
        }
        Ok(GenericDatumReader::builder(&self.known[&id]).build()?.read_value(&mut body)?)
    }
}
