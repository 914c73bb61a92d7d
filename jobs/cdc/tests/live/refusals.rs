//! What must not go on: one clear error line that names the object, and an exit code.

use std::time::Duration;

use rdkafka::producer::{DefaultProducerContext, Producer, ThreadedProducer};

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::stage::{Result, Stage, eventually};

fn stage_with_a_table() -> Result<Stage> {
    let stage = Stage::new()?;
    stage.create_touched()?;
    Ok(stage)
}

/// Runs with this configuration and expects a refusal that says all of this.
pub fn refused(config: &str, environment: &[(&str, &str)], says: &[&str]) -> Outcome {
    let log = Capture::start_with(config, environment)?.refusal()?;
    for text in says {
        assert!(log.contains(text), "{text:?} is missing in:\n{log}");
    }
    Ok(())
}

/// A capture that has streamed and was killed.
fn captured_once(stage: &Stage) -> Outcome {
    let capture = Capture::streaming(stage)?;
    stage.catch_up()?;
    capture.kill()?;
    let active = format!("SELECT active FROM pg_replication_slots WHERE slot_name = '{}'", stage.name);
    eventually("the slot to be free", || Ok(stage.value(&active)?.as_deref() == Some("f")))
}

pub fn wrong_password() -> Outcome {
    let stage = stage_with_a_table()?;
    // A role that doesn't exist is refused whatever pg_hba.conf asks for.
    let config = stage.config().replace("[kafka]", "[kafka]\n").replace("user = \"", "user = \"nobody_");
    refused(&config, &[("PGPASSWORD", "wrong-secret")], &["refuses", "nobody_", "PGPASSWORD"])?;
    let log = Capture::start_with(&config, &[("PGPASSWORD", "wrong-secret")])?.refusal()?;
    assert!(!log.contains("wrong-secret"), "{log}");
    Ok(())
}

pub fn unreachable_database() -> Outcome {
    let stage = stage_with_a_table()?;
    let port = stage.source.get_ports().first().copied().unwrap_or(5432);
    let config = stage.config().replace(&format!("port = {port}"), "port = 1");
    refused(&config, &[], &["cannot reach PostgreSQL", ":1/", "source.port"])
}

pub fn unreachable_broker() -> Outcome {
    let stage = stage_with_a_table()?;
    let config = stage.config().replace(&stage.kafka, "127.0.0.1:1");
    refused(&config, &[], &["cannot reach Kafka at 127.0.0.1:1", "kafka.bootstrap"])
}

pub fn slot_missing() -> Outcome {
    let stage = stage_with_a_table()?;
    captured_once(&stage)?;
    stage.sql(&format!("SELECT pg_drop_replication_slot('{}')", stage.name))?;
    refused(&stage.config(), &[], &["is missing", "events lost since", &stage.name, "lakepulse-cdc drop"])
}

pub fn slot_recreated() -> Outcome {
    let stage = stage_with_a_table()?;
    captured_once(&stage)?;
    stage.sql(&format!("SELECT pg_drop_replication_slot('{}')", stage.name))?;
    stage.sql("INSERT INTO touched VALUES (2, 2)")?;
    stage.sql(&format!("SELECT pg_create_logical_replication_slot('{}', 'pgoutput')", stage.name))?;
    refused(&stage.config(), &[], &["re-created or advanced by somebody else", &stage.name])
}

pub fn slot_invalidated() -> Outcome {
    let stage = stage_with_a_table()?;
    if let Some(other) = stage.value("SELECT slot_name FROM pg_replication_slots")? {
        return Err(format!(
            "replication slot {other} would be invalidated with this test's own: drop it, or test against another server"
        )
        .into());
    }
    captured_once(&stage)?;
    let lost =
        format!("SELECT wal_status = 'lost' FROM pg_replication_slots WHERE slot_name = '{}'", stage.name);
    stage.sql("ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'")?;
    stage.sql("SELECT pg_reload_conf()")?;
    let invalidated = eventually("the slot to be invalidated", || {
        stage.sql("SELECT pg_switch_wal()")?;
        stage.sql("INSERT INTO touched VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = 0")?;
        stage.sql("CHECKPOINT")?;
        Ok(stage.value(&lost)?.as_deref() == Some("t"))
    });
    stage.sql("ALTER SYSTEM RESET max_slot_wal_keep_size")?;
    stage.sql("SELECT pg_reload_conf()")?;
    invalidated?;
    refused(&stage.config(), &[], &["is invalidated", "max_slot_wal_keep_size", &stage.name])
}

