//! What no row event tells: a consumer that follows relation records has every table as the source has it.

use std::collections::BTreeMap;

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::text;
use crate::events::string;
use crate::follow::follow;
use crate::stage::{Result, Stage, eventually};
use crate::topics::{Record, Topics, field};

const POLLS: &str = "[tables]\ndiscover_interval_s = 1\n";

const BEFORE: &str = "
    CREATE TABLE added (id integer PRIMARY KEY, v text); INSERT INTO added VALUES (1, 'a'), (2, 'b'), (3, 'c');
    CREATE TABLE replaced (id integer PRIMARY KEY); INSERT INTO replaced VALUES (1), (2), (3);
    CREATE TABLE renamed (id serial PRIMARY KEY, v text); INSERT INTO renamed (v) VALUES ('a'), ('b'), ('c');
    CREATE TABLE moved (id integer PRIMARY KEY, v text); INSERT INTO moved VALUES (1, 'a'); CREATE SCHEMA other;
    CREATE TABLE dropped (id integer PRIMARY KEY); INSERT INTO dropped VALUES (1);
    CREATE TABLE widened (id integer PRIMARY KEY, n integer, t varchar(5)); INSERT INTO widened VALUES (1, 10, 'x'), (2, 20, 'y');
    CREATE TABLE parts (id integer, r text, PRIMARY KEY (id, r)) PARTITION BY LIST (r);
    CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu'); CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
    CREATE TABLE parts_at PARTITION OF parts FOR VALUES IN ('at');
    INSERT INTO parts SELECT g, r FROM generate_series(1, 3) g, unnest(ARRAY['eu', 'us', 'at']) r;
    CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE moods (id integer PRIMARY KEY, m mood); INSERT INTO moods VALUES (0, 'a'), (1, 'b');
    CREATE TABLE within (id integer PRIMARY KEY, v text); INSERT INTO within VALUES (1, 'a'), (2, 'b'), (3, 'c');
    CREATE TABLE quiet (id integer PRIMARY KEY, v text); INSERT INTO quiet VALUES (1, 'a'), (2, 'b');
    CREATE TABLE swapped (id integer PRIMARY KEY, v text); INSERT INTO swapped VALUES (1, 'old');
    CREATE TABLE swapped_new (id integer PRIMARY KEY, v text); INSERT INTO swapped_new VALUES (7, 'new');
    CREATE TABLE stepped (id integer PRIMARY KEY, v text); INSERT INTO stepped VALUES (1, 'a'), (2, 'b')";

/// With rows between, so that the stream describes the tables too.
const AFTER: [&str; 13] = [
    "ALTER TABLE added ADD COLUMN c integer NOT NULL DEFAULT 5; UPDATE added SET v = 'x' WHERE id = 1;
     ALTER TABLE added RENAME v TO w; UPDATE added SET w = 'y' WHERE id = 2;
     ALTER TABLE added ADD COLUMN d text DEFAULT 'later', ADD COLUMN e integer[] DEFAULT '{1,2}'",
    "DROP TABLE replaced; CREATE TABLE replaced (id integer PRIMARY KEY); INSERT INTO replaced VALUES (9)",
    "ALTER TABLE renamed RENAME id TO k; INSERT INTO renamed (v) VALUES ('x'), ('y'); DELETE FROM renamed WHERE k = 1",
    "ALTER TABLE moved SET SCHEMA other; INSERT INTO other.moved VALUES (2, 'b')",
    "DROP TABLE dropped",
    "ALTER TABLE widened ALTER n TYPE bigint USING n * 100; INSERT INTO widened VALUES (3, 3000000000, 'z');
     ALTER TABLE widened ALTER t TYPE text",
    "TRUNCATE parts_eu; ALTER TABLE parts DETACH PARTITION parts_us; DROP TABLE parts_us; DROP TABLE parts_at;
     CREATE TABLE parts_asia (LIKE parts INCLUDING ALL); INSERT INTO parts_asia VALUES (9, 'asia');
     ALTER TABLE parts ATTACH PARTITION parts_asia FOR VALUES IN ('asia'); INSERT INTO parts VALUES (10, 'asia')",
    "ALTER TYPE mood ADD VALUE 'c'",
    "INSERT INTO moods VALUES (2, 'c'); ALTER TYPE mood RENAME VALUE 'a' TO 'z'",
    "BEGIN; INSERT INTO within VALUES (4, 'd'); ALTER TABLE within ADD COLUMN n integer DEFAULT 7; INSERT INTO within VALUES (5, 'e', 1);
     ALTER TABLE within RENAME v TO w; UPDATE within SET w = 'W' WHERE id = 1; ALTER TABLE within DROP COLUMN n;
     DELETE FROM within WHERE id = 2; ALTER TABLE within ADD COLUMN m text DEFAULT 'm'; INSERT INTO within VALUES (6, 'f', 'g'); COMMIT",
    // By the time the stream describes the column, the catalog has it in another type.
    "BEGIN; ALTER TABLE stepped ADD COLUMN n smallint NOT NULL DEFAULT 8; INSERT INTO stepped VALUES (3, 'c'); COMMIT;
     ALTER TABLE stepped ALTER n TYPE bigint USING n * 1000000",
    // Nothing happens in these but what no event tells.
    "ALTER TABLE quiet RENAME v TO w; ALTER TABLE quiet ADD COLUMN r double precision DEFAULT random()",
    "ALTER TABLE swapped RENAME TO swapped_old; ALTER TABLE swapped_new RENAME TO swapped; INSERT INTO swapped VALUES (8, 'n')",
];

