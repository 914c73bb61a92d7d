//! Tables rebuilt from their topics against the source, which turns its values into the numbers and
//! texts that the topics should hold.

use std::collections::BTreeMap;

use apache_avro::types::Value;
use num_bigint::BigInt;

use crate::stage::{Result, Stage};
use crate::topics::{Record, Topics, field};

const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// Every table of the database against its topic, but the one that `catch_up` writes to.
pub fn all_tables(stage: &Stage, topics: &Topics) -> Result<()> {
    let tables = stage.runtime.block_on(stage.client.query(
        "SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relname <> 'touched' AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1",
        &[],
    ))?;
    for row in tables {
        table(stage, topics, row.get(0))?;
    }
    Ok(())
}

fn table(stage: &Stage, topics: &Topics, table: &str) -> Result<()> {
    let source = source_rows(stage, table)?;
    let rebuilt = rebuild(&topics.table(stage, table));
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
type Rows = BTreeMap<Vec<Option<String>>, usize>;

fn source_rows(stage: &Stage, table: &str) -> Result<Rows> {
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

/// Applies the events in the order of (commit LSN, ordinal).
fn rebuild(records: &[&Record]) -> Rows {
    let mut events: Vec<&Record> = records.iter().copied().filter(|record| record.value.is_some()).collect();
    events.sort_by_key(|record| (record.commit_lsn, record.ordinal));
    let mut rows: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for (index, record) in events.into_iter().enumerate() {
        // Without a key, every event is a row of its own.
        let key = record.key.as_ref().map_or_else(|| index.to_string(), |key| format!("{key:?}"));
        let Some(value) = &record.value else { continue };
        match record.operation().as_deref() {
            Some("d") => drop(rows.remove(&key)),
            Some("t") => rows.clear(),
            _ => {
                let before = rows.get(&key).cloned();
                let Value::Record(fields) = field(value, "after") else { continue };
                let texts = fields.iter().enumerate().map(|(column, (_, value))| match text(value) {
                    // Unchanged: the value is the one known.
                    Some(text) if text == UNAVAILABLE || text == hex(UNAVAILABLE.as_bytes()) => {
                        before.as_ref().and_then(|row| row[column].clone())
                    }
                    other => other,
                });
                let row = texts.collect();
                rows.insert(key, row);
            }
        }
    }
    let width = rows.values().map(Vec::len).max().unwrap_or_default();
    let mut counted = Rows::new();
    for mut row in rows.into_values() {
        // Rows from before a column was added.
        row.resize(width, None);
        *counted.entry(row).or_default() += 1;
    }
    counted
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

fn text(value: &Value) -> Option<String> {
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
        other => Some(format!("{other:?}")),
    }
}
