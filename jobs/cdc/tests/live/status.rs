//! What `lakepulse-cdc status` and `run --dry-run` say, and that they change nothing.

use serde_json::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::stage::{Result, Stage, eventually};

/// What a subcommand printed, when it ended with success.
fn printed(config: &str, arguments: &[&str]) -> Result<String> {
    let output = command(config, arguments, &[])?;
    let text = String::from_utf8(output.stdout)?;
    if output.status.success() {
        Ok(text)
    } else {
        Err(format!(
            "{arguments:?} ended with {}:\n{text}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        )
        .into())
    }
}

pub fn of_a_running_capture() -> Outcome {
    let stage = Stage::new()?;
    let topic = format!("{}.public.touched", stage.name);
    stage.create_touched()?;
    let text = printed(&stage.config(), &["status"])?;
    assert!(text.contains(&format!("slot        {} is not there", stage.name)), "{text}");
    assert!(text.contains("checkpoint  there is none"), "{text}");

    let capture = Capture::streaming(&stage)?;
    stage.sql("INSERT INTO touched VALUES (7, 0), (8, 0)")?;
    let mut status = Value::Null;
    eventually("both events to be counted", || {
        status = serde_json::from_str(&printed(&stage.config(), &["status", "--json"])?)?;
        Ok(status["checkpoint"]["events"][&topic] == 2)
    })?;
    assert_eq!(status["slot"]["wal_status"], "reserved", "{status}");
    assert!(status["slot"]["active_pid"].as_i64() > Some(0), "{status}");
    assert!(status["slot"]["retained_bytes"].as_i64() > Some(0), "{status}");
    assert_eq!(status["checkpoint"]["phase"], "stream", "{status}");
    assert_eq!(status["checkpoint"]["complete"], true, "{status}");
    let seconds = status["checkpoint"]["seconds_since_commit"].as_f64();
    assert!(seconds.is_some_and(|seconds| (0.0..120.0).contains(&seconds)), "{status}");
    assert_eq!(status["errors"], Value::Array(Vec::new()), "{status}");
    let text = printed(&stage.config(), &["status"])?;
    assert!(
        text.contains(&format!("events      {topic}  2")) && text.contains("read by PostgreSQL pid"),
        "{text}"
    );

    // It was not fenced.
    stage.sql("INSERT INTO touched VALUES (9, 0)")?;
    capture.finish(&stage)?;
    let output = command(&stage.config().replace(&stage.kafka, "127.0.0.1:1"), &["status"], &[])?;
    let text = String::from_utf8(output.stdout)?;
    assert!(!output.status.success() && text.contains("error       cannot reach Kafka"), "{text}");
    assert!(text.contains("nobody reads from it"), "{text}");
    Ok(())
}

/// Names of topics and subjects under the stage's prefix, and the number of slots and publications.
fn made(stage: &Stage) -> Result<(Vec<String>, Vec<String>, Option<String>)> {
    let ours = |name: &str| name.starts_with(&format!("{}.", stage.name));
    let mut topics = stage.topics()?;
    topics.retain(|name| ours(name));
    topics.sort_unstable();
    let url = format!("{}/subjects", stage.registry);
    let subjects: Vec<String> = stage.runtime.block_on(async { reqwest::get(&url).await?.json().await })?;
    let counts = stage.value(&format!(
        "SELECT (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}') + (SELECT count(*) FROM pg_publication)",
        stage.name
    ))?;
    Ok((topics, subjects.into_iter().filter(|subject| ours(subject)).collect(), counts))
}

pub fn dry_run_changes_nothing() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE many (id integer PRIMARY KEY); INSERT INTO many SELECT generate_series(1, 500); ANALYZE many",
    )?;
    let config = stage.config() + "[events]\ntransactions = true\n";
    let plan = printed(&config, &["run", "--dry-run"])?;
    for line in [
        format!(
            "create publication {name} (publish_via_partition_root = true) for 2 tables: public.many, public.touched\n\
             create publication {name}_inserts (publish = 'insert, truncate')\n"
        ),
        format!(
            "create topics: {name}.checkpoint, {name}.public.many, {name}.public.touched, {name}.relation, {name}.transaction, {name}.dead_letter\n"
        ),
        format!(
            "register schemas under: {name}.checkpoint-value, {name}.public.many-value, {name}.public.many-key, "
        ),
        format!("create replication slot {name}\n"),
        "read a snapshot of 2 tables, about 500 rows: public.many (500), public.touched (never analyzed)\n"
            .to_owned(),
    ] {
        assert!(plan.contains(&line), "{line} is missing in:\n{plan}");
    }
    assert_eq!(made(&stage)?, (Vec::new(), Vec::new(), Some("0".to_owned())));

    let capture = Capture::streaming(&stage)?;
    let busy = command(&stage.config(), &["run", "--dry-run"], &[])?;
    assert!(
        !busy.status.success()
            && String::from_utf8_lossy(&busy.stderr).contains("is read by another session")
    );
    capture.finish(&stage)?;
    let before = made(&stage)?;
    let plan = printed(&stage.config(), &["run", "--dry-run"])?;
    assert!(plan.contains("go on with the stream at ") && plan.contains("create topics: none"), "{plan}");
    assert_eq!(made(&stage)?, before);
    stage.sql("CREATE TABLE later (id integer PRIMARY KEY)")?;
    let before = made(&stage)?;
    let plan = printed(&stage.config(), &["run", "--dry-run"])?;
    assert!(plan.contains("add to publication") && plan.contains("public.later"), "{plan}");
    assert_eq!(made(&stage)?, before);
    Ok(())
}
