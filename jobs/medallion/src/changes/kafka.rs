//! A slice's records in Kafka itself: who reads them there does not wait for bronze.

use std::collections::BTreeMap;

use spark_client::SparkSession;

use super::Cut;
use crate::bronze;
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::kafka::KafkaOptions;
use crate::kafka::offsets::TopicOffsets;
use crate::lake::Lake;

/// Finds a slice's records by the times at which they were written. That is a guess, since clocks step: whoever reads them counts them.
#[derive(Debug)]
pub(super) struct Records {
    options: KafkaOptions,
    offsets: TopicOffsets,
    margin_ms: i64,
}

/// The temporary view of the records; its columns are those of `bronze.events`.
pub(super) const VIEW: &str = "lakepulse_records";

/// Records may have been written by so much earlier or later than it looks.
const FIRST_MARGIN_MS: i64 = 250;
const WIDEST_MARGIN_MS: i64 = 60_000;

impl Records {
    pub(super) fn open(options: &KafkaOptions, lake: &Lake) -> Result<Self> {
        let offsets = TopicOffsets::open(options, lake)?;
        Ok(Self { options: options.clone(), offsets, margin_ms: FIRST_MARGIN_MS })
    }

    /// Makes [`VIEW`] of the records of these topics between two cuts, and some around them. `tasks`: how many tasks read them at least. Whether
    /// there are any.
    pub(super) async fn show(
        &mut self,
        spark: &SparkSession,
        lake: &Lake,
        (before, next): (&Cut, &Cut),
        topics: &[&str],
        tasks: i64,
    ) -> Result<bool> {
        // The source commits before capture writes.
        let from_ms = before.offset.map(|_| before.written_ms.unwrap_or(before.committed_at_us / 1000));
        let from_ms = from_ms.map(|from| from - self.margin_ms);
        let to_ms = next.written_ms.map_or(i64::MAX, |to| to + self.margin_ms);
        let span = tokio::task::block_in_place(|| self.offsets.written(topics, from_ms, to_ms))?;
        if span.from.is_empty() {
            return Ok(false);
        }
        let assigned: BTreeMap<&String, Vec<i32>> = span
            .from
            .iter()
            .map(|(topic, partitions)| (topic, partitions.keys().filter_map(|it| it.parse().ok()).collect()))
            .collect();
        let text = |value: serde_json::Result<String>| {
            value.map_err(|error| Error::caused(ErrorKind::Kafka, "offsets can't be told to Spark", error))
        };
        let reader = self
            .options
            .of_spark()
            .into_iter()
            .fold(spark.read().format("kafka"), |reader, (name, value)| reader.option(name, value))
            .option("assign", text(serde_json::to_string(&assigned))?)
            .option("startingOffsets", text(serde_json::to_string(&span.from))?)
            .option("endingOffsets", text(serde_json::to_string(&span.to))?)
            // Executors keep consumers by their group.
            .option("kafka.group.id", format!("{}.silver", lake.topic_prefix))
            .option("minPartitions", tasks.max(1));
        let events = bronze::to_events(&reader.load(), lake);
        let shown = events.create_or_replace_temp_view(VIEW).await;
        shown.doing("making a view of Kafka's records").map(|()| true)
    }

    /// What was shown was not all.
    pub(super) fn widen(&mut self) {
        self.margin_ms = (self.margin_ms * 4).min(WIDEST_MARGIN_MS);
        self.offsets.forget();
    }
}
