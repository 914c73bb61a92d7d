//! Tables without a replica identity: no publication of ours makes PostgreSQL refuse their updates and deletes.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::stage::{Result, Stage, eventually};
use crate::topics::{Topics, field};

const OFTEN: &str = "[tables]\ndiscover_interval_s = 1\n";

fn start(stage: &Stage) -> Result<Capture> {
    let capture = Capture::streaming_with(&(stage.config() + OFTEN), &[])?;
    Ok(capture)
}

/// Operations and values of column `v`, tombstones left out.
fn told(stage: &Stage, table: &str) -> Result<Vec<(String, i32)>> {
    let topics = Topics::read(stage)?;
    let mut told = Vec::new();
    for record in topics.table(stage, table) {
        let Some(value) = &record.value else { continue };
        let row = field(value, if record.operation().as_deref() == Some("d") { "before" } else { "after" });
        if let Value::Int(v) = field(row, "v") {
            told.push((record.operation().unwrap_or_default(), *v));
        }
    }
    Ok(told)
}

fn eventually_told(stage: &Stage, capture: &Capture, table: &str, operation: &str, v: i32) -> Outcome {
    eventually("an event", || Ok(told(stage, table)?.last() == Some(&(operation.to_owned(), v))))
        .map_err(|error| format!("{error}: {:?}\n{}", told(stage, table), capture.log()).into())
}

/// Whether a publication has a table.
fn published(stage: &Stage, publication: &str, table: &str) -> Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT FROM pg_publication_tables WHERE pubname = '{publication}' AND tablename = '{table}')"
    );
    Ok(stage.value(&sql)?.as_deref() == Some("t"))
}

pub fn updates_succeed_and_are_read_again() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE before (v integer); INSERT INTO before VALUES (1);
         CREATE TABLE whole (v integer); ALTER TABLE whole REPLICA IDENTITY FULL; INSERT INTO whole VALUES (1);
         CREATE TABLE nothing (v integer PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
         CREATE TABLE deferred (v integer PRIMARY KEY DEFERRABLE)",
    )?;
    let checked = String::from_utf8(command(&stage.config(), &["check"], &[])?.stdout)?;
    assert!(
        checked.contains(&format!("{}_inserts tells the inserts of public.before", stage.name)),
        "{checked}"
    );
    let mut capture = start(&stage)?;
    stage.sql("CREATE TABLE later (v integer); INSERT INTO later VALUES (1)")?;
    for table in ["before", "nothing", "deferred"] {
        assert!(!published(&stage, &stage.name, table)?, "{table}");
        assert!(published(&stage, &format!("{}_inserts", stage.name), table)?, "{table}");
    }
    // At any moment, published or not yet.
    for table in ["before", "later", "whole"] {
        stage.sql(&format!("UPDATE {table} SET v = 2"))?;
    }
    eventually_told(&stage, &capture, "public.whole", "u", 2)?;
    for table in ["before", "later"] {
        eventually_told(&stage, &capture, &format!("public.{table}"), "r", 2)?;
    }
    stage.sql("INSERT INTO later VALUES (3); INSERT INTO nothing VALUES (3); DELETE FROM whole")?;
    eventually_told(&stage, &capture, "public.later", "c", 3)?;
    eventually_told(&stage, &capture, "public.nothing", "c", 3)?;
    stage.sql("DELETE FROM later WHERE v = 2; DELETE FROM nothing; INSERT INTO nothing VALUES (4)")?;
    eventually_told(&stage, &capture, "public.later", "r", 3)?;
    capture.wait_for("ALTER TABLE \"public\".\"later\" REPLICA IDENTITY FULL")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(
        topics.table(&stage, "public.whole").last().and_then(|last| last.op.clone()).as_deref(),
        Some("d")
    );
    let dropped = String::from_utf8(command(&stage.config(), &["drop"], &[])?.stdout)?;
    assert!(dropped.contains(&format!("publication {}_inserts dropped", stage.name)), "{dropped}");
    assert_eq!(stage.value("SELECT count(*) FROM pg_publication")?.as_deref(), Some("0"));
    Ok(())
}

pub fn identity_lost_and_gained() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE changing (v integer PRIMARY KEY); INSERT INTO changing VALUES (1)")?;
    let mut capture = start(&stage)?;
    stage.sql("UPDATE changing SET v = 2; ALTER TABLE changing DROP CONSTRAINT changing_pkey")?;
    // PostgreSQL refuses it until the next poll.
    eventually("an update without an identity", || Ok(stage.sql("UPDATE changing SET v = 3").is_ok()))
        .map_err(|error| format!("{error}\n{}", capture.log()))?;
    assert!(!published(&stage, &stage.name, "changing")?);
    eventually_told(&stage, &capture, "public.changing", "r", 3)?;
    stage.sql("INSERT INTO changing VALUES (4); ALTER TABLE changing ADD PRIMARY KEY (v); UPDATE changing SET v = 5 WHERE v = 4")?;
    capture.wait_for("the table has a replica identity")?;
    assert!(published(&stage, &stage.name, "changing")?);
    assert!(!published(&stage, &format!("{}_inserts", stage.name), "changing")?);
    stage.sql("UPDATE changing SET v = 6 WHERE v = 5; DELETE FROM changing WHERE v = 3")?;
    eventually("both rows to be read", || {
        Ok(told(&stage, "public.changing")?.contains(&("d".to_owned(), 3)))
    })?;
    capture.finish(&stage)?;
    Ok(())
}

