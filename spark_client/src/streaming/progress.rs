//! What a batch of a streaming query did.

use crate::{Error, ErrorKind};
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// One batch of a streaming query, from Spark's JSON.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// if let Some(batch) = query.last_progress().await? {
///     println!("batch {}: {} ms", batch.batch_id, batch.batch_duration);
/// }
/// # Ok(()) }
/// ```
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
    /// Each source.
    #[serde(default)]
    pub sources: Vec<SourceProgress>,
    /// The sink.
    #[serde(default)]
    pub sink: SinkProgress,
    /// All that Spark says, also what has no field here.
    #[serde(skip)]
    pub json: Value,
}

/// What a batch read from a source. Offsets are the source's own JSON: for Kafka, topic to partition to
/// offset.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// for source in query.last_progress().await?.into_iter().flat_map(|batch| batch.sources) {
///     println!("{}: {} rows, up to {}", source.description, source.num_input_rows, source.end_offset);
/// }
/// # Ok(()) }
/// ```
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
    /// Rows that came a second, 0 when it cannot be told.
    #[serde(default)]
    pub input_rows_per_second: f64,
    /// Rows processed a second, 0 when it cannot be told.
    #[serde(default)]
    pub processed_rows_per_second: f64,
    /// The source's own figures, for example Kafka's `maxOffsetsBehindLatest`.
    #[serde(default)]
    pub metrics: BTreeMap<String, String>,
}

/// What a batch wrote.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// if let Some(batch) = query.last_progress().await? {
///     println!("into {}", batch.sink.description);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct SinkProgress {
    /// The sink, in words.
    pub description: String,
    /// Rows written, if the sink counts them: -1 or `None` if not.
    #[serde(default)]
    pub num_output_rows: Option<i64>,
}

impl StreamingQueryProgress {
    /// Rows read from all sources.
    pub fn num_input_rows(&self) -> i64 {
        self.sources.iter().map(|source| source.num_input_rows).sum()
    }

    pub(super) fn parse(text: &str) -> Result<Self, Error> {
        let unreadable = |e: serde_json::Error| {
            Error::new(ErrorKind::Protocol, "a streaming query's progress cannot be read").with_source(e)
        };
        let json: Value = serde_json::from_str(text).map_err(unreadable)?;
        let progress = Self::deserialize(&json).map_err(unreadable)?;
        Ok(Self { json, ..progress })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_of_spark_is_read() {
        let text = r#"{"id": "i", "runId": "r", "name": null, "timestamp": "2026-11-23T15:35:59.200Z",
            "batchId": 1, "batchDuration": 424, "durationMs": {"addBatch": 259}, "stateOperators": [],
            "sources": [
                {"description": "Kafka", "startOffset": null, "endOffset": {"t": {"0": 7}},
                 "latestOffset": {"t": {"0": 7}}, "numInputRows": 50, "inputRowsPerSecond": 250.0,
                 "processedRowsPerSecond": 117.9, "metrics": {"maxOffsetsBehindLatest": "0"}},
                {"description": "Rate", "numInputRows": 2}],
            "sink": {"description": "MemorySink", "numOutputRows": 50, "metrics": {}}}"#;
        let progress = StreamingQueryProgress::parse(text).unwrap();
        assert_eq!((progress.batch_id, progress.num_input_rows()), (1, 52));
        assert_eq!(progress.sources[0].end_offset["t"]["0"], 7);
        assert_eq!(progress.sink.num_output_rows, Some(50));
        assert_eq!(progress.json["durationMs"]["addBatch"], 259);
        assert!(StreamingQueryProgress::parse("{}").is_err());
    }
}
