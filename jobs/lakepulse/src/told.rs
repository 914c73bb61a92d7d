//! What capture has told of the source's tables.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use clap::Args;
use lakepulse_medallion::changes::Cut;
use lakepulse_medallion::control::{Control, SourceTable};
use lakepulse_medallion::{KafkaOptions, Lake, Registry, RegistryAddress};

use crate::error::{Doing, Result};
use crate::scrape::Scrape;

/// Kafka and the Schema Registry, where relation records are.
#[derive(Debug, Clone, Args)]
pub struct ToldAddress {
    #[command(flatten)]
    control: KafkaOptions,
    #[command(flatten)]
    registry: RegistryAddress,
    /// Where silver serves its metrics, to ask it for a merge round instead of waiting for the next one
    #[arg(long = "silver", env = "LAKEPULSE_SILVER_METRICS")]
    silver: Option<String>,
}

/// What was told up to a checkpoint.
pub(crate) struct Told {
    /// By topic.
    pub(crate) tables: BTreeMap<String, SourceTable>,
    /// Whether the checkpoint counts no event that the cut does not.
    pub(crate) is_at_rest: bool,
}

impl ToldAddress {
    /// These addresses.
    pub fn new(kafka: String, registry: String, silver: String) -> Self {
        Self {
            control: KafkaOptions { kafka, kafka_client_options: Vec::new(), kafka_options: Vec::new() },
            registry: RegistryAddress { url: registry },
            silver: Some(silver),
        }
    }

    /// Asks silver for a merge round.
    pub(crate) async fn ask_to_merge(&self) {
        if let Some(silver) = &self.silver {
            Scrape::ask_to_merge(silver).await;
        }
    }

    /// All that was told up to the first complete checkpoints at an LSN or above it; none when there is no such checkpoint in `patience`.
    /// `cut` is one that was published.
    pub(crate) async fn read(
        &self,
        lake: &Lake,
        cut: &Cut,
        lsn: i64,
        patience: Duration,
    ) -> Result<Option<Told>> {
        let failed = || "reading what capture has told of the tables";
        let registry = Registry::new(&self.registry).doing(failed())?;
        // The cut's own checkpoint too, since it says how many relation records there were.
        let before = cut.offset.and_then(|offset| offset.checked_sub(1)).filter(|offset| *offset >= 0);
        let mut control = Control::open(&self.control, lake, registry, before).await.doing(failed())?;
        let started = Instant::now();
        let mut at = cut.clone();
        while started.elapsed() <= patience {
            control.advance(Duration::from_millis(500)).await.doing(failed())?;
            let Some(next) = at.next(control.pending(), i64::MAX) else { continue };
            at = next;
            if at.commit_lsn >= lsn {
                let is_at_rest = at.events_since(cut, lake).is_empty();
                return Ok(Some(Told { tables: BTreeMap::clone(control.tables()), is_at_rest }));
            }
            if let Some(offset) = at.offset {
                control.passed(offset);
            }
        }
        Ok(None)
    }
}
