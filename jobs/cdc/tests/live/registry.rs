//! The registry away or unwilling.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::check::other_schema;
use crate::compare::all_tables;
use crate::follow::follow;
use crate::proxy::Proxy;
use crate::stage::Stage;
use crate::topics::{Record, Topics, field};

pub fn down_at_start() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let config = stage.config().replace(&stage.registry, "http://127.0.0.1:1");
    let log = Capture::start_with(&config, &[])?.refusal()?;
    assert!(log.contains("cannot reach the schema registry at http://127.0.0.1:1"), "{log}");
    Ok(())
}

pub fn down_in_mid_stream() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY)")?;
    let (scheme, rest) = stage.registry.split_once("://").ok_or("the registry's URL has no scheme")?;
    let (target, path) = rest.split_once('/').unwrap_or((rest, ""));
    let proxy = Proxy::start(&stage.runtime, target)?;
    let through = format!("{scheme}://{}/{path}", proxy.address);
    let mut capture = Capture::streaming_with(&stage.config().replace(&stage.registry, &through), &[])?;
    proxy.close();
    // Known schemas need no registry; a new one waits for it.
    stage.sql("INSERT INTO t VALUES (1)")?;
    stage.catch_up()?;
    stage.sql("ALTER TABLE t ADD COLUMN v text; INSERT INTO t VALUES (2, 'b')")?;
    capture.wait_for("trying again")?;
    stage.sql("INSERT INTO t VALUES (3, 'c')")?;
    proxy.reopen();
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

/// Sets the compatibility of the subject of a table's values.
fn compatibility(stage: &Stage, table: &str, rule: &str) -> Outcome {
    let url = format!("{}/config/{}.{table}-value", stage.registry, stage.name);
    let answer = stage.runtime.block_on(async {
        let body = format!("{{\"compatibility\": \"{rule}\"}}");
        reqwest::Client::new().put(url).header("content-type", "application/json").body(body).send().await
    })?;
    assert!(answer.status().is_success(), "{}", answer.status());
    Ok(())
}

pub fn incompatible_schema() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL)")?;
    let config = stage.config().replace("[registry]", "[registry]\non_incompatible = \"stop\"");
    let capture = Capture::streaming_with(&config, &[])?;
    compatibility(&stage, "public.t", "BACKWARD")?;
    stage
        .sql("INSERT INTO t VALUES (1, 1); ALTER TABLE t ALTER v TYPE text; INSERT INTO t VALUES (2, 'b')")?;
    let log = capture.refusal()?;
    assert!(log.contains("incompatible") && log.contains(".public.t-value"), "{log}");
    Ok(())
}

/// One table is left alone with its events in the topic of dead letters; the others go on, and a start tries again.
pub fn incompatible_schema_isolates_its_table() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL); CREATE TABLE u (id integer PRIMARY KEY)")?;
    let address = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = format!("{}[metrics]\nlisten = \"{address}\"\n", stage.config());
    let capture = Capture::streaming_with(&config, &[])?;
    compatibility(&stage, "public.t", "BACKWARD")?;
    stage.sql("INSERT INTO t VALUES (1, 1)")?;
    stage.sql("ALTER TABLE t ALTER v TYPE text; INSERT INTO t VALUES (2, 'b'); INSERT INTO u VALUES (1)")?;
    stage.sql(
        "UPDATE t SET v = 'c' WHERE id = 1; UPDATE t SET id = 3 WHERE id = 1; DELETE FROM t WHERE id = 2; TRUNCATE t;
         INSERT INTO u VALUES (2)",
    )?;
    stage.catch_up()?;
    let metrics = stage
        .runtime
        .block_on(async { reqwest::get(format!("http://{address}/metrics")).await?.text().await })?;
    for line in [
        "lakepulse_cdc_tables_isolated{schema=\"public\",table=\"t\"} 1",
        "lakepulse_cdc_dead_letters_total{schema=\"public\",table=\"t\"} 5",
    ] {
        assert!(metrics.contains(line), "{line} is missing in:\n{metrics}");
    }
    let log = capture.log();
    let told = log.lines().find(|line| line.contains("from this event on")).unwrap_or_default();
    assert!(
        told.contains("ERROR") && told.contains("table=public.t lsn=") && told.contains("incompatible"),
        "{log}"
    );
    // Its rows of before and those of the other table are where they belong.
    let topics = capture.finish(&stage)?;
    assert_eq!((topics.table(&stage, "public.t").len(), topics.table(&stage, "public.u").len()), (1, 2));
    let letters = |topics: &Topics| -> Vec<(String, String)> {
        let text = |record: &Record, name: &str| match record.value.as_ref().map(|value| field(value, name)) {
            Some(Value::String(text)) => text.clone(),
            other => panic!("{name} is {other:?}"),
        };
        topics.beside.iter().map(|record| (text(record, "table"), text(record, "op"))).collect()
    };
    let expected: Vec<(String, String)> =
        ["c", "u", "u", "d", "t"].map(|op| ("t".to_owned(), op.to_owned())).into();
    assert_eq!(letters(&topics), expected);
    let error = format!("{:?}", field(topics.beside[0].value.as_ref().ok_or("no value")?, "error"));
    assert!(error.contains(".public.t-value"), "{error}");
    let after = format!("{:?}", field(topics.beside[0].value.as_ref().ok_or("no value")?, "after"));
    assert!(after.contains("\"b\""), "{after}");

    // A row that moves to another key has two places in its transaction, isolated or not.
    let last = topics.table(&stage, "public.u").last().map(|record| record.ordinal);
    assert_eq!(last, Some(5), "after an update, a move, a delete and a truncate");

    // Still refused at the next start, and taken at the one after.
    let capture = Capture::streaming_with(&config, &[])?;
    assert!(
        capture.log().contains("the table is isolated: the registry refuses its schema"),
        "{}",
        capture.log()
    );
    stage.sql("INSERT INTO t VALUES (5, 'e')")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(topics.beside.len(), 6);
    compatibility(&stage, "public.t", "NONE")?;
    let mut capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO t VALUES (6, 'f')")?;
    capture.wait_for("the incremental snapshot is out")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(topics.beside.len(), 6);
    // What happened meanwhile is in the image of the table, which is read again.
    follow(&stage, &topics)
}

