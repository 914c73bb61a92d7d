//! What arrives, for each kind of change.

use std::net::TcpListener;
use std::time::Duration;

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, capturing};
use crate::compare::all_tables;
use crate::stage::{Stage, eventually};
use crate::topics::{Topics, field};

/// Operations of a table's records in Kafka's order; `-` is a tombstone.
fn operations(topics: &Topics, stage: &Stage, table: &str) -> String {
    topics.table(stage, table).iter().map(|record| record.operation().unwrap_or_else(|| "-".into())).collect()
}

pub fn every_change_arrives() -> Outcome {
    let (stage, capture) = capturing(
        "CREATE TABLE plain (id bigint PRIMARY KEY, amount numeric(18,2), at timestamp, day date, note text NOT NULL);
         INSERT INTO plain SELECT n, n / 7.0, timestamp '2020-01-01' + n * interval '1.000001 s', date '1999-12-31' + n, 'n ' || n
           FROM generate_series(1, 7000) AS n;
         CREATE TABLE two_keys (a text, b integer, v bytea, PRIMARY KEY (b, a));
         INSERT INTO two_keys SELECT 'a''' || n % 7, n, decode(md5(n::text), 'hex') FROM generate_series(1, 5000) AS n;
         CREATE TABLE no_key (v integer, w text);
         INSERT INTO no_key VALUES (1, 'x'), (1, 'x'), (2, NULL)",
    )?;
    stage.sql("UPDATE plain SET amount = amount + 1 WHERE id % 3 = 0")?;
    stage.sql("DELETE FROM plain WHERE id % 5 = 0")?;
    stage.sql("INSERT INTO plain VALUES (-1, NULL, '0044-03-15 12:00:00 BC', '0044-03-15 BC', E'tab\\tnewline\\n\\\\')")?;
    stage.sql("UPDATE two_keys SET v = NULL WHERE b < 100; INSERT INTO no_key VALUES (3, 'y')")?;
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

pub fn key_update() -> Outcome {
    let (stage, capture) = capturing("CREATE TABLE k (id integer PRIMARY KEY, v text)")?;
    stage.sql("INSERT INTO k VALUES (1, 'a')")?;
    stage.sql("UPDATE k SET id = 2 WHERE id = 1")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(operations(&topics, &stage, "public.k"), "cd-c");
    let records = topics.table(&stage, "public.k");
    let identity = |index: usize| (records[index].commit_lsn, records[index].ordinal);
    assert_eq!(identity(1), identity(2), "a tombstone has its delete's identity");
    assert_eq!(identity(3), (identity(1).0, identity(1).1 + 1), "the create is the transaction's next event");
    all_tables(&stage, &topics)
}

pub fn unchanged_toast() -> Outcome {
    let (stage, capture) = capturing(
        "CREATE TABLE big (id integer PRIMARY KEY, n integer, t text NOT NULL, b bytea);
         ALTER TABLE big ALTER t SET STORAGE EXTERNAL, ALTER b SET STORAGE EXTERNAL;
         CREATE TABLE whole (LIKE big INCLUDING ALL);
         ALTER TABLE whole REPLICA IDENTITY FULL",
    )?;
    for table in ["big", "whole"] {
        stage.sql(&format!(
            "INSERT INTO {table} VALUES (1, 0, repeat('x', 20000), decode(repeat('ab', 9000), 'hex'))"
        ))?;
        stage.sql(&format!("UPDATE {table} SET n = 1"))?;
    }
    let topics = capture.finish(&stage)?;
    let after = |table: &str, column: &str| -> Option<Value> {
        Some(field(field(topics.table(&stage, table)[1].value.as_ref()?, "after"), column).clone())
    };
    assert_eq!(after("public.big", "t"), Some(Value::String("__debezium_unavailable_value".into())));
    assert_eq!(after("public.big", "b"), Some(Value::Bytes(b"__debezium_unavailable_value".to_vec())));
    assert_eq!(
        after("public.whole", "t"),
        Some(Value::String("x".repeat(20_000))),
        "the full old row gives the value"
    );
    all_tables(&stage, &topics)
}

pub fn truncate() -> Outcome {
    let (stage, capture) = capturing(
        "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY REFERENCES a);
         INSERT INTO a VALUES (1), (2); INSERT INTO b VALUES (1)",
    )?;
    stage.sql("TRUNCATE a, b; INSERT INTO a VALUES (3)")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(
        (operations(&topics, &stage, "public.a"), operations(&topics, &stage, "public.b")),
        ("rrtc".into(), "rt".into())
    );
    assert!(topics.table(&stage, "public.b")[1].key.is_none());
    all_tables(&stage, &topics)
}

pub fn column_added_in_mid_stream() -> Outcome {
    let (stage, capture) =
        capturing("CREATE TABLE grows (id integer PRIMARY KEY, v text); INSERT INTO grows VALUES (1, 'a')")?;
    stage.sql("INSERT INTO grows VALUES (2, 'b')")?;
    stage.sql("BEGIN; INSERT INTO grows VALUES (3, 'c'); ALTER TABLE grows ADD COLUMN w numeric(10,2); INSERT INTO grows VALUES (4, 'd', 1.25); COMMIT")?;
    stage.sql("UPDATE grows SET w = 2.5 WHERE id = 1")?;
    let topics = capture.finish(&stage)?;
    let mut versions: Vec<u32> =
        topics.table(&stage, "public.grows").iter().map(|record| record.value_schema_id).collect();
    versions.dedup();
    assert_eq!(versions.len(), 2, "one new schema version: {versions:?}");
    all_tables(&stage, &topics)
}

pub fn column_loses_not_null() -> Outcome {
    let (stage, capture) = capturing("CREATE TABLE loose (id integer PRIMARY KEY, v text NOT NULL)")?;
    stage.sql("INSERT INTO loose VALUES (1, 'a')")?;
    stage.sql("ALTER TABLE loose ALTER v DROP NOT NULL; INSERT INTO loose VALUES (2, NULL)")?;
    // By the time that the row is decoded, the catalog may say NOT NULL again.
    stage.sql("UPDATE loose SET v = 'b'; ALTER TABLE loose ALTER v SET NOT NULL")?;
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

/// Checkpoints of the stream within a transaction.
pub fn partial_checkpoints(topics: &Topics) -> usize {
    let is_partial = |checkpoint: &&Value| {
        *field(checkpoint, "complete") == Value::Boolean(false)
            && *field(checkpoint, "phase") == Value::String("stream".into())
    };
    topics.checkpoints.iter().filter(is_partial).count()
}

pub fn large_transaction_is_split() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE many (id integer PRIMARY KEY, v text)")?;
    let config = stage.config() + "[commit]\nmax_events = 1000\n";
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO many SELECT n, 'v' || n FROM generate_series(1, 12500) AS n")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(partial_checkpoints(&topics), 12);
    all_tables(&stage, &topics)
}

pub fn idle_source_releases_wal() -> Outcome {
    let (stage, capture) = capturing("CREATE TABLE quiet (id integer PRIMARY KEY)")?;
    // WAL that has nothing to capture.
    stage.sql("CREATE TEMP TABLE noise (v text); CREATE UNLOGGED TABLE other (v text)")?;
    let target = stage.value("SELECT pg_switch_wal()")?.unwrap_or_default();
    let confirmed = format!(
        "SELECT confirmed_flush_lsn >= '{target}' FROM pg_replication_slots WHERE slot_name = '{}'",
        stage.name
    );
    eventually("the idle slot to move", || Ok(stage.value(&confirmed)?.as_deref() == Some("t")))?;
    capture.finish(&stage)?;
    Ok(())
}

pub fn stops_in_time() -> Outcome {
    let (stage, capture) = capturing("CREATE TABLE t (id serial PRIMARY KEY, v text)")?;
    stage.sql("INSERT INTO t (v) SELECT 'x' FROM generate_series(1, 20000)")?;
    let (status, took) = capture.terminate()?;
    assert!(status.success(), "{status}");
    assert!(took < Duration::from_secs(5), "{took:?}");
    let capture = Capture::streaming(&stage)?;
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

pub fn metrics_tell_the_ladder() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    // Free now; nobody else asks for it in the moment between.
    let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let config = format!("{}[metrics]\nlisten = \"{address}\"\n", stage.config());
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO touched VALUES (1, 0)")?;
    let get = |path: &str| -> Result<(u16, String), reqwest::Error> {
        stage.runtime.block_on(async {
            let answer = reqwest::get(format!("http://{address}/{path}")).await?;
            Ok((answer.status().as_u16(), answer.text().await?))
        })
    };
    assert_eq!((get("healthz")?.0, get("readyz")?.0), (200, 200));
    let event = "lakepulse_cdc_events_total{op=\"c\",schema=\"public\",table=\"touched\"} 1";
    let mut text = String::new();
    eventually("the event to be counted and confirmed", || {
        text = get("metrics")?.1;
        Ok(text.contains(event) && !text.contains("lakepulse_cdc_confirmed_lsn 0"))
    })?;
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(-1.0)
    };
    let ladder = ["source_head", "received", "produced", "confirmed"]
        .map(|step| value(&format!("lakepulse_cdc_{step}_lsn")));
    assert!(ladder.iter().all(|lsn| *lsn > 0.0), "{text}");
    assert!(ladder[0] >= ladder[2] && ladder[1] >= ladder[3], "{ladder:?}");
    assert!(value("lakepulse_cdc_kafka_transaction_seconds_count") >= 1.0, "{text}");
    assert!(text.contains("lakepulse_cdc_event_latency_seconds_count 1\n"), "{text}");
    let latency = value("lakepulse_cdc_event_latency_seconds_sum");
    assert!(latency > 0.0 && latency < 60.0, "{text}");
    // The key is 5 bytes of header and one of number, the value's names of the source alone are more.
    assert!(
        value("lakepulse_cdc_event_bytes_total{op=\"c\",schema=\"public\",table=\"touched\"}") > 60.0,
        "{text}"
    );
    assert!(text.contains("lakepulse_cdc_received_chunks 0\n"), "{text}");
    assert!(value("lakepulse_cdc_producer_queue_bytes") >= 0.0, "{text}");
    // Schemas of the checkpoint, of the key and of the value; the table is described once more in the stream.
    assert!(value("lakepulse_cdc_registry_requests_total{outcome=\"ok\"}") >= 3.0, "{text}");
    assert!(value("lakepulse_cdc_registry_schemas") >= 3.0, "{text}");
    let status = "lakepulse_cdc_slot_wal_status{status=\"reserved\"}";
    eventually("the slot to be looked at", || {
        text = get("metrics")?.1;
        Ok(text.contains(&format!("{status} 1")))
    })?;
    let value = |name: &str| -> f64 {
        let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        line.rsplit(' ').next().and_then(|value| value.parse().ok()).unwrap_or(f64::NAN)
    };
    assert!(value("lakepulse_cdc_slot_retained_bytes") > 0.0, "{text}");
    assert!(value("lakepulse_cdc_slot_lag_bytes") >= 0.0, "{text}");
    let limited =
        stage.value("SELECT current_setting('max_slot_wal_keep_size') <> '-1'")?.as_deref() == Some("t");
    assert_eq!(value("lakepulse_cdc_slot_safe_bytes") > 0.0, limited, "{text}");
    assert!(text.contains("lakepulse_cdc_slot_wal_status{status=\"lost\"} 0\n"), "{text}");
    capture.finish(&stage)?;
    Ok(())
}
