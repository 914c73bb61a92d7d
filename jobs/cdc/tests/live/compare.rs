//! Tables rebuilt from their topics against the source, which turns its values into the numbers and
//! texts that the topics should hold.

use std::collections::BTreeMap;

use apache_avro::types::Value;
use num_bigint::BigInt;

use crate::stage::{Result, Stage};
use crate::topics::{Record, Topics, field};

pub const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// Every table of the database against its topic, but the one that `catch_up` writes to.
pub fn all_tables(stage: &Stage, topics: &Topics) -> Result<()> {
    for table in table_names(stage)? {
        let mut rebuilt = Rebuilt::default();
        let mut events = topics.table(stage, &table);
        // In the order of the source.
        events.sort_by_key(|record| (record.commit_lsn, record.ordinal));
        for event in events {
            rebuilt.apply(event);
        }
        same(stage, &table, rebuilt)?;
    }
    Ok(())
}

pub fn table_names(stage: &Stage) -> Result<Vec<String>> {
    let tables = stage.runtime.block_on(stage.client.query(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'touched' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
        &[],
    ))?;
    Ok(tables.iter().map(|row| row.get(0)).collect())
}

fn same(stage: &Stage, table: &str, rebuilt: Rebuilt) -> Result<()> {
    let source = source_rows(stage, table)?;
    let rebuilt = rebuilt.counted();
    if rebuilt == source {
        return Ok(());
    }
    let missing: Vec<_> =
        source.iter().filter(|(row, count)| rebuilt.get(*row) != Some(count)).take(2).collect();
    let extra: Vec<_> =
        rebuilt.iter().filter(|(row, count)| source.get(*row) != Some(count)).take(2).collect();
    Err(format!(
        "{table}: {} distinct rows in the source, {} in the topic; missing {missing:?}; extra {extra:?}",
        source.len(),
        rebuilt.len()
    )
    .into())
}

/// Rows as texts, with how often each is there.
pub type Rows = BTreeMap<Vec<Option<String>>, usize>;

pub fn source_rows(stage: &Stage, table: &str) -> Result<Rows> {
    let columns = stage.runtime.block_on(stage.client.query(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
          WHERE attrelid = $1::text::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum",
        &[&table],
    ))?;
    let expressions: Vec<String> = columns
        .iter()
        .map(|row| {
            let (name, kind): (String, String) = (row.get(0), row.get(1));
            match kind.as_str() {
                "date" => format!("(\"{name}\" - date '1970-01-01')::text"),
                kind if kind.starts_with("timestamp") && kind.ends_with("without time zone") => {
                    format!("((extract(epoch FROM \"{name}\") * 1000000)::bigint)::text")
                }
                kind if kind.starts_with("numeric(") => {
                    let scale =
                        kind.trim_end_matches(')').rsplit(',').next().and_then(|scale| scale.parse().ok());
                    let unit = format!("1{}", "0".repeat(scale.unwrap_or(0)));
                    format!("'unscaled ' || trunc(\"{name}\" * {unit})::text")
                }
                _ => format!("\"{name}\"::text"),
            }
        })
        .collect();
    let rows = stage
        .runtime
        .block_on(stage.client.query(&format!("SELECT {} FROM {table}", expressions.join(", ")), &[]))?;
    let mut counted = Rows::new();
    for row in rows {
        *counted.entry((0..row.len()).map(|index| row.get(index)).collect()).or_default() += 1;
    }
    Ok(counted)
}

/// A table's rows by their keys, rebuilt from its events.
#[derive(Default)]
pub struct Rebuilt {
    rows: BTreeMap<String, Vec<Option<String>>>,
    events: usize,
}

impl Rebuilt {
    /// Applies the next event; those of a key come in its order.
    pub fn apply(&mut self, record: &Record) {
        let Some(value) = &record.value else { return };
        self.events += 1;
        // Without a key, every event is a row of its own.
        let key = record.key.as_ref().map_or_else(|| self.events.to_string(), |key| format!("{key:?}"));
        match record.operation().as_deref() {
            Some("d") => drop(self.rows.remove(&key)),
            Some("t") => self.rows.clear(),
            _ => {
                let before = self.rows.remove(&key);
                let Value::Record(fields) = field(value, "after") else { return };
                let texts = fields.iter().enumerate().map(|(column, (_, value))| match text(value) {
                    // Unchanged: the value is the one known.
                    Some(text) if text == UNAVAILABLE || text == hex(UNAVAILABLE.as_bytes()) => {
                        before.as_ref().and_then(|row| row[column].clone())
                    }
                    other => other,
                });
                let row = texts.collect();
                self.rows.insert(key, row);
            }
        }
    }

    fn counted(self) -> Rows {
        let width = self.rows.values().map(Vec::len).max().unwrap_or_default();
        let mut counted = Rows::new();
        for mut row in self.rows.into_values() {
            // Rows from before a column was added.
            row.resize(width, None);
            *counted.entry(row).or_default() += 1;
        }
        counted
    }
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

pub fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Union(_, inner) => text(inner),
        Value::Boolean(value) => Some(value.to_string()),
        Value::Int(value) => Some(value.to_string()),
        Value::Long(value) => Some(value.to_string()),
        Value::Float(value) => Some(value.to_string()),
        Value::Double(value) => Some(value.to_string()),
        Value::String(value) => Some(value.clone()),
        Value::Bytes(bytes) => Some(hex(bytes)),
        Value::Decimal(decimal) => {
            let bytes = <Vec<u8>>::try_from(decimal).unwrap_or_default();
            // The scale isn't in the value, so the source's is taken out as well.
            Some(format!("unscaled {}", BigInt::from_signed_bytes_be(&bytes)))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item).unwrap_or("NULL".into())).collect();
            Some(format!("{{{}}}", items.join(",")))
        }
        other => Some(format!("{other:?}")),
    }
}
