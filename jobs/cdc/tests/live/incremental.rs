//! Tables that are read while the stream goes on: their rows and changes are whole, once, and in order.

use std::collections::BTreeMap;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::follow::follow;
use crate::relations::are_whole;
use crate::stage::{Result, Stage, eventually};
use crate::topics::{Record, Topics, field};

/// A table with values out of line, which updates leave alone.
pub const ADDED: &str = "CREATE TABLE added (id integer PRIMARY KEY, n integer NOT NULL, big text NOT NULL);
    ALTER TABLE added ALTER big SET STORAGE EXTERNAL;
    INSERT INTO added SELECT i, 0, repeat(i::text || ' ', 600) FROM generate_series(1, 6000) i";
const SMALL_RANGES: &str = "incremental_rows = 300\n";

/// Changes of every kind in table `added`, until they are told to end.
pub struct Changes {
    ending: Arc<AtomicBool>,
    task: tokio::task::JoinHandle<Result<usize>>,
}

impl Changes {
    pub fn start(stage: &Stage) -> Self {
        let (ending, source) = (Arc::new(AtomicBool::new(false)), stage.source.clone());
        let told = Arc::clone(&ending);
        let task = stage.runtime.spawn(async move {
            let (client, connection) = source.connect(tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            let mut step = 0;
            while !told.load(Ordering::Relaxed) {
                step += 1;
                let statement = match step % 5 {
                    0 => format!(
                        "INSERT INTO added VALUES ({}, {step}, repeat('{step} ', 1000))",
                        100_000 + step
                    ),
                    1 => format!("DELETE FROM added WHERE id % 1009 = {}", step % 1009),
                    2 => format!(
                        "UPDATE added SET id = id + 200000, big = 'moved' WHERE id = {}",
                        step * 7 % 6000
                    ),
                    3 => format!(
                        "UPDATE added SET big = repeat('{step} ', 900) WHERE id % 701 = {}",
                        step % 701
                    ),
                    _ => format!("UPDATE added SET n = {step} WHERE id % 97 = {}", step % 97),
                };
                client.batch_execute(&statement).await?;
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            Ok(step)
        });
        Self { ending, task }
    }

    pub fn end(self, stage: &Stage) -> Outcome {
        self.ending.store(true, Ordering::Relaxed);
        assert!(stage.runtime.block_on(self.task)?? > 0);
        Ok(())
    }
}

pub fn settings(stage: &Stage, more: &str) -> String {
    stage.config().replace("[snapshot]\n", &format!("[snapshot]\n{SMALL_RANGES}")) + more
}

/// Whether it is a row of an incremental snapshot.
fn is_incremental(record: &Record) -> bool {
    let mark = record.value.as_ref().map(|value| format!("{:?}", field(field(value, "source"), "snapshot")));
    record.operation().as_deref() == Some("r") && mark.is_some_and(|mark| mark.contains("incremental"))
}

/// Within a key, later in Kafka is later at the source, rows of the snapshot among the changes.
fn in_order(records: &[&Record]) -> Outcome {
    let mut last = BTreeMap::new();
    for record in records.iter().filter(|record| record.value.is_some()) {
        let id = (record.commit_lsn, record.ordinal);
        if let Some(before) = last.insert(format!("{:?}", record.key), id)
            && before >= id
        {
            return Err(format!("{:?}: {before:?} stands before {id:?}", record.key).into());
        }
    }
    Ok(())
}

/// The table's records: those of the snapshots come so many times for each key.
pub fn check_added(stage: &Stage, topics: &Topics, snapshots: usize) -> Outcome {
    all_tables(stage, topics)?;
    let records = topics.table(stage, "public.added");
    in_order(&records)?;
    let mut rows: BTreeMap<String, usize> = BTreeMap::new();
    for record in records.iter().filter(|record| is_incremental(record)) {
        *rows.entry(format!("{:?}", record.key)).or_default() += 1;
    }
    // The changes delete rows for as long as they go on.
    assert!(rows.len() > 1000, "{} keys", rows.len());
    let most = rows.values().max().copied().unwrap_or_default();
    assert_eq!(most, snapshots, "rows of a key");
    Ok(())
}

/// A table that is included later is read, by a capture that is killed in the middle of it.
pub fn table_included_later() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ADDED)?;
    let capture = Capture::streaming_with(&settings(&stage, "[tables]\nexclude = [\"*.added\"]\n"), &[])?;
    let changes = Changes::start(&stage);
    capture.terminate()?;
    let debug = [("LAKEPULSE_LOG", "debug,rdkafka=off,hyper=off,reqwest=off,tokio_postgres=off")];
    let tiny_ranges = settings(&stage, "").replace(SMALL_RANGES, "incremental_rows = 30\n");
    let mut in_the_middle = 0;
    for _ in 0..3 {
        let capture = Capture::start_with(&tiny_ranges, &debug)?;
        eventually("some ranges", || Ok(capture.log().matches("Kafka transaction committed").count() > 3))
            .map_err(|error| format!("{error}\n{}", capture.log()))?;
        in_the_middle += usize::from(!capture.log().contains("the incremental snapshot is out"));
        capture.kill()?;
    }
    assert!(in_the_middle > 0, "each was killed too late");
    let capture = Capture::streaming_with(&settings(&stage, ""), &[])?;
    eventually("the table to be read", || {
        let said = command(&settings(&stage, ""), &["status", "--json"], &[])?.stdout;
        let status: serde_json::Value = serde_json::from_slice(&said)?;
        let tables = status["checkpoint"]["snapshot"].as_array().ok_or("no progress")?;
        Ok(tables.iter().all(|table| table["done"] == true))
    })?;
    changes.end(&stage)?;
    let topics = capture.finish(&stage)?;
    check_added(&stage, &topics, 1)?;

