//! Every type: values of the topics, decoded by the Avro library and turned back by Debezium's rules, are what
//! PostgreSQL prints.
//!
//! `LAKEPULSE_ZOO_SEED` repeats a run's random values, whose seed a failure tells.

mod decode;
mod families;
mod literals;
pub mod texts;

use std::collections::BTreeMap;
use std::env;

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use serde_json::Value as Json;
use tokio_postgres::SimpleQueryMessage;

use self::families::{Column, Family, Seen, families};
use crate::Outcome;
use crate::capture::Capture;
use crate::stage::{Result, Stage};
use crate::topics::{Topics, field};

/// Random rows of each family; the first are the values at the ends.
const ROWS: usize = 300;
/// As the capture's own sessions print.
const PRINTED: &str =
    "SET timezone = 'UTC'; SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET extra_float_digits = 3";

/// Every type that has a form as text in it.
const AS_TEXTS: &str =
    "[types]\ndecimal = \"string\"\ntime = \"isostring\"\ninterval = \"string\"\nhstore = \"map\"\n";

/// Rows of texts, by id.
type Rows = BTreeMap<String, Vec<Option<String>>>;

pub fn by_default() -> Outcome {
    compare("", |column| &column.by_default)
}

pub fn as_texts() -> Outcome {
    compare(AS_TEXTS, |column| &column.as_texts)
}

/// Where random values come from, and its seed.
fn runner() -> Result<(u64, TestRunner)> {
    let seed = env::var("LAKEPULSE_ZOO_SEED").ok().map_or(Ok(7), |seed| seed.parse::<u64>())?;
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed.to_le_bytes().repeat(4));
    Ok((seed, TestRunner::new_with_rng(proptest::test_runner::Config::default(), rng)))
}

fn compare(types: &str, seen: fn(&Column) -> &Seen) -> Outcome {
    let (seed, mut runner) = runner()?;
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(PRINTED)?;
    let mut there = Vec::new();
    for family in families() {
        if create(&stage, &family)? {
            there.push(family);
        }
    }
    let mut later = Vec::new();
    for family in &there {
        let mut rows = rows(family, seen, &mut runner)?;
        let second = rows.split_off(rows.len() / 2);
        insert(&stage, family, 0, &rows)?;
        later.push((rows.len(), second));
    }
    let capture = Capture::streaming_with(&(stage.config() + types), &[])?;
    for (family, (from, rows)) in there.iter().zip(&later) {
        insert(&stage, family, *from, rows)?;
        stage.sql(&shuffle(family))?;
    }
    let topics = capture.finish(&stage)?;
    let mut wrong = Vec::new();
    for family in &there {
        wrong.extend(differences(&stage, &topics, family, seen)?);
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("with seed {seed}:\n{}", wrong.join("\n")).into()) }
}

/// Creates the table; false when the server lacks its extension.
fn create(stage: &Stage, family: &Family) -> Result<bool> {
    if let Some(extension) = family.extension {
        let known =
            stage.value(&format!("SELECT 1 FROM pg_available_extensions WHERE name = '{extension}'"))?;
        if known.is_none() {
            println!("no extension {extension} here");
            return Ok(false);
        }
        stage.sql(&format!("CREATE EXTENSION {extension}"))?;
    }
    stage.sql(family.setup)?;
    let columns: Vec<String> = family
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| format!("c{index} {}", column.kind))
        .collect();
    stage.sql(&format!("CREATE TABLE {} (id integer PRIMARY KEY, {})", family.name, columns.join(", ")))?;
    Ok(true)
}

fn rows(
    family: &Family,
    seen: fn(&Column) -> &Seen,
    runner: &mut TestRunner,
) -> Result<Vec<Vec<Option<String>>>> {
    let mut rows = Vec::new();
    // The ends of the types are in both halves.
    for number in 0..ROWS {
        let mut row = Vec::new();
        for column in &family.columns {
            let edges: Vec<&str> = column.edges.iter().chain(seen(column).edges).copied().collect();
            let random = column.random.new_tree(runner).map_err(|reason| reason.message().to_owned())?;
            let place = number % (ROWS / 2);
            row.push(match edges.get(place) {
                Some(edge) => Some((*edge).to_owned()),
                None if place == edges.len() || number % 11 == 0 => None,
                None => Some(random.current()),
            });
        }
        rows.push(row);
    }
    Ok(rows)
}

fn literal(text: Option<&String>) -> String {
    text.map_or("NULL".to_owned(), |text| format!("'{}'", text.replace('\'', "''")))
}

fn insert(stage: &Stage, family: &Family, from: usize, rows: &[Vec<Option<String>>]) -> Result<()> {
    let values: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(index, row)| {
            let row: Vec<String> = row.iter().map(|text| literal(text.as_ref())).collect();
            format!("({}, {})", from + index, row.join(", "))
        })
        .collect();
    stage
        .sql(&format!("INSERT INTO {} VALUES {}", family.name, values.join(", ")))
        .map_err(|error| format!("{}: {}", family.name, crate::chain(&*error)).into())
}

