//! Databases that are not in UTF-8: texts arrive as what they are, and a row with bytes that are no text is a dead letter alone.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::refusals::refused;
use crate::stage::{Result, Stage, eventually};
use crate::topics::{Record, Topics, field};

fn with_encoding(encoding: &str) -> Result<Stage> {
    let stage = Stage::with(&format!("ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C'"))?;
    stage.create_touched()?;
    Ok(stage)
}

/// What dead letters say of a table's column, sorted.
fn letters(topics: &Topics, table: &str, column: &str) -> Vec<String> {
    let mut found = Vec::new();
    for letter in topics.beside.iter().filter_map(|record| record.value.as_ref()) {
        if *field(letter, "table") != Value::String(table.into()) {
            continue;
        }
        for image in ["after", "before"] {
            let Value::Map(values) = field(letter, image) else { continue };
            if let Some(Value::Union(_, value)) = values.get(column)
                && let Value::String(text) = &**value
            {
                found.push(text.clone());
            }
        }
    }
    found.sort();
    found
}

fn texts(records: &[&Record], column: &str) -> Vec<String> {
    let text = |record: &&&Record| match field(field(record.value.as_ref()?, "after"), column) {
        Value::String(text) => Some(text.clone()),
        _ => None,
    };
    records.iter().filter_map(|record| text(&record)).collect()
}

fn ends_once(capture: Capture, stage: &Stage) -> Result<Topics> {
    let log = capture.log();
    let topics = capture.finish(stage)?;
    assert_eq!(log.matches(" streaming ").count(), 1, "{log}");
    Ok(topics)
}

/// Keys of bytes that are no text: in ranges of the first snapshot and of a later one each row is there once, and in the stream
/// the others go on.
pub fn keys_that_are_no_texts() -> Outcome {
    let stage = with_encoding("SQL_ASCII")?;
    stage.sql(
        "CREATE TABLE k (id text, n integer, PRIMARY KEY (id, n));
         INSERT INTO k SELECT convert_from(set_byte('\\x6100'::bytea, 1, i), 'SQL_ASCII'), i FROM generate_series(128, 255) i;
         INSERT INTO k SELECT 'p' || i, i FROM generate_series(1, 20) i; INSERT INTO k VALUES ('é', 1), (E'it''s \\\\', 1)",
    )?;
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 3\nincremental_rows = 7");
    let mut capture = Capture::streaming_with(&config, &[])?;
    let asked = command(&config, &["snapshot", "public.k"], &[])?;
    assert!(asked.status.success());
    capture.wait_for("the incremental snapshot is out table=public.k")?;
    stage.sql(
        "INSERT INTO k VALUES (E'b\\xff', 1), ('ok', 1); UPDATE k SET id = E'c\\xff' WHERE id = 'ok'; DELETE FROM k WHERE id = E'b\\xff';
         INSERT INTO k VALUES ('fine', 1); UPDATE touched SET n = 7",
    )?;
    capture.wait_for("an event has no encoding")?;
    let topics = ends_once(capture, &stage)?;
    let bytes = letters(&topics, "k", "id");
    for byte in 128..=255 {
        let digits = format!("\\x61{byte:02x}");
        assert_eq!(bytes.iter().filter(|text| **text == digits).count(), 2, "{digits}: {bytes:?}");
    }
    let streamed: Vec<&String> = bytes.iter().filter(|text| !text.starts_with("\\x61")).collect();
    assert_eq!(
        streamed,
        ["\\x62ff", "\\x62ff", "\\x63ff", "ok"],
        "created, deleted, and moved with its old row"
    );
    let records = topics.table(&stage, "public.k");
    let read: Vec<&Record> =
        records.iter().copied().filter(|record| record.op.as_deref() == Some("r")).collect();
    let mut read = texts(&read, "id");
    read.sort();
    let mut expected: Vec<String> = (1..=20).map(|i| format!("p{i}")).collect();
    expected.extend(["é".to_owned(), "it's \\".to_owned()]);
    expected.extend(expected.clone());
    expected.sort();
    assert_eq!(read, expected);
    assert_eq!(texts(&records, "id").last().map(String::as_str), Some("fine"));
    Ok(())
}

/// Texts and names in other encodings, and in each a character that UTF-8 lacks, if there is one.
pub fn other_than_utf8() -> Outcome {
    for (encoding, lacking) in [("LATIN1", None), ("WIN1252", Some("81")), ("EUC_JP", Some("a9a1"))] {
        one_encoding(encoding, lacking).map_err(|error| format!("{encoding}: {error}"))?;
    }
    Ok(())
}