    // Left out for a while, and included again: read again.
    let capture = Capture::streaming_with(&settings(&stage, "[tables]\nexclude = [\"*.added\"]\n"), &[])?;
    stage.sql("UPDATE added SET n = -1 WHERE id % 3 = 0; INSERT INTO added VALUES (-1, 0, 'x')")?;
    stage.catch_up()?;
    capture.terminate()?;
    let mut capture = Capture::start_with(&settings(&stage, ""), &[])?;
    capture.wait_for("the incremental snapshot is out")?;
    let topics = capture.finish(&stage)?;
    check_added(&stage, &topics, 2)
}

/// A table that is created while the capture runs is published and read.
pub fn table_created_later() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let capture = Capture::streaming_with(&settings(&stage, "[tables]\ndiscover_interval_s = 1\n"), &[])?;
    stage.sql(ADDED)?;
    stage.sql("CREATE TABLE keyless (a integer, b text); INSERT INTO keyless SELECT i, 'b' FROM generate_series(1, 3000) i")?;
    let changes = Changes::start(&stage);
    eventually(
        "both snapshots",
        || Ok(capture.log().matches("the incremental snapshot is out").count() == 2),
    )
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    stage.sql("INSERT INTO keyless VALUES (0, 'later')")?;
    changes.end(&stage)?;
    let topics = capture.finish(&stage)?;
    let read_rows =
        topics.table(&stage, "public.keyless").iter().filter(|record| is_incremental(record)).count();
    assert_eq!(read_rows, 3000);
    check_added(&stage, &topics, 1)
}

async fn send(kafka: &str, topic: &str, key: &str, value: &str) -> Outcome {
    let producer: FutureProducer = rdkafka::ClientConfig::new().set("bootstrap.servers", kafka).create()?;
    let sent = producer.send(FutureRecord::to(topic).key(key).payload(value), Duration::from_secs(30)).await;
    sent.map_err(|(error, _)| error)?;
    Ok(())
}

