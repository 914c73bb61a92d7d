//! Removes what a capture has made.

use tokio::task::block_in_place;

use crate::config::Config;
use crate::error::Result;
use crate::kafka::{delete_topics, survey};
use crate::source;

/// Drops the slot and the publication; with `topics`, every topic under the prefix too, the checkpoints
/// among them. Returns one line for each thing done.
///
/// # Errors
/// When the slot is being read from, or a server refuses.
pub async fn remove(config: &Config, topics: bool) -> Result<Vec<String>> {
    let client = source::connect(&config.source).await?;
    let mut done = Vec::new();
    if source::drop_slot(&client, &config.slot).await? {
        done.push(format!("replication slot {} dropped", config.slot));
    }
    source::drop_publication(&client, &config.publication).await?;
    done.push(format!("publication {} dropped", config.publication));
    if topics {
        let prefix = format!("{}.", config.topic_prefix);
        let there = block_in_place(|| survey(&config.kafka))?.topics;
        let ours: Vec<&str> =
            there.keys().map(String::as_str).filter(|name| name.starts_with(&prefix)).collect();
        if !ours.is_empty() {
            delete_topics(&config.kafka, &ours).await?;
        }
        done.push(format!("{} topics deleted", ours.len()));
    }
    Ok(done)
}
