//! A record of the checkpoint topic, as far as silver needs it.

use std::collections::BTreeMap;

use serde::Deserialize;

/// What is out in Kafka, as of one Kafka transaction.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Checkpoint {
    /// Everything at or below it is out, if `complete`.
    pub commit_lsn: i64,
    pub complete: bool,
    /// When the source committed the last transaction in it, in microseconds since 1970.
    pub committed_at_us: i64,
    /// Topic to number of events since the slot began, of the topics that were touched or of all.
    pub counts: BTreeMap<String, i64>,
    /// How many records the relation topic has.
    #[serde(default)]
    pub relations: i64,
    /// Tables whose events are dead letters, and why.
    #[serde(default)]
    pub isolated: BTreeMap<String, Isolated>,
}

/// Why and since when a table's events are dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Isolated {
    pub reason: String,
    pub commit_lsn: i64,
    pub ordinal: i64,
}