/// Signals by a logical message, a table and the command, while transactions are open.
pub fn signals() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ADDED)?;
    stage.sql("CREATE SCHEMA control; CREATE TABLE control.signals (id text PRIMARY KEY, type text NOT NULL, data text)")?;
    let more = "[tables]\ninclude = [\"public.*\"]\n[signals]\ntable = \"control.signals\"\n";
    let more = &format!("{more}topic = \"{}_signals\"\n", stage.name);
    let mut capture = Capture::streaming_with(&settings(&stage, more), &[])?;
    let changes = Changes::start(&stage);
    let done = |capture: &Capture, count: usize| {
        eventually("the snapshot", || {
            Ok(capture.log().matches("the incremental snapshot is out").count() == count)
        })
        .map_err(|error| format!("{error}\n{}", capture.log()))
    };
    stage.sql(r#"INSERT INTO control.signals VALUES ('1', 'execute-snapshot', '{"data-collections": ["public.added"]}')"#)?;
    done(&capture, 1)?;
    // Waits for the transaction that is open, but the stream does not.
    let open = stage.runtime.block_on(stage.source.connect(tokio_postgres::NoTls))?;
    stage.runtime.spawn(open.1);
    stage.runtime.block_on(open.0.batch_execute("BEGIN; UPDATE added SET n = -7 WHERE id = 5000"))?;
    let (path, directory) = (tempfile::tempdir()?, stage.name.clone());
    let file = path.path().join(directory);
    std::fs::write(&file, settings(&stage, more))?;
    let asked = Command::new(env!("CARGO_BIN_EXE_lakepulse-cdc"))
        .arg("--config")
        .arg(&file)
        .args(["snapshot", "public.add*"])
        .output()?;
    let told = String::from_utf8_lossy(&asked.stdout);
    assert!(asked.status.success() && told.contains("a snapshot of public.added is asked for"), "{told}");
    stage.catch_up()?;
    done(&capture, 1)?;
    stage.runtime.block_on(open.0.batch_execute("COMMIT"))?;
    done(&capture, 2)?;
    stage.sql(&format!(
        "SELECT pg_logical_emit_message(false, 'lakepulse.signal.{}', '{{\"type\": \"execute-snapshot\"}}')",
        stage.name
    ))?;
    capture.wait_for("data-collections names no table")?;
    // A consumer's first position is where the topic ends then, so that signals sent before are not seen.
    let (kafka, topic) = (stage.kafka.clone(), format!("{}_signals", stage.name));
    let log = r#"{"type": "log", "data": {"message": "by Kafka"}}"#;
    eventually("a signal by Kafka", || {
        stage.runtime.block_on(send(&kafka, &topic, &stage.name, log))?;
        Ok(capture.log().contains("signal: by Kafka"))
    })?;
    let execute = r#"{"type": "execute-snapshot", "data": {"data-collections": ["public.added"]}}"#;
    stage.runtime.block_on(send(&kafka, &topic, "another", execute))?;
    stage.runtime.block_on(send(&kafka, &topic, &stage.name, execute))?;
    done(&capture, 3)?;
    // A table that is gone by the time it would be read, while reading is paused.
    let signal = |number: &str, kind: &str, data: &str| {
        stage.sql(&format!("INSERT INTO control.signals VALUES ('{number}', '{kind}', '{data}')"))
    };
    stage.sql("CREATE TABLE gone (id integer PRIMARY KEY)")?;
    signal("2", "pause-snapshot", "")?;
    signal("3", "execute-snapshot", r#"{"data-collections": ["public.gone"]}"#)?;
    capture.wait_for("an incremental snapshot will be read table=public.gone")?;
    stage.sql("DROP TABLE gone")?;
    assert!(!capture.log().contains("the table is gone"));
    signal("4", "resume-snapshot", "")?;
    capture.wait_for("the table is gone")?;
    changes.end(&stage)?;
    // Of an idle source the last byte of the log was a cut already.
    stage.catch_up()?;
    stage.runtime.block_on(send(&kafka, &topic, &stage.name, execute))?;
    done(&capture, 4)?;
    let topics = capture.finish(&stage)?;
    let signals = topics.records.iter().filter(|record| record.topic.contains("signals")).count();
    assert_eq!(signals, 0, "the signal table is not captured");
    stage.sql("DROP TABLE control.signals")?;
    all_tables(&stage, &topics)?;
    let records = topics.table(&stage, "public.added");
    in_order(&records)?;
    let read = records.iter().filter(|record| is_incremental(record)).count();
    assert!(read > 15_000, "{read} rows were read");
    Ok(())
}

/// Statements of an application that need a table for themselves never wait long for a snapshot of it, also while the stream
/// is far behind.
pub fn statements_of_the_application_pass() -> Outcome {
    const LOADED: Duration = Duration::from_secs(8);
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE altered (id integer PRIMARY KEY, v text); INSERT INTO altered SELECT i, 'v' FROM generate_series(1, 30000) i;
         CREATE TABLE parts (LIKE altered INCLUDING ALL) PARTITION BY RANGE (id);
         CREATE TABLE parts_1 PARTITION OF parts DEFAULT; INSERT INTO parts SELECT * FROM altered;
         CREATE TABLE bulk (id bigserial PRIMARY KEY, v text)",
    )?;
    let config = settings(&stage, "[tables]\ndiscover_interval_s = 1\nexclude = [\"*.bulk\"]\n");
    let capture = Capture::streaming_with(&config, &[])?;
    let ends = std::time::Instant::now() + LOADED;
    let source = stage.source.clone();
    let bulk = stage.runtime.spawn(async move {
        let (client, connection) = source.connect(tokio_postgres::NoTls).await?;
        tokio::spawn(connection);
        while std::time::Instant::now() < ends {
            let rows = "INSERT INTO bulk (v) SELECT repeat('x', 100) FROM generate_series(1, 100000)";
            client.batch_execute(rows).await?;
        }
        Result::Ok(())
    });
    let mut altered = 0;
    stage.sql("SET lock_timeout = '3s'")?;
    while std::time::Instant::now() < ends {
        if altered % 20 == 0 {
            let asked = command(&config, &["snapshot", "public.altered", "public.parts"], &[])?;
            assert!(asked.status.success(), "{}", String::from_utf8_lossy(&asked.stderr));
        }
        altered += 1;
        stage
            .sql(&format!(
                "ALTER TABLE altered ADD COLUMN c{altered} integer DEFAULT {altered};
                 ALTER TABLE parts_1 ADD CONSTRAINT c CHECK (id <> {altered}) NOT VALID; ALTER TABLE parts_1 DROP CONSTRAINT c"
            ))
            .map_err(|error| format!("the statement {altered}: {error}\n{}", capture.log()))?;
        std::thread::sleep(Duration::from_millis(50));
    }
    stage.runtime.block_on(bulk)??;
    assert!(altered > 20, "{altered} statements in {LOADED:?}");
    stage.sql("SET lock_timeout = 0; DROP TABLE bulk")?;
    stage.catch_up().map_err(|error| format!("{error}\n{}", capture.log()))?;
    eventually("the images to end", || Ok(are_whole(&Topics::read_relations(&stage)?)))
        .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let topics = capture.finish(&stage)?;
    follow(&stage, &topics)
}

