//! Tables whose topics would have the same name.

use std::collections::BTreeMap;

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::stage::{Stage, eventually};
use crate::topics::{Topics, field};

const POLLS: &str = "[tables]\ndiscover_interval_s = 1\n";

/// Of each topic, the names of the tables and the rows that its events tell, in the order of the source.
fn told(topics: &Topics) -> BTreeMap<String, Vec<String>> {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut records: Vec<_> = topics.records.iter().filter(|record| record.value.is_some()).collect();
    records.sort_by_key(|record| (record.commit_lsn, record.ordinal));
    for record in records {
        let Some(value) = &record.value else { continue };
        let source = field(value, "source");
        let (Value::String(schema), Value::String(table), Value::Int(id)) =
            (field(source, "schema"), field(source, "table"), field(field(value, "after"), "id"))
        else {
            continue;
        };
        if table != "touched" {
            told.entry(record.topic.clone()).or_default().push(format!("{schema}.{table} {id}"));
        }
    }
    told
}

fn expect(topics: &Topics, expected: &[(String, &[&str])]) {
    let expected: BTreeMap<String, Vec<String>> = expected
        .iter()
        .map(|(topic, rows)| (topic.clone(), rows.iter().map(ToString::to_string).collect()))
        .collect();
    assert_eq!(told(topics), expected);
}

/// The one that was there first keeps its topic, whatever comes later, and when it is gone itself.
pub fn of_a_table_that_comes_later() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    let (plain, other) = (format!("{name}.public.t_1"), format!("{name}.public.t_1_c2a79d5d"));
    let config = stage.config() + POLLS;
    stage.create_touched()?;
    stage.sql("CREATE TABLE \"t 1\" (id integer PRIMARY KEY); INSERT INTO \"t 1\" VALUES (1)")?;
    let mut capture = Capture::streaming_with(&config, &[])?;
    stage.sql("CREATE TABLE t_1 (id integer PRIMARY KEY); INSERT INTO t_1 VALUES (11)")?;
    capture.wait_for("the incremental snapshot is out table=public.t_1")?;
    let meet = format!(
        "public.t 1 and public.t_1 meet in topic {plain}: public.t 1 keeps it, and public.t_1 has topic {other}"
    );
    assert!(capture.log().contains(&meet), "{}", capture.log());
    let checked = command(&config, &["check"], &[])?;
    let said = String::from_utf8(checked.stdout)?;
    assert!(said.lines().any(|line| line.starts_with("note  topics") && line.contains(&meet)), "{said}");
    assert!(checked.status.success(), "{said}");
    stage.sql("INSERT INTO t_1 VALUES (12); INSERT INTO \"t 1\" VALUES (2)")?;
    capture.finish(&stage)?;

    let capture = Capture::streaming_with(&config, &[])?;
    assert!(capture.log().contains(&meet), "{}", capture.log());
    stage.sql("INSERT INTO t_1 VALUES (13); INSERT INTO \"t 1\" VALUES (3); DROP TABLE \"t 1\"; INSERT INTO t_1 VALUES (14)")?;
    capture.finish(&stage)?;

    let mut capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO t_1 VALUES (15); CREATE TABLE \"t 1\" (id integer PRIMARY KEY); INSERT INTO \"t 1\" VALUES (4)")?;
    capture.wait_for("the incremental snapshot is out table=public.t 1")?;
    stage.sql("INSERT INTO t_1 VALUES (16); INSERT INTO \"t 1\" VALUES (5)")?;
    let topics = capture.finish(&stage)?;
    let mut rows: Vec<String> = Vec::new();
    for (topic, table, ids) in [(&plain, "public.t 1", 1..=5), (&other, "public.t_1", 11..=16)] {
        let told = told(&topics).remove(topic).unwrap_or_default();
        assert!(told.iter().all(|row| row.starts_with(table)), "{topic}: {told:?}");
        for id in ids {
            assert!(told.contains(&format!("{table} {id}")), "{id} in {topic}: {told:?}");
        }
        rows.extend(told);
    }
    assert_eq!(told(&topics).len(), 2, "{rows:?}");
    Ok(())
}

/// All that are there at the first start, those among them whose names are those of other records, or which Kafka does not
/// keep apart.
pub fn of_tables_that_are_there() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql(
        "CREATE SCHEMA a; CREATE TABLE a.t (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY);
         CREATE TABLE checkpoint (id integer PRIMARY KEY); CREATE TABLE \"u.v\" (id integer PRIMARY KEY); CREATE TABLE u_v (id integer PRIMARY KEY);
         INSERT INTO a.t VALUES (1); INSERT INTO t VALUES (2); INSERT INTO checkpoint VALUES (3); INSERT INTO \"u.v\" VALUES (4); INSERT INTO u_v VALUES (5)",
    )?;
    let config = format!("topic_name = \"{{prefix}}.{{table}}\"\n{}", stage.config());
    let planned = command(&config, &["run", "--dry-run"], &[])?;
    let plan = String::from_utf8(planned.stdout)?;
    assert!(plan.contains("the checkpoint records and public.checkpoint meet in topic"), "{plan}");
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO a.t VALUES (11); INSERT INTO t VALUES (12); INSERT INTO checkpoint VALUES (13); INSERT INTO \"u.v\" VALUES (14); INSERT INTO u_v VALUES (15)")?;
    let topics = capture.finish(&stage)?;
    expect(
        &topics,
        &[
            (format!("{name}.t"), &["a.t 1", "a.t 11"]),
            (format!("{name}.t_332b4fbd"), &["public.t 2", "public.t 12"]),
            (format!("{name}.checkpoint_37dc57d6"), &["public.checkpoint 3", "public.checkpoint 13"]),
            (format!("{name}.u.v"), &["public.u.v 4", "public.u.v 14"]),
            (format!("{name}.u_v_37377fdc"), &["public.u_v 5", "public.u_v 15"]),
        ],
    );
    Ok(())
}

/// Dots within names: three tables are `a.b.c.d`, each with a topic, an image and a progress of its own.
pub fn of_schema_and_table_together() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let tables = ["a.\"b.c.d\"", "\"a.b\".\"c.d\"", "\"a.b.c\".d"];
    stage.sql("CREATE SCHEMA a; CREATE SCHEMA \"a.b\"; CREATE SCHEMA \"a.b.c\"")?;
    let each = |sql: fn(&str, usize) -> String| {
        stage.sql(&tables.iter().enumerate().map(|(n, table)| sql(table, n + 1)).collect::<String>())
    };
    each(|table, n| {
        format!("CREATE TABLE {table} (id integer PRIMARY KEY); INSERT INTO {table} VALUES ({n});")
    })?;
    let capture = Capture::streaming(&stage)?;
    each(|table, n| format!("INSERT INTO {table} VALUES (1{n});"))?;
    stage.catch_up()?;
    let asked = command(&stage.config(), &["snapshot", "a.b.c.d"], &[])?;
    assert!(asked.status.success(), "{asked:?}");
    eventually("three images", || Ok(capture.log().matches("the incremental snapshot is out").count() == 3))
        .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let topics = capture.finish(&stage)?;
    let told = told(&topics);
    assert!(told.contains_key(&format!("{}.a.b.c.d", stage.name)), "{told:?}");
    // Each row comes from the first snapshot or the stream, and from the image.
    let mut rows: Vec<_> = told.into_values().collect();
    rows.sort();
    let expected = [1, 2, 3].map(|n| [n, 10 + n, n, 10 + n].map(|id| format!("a.b.c.d {id}")).to_vec());
    assert_eq!(rows, expected);
    Ok(())
}
