//! Removes what a capture has made.

use std::collections::BTreeMap;

use tokio::task::block_in_place;

use crate::config::Config;
use crate::error::Result;
use crate::kafka::{cluster_state, committed_checkpoint, delete_topics};
use crate::registry::Registry;
use crate::source;

/// Drops the slot and the publications; with `topics`, every topic under the prefix too, the checkpoints
/// among them, and those that the last checkpoint counts. Returns one line for each thing done.
///
/// # Errors
/// When the slot is being read from, or a server refuses.
pub async fn teardown(config: &Config, topics: bool) -> Result<Vec<String>> {
    let client = source::connect(&config.source).await?;
    let ours = if topics { ours(config).await? } else { Vec::new() };
    let mut done = Vec::new();
    if source::drop_slot(&client, &config.slot).await? {
        done.push(format!("replication slot {} dropped", config.slot));
    }
    for publication in [config.publication.clone(), config.inserts_publication()] {
        if source::drop_publication(&client, &publication).await? {
            done.push(format!("publication {publication} dropped"));
        }
    }
    if topics {
        if !ours.is_empty() {
            delete_topics(&config.kafka, &ours.iter().map(String::as_str).collect::<Vec<_>>()).await?;
        }
        done.push(format!("{} topics deleted", ours.len()));
    }
    Ok(done)
}

/// The topics that there are of this capture's: found by their prefix, or where the names of tables' topics need not have
/// it, by the counts in the last checkpoint.
async fn ours(config: &Config) -> Result<Vec<String>> {
    let cluster = block_in_place(|| cluster_state(&config.kafka))?;
    let counted = if config.topic_name.begins_with_prefix() {
        BTreeMap::new()
    } else {
        let mut registry = Registry::new(&config.registry, false)?;
        let last = committed_checkpoint(config, &cluster, &mut registry).await?;
        last.map(|last| last.counts).unwrap_or_default()
    };
    let prefix = format!("{}.", config.topic_prefix);
    let mut there: Vec<String> = cluster.topics.into_keys().collect();
    there.retain(|name| name.starts_with(&prefix) || counted.contains_key(name));
    Ok(there)
}