/// Whether no image is under way.
pub fn are_whole(relations: &[Record]) -> bool {
    let mut open = std::collections::BTreeMap::new();
    for record in relations {
        let text = |name: &str| {
            record.value.as_ref().map(|value| format!("{:?}", field(value, name))).unwrap_or_default()
        };
        let table = format!("{}.{}", text("schema"), text("table"));
        match record.value.as_ref().map(|value| field(value, "kind")) {
            Some(Value::String(kind)) if kind == "image_begin" => {
                open.insert(table, true);
            }
            Some(Value::String(kind)) if kind == "image_end" || kind == "gone" => {
                open.insert(table, false);
            }
            _ => {}
        }
    }
    open.values().all(|is_open| !is_open)
}

fn follow_whole(stage: &Stage, topics: &Topics) -> Result<()> {
    if are_whole(&topics.relations) { follow(stage, topics) } else { Err("an image is under way".into()) }
}

/// Waits until the consumer is right, which it is soon after the last change; the last word is its own.
fn settle(stage: &Stage, capture: Capture) -> Result<Topics> {
    let log = capture.log();
    let mut last = String::new();
    let settled = eventually("the consumer to have what the source has", || {
        stage.catch_up()?;
        let topics = Topics::read(stage)?;
        // An image may come in meanwhile.
        let followed = topics.check().and_then(|()| follow_whole(stage, &topics));
        last = followed.as_ref().err().map(ToString::to_string).unwrap_or_default();
        Ok(followed.is_ok())
    });
    settled.map_err(|error| format!("{error}: {last}\n{log}\n{}", capture.log()))?;
    let log = capture.log();
    let topics = capture.finish(stage)?;
    let dead = topics.beside.iter().filter(|record| record.topic.ends_with(".dead_letter")).count();
    if dead == 0 { Ok(topics) } else { Err(format!("{dead} dead letters\n{log}").into()) }
}

fn changes(topics: &Topics, table: &str) -> Vec<String> {
    let of = |record: &&Record| {
        record.value.as_ref().is_some_and(|value| *field(value, "table") == Value::String(table.into()))
    };
    let mut words = Vec::new();
    for record in topics.relations.iter().filter(of) {
        let Some(Value::Array(changes)) = record.value.as_ref().map(|value| field(value, "changes")) else {
            continue;
        };
        for change in changes {
            if let Value::String(what) = field(change, "what") {
                words.push(what.clone());
            }
        }
    }
    words
}

/// Changes of every kind, found by polls and by what the stream describes.
pub fn without_the_trigger() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(BEFORE)?;
    let capture = Capture::streaming_with(&(stage.config() + POLLS), &[])?;
    for statements in AFTER {
        stage.sql(statements)?;
    }
    let topics = settle(&stage, capture)?;
    assert!(changes(&topics, "replaced").contains(&"replaced".to_owned()));
    assert!(
        changes(&topics, "moods").contains(&"label_renamed".to_owned()),
        "{:?}",
        changes(&topics, "moods")
    );
    let words = changes(&topics, "parts");
    for what in ["leaf_attached", "leaf_detached", "leaf_rewritten", "rows"] {
        assert!(words.iter().any(|word| word == what), "{what}: {words:?}");
    }

    // A start with everything told writes no relation record.
    let capture = { Capture::streaming_with(&(stage.config() + POLLS), &[])? };
    let again = capture.finish(&stage)?;
    assert_eq!(again.relations.len(), topics.relations.len());
    Ok(())
}

/// The same, told by the source itself, at its place in the log, although polls are seldom.
pub fn with_the_trigger() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(BEFORE)?;
    let config = stage.config();
    let installed = command(&config, &["ddl", "install"], &[])?;
    assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    let capture = Capture::streaming_with(&(stage.config() + POLLS), &[])?;
    for statements in AFTER {
        stage.sql(statements)?;
    }
    let topics = settle(&stage, capture)?;
    let by_trigger = topics.relations.iter().filter(|record| {
        record
            .value
            .as_ref()
            .is_some_and(|value| *field(value, "learned_from") == Value::String("trigger".into()))
    });
    assert!(by_trigger.count() > 8, "{:?}", topics.relations.len());
    let removed = command(&config, &["ddl", "remove"], &[])?;
    assert!(removed.status.success(), "{}", String::from_utf8_lossy(&removed.stderr));
    assert_eq!(stage.value("SELECT count(*) FROM pg_event_trigger")?.as_deref(), Some("0"));
    Ok(())
}

