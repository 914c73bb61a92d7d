//! What is kept of events whose rows nobody needs any more: a few bytes of each.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use apache_avro::types::Value;

use crate::stage::Result;
use crate::topics::{Record, field};

/// Events in their order in Kafka.
#[derive(Default)]
pub struct Ledger {
    topics: Vec<String>,
    entries: Vec<Entry>,
}

struct Entry {
    /// In `topics`.
    topic: u32,
    /// Whether it is a row that was read, and so nothing that happened.
    is_read: bool,
    commit_lsn: u64,
    ordinal: u64,
    /// A hash of topic and key.
    key: u64,
}

fn long(value: &Value) -> i64 {
    match value {
        Value::Long(value) => *value,
        Value::Int(value) => i64::from(*value),
        _ => panic!("{value:?} is no number"),
    }
}

impl Ledger {
    /// Takes note of an event; tombstones are none.
    pub fn add(&mut self, record: &Record) {
        if record.value.is_none() {
            return;
        }
        let topic = self.topics.iter().position(|topic| *topic == record.topic).unwrap_or_else(|| {
            self.topics.push(record.topic.clone());
            self.topics.len() - 1
        });
        let mut hasher = DefaultHasher::new();
        format!("{topic} {:?}", record.key).hash(&mut hasher);
        self.entries.push(Entry {
            topic: topic as u32,
            is_read: record.op.as_deref() == Some("r"),
            commit_lsn: record.commit_lsn,
            ordinal: record.ordinal,
            key: hasher.finish(),
        });
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    fn topic(&self, entry: &Entry) -> &str {
        &self.topics[entry.topic as usize]
    }

    /// Each event once; every cut's counts are those of the events at or below it; the last counts are those of all events.
    pub fn check(&self, checkpoints: &[Value]) -> Result<()> {
        let mut seen = HashSet::with_capacity(self.entries.len());
        let mut totals: BTreeMap<&str, i64> = BTreeMap::new();
        for entry in &self.entries {
            if !seen.insert((entry.commit_lsn, entry.ordinal)) {
                return Err(format!("({}, {}) is there twice", entry.commit_lsn, entry.ordinal).into());
            }
            *totals.entry(self.topic(entry)).or_default() += 1;
        }
        drop(seen);
        let (mut counts, mut touched, mut cuts) =
            (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new(), Vec::new());
        for checkpoint in checkpoints {
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
        let mut events: Vec<(u64, u32)> =
            self.entries.iter().map(|entry| (entry.commit_lsn, entry.topic)).collect();
        events.sort_unstable();
        let mut events = events.into_iter().peekable();
        let (mut counts, mut below) = (BTreeMap::<&str, i64>::new(), BTreeMap::<&str, i64>::new());
        for (cut, told) in cuts {
            let mut moved: HashSet<&str> = told.keys().copied().collect();
            counts.extend(told);
            while let Some((_, topic)) = events.next_if(|(lsn, _)| lsn <= cut) {
                let topic = self.topics[topic as usize].as_str();
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

    /// Within a key, later in Kafka is later at the source.
    pub fn in_order(&self) -> Result<()> {
        let mut last: HashMap<u64, (u64, u64)> = HashMap::new();
        for entry in self.entries.iter().filter(|entry| !entry.is_read) {
            let id = (entry.commit_lsn, entry.ordinal);
            if let Some(before) = last.insert(entry.key, id)
                && before >= id
            {
                return Err(format!("{}: {before:?} stands before {id:?}", self.topic(entry)).into());
            }
        }
        Ok(())
    }
}