/// Gives some rows the values of others.
fn shuffle(family: &Family) -> String {
    let names: Vec<String> = (0..family.columns.len()).map(|index| format!("c{index}")).collect();
    let names = names.join(", ");
    format!(
        "UPDATE {0} SET ({names}) = (SELECT {names} FROM {0} o WHERE o.id = ({0}.id * 7 + 1) % {ROWS}) WHERE id % 5 = 0",
        family.name
    )
}

fn differences(
    stage: &Stage,
    topics: &Topics,
    family: &Family,
    seen: fn(&Column) -> &Seen,
) -> Result<Vec<String>> {
    let (schemas, decoded) = decoded(stage, topics, family)?;
    let kinds: Vec<&str> = family
        .columns
        .iter()
        .zip(&schemas)
        .map(|(column, schema)| match seen(column).kind {
            Some(kind) => kind,
            None if decode::is_verbatim(schema) => "text",
            None => column.kind,
        })
        .collect();
    let views: Vec<String> = family
        .columns
        .iter()
        .enumerate()
        .map(|(index, column)| seen(column).source.replace("{}", &format!("c{index}")))
        .collect();
    let expected = printed(stage, &format!("SELECT id, {} FROM {}", views.join(", "), family.name))?;
    let mut wrong = Vec::new();
    let values: Vec<String> = decoded
        .iter()
        .map(|(id, row)| {
            let row: Vec<String> = row.iter().map(|text| literal(text.as_ref())).collect();
            format!("({id}, {})", row.join(", "))
        })
        .collect();
    let casts: Vec<String> =
        kinds.iter().enumerate().map(|(index, kind)| format!("c{index}::{kind}")).collect();
    let names: Vec<String> = (0..kinds.len()).map(|index| format!("c{index}")).collect();
    let actual = printed(
        stage,
        &format!(
            "SELECT id, {} FROM (VALUES {}) AS v (id, {})",
            casts.join(", "),
            values.join(", "),
            names.join(", ")
        ),
    )
    .map_err(|error| format!("{}: {}", family.name, crate::chain(&*error)))?;
    if expected.len() != actual.len() {
        wrong.push(format!("{}: {} rows instead of {}", family.name, actual.len(), expected.len()));
    }
    for (index, column) in family.columns.iter().enumerate() {
        let rows = expected.iter().filter_map(|(id, row)| {
            let (expected, actual) = (&row[index], &actual.get(id)?[index]);
            (expected != actual).then(|| {
                format!("{} {} row {id}: {expected:?} arrived as {actual:?}", family.name, column.kind)
            })
        });
        wrong.extend(rows.take(3));
    }
    Ok(wrong)
}

/// The schema of an envelope.
fn envelope(stage: &Stage, id: u32) -> Result<Json> {
    let url = format!("{}/schemas/ids/{id}", stage.registry);
    let answer: Json = stage.runtime.block_on(async { reqwest::get(&url).await?.json().await })?;
    Ok(serde_json::from_str(answer["schema"].as_str().ok_or("no schema")?)?)
}

/// The last image of each row as literals, and the schemas of the columns.
fn decoded(stage: &Stage, topics: &Topics, family: &Family) -> Result<(Vec<Json>, Rows)> {
    let records = topics.table(stage, &format!("public.{}", family.name));
    let first = records.first().ok_or("the topic is empty")?.value_schema_id;
    let fields = decode::fields(&envelope(stage, first)?)?;
    let mut rows = Rows::new();
    for record in records {
        if record.value_schema_id != first {
            return Err(format!("{} has more than one schema", family.name).into());
        }
        let after = field(record.value.as_ref().ok_or("a tombstone")?, "after");
        let mut texts = Vec::new();
        for (name, schema) in &fields {
            let text = decode::literal(schema, field(after, name))
                .map_err(|error| format!("{} {name}: {error}", family.name))?;
            texts.push(text);
        }
        let id = texts.remove(0).ok_or("a row has no id")?;
        rows.insert(id, texts);
    }
    Ok((fields.into_iter().skip(1).map(|(_, schema)| schema).collect(), rows))
}

/// Rows as PostgreSQL's output functions print them.
fn printed(stage: &Stage, sql: &str) -> Result<Rows> {
    let mut rows = Rows::new();
    for message in stage.runtime.block_on(stage.client.simple_query(sql))? {
        if let SimpleQueryMessage::Row(row) = message {
            let texts = (1..row.len()).map(|index| row.get(index).map(str::to_owned)).collect();
            rows.insert(row.get(0).unwrap_or_default().to_owned(), texts);
        }
    }
    Ok(rows)
}
