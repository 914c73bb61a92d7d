//! The registry away or unwilling.

use crate::Outcome;
use crate::capture::Capture;
use crate::compare::all_tables;
use crate::proxy::Proxy;
use crate::stage::Stage;

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
    let mut capture = Capture::start_with(&stage.config().replace(&stage.registry, &through), &[])?;
    capture.wait_for("streaming")?;
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

pub fn incompatible_schema() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL)")?;
    let mut capture = Capture::start(&stage)?;
    capture.wait_for("streaming")?;
    let url = format!("{}/config/{}.public.t-value", stage.registry, stage.name);
    let answer = stage.runtime.block_on(async {
        let body = r#"{"compatibility": "BACKWARD"}"#;
        reqwest::Client::new().put(url).header("content-type", "application/json").body(body).send().await
    })?;
    assert!(answer.status().is_success(), "{}", answer.status());
    stage
        .sql("INSERT INTO t VALUES (1, 1); ALTER TABLE t ALTER v TYPE text; INSERT INTO t VALUES (2, 'b')")?;
    let log = capture.refusal()?;
    assert!(log.contains("incompatible") && log.contains(".public.t-value"), "{log}");
    Ok(())
}
