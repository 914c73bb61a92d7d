//! A consumer that applies events and relation records in the order of the source, and so has every table as the source has it.

use std::collections::{BTreeMap, VecDeque};

use apache_avro::types::Value;

use crate::compare::{Rows, UNAVAILABLE, hex, source_rows, table_names, text};
use crate::events::{Event, Key, Position, short, string};
use crate::stage::{Result, Stage};
use crate::topics::{Record, Topics, field};

#[derive(Default)]
struct Table {
    oid: i64,
    columns: Vec<Column>,
    key: Vec<String>,
    rows: BTreeMap<Key, Row>,
    image: Option<Position>,
    /// Rows of a table without a key so far.
    nameless: u64,
    applied: Position,
}

#[derive(Clone)]
struct Column {
    attnum: i64,
    name: String,
    field: String,
    missing: Option<String>,
    captured: bool,
}

struct Row {
    /// By the columns' numbers.
    values: BTreeMap<i64, Option<String>>,
    written: Position,
}

/// All tables, by the names that they have at the time.
///
/// Each has a topic of its own, so that they are followed independently of each other.
pub struct Followed {
    tables: BTreeMap<String, Table>,
    /// What is told of each table, as far as it is still to come.
    relations: BTreeMap<String, VecDeque<Record>>,
}

/// Rebuilds every table, and compares it with the source.
pub fn follow(stage: &Stage, topics: &Topics) -> Result<()> {
    let mut followed = Followed::new(&topics.relations);
    topics.records.iter().try_for_each(|record| followed.apply(record))?;
    followed.compare(stage)
}

fn number(value: &Value, name: &str) -> i64 {
    match field(value, name) {
        Value::Long(number) => *number,
        Value::Int(number) => i64::from(*number),
        _ => 0,
    }
}

fn items<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    if let Value::Array(items) = field(value, name) { items } else { &[] }
}

impl Followed {
    pub fn new(relations: &[Record]) -> Self {
        let mut by_table: BTreeMap<String, VecDeque<Record>> = BTreeMap::new();
        for record in relations {
            let name = record
                .value
                .as_ref()
                .map(|value| format!("{}.{}", string(value, "schema"), string(value, "table")));
            by_table.entry(name.unwrap_or_default()).or_default().push_back(record.clone());
        }
        Self { tables: BTreeMap::new(), relations: by_table }
    }

    /// Applies the next record of a topic; those of a topic come in the order of the source.
    pub fn apply(&mut self, record: &Record) -> Result<()> {
        let Some(value) = &record.value else { return Ok(()) };
        let event = Event::of(record, value);
        if event.table == "public.touched" {
            return Ok(());
        }
        let (name, position) = (event.table.clone(), event.position);
        self.tell(&name, position)?;
        let table = self.tables.get_mut(&name);
        let table = table.ok_or_else(|| format!("{name}: an event before the table was told"))?;
        table.apply(event).map_err(|error| format!("{name} at {position:?}: {error}").into())
    }

    /// A relation record holds from the event of its position on.
    fn tell(&mut self, name: &str, until: Position) -> Result<()> {
        let Some(waiting) = self.relations.get_mut(name) else { return Ok(()) };
        while let Some(record) = waiting.front() {
            let position = (record.commit_lsn, record.ordinal);
            if position > until {
                break;
            }
            let told = record.value.as_ref().ok_or("a relation record without a value")?;
            match string(told, "kind").as_str() {
                "gone" => drop(self.tables.remove(name)),
                "image_begin" => self.tables.entry(name.to_owned()).or_default().image = Some(position),
                "image_end" => {
                    let table = self.tables.get_mut(name);
                    let table = table.ok_or_else(|| format!("{name}: an image of nothing"))?;
                    let begun = table.image.take();
                    let begun = begun.ok_or_else(|| format!("{name}: an image ends that has not begun"))?;
                    table.rows.retain(|_, row| row.written >= begun);
                }
                _ => self.tables.entry(name.to_owned()).or_default().describe(told),
            }
            waiting.pop_front();
        }
        Ok(())
    }

