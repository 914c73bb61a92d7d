//! The parts of the pipeline that run all the time: capture, bronze and silver, as the binaries of this workspace.

use std::time::Duration;

use crate::error::Result;
use crate::layout::Layout;
use crate::service::{Program, Readiness, Service};

fn binary(layout: &Layout, name: &str, arguments: &[&str]) -> Program {
    let mut command = vec![layout.binaries().join(name).display().to_string()];
    command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
    Program { command, env: layout.endpoints(), account: None, folder: layout.settings.root.clone() }
}

fn service(
    layout: &Layout,
    name: &'static str,
    needs: &'static [&'static str],
    program: Program,
    metrics: &'static str,
) -> Result<Service> {
    let port = layout.settings.port(metrics)?;
    let mut service = Service::new(name, needs, program);
    service.ports = vec![(metrics, port)];
    service.readiness =
        Readiness::Http { url: format!("http://{}:{port}/healthz", layout.host()), contains: "" };
    service.stop_limit = Duration::from_secs(20);
    Ok(service)
}

pub(super) fn capture(layout: &Layout) -> Result<Service> {
    let conf = layout.render("cdc", None)?.join("cdc.toml").display().to_string();
    let program = binary(layout, "lakepulse-cdc", &["run", "--config", &conf]);
    service(layout, "capture", &["postgres", "kafka", "registry"], program, "CAPTURE_METRICS_PORT")
}

pub(super) fn bronze(layout: &Layout) -> Result<Service> {
    let program = binary(layout, "lakepulse-bronze", &["run"]);
    service(layout, "bronze", &["capture", "spark-connect"], program, "BRONZE_METRICS_PORT")
}

pub(super) fn silver(layout: &Layout) -> Result<Service> {
    let program = binary(layout, "lakepulse-silver", &["run"]);
    service(layout, "silver", &["bronze"], program, "SILVER_METRICS_PORT")
}
