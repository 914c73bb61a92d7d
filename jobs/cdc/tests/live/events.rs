//! What a consumer needs of an event.

use std::hash::{DefaultHasher, Hash, Hasher};

use apache_avro::types::Value;

use crate::compare::text;
use crate::topics::{Record, field};

/// Texts that are longer are known by their length and hash, so that the rows of a long run fit into memory.
const SHORT: usize = 80;

/// Of a commit and within it.
pub type Position = (u64, u64);
pub type Key = Vec<Option<String>>;

/// What an event says of a row.
pub struct Event<'a> {
    pub table: String,
    pub position: Position,
    pub operation: Option<String>,
    pub key: Option<Key>,
    /// By the fields' names.
    pub after: Vec<(&'a str, Option<String>)>,
}

impl<'a> Event<'a> {
    pub fn of(record: &'a Record, value: &'a Value) -> Self {
        let source = field(value, "source");
        let key = record.key.as_ref().map(|key| fields(key).map(|(_, value)| value).collect());
        Self {
            table: format!("{}.{}", string(source, "schema"), string(source, "table")),
            position: (record.commit_lsn, record.ordinal),
            operation: record.operation(),
            key,
            after: fields(field(value, "after")).collect(),
        }
    }
}

fn fields(record: &Value) -> impl Iterator<Item = (&str, Option<String>)> {
    let fields = if let Value::Record(fields) = record { fields.as_slice() } else { &[] };
    fields.iter().map(|(name, value)| (name.as_str(), short(text(value))))
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