    /// Compares every table with the source once all has been applied.
    pub fn compare(mut self, stage: &Stage) -> Result<()> {
        for name in self.relations.keys().cloned().collect::<Vec<_>>() {
            self.tell(&name, (u64::MAX, u64::MAX))?;
        }
        let Self { mut tables, .. } = self;
        for name in table_names(stage)? {
            let table = tables.remove(&name).ok_or_else(|| format!("{name} was never told"))?;
            if table.image.is_some() {
                return Err(format!("{name}: its image has not ended").into());
            }
            let told: Vec<&str> = table.captured().map(|column| column.name.as_str()).collect();
            let mut rows = Rows::new();
            for row in table.rows.values() {
                let values = table.captured().map(|column| row.values.get(&column.attnum).cloned().flatten());
                *rows.entry(values.collect()).or_default() += 1;
            }
            let mut source = Rows::new();
            for (row, count) in source_rows(stage, &name)? {
                *source.entry(row.into_iter().map(short).collect()).or_default() += count;
            }
            if rows != source {
                let only = |a: &Rows, b: &Rows| -> Vec<String> {
                    let differ = a.iter().filter(|(row, count)| b.get(*row) != Some(count));
                    differ.take(3).map(|row| format!("{row:.200?}")).collect()
                };
                return Err(format!(
                    "{name} {told:?}: only in the source {:?}, only in the lake {:?}",
                    only(&source, &rows),
                    only(&rows, &source)
                )
                .into());
            }
        }
        tables.remove("public.touched");
        if tables.is_empty() {
            Ok(())
        } else {
            Err(format!("tables that are gone: {:?}", tables.keys()).into())
        }
    }
}

impl Table {
    fn captured(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.captured)
    }

    fn describe(&mut self, record: &Value) {
        if self.oid != number(record, "oid") {
            *self = Self { image: None, ..Self::default() };
            self.oid = number(record, "oid");
        }
        let columns = items(record, "columns").iter().map(|column| Column {
            attnum: number(column, "attnum"),
            name: string(column, "name"),
            field: string(column, "field"),
            missing: short(text(field(column, "missing"))),
            captured: *field(column, "captured") == Value::Boolean(true),
        });
        let columns: Vec<Column> = columns.collect();
        for column in &columns {
            if !self.columns.iter().any(|known| known.attnum == column.attnum) {
                for row in self.rows.values_mut() {
                    row.values.insert(column.attnum, column.missing.clone());
                }
            }
        }
        self.columns = columns;
        for change in
            items(record, "changes").iter().filter(|change| string(change, "what") == "label_renamed")
        {
            let Some(column) = self.columns.iter().find(|column| column.name == string(change, "column"))
            else {
                continue;
            };
            let (before, after) = (Some(string(change, "before")), Some(string(change, "after")));
            for row in self.rows.values_mut() {
                if row.values.get(&column.attnum) == Some(&before) {
                    row.values.insert(column.attnum, after.clone());
                }
            }
        }
        let key: Vec<String> = items(record, "key").iter().filter_map(text).collect();
        if key != self.key {
            let rows = std::mem::take(&mut self.rows);
            let numbers: Vec<i64> = key
                .iter()
                .filter_map(|name| {
                    self.columns.iter().find(|column| column.name == *name).map(|column| column.attnum)
                })
                .collect();
            for (before, row) in rows {
                let named = numbers.iter().map(|number| row.values.get(number).cloned().flatten()).collect();
                self.rows.insert(if numbers.is_empty() { before } else { named }, row);
            }
            self.key = key;
        }
    }

    fn apply(&mut self, event: Event<'_>) -> Result<()> {
        if event.position < self.applied {
            return Err(format!("it comes after {:?}", self.applied).into());
        }
        self.applied = event.position;
        let key = event.key.unwrap_or_else(|| {
            self.nameless += 1;
            vec![Some(format!("row {}", self.nameless))]
        });
        match event.operation.as_deref() {
            Some("d") => drop(self.rows.remove(&key)),
            Some("t") => self.rows.clear(),
            _ => {
                let before = self.rows.remove(&key);
                let mut values = BTreeMap::new();
                for (name, value) in event.after {
                    let column = self.columns.iter().find(|column| column.field == name && column.captured);
                    let column = column.ok_or_else(|| format!("a field {name} that was not told"))?;
                    let value = match value {
                        Some(text) if text == UNAVAILABLE || text == hex(UNAVAILABLE.as_bytes()) => {
                            before.as_ref().and_then(|row| row.values.get(&column.attnum).cloned().flatten())
                        }
                        other => other,
                    };
                    values.insert(column.attnum, value);
                }
                self.rows.insert(key, Row { values, written: event.position });
            }
        }
        Ok(())
    }
}
