//! What is wrong is said in one line that names it, with a non-zero exit code.

use super::Outcome;
use super::pipeline::Pipeline;

fn check(mut command: std::process::Command, expected: &[&str]) -> Outcome {
    let output = command.output()?;
    let printed = String::from_utf8_lossy(&output.stderr).into_owned();
    let line = printed.lines().find(|line| line.starts_with("error: ")).unwrap_or_default();
    if output.status.success() {
        return Err("it succeeded".into());
    }
    for text in expected {
        if !line.contains(text) {
            return Err(format!("the error does not name {text}:\n{printed}").into());
        }
    }
    Ok(())
}

pub fn bucket_missing(pipeline: &Pipeline) -> Outcome {
    let mut command = pipeline.command("lakepulse-bronze", &["run", "--metrics-listen", "127.0.0.1:0"]);
    command.env("LAKEPULSE_STATE", "s3a://no-such-bucket/state").env("LAKEPULSE_DATABASE_PREFIX", "lost_");
    check(command, &["no-such-bucket"])
}

pub fn spark_unreachable(pipeline: &Pipeline) -> Outcome {
    let mut command = pipeline.command("lakepulse-silver", &["once"]);
    command.env("SPARK_REMOTE", "sc://127.0.0.1:1");
    check(command, &["SPARK_REMOTE"])
}

pub fn contracts_missing(pipeline: &Pipeline) -> Outcome {
    let mut command = pipeline.command("lakepulse-silver", &["once"]);
    command.env("LAKEPULSE_CONTRACTS", "/nowhere");
    check(command, &["/nowhere"])
}
