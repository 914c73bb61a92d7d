//! What identifies a row: keys stored out of line, of tables that are gone, and keys that two rows have for a moment.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, capturing_with};
use crate::compare::all_tables;
use crate::kills::{DEBUG, commits};
use crate::stage::eventually;
use crate::topics::{Record, Topics, field};

fn operations(records: &[&Record]) -> String {
    records.iter().map(|record| record.operation().unwrap_or_else(|| "-".into())).collect()
}

pub fn stored_out_of_line() -> Outcome {
    let (stage, capture) = capturing_with(
        "CREATE TABLE links (url text PRIMARY KEY, n integer); ALTER TABLE links ALTER url SET STORAGE EXTERNAL;
         CREATE TABLE whole (url text PRIMARY KEY, n integer); ALTER TABLE whole ALTER url SET STORAGE EXTERNAL;
         ALTER TABLE whole REPLICA IDENTITY FULL;
         INSERT INTO links VALUES ('u' || repeat('a', 2300), 0)",
        "",
    )?;
    stage.sql(
        "INSERT INTO links VALUES ('v' || repeat('a', 2300), 0); INSERT INTO whole SELECT * FROM links;
         UPDATE links SET n = 1; UPDATE whole SET n = 1; UPDATE links SET url = url || 'x' WHERE url LIKE 'v%'; DELETE FROM whole",
    )?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.links");
    assert_eq!(operations(&records), "rcuud-c");
    let keys: Vec<String> = records.iter().map(|record| format!("{:?}", record.key)).collect();
    assert!(keys[0] == keys[2] && keys[1] == keys[3] && keys[3] == keys[4], "{keys:?}");
    assert_eq!(operations(&topics.table(&stage, "public.whole")), "ccuud-d-");
    all_tables(&stage, &topics)
}

/// The events of tables that were dropped or changed while the capture was stopped have the keys that they had.
pub fn of_tables_that_are_gone() -> Outcome {
    let (stage, capture) = capturing_with(
        "CREATE TABLE gone (id integer PRIMARY KEY, v text); INSERT INTO gone VALUES (0, 'z');
         CREATE TABLE pair (b integer, a integer, v text, PRIMARY KEY (a, b));
         CREATE TABLE renamed (id integer PRIMARY KEY, v text)",
        "",
    )?;
    capture.finish(&stage)?;
    stage.sql(
        "INSERT INTO gone VALUES (1, 'a'), (2, 'b'); DELETE FROM gone WHERE id = 1; DROP TABLE gone;
         INSERT INTO pair VALUES (1, 2, 'x'); ALTER TABLE pair DROP CONSTRAINT pair_pkey, ADD PRIMARY KEY (b);
         INSERT INTO renamed VALUES (1, 'a'), (2, 'b'); DELETE FROM renamed WHERE id = 1; ALTER TABLE renamed RENAME id TO k;
         UPDATE renamed SET v = 'c' WHERE k = 2",
    )?;
    let capture = Capture::streaming(&stage)?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.gone");
    assert_eq!(operations(&records), "rccd-");
    let key = |record: &Record, name: &str| record.key.as_ref().map(|key| field(key, name).clone());
    assert!(records.iter().all(|record| matches!(key(record, "id"), Some(Value::Int(_)))), "{records:?}");
    let pair = topics.table(&stage, "public.pair");
    assert_eq!((key(pair[0], "a"), key(pair[0], "b")), (Some(Value::Int(2)), Some(Value::Int(1))));
    let renamed = topics.table(&stage, "public.renamed");
    assert_eq!(operations(&renamed), "ccd-u");
    assert_eq!((key(renamed[0], "id"), key(renamed[4], "k")), (Some(Value::Int(1)), Some(Value::Int(2))));
    Ok(())
}

