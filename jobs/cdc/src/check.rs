//! Looks at everything that a capture needs, and says what is to be done.

use std::sync::Arc;

use tokio::task::block_in_place;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::kafka::check_reachable;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::source::{self, Catalog};
use crate::transport::Replication;

/// One thing that was looked at.
#[derive(Debug)]
pub struct Finding {
    /// What was looked at.
    pub what: &'static str,
    /// What it is like, or what is wrong with it and what to do.
    pub outcome: std::result::Result<String, Error>,
}

/// Looks at the source, the registry and Kafka; changes nothing.
pub async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut note = |what, outcome| findings.push(Finding { what, outcome });
    match source::connect(&config.source).await {
        Err(error) => note("PostgreSQL", Err(error)),
        Ok(client) => {
            note("PostgreSQL", Ok(format!("connected to {}", config.source.place())));
            note("wal_level", source::check_wal_level(&client).await.map(|()| "logical".to_owned()));
            note("replication", replication(config).await);
            let client = Arc::new(client);
            let tables = Catalog::new(Arc::clone(&client), &config.rows)
                .tables(&config.tables, config.partitions)
                .await;
            note("tables", tables.map(|tables| format!("{} included", tables.len())));
            let slot = source::read_slot(&client, &config.slot, &config.source.database).await;
            note(
                "slot",
                slot.map(|slot| match slot {
                    None => format!("{} will be created", config.slot),
                    Some(slot) => format!("{} stands at {}", config.slot, slot.confirmed),
                }),
            );
        }
    }
    note("schema registry", registry(config).await);
    note(
        "Kafka",
        block_in_place(|| check_reachable(&config.kafka))
            .map(|()| format!("reached {}", config.kafka.bootstrap)),
    );
    findings
}

async fn replication(config: &Config) -> Result<String> {
    let longest = config.kafka.max_record_bytes as usize;
    let mut session = Replication::connect(&config.source, &config.slot, longest).await?;
    let identity = session.identify().await?;
    Ok(format!("system {} timeline {}", identity.system_id, identity.timeline))
}

async fn registry(config: &Config) -> Result<String> {
    Registry::new(&config.registry, false)?.ping(&Metrics::new()?).await?;
    Ok(format!("reached {}", config.registry.url))
}