/// Everything happens while the capture is stopped.
pub fn while_it_is_stopped() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(BEFORE)?;
    let capture = Capture::streaming_with(&(stage.config() + POLLS), &[])?;
    capture.finish(&stage)?;
    for statements in AFTER {
        stage.sql(statements)?;
    }
    let capture = Capture::streaming_with(&(stage.config() + POLLS), &[])?;
    settle(&stage, capture)?;
    Ok(())
}

/// A domain is told with the type that it is made of.
pub fn domains() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE DOMAIN price AS numeric(10,2) NOT NULL; CREATE DOMAIN offer AS price CHECK (VALUE > 0); CREATE DOMAIN offers AS offer[];
         CREATE TYPE mood AS ENUM ('a'); CREATE DOMAIN feeling AS mood;
         CREATE TABLE t (id integer PRIMARY KEY, o offer, os offers, ps price[], f feeling, n numeric(5,1), i integer[])",
    )?;
    let capture = Capture::streaming_with(&stage.config(), &[])?;
    let topics = capture.finish(&stage)?;
    let told = topics.relations.iter().filter_map(|record| record.value.as_ref());
    let mut told = told.filter(|value| string(value, "table") == "t" && string(value, "kind") == "relation");
    let Some(Value::Array(columns)) = told.next_back().map(|value| field(value, "columns")) else {
        return Err("no relation record of the table".into());
    };
    let told: Vec<(String, Option<String>)> =
        columns.iter().map(|column| (string(column, "type"), text(field(column, "base")))).collect();
    let expected = [
        ("integer", None),
        ("offer", Some("numeric(10,2)")),
        ("offers", Some("numeric(10,2)[]")),
        ("price[]", Some("numeric(10,2)[]")),
        ("feeling", Some("mood")),
        ("numeric(5,1)", None),
        ("integer[]", None),
    ];
    assert_eq!(told, expected.map(|(kind, base)| (kind.to_owned(), base.map(str::to_owned))));
    Ok(())
}

/// A slot and topics from before there were relation records: changes that no event tells, made while it was stopped, are in
/// the images of all tables.
pub fn older_than_relation_records() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(BEFORE)?;
    let config = stage.config() + POLLS;
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO added VALUES (4, 'd')")?;
    capture.finish(&stage)?;
    stage.delete_topic(&format!("{}.relation", stage.name))?;
    for statements in AFTER {
        stage.sql(statements)?;
    }
    let capture = Capture::streaming_with(&config, &[])?;
    assert!(capture.log().contains("every table is read as a whole"), "{}", capture.log());
    let mut last = String::new();
    eventually("a consumer that comes new to have what the source has", || {
        stage.catch_up()?;
        let mut topics = Topics::read(&stage)?;
        let checked = topics.check();
        // Events from before a table was first told are in its image.
        let first = first_told(&topics);
        topics.records.retain(|record| {
            record.value.as_ref().is_some_and(|value| {
                let first = first.get(&table_of(field(value, "source")));
                first.is_some_and(|first| *first <= (record.commit_lsn, record.ordinal))
            })
        });
        let followed = checked.and_then(|()| follow_whole(&stage, &topics));
        last = followed.as_ref().err().map(ToString::to_string).unwrap_or_default();
        Ok(followed.is_ok())
    })
    .map_err(|error| format!("{error}: {last}\n{}", capture.log()))?;
    capture.finish(&stage)?;

    // With everything told, no table is read; one had events of a type that nothing told of, which were dead letters.
    let capture = Capture::streaming_with(&config, &[])?;
    stage.catch_up()?;
    let log = capture.log();
    let mut read = log.lines().filter(|line| line.contains("an incremental snapshot will be read"));
    assert!(read.all(|line| line.ends_with("table=public.stepped")), "{log}");
    capture.finish(&stage)?;
    Ok(())
}

fn table_of(value: &Value) -> String {
    format!("{:?}.{:?}", field(value, "schema"), field(value, "table"))
}

/// Where each table was described for the first time.
fn first_told(topics: &Topics) -> BTreeMap<String, (u64, u64)> {
    let mut first = BTreeMap::new();
    for record in &topics.relations {
        if let Some(value) = &record.value {
            first.entry(table_of(value)).or_insert((record.commit_lsn, record.ordinal));
        }
    }
    first
}