fn one_encoding(encoding: &str, lacking: Option<&str>) -> Outcome {
    let stage = with_encoding(encoding)?;
    let (one, other) = if encoding == "EUC_JP" {
        ("日本語 | ｶﾅ", "漢字\t丂")
    } else {
        ("café ÿ", "Straße\t\\ä")
    };
    let name = if encoding == "EUC_JP" { "名前" } else { "größe" };
    stage.sql(&format!(
        "CREATE TABLE \"{name}\" (id text PRIMARY KEY, \"{name}\" text); CREATE TABLE plain (id integer PRIMARY KEY, t text)"
    ))?;
    let insert = |key: &str, text: &str| {
        stage.runtime.block_on(
            stage.client.execute(&format!("INSERT INTO \"{name}\" VALUES ($1, $2)"), &[&key, &text]),
        )
    };
    let lacks = |id: u32| -> Outcome {
        let Some(bytes) = lacking else { return Ok(()) };
        let escaped: String =
            bytes.as_bytes().chunks(2).map(|pair| format!("\\x{}", String::from_utf8_lossy(pair))).collect();
        stage.sql(&format!("INSERT INTO plain VALUES ({id}, E'a{escaped}'); INSERT INTO \"{name}\" VALUES (E'k{id}{escaped}', 'x')"))
    };
    for key in [one, "a", "b"] {
        insert(key, other)?;
    }
    lacks(1)?;
    stage.sql("INSERT INTO plain VALUES (2, 'plain')")?;
    let checked = String::from_utf8(command(&stage.config(), &["check"], &[])?.stdout)?;
    assert!(checked.contains(&format!("{encoding}: texts are converted to UTF-8")), "{checked}");
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 1\nincremental_rows = 1");
    let capture = Capture::streaming_with(&config, &[])?;
    insert(other, one)?;
    lacks(3)?;
    stage.sql(&format!(
        "UPDATE \"{name}\" SET \"{name}\" = 'changed' WHERE id = 'a'; INSERT INTO plain VALUES (4, 'later')"
    ))?;
    let asked = command(&config, &["snapshot", "public.*"], &[])?;
    assert!(asked.status.success());
    eventually("both tables once more", || {
        Ok(capture.log().matches("the incremental snapshot is out").count() == 3)
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let topics = ends_once(capture, &stage)?;

    let of_table = |wanted: &str| -> Vec<&Record> {
        let is_it = |record: &&Record| {
            let source = record.value.as_ref().map(|value| field(field(value, "source"), "table"));
            source == Some(&Value::String(wanted.into()))
        };
        topics.records.iter().filter(is_it).collect()
    };
    let records = of_table(name);
    let mut keys = texts(&records, "id");
    keys.sort();
    keys.dedup();
    let mut expected = vec![one.to_owned(), other.to_owned(), "a".to_owned(), "b".to_owned()];
    expected.sort();
    assert_eq!(keys, expected);
    let values = format!("{records:?}");
    for text in [one, other, "changed"] {
        assert!(values.contains(&format!("{text:?}")), "{text}: {values}");
    }
    let times = if lacking.is_some() { 4 } else { 0 };
    let bytes = lacking.unwrap_or_default();
    let of_values = letters(&topics, "plain", "t");
    assert_eq!(of_values, vec![format!("\\x61{bytes}"); times], "read, streamed, and both read once more");
    assert_eq!(letters(&topics, name, "id").len(), times);
    assert_eq!(texts(&of_table("plain"), "t"), ["plain", "later", "plain", "later"]);
    Ok(())
}

/// A table whose description UTF-8 has no form for is left out, and read as a whole once it can be described.
pub fn tables_that_wait_for_their_description() -> Outcome {
    let stage = with_encoding("WIN1252")?;
    stage.sql(
        "CREATE TABLE odd (id integer PRIMARY KEY, v text DEFAULT E'\\x81'); INSERT INTO odd VALUES (1, 'a')",
    )?;
    let config = stage.config() + "[tables]\ndiscover_interval_s = 1\n";
    let mut capture = Capture::streaming_with(&config, &[])?;
    assert!(capture.log().contains("has characters that UTF-8 lacks"), "{}", capture.log());
    stage.sql("INSERT INTO odd VALUES (2, 'b')")?;
    stage.catch_up()?;
    assert!(Topics::read(&stage)?.table(&stage, "public.odd").is_empty());
    stage.sql("ALTER TABLE odd ALTER v DROP DEFAULT; INSERT INTO odd VALUES (3, 'c')")?;
    capture.wait_for("the incremental snapshot is out table=public.odd")?;
    stage.sql("UPDATE odd SET v = 'd' WHERE id = 1")?;
    let topics = ends_once(capture, &stage)?;
    all_tables(&stage, &topics)
}

/// Where nothing becomes a dead letter, one error names table, column and place.
pub fn stop_where_it_is_wanted() -> Outcome {
    let stage = with_encoding("WIN1252")?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY, v text)")?;
    let config = stage.config() + "[events]\non_encoding_error = \"stop\"\n";
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO t VALUES (1, E'\\x81')")?;
    let log = capture.refusal()?;
    for says in ["the change at LSN 0/", "column v of public.t", "no text"] {
        assert!(log.contains(says), "{says}: {log}");
    }
    refused(&config, &[], &["the change at LSN 0/", "column v of public.t"])
}
