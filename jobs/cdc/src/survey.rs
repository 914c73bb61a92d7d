//! What is there, read without changing anything and without taking anything from an instance that works.

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::error::Result;
use crate::kafka::{ClusterState, last_checkpoint};
use crate::metrics::Metrics;
use crate::registry::Registry;

/// The last committed checkpoint; another one may follow it at any time.
pub(crate) async fn checkpoint(
    config: &Config,
    cluster: &ClusterState,
    registry: &mut Registry,
) -> Result<Option<Checkpoint>> {
    let topic = config.checkpoint_topic();
    if !cluster.topics.contains_key(&topic) {
        return Ok(None);
    }
    last_checkpoint(&config.kafka, &topic, &config.slot, registry, &Metrics::new()?).await
}
