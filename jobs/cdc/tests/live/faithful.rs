//! Snapshot and stream tell the same part of the source, in the same form, whatever the source's settings are.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::stage::{Stage, eventually};
use crate::topics::{Topics, field};

/// A row filter and a column list hold for the snapshot as for the stream.
pub fn parts_of_tables() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql(&format!(
        "CREATE TABLE b7 (id integer PRIMARY KEY, name text, ssn text);
         INSERT INTO b7 SELECT i, 'a', 'secret' FROM generate_series(1, 200) i;
         CREATE TABLE cut (id integer PRIMARY KEY, v text);
         CREATE PUBLICATION {name} FOR TABLE b7 (id, name) WHERE (id < 100), touched, cut (v)"
    ))?;
    let checked = String::from_utf8(command(&stage.config(), &["check"], &[])?.stdout)?;
    for says in [
        "the snapshot reads the same",
        "only some columns of public.b7",
        "public.cut in",
        "leaves out id of its key",
    ] {
        assert!(checked.contains(says), "{says}: {checked}");
    }
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 7\nincremental_rows = 7");
    let mut capture = Capture::streaming_with(&config, &[])?;
    stage.sql("UPDATE b7 SET name = 'c'; DELETE FROM b7 WHERE id IN (1, 200)")?;
    let asked = command(&config, &["snapshot", "public.b7"], &[])?;
    assert!(asked.status.success());
    capture.wait_for("the incremental snapshot is out table=public.b7")?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.b7");
    assert!(!format!("{records:?}").contains("ssn"), "a hidden column is told");
    let count = |wanted: &str| records.iter().filter(|record| record.op.as_deref() == Some(wanted)).count();
    assert_eq!((count("r"), count("u"), count("d")), (99 + 98, 99, 1));
    for record in records.iter().filter(|record| record.value.is_some() && record.op.as_deref() != Some("d"))
    {
        let Some(Value::Int(id)) = record.value.as_ref().map(|value| field(field(value, "after"), "id"))
        else {
            return Err("no id".into());
        };
        assert!(*id < 100, "{id} is told");
    }
    Ok(())
}

/// Odd settings of the database and the role change nothing.
pub fn odd_settings() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    let row = "0.1::float8 + 0.2, 1.1::float4, '\\x01ff', '2020-02-29 12:00+02', '2020-02-29', '1 day 02:03:04', '-1234.5', '<a>b</a>', ARRAY[NULL, 'x'], 'back\\slash'";
    stage.sql(&format!(
        "CREATE TABLE odd (id integer PRIMARY KEY, f float8, r float4, b bytea, at timestamptz, d date, i interval, m money, x xml, texts text[], t text,
                           c text DEFAULT 'it''s', e date DEFAULT '2020-03-04');
         INSERT INTO odd VALUES (1, {row})"
    ))?;
    for (setting, value) in [
        ("search_path", "pg_catalog"),
        ("datestyle", "'German, DMY'"),
        ("intervalstyle", "sql_standard"),
        ("timezone", "'Asia/Tokyo'"),
        ("extra_float_digits", "-10"),
        ("bytea_output", "escape"),
        ("xmlbinary", "hex"),
        ("xmloption", "document"),
        ("quote_all_identifiers", "on"),
        ("standard_conforming_strings", "off"),
        ("backslash_quote", "off"),
        ("array_nulls", "off"),
        ("transform_null_equals", "on"),
        ("row_security", "on"),
        ("default_transaction_isolation", "serializable"),
        ("default_transaction_read_only", "on"),
        ("default_transaction_deferrable", "on"),
        ("statement_timeout", "'1ms'"),
        ("lock_timeout", "'1ms'"),
        ("idle_in_transaction_session_timeout", "'1ms'"),
        ("idle_session_timeout", "'900ms'"),
        ("client_min_messages", "debug5"),
    ] {
        stage.sql(&format!("ALTER DATABASE {name} SET {setting} = {value}"))?;
    }
    let locale =
        "SELECT collname FROM pg_collation WHERE collprovider = 'c' AND collname LIKE 'de\\_DE%' LIMIT 1";
    if let Some(locale) = stage.value(locale)? {
        stage.sql(&format!("ALTER DATABASE {name} SET lc_monetary = '{locale}'"))?;
    }
    let capture = Capture::streaming(&stage)?;
    stage.sql(&format!("INSERT INTO odd VALUES (2, {row})"))?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.odd");
    let rows: Vec<_> =
        records.iter().filter_map(|record| Some(field(record.value.as_ref()?, "after").clone())).collect();
    let [Value::Record(read), Value::Record(streamed)] = &rows[..] else {
        return Err(format!("{rows:?}").into());
    };
    assert_eq!(read.iter().skip(1).collect::<Vec<_>>(), streamed.iter().skip(1).collect::<Vec<_>>());
    let shown = format!("{read:?}");
    for value in [
        "Double(0.30000000000000004)",
        "Bytes([1, 255])",
        "2020-02-29T10:00:00",
        "Int(18321)",
        "<a>b</a>",
        "back\\\\slash",
        "it's",
        "Long(93784000000)",
    ] {
        assert!(shown.contains(value), "{value}: {shown}");
    }
    Ok(())
}