/// A snapshot that goes on needs a slot beside its own.
pub fn no_slot_is_free_for_the_snapshot() -> Outcome {
    let stage = stage_with_a_table()?;
    stage.sql(
        "CREATE TABLE many (id integer PRIMARY KEY); INSERT INTO many SELECT generate_series(1, 200000)",
    )?;
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 200\nconnections = 1");
    let debug = [("LAKEPULSE_LOG", "debug,rdkafka=off,hyper=off,reqwest=off,tokio_postgres=off")];
    let capture = Capture::start_with(&config, &debug)?;
    eventually("a part of the snapshot", || {
        Ok(capture.log().matches("Kafka transaction committed").count() >= 5)
    })?;
    capture.kill()?;
    let others = format!("{}_other", stage.name);
    let busy = format!(
        "SELECT active FROM pg_replication_slots WHERE active OR slot_name = '{}_snapshot' LIMIT 1",
        stage.name
    );
    eventually("the sessions to end", || Ok(stage.value(&busy)?.is_none()))?;
    stage.sql(&format!(
        "SELECT pg_create_physical_replication_slot('{others}' || i)
           FROM generate_series((SELECT count(*) FROM pg_replication_slots) + 1, current_setting('max_replication_slots')::int) i"
    ))?;
    let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
    let outcome = refused(&config, &[], &["has no slot or WAL sender free: raise max_replication_slots"]);
    stage.sql(&format!(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE '{others}%'"
    ))?;
    outcome?;
    assert!(checked.contains("it needs a temporary slot, and all"), "{checked}");
    let topics = Capture::streaming_with(&config, &[])?.finish(&stage)?;
    all_tables(&stage, &topics)
}

pub fn slot_busy() -> Outcome {
    let stage = stage_with_a_table()?;
    let first = Capture::streaming(&stage)?;
    refused(&stage.config(), &[], &["is read by another session", "pg_terminate_backend", &stage.name])?;
    // The first one was not disturbed.
    stage.catch_up()?;
    assert!(first.terminate()?.0.success());
    Ok(())
}

pub fn fenced_by_another_instance() -> Outcome {
    let stage = stage_with_a_table()?;
    let capture = Capture::streaming(&stage)?;
    // Another producer of the same slot, as a second instance would open it.
    let usurper: ThreadedProducer<DefaultProducerContext> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &stage.kafka)
        .set("transactional.id", format!("lakepulse-cdc-{}", stage.name))
        .create()?;
    usurper.init_transactions(Duration::from_secs(30))?;
    stage.sql("INSERT INTO touched VALUES (1, 0)")?;
    let log = capture.refusal()?;
    assert!(log.contains("another instance with the same slot has taken over"), "{log}");
    Ok(())
}

pub fn record_too_large() -> Outcome {
    let stage = stage_with_a_table()?;
    stage.sql("CREATE TABLE wide (id integer PRIMARY KEY, v text)")?;
    let config = stage.config().replace(
        "[registry]",
        "max_record_bytes = 1000000\n[events]\non_encoding_error = \"stop\"\n[registry]",
    );
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO wide VALUES (1, repeat('x', 1200000))")?;
    let log = capture.refusal()?;
    assert!(log.contains("kafka.max_record_bytes") && log.contains(".public.wide"), "{log}");
    Ok(())
}

/// Tables that came later are added, unless the publication is somebody else's.
pub fn publication_lacks_a_table() -> Outcome {
    let stage = stage_with_a_table()?;
    captured_once(&stage)?;
    stage.sql("CREATE TABLE later (id integer PRIMARY KEY)")?;
    let (reader, password) =
        (format!("{}_reader", stage.name), std::env::var("PGPASSWORD").unwrap_or_default());
    stage.sql(&format!(
        "CREATE ROLE {reader} LOGIN REPLICATION PASSWORD '{password}'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"
    ))?;
    let user = stage.source.get_user().unwrap_or("postgres");
    let config = stage.config().replace(&format!("user = \"{user}\""), &format!("user = \"{reader}\""));
    let outcome = refused(&config, &[], &["ALTER PUBLICATION", "\"later\"", "may not"]);
    let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
    assert!(checked.contains("ADD TABLE \"public\".\"later\""), "{checked}");
    stage.sql(&format!("DROP OWNED BY {reader}; DROP ROLE {reader}"))?;
    outcome
}
