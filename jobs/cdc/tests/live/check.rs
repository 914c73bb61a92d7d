//! What `lakepulse-cdc check` finds.

use std::env;

use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::stage::{Result, Stage};

/// The lines of a check, and whether it ended with success.
fn check(config: &str, environment: &[(&str, &str)]) -> Result<(String, bool)> {
    let output = command(config, &["check"], environment)?;
    let text = String::from_utf8(output.stdout)?;
    if text.is_empty() {
        return Err(String::from_utf8_lossy(&output.stderr).into());
    }
    for line in text.lines() {
        let aligned = ["ok    ", "note  ", "fix   "].iter().any(|verdict| line.starts_with(verdict))
            && line.get(22..24) == Some("  ")
            && line.get(24..25).is_some_and(|first| first != " ");
        if !aligned {
            return Err(format!("not aligned: {line}").into());
        }
    }
    Ok((text, output.status.success()))
}

/// Whether a line of this verdict says all of this.
fn expect(text: &str, verdict: &str, says: &[&str]) -> Outcome {
    let found = text
        .lines()
        .any(|line| line.starts_with(&format!("{verdict} ")) && says.iter().all(|part| line.contains(part)));
    if found { Ok(()) } else { Err(format!("no {verdict} line says {says:?}:\n{text}").into()) }
}

fn only_ok(config: &str) -> Result<String> {
    let (text, success) = check(config, &[])?;
    // The event trigger is never installed unasked.
    let is_well = |line: &str| line.starts_with("ok ") || line.starts_with("note  event trigger");
    if success && text.lines().all(is_well) {
        Ok(text)
    } else {
        Err(format!("not all is well:\n{text}").into())
    }
}

pub fn good_settings() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE parts (id integer, region text, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
         CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu')",
    )?;
    let text = only_ok(&stage.config())?;
    expect(&text, "ok", &["slot", "will be created"])?;
    expect(&text, "ok", &["publication", "will be created for 2 tables"])?;
    expect(&text, "ok", &["topics", "0 there, 4 will be created"])?;
    expect(&text, "ok", &["schemas", "0 registered, 7 new"])?;
    expect(&text, "ok", &["checkpoint", "the first start reads a snapshot"])?;
    // It has made nothing of this.
    let made = format!(
        "SELECT (SELECT count(*) FROM pg_publication) + (SELECT count(*) FROM pg_replication_slots WHERE slot_name = '{}')",
        stage.name
    );
    assert_eq!(stage.value(&made)?.as_deref(), Some("0"));

    let capture = Capture::streaming(&stage)?;
    stage.catch_up()?;
    let (text, success) = check(&stage.config(), &[])?;
    assert!(success, "{text}");
    expect(&text, "note", &["slot", "so a capture runs"])?;
    capture.finish(&stage)?;
    let text = only_ok(&stage.config())?;
    expect(&text, "ok", &["slot", "stands at", "reserved"])?;
    expect(&text, "ok", &["publication", "publishes all that is asked for"])?;
    expect(&text, "ok", &["topics", "4 there, 0 will be created"])?;
    expect(&text, "ok", &["schemas", "7 registered, 0 new"])?;
    expect(&text, "ok", &["checkpoint", "the stream goes on at"])
}

/// Creates a topic with other settings than the capture would give it.
fn topic(stage: &Stage, name: &str, partitions: i32, settings: &[(&str, &str)]) -> Outcome {
    let admin: AdminClient<DefaultClientContext> =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &stage.kafka).create()?;
    let mut new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
    for (setting, value) in settings {
        new = new.set(setting, value);
    }
    let made = stage.runtime.block_on(admin.create_topics([&new], &AdminOptions::new()))?;
    match made.into_iter().next() {
        Some(Ok(_)) => Ok(()),
        other => Err(format!("topic {name}: {other:?}").into()),
    }
}

/// Registers a schema that the table's own can't follow.
pub fn other_schema(stage: &Stage, subject: &str) -> Outcome {
    let send = |method, path: String, body: &'static str| {
        stage.runtime.block_on(
            reqwest::Client::new()
                .request(method, format!("{}/{path}", stage.registry))
                .header("content-type", "application/json")
                .body(body)
                .send(),
        )
    };
    let schema = r#"{"schema": "{\"type\": \"record\", \"name\": \"Other\", \"fields\": [{\"name\": \"id\", \"type\": \"string\"}]}"}"#;
    let registered = send(reqwest::Method::POST, format!("subjects/{subject}/versions"), schema)?;
    assert!(registered.status().is_success(), "{}", registered.status());
    let rule = send(reqwest::Method::PUT, format!("config/{subject}"), r#"{"compatibility": "BACKWARD"}"#)?;
    assert!(rule.status().is_success(), "{}", rule.status());
    Ok(())
}

