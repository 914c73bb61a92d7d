//! No event loses anything of a value: it is PostgreSQL's text in a header, or PostgreSQL reads the same from Avro.

use std::collections::{BTreeMap, VecDeque};

use apache_avro::types::Value;
use serde_json::Value as Json;

use super::families::{Column, Family, families};
use super::{AS_TEXTS, PRINTED, Rows, create, decode, insert, literal, printed, rows, runner, shuffle};
use crate::Outcome;
use crate::capture::{Capture, command};
use crate::stage::{Result, Stage};
use crate::topics::{Record, Topics, field};

/// Types whose Avro form is exact with every option.
const NEVER: [&str; 17] = [
    "boolean",
    "smallint",
    "integer",
    "bigint",
    "oid",
    "real",
    "double precision",
    "text",
    "char(6)",
    "timestamptz",
    "uuid",
    "jsonb",
    "xml",
    "tsvector",
    "mood",
    "integer[]",
    "text[]",
];

pub fn by_default() -> Outcome {
    compare("")
}

pub fn as_texts() -> Outcome {
    compare(AS_TEXTS)
}

/// What an event tells of a row: the row that it is about, and the row before; none where it tells the key alone, or nothing.
#[derive(Clone)]
struct Told {
    row: Option<Vec<Option<String>>>,
    before: Option<Vec<Option<String>>>,
}

/// By operation and id, in the order of the events.
type Events = BTreeMap<(String, String), VecDeque<Told>>;

/// A table and what its events have to tell.
struct Expected {
    family: Family,
    events: Events,
    rows: Rows,
}

impl Expected {
    fn tell(&mut self, operation: &str, id: &str, told: Told) {
        self.events.entry((operation.to_owned(), id.to_owned())).or_default().push_back(told);
    }

    /// The table has been read.
    fn read(&mut self, stage: &Stage) -> Outcome {
        self.rows = all(stage, &self.family)?;
        for (id, row) in self.rows.clone() {
            self.tell("r", &id, Told { row: Some(row), before: None });
        }
        Ok(())
    }

    /// A statement was run that updated the rows for which this is so, and inserted or deleted others.
    fn change(&mut self, stage: &Stage, full: bool, is_updated: impl Fn(u32) -> bool) -> Outcome {
        let after = all(stage, &self.family)?;
        let rows = std::mem::replace(&mut self.rows, after.clone());
        for (id, row) in &after {
            match rows.get(id) {
                None => self.tell("c", id, Told { row: Some(row.clone()), before: None }),
                Some(before) if is_updated(id.parse()?) => {
                    let before = full.then(|| before.clone());
                    self.tell("u", id, Told { row: Some(row.clone()), before });
                }
                Some(_) => {}
            }
        }
        for (id, row) in rows.into_iter().filter(|(id, _)| !after.contains_key(id)) {
            self.tell("d", &id, Told { row: full.then_some(row), before: None });
        }
        Ok(())
    }
}

fn all(stage: &Stage, family: &Family) -> Result<Rows> {
    let names: Vec<String> = (0..family.columns.len()).map(|index| format!("c{index}")).collect();
    printed(stage, &format!("SELECT id, {} FROM {}", names.join(", "), family.name))
}

fn compare(types: &str) -> Outcome {
    let (seed, mut runner) = runner()?;
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(PRINTED)?;
    let (mut tables, mut later) = (Vec::new(), Vec::new());
    for family in families() {
        if create(&stage, &family)? {
            let mut rows = rows(&family, |column| &column.as_texts, &mut runner)?;
            let second = rows.split_off(rows.len() / 2);
            insert(&stage, &family, 0, &rows)?;
            later.push((rows.len(), second));
            let mut table = Expected { family, events: Events::new(), rows: Rows::new() };
            table.read(&stage)?;
            tables.push(table);
        }
    }
    let config = stage.config() + types;
    let mut capture = Capture::streaming_with(&config, &[])?;
    for (table, (from, rows)) in tables.iter_mut().zip(&later) {
        let name = table.family.name;
        insert(&stage, &table.family, *from, rows)?;
        table.change(&stage, false, |_| false)?;
        stage.sql(&shuffle(&table.family))?;
        table.change(&stage, false, |id| id % 5 == 0)?;
        stage.sql(&format!("DELETE FROM {name} WHERE id % 7 = 1"))?;
        table.change(&stage, false, |_| false)?;
        stage.sql(&format!("ALTER TABLE {name} REPLICA IDENTITY FULL"))?;
        stage.sql(&shuffle(&table.family).replace("id % 5 = 0", "id % 5 = 2"))?;
        table.change(&stage, true, |id| id % 5 == 2)?;
        stage.sql(&format!("DELETE FROM {name} WHERE id % 5 = 3"))?;
        table.change(&stage, true, |_| false)?;
    }
    let again = tables.iter_mut().find(|table| table.family.name == "times").ok_or("no times")?;
    assert!(command(&config, &["snapshot", "public.times"], &[])?.status.success());
    capture.wait_for("the incremental snapshot is out table=public.times")?;
    again.read(&stage)?;
    let topics = capture.finish(&stage)?;
    let mut wrong = Vec::new();
    for table in tables {
        wrong.extend(Comparison::new(&stage, table).run(&topics)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("with seed {seed}:\n{}", wrong.join("\n")).into()) }
}

/// A table's records beside what they have to tell.
struct Comparison<'a> {
    stage: &'a Stage,
    table: Expected,
    /// Of envelopes, by their ids.
    schemas: BTreeMap<u32, Vec<(String, Json)>>,
    /// What Avro tells, as literals with what PostgreSQL prints, by column.
    literals: Vec<BTreeMap<String, String>>,
    /// Of each column, whether texts were beside it, and whether they were not.
    beside: Vec<[bool; 2]>,
    wrong: Vec<String>,
}