/// Rows of the snapshot are dead letters too when the registry refuses their schema from the start.
pub fn incompatible_schema_at_the_snapshot() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 3)")?;
    other_schema(&stage, &format!("{}.public.t-value", stage.name))?;
    let config = stage.config();
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO t VALUES (4)")?;
    let topics = capture.finish(&stage)?;
    let operations: Vec<String> = topics
        .beside
        .iter()
        .map(|record| format!("{:?}", field(record.value.as_ref().unwrap_or(&Value::Null), "op")))
        .collect();
    assert_eq!(operations, ["String(\"r\")", "String(\"r\")", "String(\"r\")", "String(\"c\")"]);
    assert!(topics.table(&stage, "public.t").is_empty());
    let plan = command(&config, &["run", "--dry-run"], &[])?;
    let plan = String::from_utf8(plan.stdout)?;
    assert!(
        plan.contains(&format!("isolate the tables of refused schemas: {}.public.t-value", stage.name)),
        "{plan}"
    );
    Ok(())
}

/// Columns become NOT NULL, or come so without a default: the registry takes schemas that allow null, and keeps older records
/// readable.
pub fn columns_that_become_not_null() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY, v integer); CREATE TABLE quiet (LIKE t INCLUDING ALL); INSERT INTO quiet VALUES (1, 1)")?;
    let config = stage.config();
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql(
        "INSERT INTO t VALUES (1, 1); ALTER TABLE t ALTER v SET NOT NULL; INSERT INTO t VALUES (2, 2);
         ALTER TABLE quiet ALTER v SET NOT NULL;
         BEGIN; ALTER TABLE t ADD COLUMN w integer NOT NULL DEFAULT 1; ALTER TABLE t ALTER w DROP DEFAULT; COMMIT;
         INSERT INTO t VALUES (3, 3, 3); DELETE FROM t; ALTER TABLE t ADD COLUMN x text[] NOT NULL;
         INSERT INTO t VALUES (4, 4, 4, '{a}'); UPDATE t SET v = 5; DELETE FROM t WHERE id = 4; INSERT INTO t VALUES (5, 5, 5, '{}')",
    )?;
    stage.catch_up()?;
    capture.finish(&stage)?;
    let versions = |subject: &str| -> crate::stage::Result<String> {
        let url = format!("{}/subjects/{}.public.{subject}/versions", stage.registry, stage.name);
        Ok(stage.runtime.block_on(async { reqwest::get(&url).await?.text().await })?)
    };
    let before = [versions("t-value")?, versions("quiet-value")?];
    // The catalog alone is known at the start, and would have all of them NOT NULL.
    let checked = command(&config, &["check"], &[])?;
    let checked = String::from_utf8(checked.stdout)?;
    assert!(checked.contains("no new version") || checked.contains("new versions of"), "{checked}");
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO t VALUES (6, 6, 6, '{b}'); UPDATE quiet SET v = 2")?;
    let topics = capture.finish(&stage)?;
    assert!(topics.beside.is_empty(), "{:?}", topics.beside);
    assert_eq!([versions("t-value")?, versions("quiet-value")?], before, "a start makes no new versions");
    follow(&stage, &topics)
}
