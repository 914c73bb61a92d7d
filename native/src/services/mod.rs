//! The servers of the stack, one file each, and which of them a profile holds.

mod kafka;
mod metastore;
mod object_store;
mod pipeline;
mod postgres;
mod registry;
mod spark;
mod trino;

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::service::Service;

/// Profiles by name: what `lakepulse-stack up <profile>` starts, beside what that needs.
const PROFILES: &[(&str, &[&str])] = &[
    ("source", &["postgres"]),
    ("ingest", &["postgres", "kafka", "registry"]),
    ("lake", &["object-store", "metastore", "spark-connect"]),
    ("sql", &["trino"]),
    ("servers", &["postgres", "kafka", "registry", "spark-connect", "trino"]),
    ("all", &["postgres", "kafka", "registry", "spark-connect", "trino", "capture", "bronze", "silver"]),
];

/// Every service of the stack, needed ones before those that need them.
pub(crate) fn all(layout: &Layout) -> Result<Vec<Service>> {
    Ok(vec![
        postgres::service(layout)?,
        kafka::service(layout)?,
        registry::service(layout)?,
        object_store::service(layout)?,
        metastore::service(layout)?,
        spark::master(layout)?,
        spark::worker(layout)?,
        spark::connect(layout)?,
        trino::service(layout)?,
        pipeline::capture(layout)?,
        pipeline::bronze(layout)?,
        pipeline::silver(layout)?,
    ])
}

/// The services that the given profiles and service names stand for, with all that they need.
pub(crate) fn select(services: &[Service], names: &[String]) -> Result<Vec<&'static str>> {
    let mut wanted: Vec<&str> = Vec::new();
    for name in names {
        match PROFILES.iter().find(|(profile, _)| profile == name) {
            Some((_, members)) => wanted.extend(*members),
            None => wanted.push(name),
        }
    }
    let mut selected = Vec::new();
    while let Some(name) = wanted.pop() {
        let service = services.iter().find(|service| service.name == name).ok_or_else(|| {
            let profiles: Vec<&str> = PROFILES.iter().map(|(profile, _)| *profile).collect();
            let known: Vec<&str> = services.iter().map(|service| service.name).collect();
            Error::new(format!(
                "{name} is neither a profile ({}) nor a service ({})",
                profiles.join(", "),
                known.join(", ")
            ))
        })?;
        if !selected.contains(&service.name) {
            selected.push(service.name);
            wanted.extend(service.needs);
        }
    }
    Ok(selected)
}