/// Dates and timestamps, of which those beyond the years 1 to 9999 have a text.
fn is_a_day(kind: &str) -> bool {
    kind == "date" || kind.starts_with("timestamp") && !kind.ends_with("[]")
}

impl<'a> Comparison<'a> {
    fn new(stage: &'a Stage, table: Expected) -> Self {
        let columns = table.family.columns.len();
        Self {
            stage,
            table,
            schemas: BTreeMap::new(),
            literals: vec![BTreeMap::new(); columns],
            beside: vec![[false; 2]; columns],
            wrong: Vec::new(),
        }
    }

    fn run(mut self, topics: &Topics) -> Result<Vec<String>> {
        let name = self.table.family.name;
        for record in topics.table(self.stage, &format!("public.{name}")) {
            if let (Some(operation), Some(value)) = (record.operation(), &record.value) {
                self.record(record, &operation, value)?;
            }
        }
        let left: usize = self.table.events.values().map(VecDeque::len).sum();
        if left > 0 {
            self.wrong.push(format!("{name}: {left} events did not come"));
        }
        self.read_literals()?;
        for (column, beside) in self.table.family.columns.iter().zip(&self.beside) {
            let kind = column.kind;
            if NEVER.contains(&kind) && beside[0] && !is_a_day(kind) {
                self.wrong.push(format!("{name} {kind}: texts although Avro is exact"));
            }
            if *beside == [true, true] && !is_a_day(kind) && !kind.starts_with("timestamp") {
                self.wrong.push(format!("{name} {kind}: some values have texts and some have none"));
            }
        }
        self.wrong.truncate(20);
        Ok(self.wrong)
    }

    fn record(&mut self, record: &Record, operation: &str, value: &Value) -> Outcome {
        let (before, after) = (field(value, "before"), field(value, "after"));
        let about = if operation == "d" { before } else { after };
        let Value::Int(id) = field(about, "id") else { return Err("a row has no id".into()) };
        let place = (operation.to_owned(), id.to_string());
        let told = self.table.events.get_mut(&place).and_then(VecDeque::pop_front);
        let Some(told) = told else {
            self.wrong.push(format!("{} {place:?} is not expected", self.table.family.name));
            return Ok(());
        };
        self.image(record, told.row, about, &record.text)?;
        self.image(record, told.before, before, &record.text_before)
    }

    fn image(
        &mut self,
        record: &Record,
        row: Option<Vec<Option<String>>>,
        image: &Value,
        texts: &BTreeMap<String, String>,
    ) -> Outcome {
        let name = self.table.family.name;
        let Some(row) = row else {
            if !texts.is_empty() {
                self.wrong.push(format!("{name}: {texts:?} of a row that is not told"));
            }
            return Ok(());
        };
        let fields = self.fields(record.value_schema_id)?;
        for (index, (expected, (field_name, schema))) in row.into_iter().zip(fields).enumerate() {
            let (value, text) = (field(image, &field_name), texts.get(&field_name));
            let kind = self.table.family.columns[index].kind;
            let Some(expected) = expected else {
                if text.is_some() || *value != Value::Null {
                    self.wrong.push(format!("{name} {kind}: {text:?}, {value:?} instead of null"));
                }
                continue;
            };
            self.beside[index][usize::from(text.is_none())] = true;
            if is_a_day(kind) {
                let is_needless = text.is_some() && NEVER.contains(&kind);
                let is_unusual = expected.as_bytes().get(4) != Some(&b'-') || expected.ends_with("BC");
                if text.is_none() && is_unusual || is_needless && !is_unusual {
                    self.wrong.push(format!("{name} {kind}: {expected:?} has the text {text:?}"));
                }
            }
            match text {
                Some(text) if *text == expected => {}
                Some(text) => {
                    self.wrong.push(format!("{name} {kind}: {expected:?} has the text {text:?}"));
                }
                None => {
                    let told = decode::literal(&schema, value)?.ok_or("null where a value is")?;
                    if !decode::is_verbatim(&schema) {
                        self.literals[index].insert(told, expected);
                    } else if told != expected {
                        self.wrong.push(format!("{name} {kind}: {expected:?} is {told:?}"));
                    }
                }
            }
        }
        Ok(())
    }

    /// The fields of a row but its id.
    fn fields(&mut self, id: u32) -> Result<Vec<(String, Json)>> {
        if !self.schemas.contains_key(&id) {
            let fields = decode::fields(&super::envelope(self.stage, id)?)?;
            self.schemas.insert(id, fields.into_iter().skip(1).collect());
        }
        Ok(self.schemas[&id].clone())
    }

    /// Compares what PostgreSQL prints of the literals.
    fn read_literals(&mut self) -> Outcome {
        let name = self.table.family.name;
        for (Column { kind, .. }, literals) in self.table.family.columns.iter().zip(&self.literals) {
            if literals.is_empty() {
                continue;
            }
            let values: Vec<String> = literals
                .keys()
                .enumerate()
                .map(|(number, text)| format!("({number}, {})", literal(Some(text))))
                .collect();
            let read = printed(
                self.stage,
                &format!("SELECT n, v::{kind} FROM (VALUES {}) AS v (n, v)", values.join(", ")),
            )
            .map_err(|error| format!("{name} {kind}: {}", crate::chain(&*error)))?;
            for (number, (told, expected)) in literals.iter().enumerate() {
                let read = read.get(&number.to_string()).and_then(|row| row[0].as_ref());
                if read != Some(expected) {
                    self.wrong.push(format!("{name} {kind}: {expected:?} is {told:?}, read as {read:?}"));
                }
            }
        }
        Ok(())
    }
}
