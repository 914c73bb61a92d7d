//! What a consumer needs of events, small enough that a long run fits into memory.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::rc::Rc;

use apache_avro::types::Value;

use crate::compare::text;
use crate::topics::{Record, field};

/// Texts that are longer are known by their length and hash.
const SHORT: usize = 80;

/// Of a commit and within it.
pub type Position = (u64, u64);
pub type Key = Vec<Option<String>>;

/// What an event says of a row.
pub struct Event {
    pub table: String,
    pub position: Position,
    pub operation: Option<String>,
    pub key: Option<Key>,
    /// By the fields' names.
    pub after: Vec<(Rc<str>, Option<String>)>,
}

/// Takes what is needed out of records; names that come again and again are kept once.
#[derive(Default)]
pub struct Events {
    pub taken: Vec<Event>,
    names: BTreeSet<Rc<str>>,
}

impl Events {
    pub fn take(&mut self, record: &Record) {
        let Some(value) = &record.value else { return };
        let source = field(value, "source");
        let table = format!("{}.{}", string(source, "schema"), string(source, "table"));
        let values = |fields: &[(String, Value)]| {
            fields.iter().map(|(_, value)| short(text(value))).collect::<Vec<_>>()
        };
        let after = if let Value::Record(fields) = field(value, "after") {
            fields.iter().map(|(name, _)| self.name(name)).zip(values(fields)).collect()
        } else {
            Vec::new()
        };
        let key = record
            .key
            .as_ref()
            .map(|key| if let Value::Record(fields) = key { values(fields) } else { Vec::new() });
        let position = (record.commit_lsn, record.ordinal);
        self.taken.push(Event { table, position, operation: record.operation(), key, after });
    }

    fn name(&mut self, name: &str) -> Rc<str> {
        if !self.names.contains(name) {
            self.names.insert(name.into());
        }
        self.names.get(name).map_or_else(|| name.into(), Rc::clone)
    }
}

pub fn short(text: Option<String>) -> Option<String> {
    text.map(|text| {
        if text.len() <= SHORT {
            return text;
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        format!("{} bytes, {:016x}", text.len(), hasher.finish())
    })
}

pub fn string(value: &Value, name: &str) -> String {
    if let Value::String(text) = field(value, name) { text.clone() } else { String::new() }
}