/// A table that somebody has for himself is left to later; the rest goes on. The first start is another matter: a slot comes
/// into being once every transaction that is open has ended.
pub fn a_locked_table_waits_alone() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE locked (id integer PRIMARY KEY); CREATE TABLE free (id integer PRIMARY KEY)")?;
    let polls = "[tables]\ndiscover_interval_s = 1\n";
    let without = settings(&stage, &format!("{polls}exclude = [\"*.locked\"]\n"));
    Capture::streaming_with(&without, &[])?.finish(&stage)?;
    let left_out = "left out until it can be published table=public.locked";
    let (locker, connection) = stage.runtime.block_on(stage.source.connect(tokio_postgres::NoTls))?;
    stage.runtime.spawn(connection);
    let lock = "BEGIN; LOCK TABLE locked; INSERT INTO locked VALUES (1)";
    stage.runtime.block_on(locker.batch_execute(lock))?;
    let mut capture = Capture::streaming_with(&settings(&stage, polls), &[])?;
    assert!(capture.log().contains(left_out), "{}", capture.log());
    for _ in 0..3 {
        stage.sql("INSERT INTO free SELECT count(*) FROM free")?;
        stage.catch_up()?;
    }
    stage.runtime.block_on(locker.batch_execute("COMMIT"))?;
    capture.wait_for("the incremental snapshot is out table=public.locked")?;
    stage.sql("INSERT INTO locked VALUES (2); DELETE FROM locked WHERE id = 1")?;
    let topics = capture.finish(&stage)?;
    follow(&stage, &topics)
}