/// Whatever keys meet within a transaction, its events lead to the source's rows, on their own and split over Kafka
/// transactions, with and without the metadata of transactions.
pub fn that_meet_within_a_transaction() -> Outcome {
    for more in ["", "[events]\ntransactions = true\n[commit]\nmax_events = 2\n"] {
        let (stage, capture) = capturing_with(
            "CREATE TABLE swapped (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
             ALTER TABLE swapped REPLICA IDENTITY FULL;
             CREATE TABLE own (LIKE swapped); ALTER TABLE own REPLICA IDENTITY FULL;
             INSERT INTO swapped VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd'); INSERT INTO own TABLE swapped",
            &format!("{more}[tables.keys]\n\"public.own\" = [\"id\"]\n"),
        )?;
        for table in ["swapped", "own"] {
            let sql = "UPDATE t SET id = 3 - id WHERE id < 3;
                UPDATE t SET id = id % 3 + 1 WHERE id < 4;
                BEGIN; UPDATE t SET id = 2 WHERE id = 1; UPDATE t SET v = v || '!' WHERE id = 2; DELETE FROM t WHERE id = 2 AND v LIKE 'b%';
                INSERT INTO t VALUES (1, 'new'), (9, 'nine'); UPDATE t SET id = 10 WHERE id = 9; DELETE FROM t WHERE id = 10;
                DELETE FROM t a USING t b WHERE a.id = b.id AND a.v < b.v; COMMIT;
                BEGIN; INSERT INTO t VALUES (20, 'x'); TRUNCATE t; INSERT INTO t SELECT n, 'r' || n FROM generate_series(1, 40) AS n; COMMIT;
                UPDATE t SET id = 41 - id;
                UPDATE t SET id = 100 WHERE id = 5";
            stage.sql(
                &sql.replace("t SET", &format!("{table} SET"))
                    .replace(" t ", &format!(" {table} "))
                    .replace("TRUNCATE t", &format!("TRUNCATE {table}")),
            )?;
        }
        let topics = capture.finish(&stage)?;
        all_tables(&stage, &topics)?;
        all_transactions_told(&topics);
    }
    Ok(())
}

/// The ends of transactions count as many events as there are.
fn all_transactions_told(topics: &Topics) {
    let mut told: Vec<(u64, i64)> = Vec::new();
    for record in &topics.beside {
        let Some(value) = &record.value else { continue };
        if *field(value, "status") == Value::String("END".into())
            && let Value::Long(events) = field(value, "event_count")
        {
            told.push((record.commit_lsn, *events));
        }
    }
    for (lsn, events) in told {
        let there = topics.records.iter().filter(|record| record.commit_lsn == lsn && record.value.is_some());
        assert_eq!(there.count() as i64, events, "the transaction at {lsn}");
    }
}

/// A capture that is killed within a transaction whose keys meet goes on where it was.
pub fn that_meet_while_it_is_killed() -> Outcome {
    let (stage, capture) = capturing_with(
        "CREATE TABLE swapped (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
         ALTER TABLE swapped REPLICA IDENTITY FULL;
         INSERT INTO swapped SELECT n, 'v' || n FROM generate_series(1, 20000) AS n",
        "",
    )?;
    capture.kill()?;
    let config = stage.config() + "[commit]\nmax_events = 50\n";
    let mut capture = Capture::streaming_with(&config, &DEBUG)?;
    for _ in 0..3 {
        let before = commits(&capture);
        stage.sql("UPDATE swapped SET id = 20001 - id, v = v || id")?;
        eventually("a part of it", || Ok(commits(&capture) > before + 1))?;
        capture.kill()?;
        capture = Capture::streaming_with(&config, &DEBUG)?;
    }
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

/// More rows than may wait are told in the log's order, and the table is read again.
pub fn that_meet_in_more_rows_than_may_wait() -> Outcome {
    let (stage, mut capture) = capturing_with(
        "CREATE TABLE swapped (id integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text);
         ALTER TABLE swapped REPLICA IDENTITY FULL;
         INSERT INTO swapped SELECT n, 'v' || n FROM generate_series(1, 5000) AS n",
        "",
    )?;
    capture.kill()?;
    let config = stage.config().replace("[registry]", "queue_kbytes = 512\n[registry]");
    capture = Capture::streaming_with(&config, &[])?;
    stage.sql("UPDATE swapped SET id = 5001 - id")?;
    capture.wait_for("the incremental snapshot is out")?;
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}