/// Bytes that are no UTF-8 become a dead letter that names the column, and all other rows go on.
pub fn database_without_an_encoding() -> Outcome {
    let stage = Stage::with("ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'")?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE b8 (id integer PRIMARY KEY, t text); INSERT INTO b8 VALUES (0, 'plain'), (1, E'a\\xff')")?;
    let config = stage.config() + "[events]\non_encoding_error = \"dead_letter\"\n";
    let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
    assert!(checked.lines().any(|line| line.starts_with("note") && line.contains("SQL_ASCII")), "{checked}");
    let mut capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO b8 VALUES (2, E'b\\xff'); INSERT INTO b8 VALUES (3, 'é')")?;
    capture.wait_for("an event has no encoding")?;
    let log = capture.log();
    let topics = capture.finish(&stage)?;
    assert_eq!(log.matches(" streaming ").count(), 1, "{log}");
    let letters = format!("{:?}", topics.beside);
    for bytes in ["\\\\x61ff", "\\\\x62ff"] {
        assert!(letters.contains(bytes), "{bytes}: {letters}");
    }
    assert_eq!(topics.table(&stage, "public.b8").len(), 2);
    Ok(())
}

/// Keys of an extension's type are divided in the order that they have, wherever the extension is.
pub fn keys_of_an_extension() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    if stage.value("SELECT 1 FROM pg_available_extensions WHERE name = 'citext'")?.is_none() {
        return Ok(());
    }
    stage.sql(
        "CREATE SCHEMA extensions; CREATE EXTENSION citext SCHEMA extensions;
         CREATE DOMAIN code AS extensions.citext;
         CREATE TABLE single (k extensions.citext PRIMARY KEY);
         CREATE TABLE several (k code, n integer, PRIMARY KEY (k, n));
         INSERT INTO single SELECT CASE i % 2 WHEN 0 THEN upper(md5(i::text)) ELSE md5(i::text) END FROM generate_series(1, 300) i;
         INSERT INTO several SELECT CASE i % 2 WHEN 0 THEN upper(md5(i::text)) ELSE md5(i::text) END, j
           FROM generate_series(1, 60) i, generate_series(1, 5) j",
    )?;
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 7\nincremental_rows = 11");
    let capture = Capture::streaming_with(&config, &[])?;
    for table in ["single", "several"] {
        let asked = command(&config, &["snapshot", &format!("public.{table}")], &[])?;
        assert!(asked.status.success());
    }
    eventually("both tables once more", || {
        Ok(capture.log().matches("the incremental snapshot is out").count() == 2)
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let topics: Topics = capture.finish(&stage)?;
    for table in ["public.single", "public.several"] {
        assert_eq!(topics.table(&stage, table).len(), 600, "{table}");
    }
    all_tables(&stage, &topics)
}