pub fn leaf_without_an_identity() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE parts (v integer, side text) PARTITION BY LIST (side);
         CREATE TABLE parts_a PARTITION OF parts FOR VALUES IN ('a'); ALTER TABLE parts_a REPLICA IDENTITY FULL;
         CREATE TABLE parts_b PARTITION OF parts FOR VALUES IN ('b');
         INSERT INTO parts VALUES (1, 'a'), (1, 'b')",
    )?;
    let mut capture = start(&stage)?;
    assert!(published(&stage, &format!("{}_inserts", stage.name), "parts")?);
    stage.sql("UPDATE parts SET v = 2; DELETE FROM parts WHERE side = 'a'")?;
    eventually_told(&stage, &capture, "public.parts", "r", 2)?;
    stage.sql("ALTER TABLE parts_b REPLICA IDENTITY FULL")?;
    capture.wait_for("the table has a replica identity")?;
    assert!(published(&stage, &stage.name, "parts")?);
    stage.sql("UPDATE parts SET v = 3")?;
    eventually("the update", || Ok(told(&stage, "public.parts")?.contains(&("u".to_owned(), 3))))?;
    // A leaf that comes without one takes its table along, before anything is refused for long.
    stage.sql(
        "CREATE TABLE parts_c PARTITION OF parts FOR VALUES IN ('c'); INSERT INTO parts VALUES (4, 'c')",
    )?;
    eventually("an update in the new leaf", || {
        Ok(stage.sql("UPDATE parts SET v = 5 WHERE side = 'c'").is_ok())
    })?;
    eventually("the new leaf's row", || Ok(told(&stage, "public.parts")?.contains(&("r".to_owned(), 5))))?;
    capture.finish(&stage)?;
    Ok(())
}

/// A capture that began before there was a publication of inserts.
pub fn capture_from_before() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql("CREATE TABLE keyless (v integer); INSERT INTO keyless VALUES (1)")?;
    start(&stage)?.finish(&stage)?;
    stage.sql(&format!("DROP PUBLICATION {name}_inserts; ALTER PUBLICATION {name} ADD TABLE keyless"))?;
    stage.sql("INSERT INTO keyless VALUES (2); UPDATE touched SET n = n + 1")?;
    assert!(stage.sql("UPDATE keyless SET v = v").is_err());
    let mut capture = start(&stage)?;
    capture.wait_for("this session streams without it")?;
    stage.sql("UPDATE keyless SET v = 12 WHERE v = 2; INSERT INTO keyless VALUES (3)")?;
    eventually("a session with both publications", || {
        stage.sql("UPDATE touched SET n = n + 1; CHECKPOINT")?;
        Ok(capture.log().matches(" streaming ").count() == 2)
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    assert!(capture.log().contains("takes a new session"), "{}", capture.log());
    stage.sql("INSERT INTO keyless VALUES (4)")?;
    let told_now = |stage: &Stage| told(stage, "public.keyless");
    eventually("the rows that went untold", || {
        let told = told_now(&stage)?;
        Ok([("r", 1), ("r", 12), ("r", 3)].iter().all(|(op, v)| told.contains(&((*op).to_owned(), *v)))
            && told.iter().any(|(_, v)| *v == 4))
    })
    .map_err(|error| format!("{error}: {:?}\n{}", told_now(&stage), capture.log()))?;
    capture.finish(&stage)?;
    // From now on every session streams both at once.
    let capture = start(&stage)?;
    assert!(!capture.log().contains("streams without it"), "{}", capture.log());
    capture.finish(&stage)?;
    Ok(())
}

/// A user who may not publish a table's inserts captures everything else.
pub fn rights_for_the_rest() -> Outcome {
    let stage = Stage::new()?;
    let (name, poor) = (&stage.name, format!("{}_poor", stage.name));
    stage.create_touched()?;
    stage.sql("CREATE TABLE keyless (v integer); INSERT INTO keyless VALUES (1)")?;
    let password = std::env::var("PGPASSWORD").unwrap_or_default();
    stage.sql(&format!(
        "CREATE ROLE {poor} LOGIN REPLICATION PASSWORD '{password}'; GRANT SELECT ON touched, keyless TO {poor};
         CREATE PUBLICATION {name} FOR TABLE touched"
    ))?;
    let config = stage.config().replace("user = \"postgres\"", &format!("user = \"{poor}\"")) + OFTEN;
    let outcome = (|| {
        let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
        assert!(checked.contains(&format!("CREATE PUBLICATION \"{name}_inserts\"")), "{checked}");
        let capture = Capture::streaming_with(&config, &[])?;
        let log = capture.log();
        assert!(log.contains("public.keyless has no replica identity and is left out"), "{log}");
        stage.sql("UPDATE keyless SET v = 2; INSERT INTO touched VALUES (7, 7)")?;
        let topics = capture.finish(&stage)?;
        all_tables_but_keyless(&stage, &topics)
    })();
    stage.sql(&format!("DROP OWNED BY {poor}; DROP ROLE {poor}"))?;
    outcome
}

fn all_tables_but_keyless(stage: &Stage, topics: &Topics) -> Outcome {
    stage.sql("DROP TABLE keyless")?;
    all_tables(stage, topics)
}
