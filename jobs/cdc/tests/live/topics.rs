//! The topics as a consumer sees them that reads committed records only.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers, Message};
use rdkafka::{Offset, TopicPartitionList};

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
    pub value_schema_id: u32,
}

impl Record {
    /// Forgets the row, and of the key all but which one it is.
    pub fn forget_row(&mut self) {
        self.value = self.value.take().map(|_| Value::Null);
        self.key = self.key.take().map(|key| Value::Long(digest(&key).cast_signed()));
    }

    pub fn operation(&self) -> Option<String> {
        match field(self.value.as_ref()?, "op") {
            Value::String(operation) => Some(operation.clone()),
            _ => None,
        }
    }
}

/// What tells a value from others in 8 bytes.
pub fn digest(value: impl std::fmt::Debug) -> u64 {
    let mut hasher = DefaultHasher::new();
    format!("{value:?}").hash(&mut hasher);
    hasher.finish()
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

fn long(value: &Value) -> i64 {
    match value {
        Value::Long(value) => *value,
        Value::Int(value) => i64::from(*value),
        _ => panic!("{value:?} is no number"),
    }
}

impl Topics {
    /// Everything under the stage's prefix.
    pub fn read(stage: &Stage) -> Result<Self> {
        Self::read_through(stage, |_| {})
    }

    /// Relation records alone.
    pub fn read_relations(stage: &Stage) -> Result<Vec<Record>> {
        let relation = format!("{}.relation", stage.name);
        Ok(Self::read_some(stage, |topic| topic == relation, |_| {})?.relations)
    }

    /// Everything under the stage's prefix; each event is shown as it comes, and may be made smaller before it is kept.
    pub fn read_through(stage: &Stage, show: impl FnMut(&mut Record)) -> Result<Self> {
        Self::read_some(stage, |_| true, show)
    }

    fn read_some(
        stage: &Stage,
        is_wanted: impl Fn(&str) -> bool,
        mut show: impl FnMut(&mut Record),
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
        let (mut records, mut beside, mut checkpoints) = (Vec::new(), Vec::new(), Vec::new());
        let mut relations = Vec::new();
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
                    let value = message.payload().map(|bytes| schemas.decode(bytes)).transpose()?;
                    if message.topic() == format!("{prefix}checkpoint") {
                        if op.is_some() {
                            return Err("a checkpoint has an operation".into());
                        }
                        checkpoints.push(value.ok_or("a checkpoint has no value")?);
                        continue;
                    }
                    let name = message.topic().trim_start_matches(&prefix);
                    let mut record = Record {
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
                    };
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
                        show(&mut record);
                        records.push(record);
                    }
                }
            }
        }
        Ok(Self { records, beside, relations, checkpoints })
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

    /// The promises that every reader builds on, beside the operation in a header: each event once; every cut's counts are those of the
    /// events at or below it; the last counts are those of all events.
    pub fn check(&self) -> Result<()> {
        let mut seen = HashSet::new();
        let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
        for record in self.records.iter().filter(|record| record.value.is_some()) {
            if !seen.insert((record.commit_lsn, record.ordinal)) {
                return Err(format!("({}, {}) is there twice", record.commit_lsn, record.ordinal).into());
            }
            *totals.entry(&record.topic).or_default() += 1;
        }
        let (mut counts, mut touched, mut cuts) =
            (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new(), Vec::new());
        for checkpoint in &self.checkpoints {
            let Value::Map(told) = field(checkpoint, "counts") else { return Err("no counts".into()) };
            touched.extend(told.iter().map(|(topic, count)| (topic.as_str(), long(count))));
            counts.extend(&touched);
            if *field(checkpoint, "complete") == Value::Boolean(true) {
                let cut = long(field(checkpoint, "commit_lsn")) as u64;
                let known = cuts.last().map_or(0, |(last, _)| *last);
                assert!(known <= cut, "a cut at {cut} was written after one at {known}");
                cuts.push((cut, std::mem::take(&mut touched)));
            }
        }
        self.check_cuts(&cuts)?;
        counts.retain(|_, count| *count > 0);
        if counts == totals {
            Ok(())
        } else {
            Err(format!("counted {counts:?}, there are {totals:?}").into())
        }
    }

    /// Each cut comes with the counts told since the one before; those of the other topics are as they were.
    fn check_cuts(&self, cuts: &[(u64, BTreeMap<&str, i64>)]) -> Result<()> {
        let events = self.records.iter().filter(|record| record.value.is_some());
        let mut events: Vec<(u64, &str)> =
            events.map(|record| (record.commit_lsn, record.topic.as_str())).collect();
        events.sort_unstable();
        let mut events = events.into_iter().peekable();
        let (mut counts, mut below) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
        for (cut, told) in cuts {
            let mut moved: HashSet<&str> = told.keys().copied().collect();
            counts.extend(told);
            while let Some((_, topic)) = events.next_if(|(lsn, _)| lsn <= cut) {
                *below.entry(topic).or_default() += 1;
                moved.insert(topic);
            }
            for topic in moved {
                let [count, there] =
                    [&counts, &below].map(|numbers| numbers.get(topic).copied().unwrap_or_default());
                if there != count {
                    return Err(format!(
                        "the cut at {cut} counts {count} events of {topic}, there are {there}"
                    )
                    .into());
                }
            }
        }
        Ok(())
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