pub fn rights_tables_and_topics() -> Outcome {
    let stage = Stage::new()?;
    let (name, poor) = (&stage.name, format!("{}_poor", stage.name));
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE no_key (v integer); CREATE UNLOGGED TABLE noise (id integer PRIMARY KEY);
         CREATE TABLE nothing (id integer PRIMARY KEY); ALTER TABLE nothing REPLICA IDENTITY NOTHING;
         CREATE TABLE odd (id integer PRIMARY KEY, q tsquery)",
    )?;
    topic(
        &stage,
        &format!("{name}.public.touched"),
        2,
        &[("cleanup.policy", "compact"), ("max.message.bytes", "1000")],
    )?;
    topic(&stage, &format!("{name}.checkpoint"), 2, &[("cleanup.policy", "compact")])?;
    other_schema(&stage, &format!("{name}.public.touched-value"))?;
    let password = env::var("PGPASSWORD").unwrap_or_default();
    stage.sql(&format!("CREATE ROLE {poor} LOGIN PASSWORD '{password}'"))?;

    let config = stage.config().replace("user = \"postgres\"", &format!("user = \"{poor}\""))
        + "[tables.keys]\n\"public.absent\" = [\"id\"]\n\"public.odd\" = [\"missing\"]\n";
    let config = config
        .replace("[registry]\n", "[registry]\nuser = \"somebody\"\npassword_env = \"REGISTRY_SECRET\"\n");
    let found = check(&config, &[("REGISTRY_SECRET", "hidden-word")]);
    let few = check(
        &config.replace("[kafka]", "[kafka]\nreplication_factor = 3"),
        &[("REGISTRY_SECRET", "hidden-word")],
    );
    stage.sql(&format!("DROP ROLE {poor}"))?;

    let (text, success) = found?;
    assert!(!success, "{text}");
    assert!(!text.contains("hidden-word") && (password.is_empty() || !text.contains(&password)), "{text}");
    expect(&text, "ok", &["PostgreSQL", "connected"])?;
    expect(&text, "fix", &["rights", &format!("ALTER ROLE \"{poor}\" REPLICATION")])?;
    expect(&text, "fix", &["rights", "may not read", "public.no_key", "GRANT SELECT ON"])?;
    expect(&text, "fix", &["publication", "GRANT CREATE ON DATABASE"])?;
    expect(&text, "fix", &["publication", "does not own", "CREATE PUBLICATION"])?;
    expect(&text, "note", &["replica identity", "ALTER TABLE \"public\".\"no_key\" REPLICA IDENTITY FULL"])?;
    expect(&text, "note", &["replica identity", "public.nothing is nothing"])?;
    expect(&text, "note", &["tables", "public.noise (unlogged)"])?;
    expect(&text, "fix", &["table keys", "public.absent"])?;
    expect(&text, "fix", &["table keys", "public.odd lacks", "missing"])?;
    expect(&text, "fix", &["schemas", &format!("{name}.public.touched-value"), "incompatible"])?;
    expect(&text, "note", &["topics", &format!("{name}.public.touched has 2 partitions")])?;
    expect(&text, "fix", &["topics", "cleanup.policy = compact"])?;
    expect(&text, "fix", &["topics", "max.message.bytes = 1000"])?;
    expect(&text, "fix", &["checkpoint topic", "2 partitions", "cleanup.policy = compact", "retention.ms"])?;

    let (text, success) = few?;
    assert!(!success, "{text}");
    expect(&text, "fix", &["brokers", "kafka.replication_factor = 3"])
}

pub fn publication_and_slot() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE odd (id integer PRIMARY KEY, q tsquery); CREATE TABLE later (id integer PRIMARY KEY)",
    )?;
    stage.sql(&format!(
        "CREATE PUBLICATION {name} FOR TABLE touched WHERE (id < 9), odd (id, q) WITH (publish = 'insert, update')"
    ))?;
    stage.sql(&format!("SELECT pg_create_logical_replication_slot('{name}', 'pgoutput')"))?;
    let config = stage.config() + "[events]\nskip = [\"t\"]\n";
    let (text, success) = check(&config, &[])?;
    assert!(!success, "{text}");
    expect(&text, "ok", &["publication", "public.later will be added"])?;
    expect(&text, "fix", &["publication", "leaves out delete:", "SET (publish ="])?;
    expect(&text, "note", &["publication", "public.touched", "id < 9"])?;
    expect(&text, "note", &["publication", "only some columns of public.odd"])?;
    expect(&text, "note", &["column types", "public.odd.q (tsquery)", "PostgreSQL's texts"])?;
    expect(&text, "fix", &["checkpoint", "has no checkpoint of it"])?;

    let (text, success) = check(&stage.config().replace(&stage.kafka, "127.0.0.1:1"), &[])?;
    assert!(!success, "{text}");
    expect(&text, "fix", &["brokers", "cannot reach Kafka"])?;
    let (text, _) = check(&stage.config().replace(&stage.registry, "http://127.0.0.1:1"), &[])?;
    expect(&text, "fix", &["registry", "cannot reach the schema registry"])
}
