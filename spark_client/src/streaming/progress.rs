//! What a batch of a streaming query did.

use crate::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One batch of a streaming query, from Spark's JSON.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct StreamingQueryProgress {
    /// The query's id.
    pub id: String,
    /// The id of this run.
    pub run_id: String,
    /// The query's name.
    pub name: Option<String>,
    /// When the batch began, ISO 8601 in UTC.
    pub timestamp: String,
    /// The batch's number, from 0.
    pub batch_id: i64,
    /// How long the batch took, in milliseconds.
    #[serde(default)]
    pub batch_duration: i64,
    /// Milliseconds of each phase, for example `addBatch`, `triggerExecution`.
    #[serde(default)]
    pub duration_ms: BTreeMap<String, i64>,
    /// Rows read.
    #[serde(default)]
    pub num_input_rows: i64,
    /// Rows that came a second. Spark leaves it out when it cannot be told.
    #[serde(default)]
    pub input_rows_per_second: Option<f64>,
    /// Rows processed a second. Spark leaves it out when it cannot be told.
    #[serde(default)]
    pub processed_rows_per_second: Option<f64>,
    /// Each source.
    #[serde(default)]
    pub sources: Vec<SourceProgress>,
    /// All that Spark says, also what has no field here.
    #[serde(skip)]
    pub json: Value,
}

/// What a batch read from a source. Offsets are the source's own JSON: for Kafka, topic to partition to
/// offset.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SourceProgress {
    /// The source, in words.
    pub description: String,
    /// Where the batch began.
    #[serde(default)]
    pub start_offset: Value,
    /// Where the batch ended.
    #[serde(default)]
    pub end_offset: Value,
    /// How far the source was.
    #[serde(default)]
    pub latest_offset: Value,
    /// Rows read from it.
    #[serde(default)]
    pub num_input_rows: i64,
    /// The source's own figures, for example Kafka's `maxOffsetsBehindLatest`.
    #[serde(default)]
    pub metrics: BTreeMap<String, String>,
}

impl StreamingQueryProgress {
    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = |e: serde_json::Error| {
            Error::new(ErrorKind::Protocol, "a streaming query's progress cannot be read").with_source(e)
        };
        let json: Value = serde_json::from_str(text).map_err(unreadable)?;
        let progress = Self::deserialize(&json).map_err(unreadable)?;
        Ok(Self { json, ..progress })
    }
}
