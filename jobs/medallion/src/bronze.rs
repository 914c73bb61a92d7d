//! Bronze: every event of every topic, as it came, in one append-only table, by one streaming query.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde_json::Value;
use spark_client::functions::{call_function, col, expr, lit};
use spark_client::{DataFrame, SparkSession, StreamingQuery, Trigger};

use crate::error::{Doing, Error, ErrorKind, Result};
use crate::job::own_session;
use crate::kafka::KafkaOptions;
use crate::kafka::progress::{Group, Offsets};
use crate::lake::{Lake, quoted_table};
use crate::metrics::Metrics;

/// How the streaming query reads Kafka.
#[derive(Debug, Clone, Args)]
pub struct BronzeOptions {
    #[command(flatten)]
    pub kafka: KafkaOptions,
    /// Milliseconds between the starts of two micro-batches
    #[arg(long, env = "LAKEPULSE_BRONZE_TRIGGER_MS", default_value_t = 10_000)]
    pub trigger_ms: u64,
    /// Most records of one micro-batch
    #[arg(long, env = "LAKEPULSE_BRONZE_MAX_RECORDS", default_value_t = 1_000_000)]
    pub max_records: u64,
    /// How many tasks read Kafka in a micro-batch, each of which leaves one file
    #[arg(long, env = "LAKEPULSE_BRONZE_TASKS", default_value_t = 2)]
    pub tasks: i32,
}

/// Starts the query that appends every committed record of every topic of the lake to `bronze.events`, from where its
/// checkpoint says. A query that an earlier process left running on the server is stopped by that.
///
/// Columns: source_schema string, source_table string (both NULL for the checkpoint topic), topic string,
/// partition int, offset bigint, kafka_timestamp timestamp, key binary, value binary (NULL for a tombstone),
/// schema_id int, commit_lsn bigint, ordinal bigint, op string (NULL for a tombstone and a checkpoint), and of capture's headers
/// `text`, `text_before` and `untold` their JSON: texts string, texts_before string, untold string.
pub async fn start(spark: &SparkSession, lake: &Lake, options: &BronzeOptions) -> Result<StreamingQuery> {
    let spark = &own_session(spark).await?;
    prepare_session(spark).await?;
    lake.create_database(spark, "bronze").await?;
    let events = lake.events();
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {} (source_schema STRING, source_table STRING, topic STRING, partition INT, \
         offset BIGINT, kafka_timestamp TIMESTAMP, key BINARY, value BINARY, schema_id INT, commit_lsn BIGINT, \
         ordinal BIGINT, op STRING, texts STRING, texts_before STRING, untold STRING) USING DELTA TBLPROPERTIES ('delta.appendOnly' = 'true', 'delta.checkpointInterval' = '30', \
         'delta.dataSkippingStatsColumns' = 'topic,schema_id,commit_lsn,ordinal')",
        quoted_table(&events)
    );
    spark.sql(&statement).await.doing(format!("creating {events}"))?;
    let trigger = Trigger::ProcessingTime(Duration::from_millis(options.trigger_ms));
    to_events(&read_topics(spark, lake, options), lake)
        .coalesce(options.tasks.max(1))
        .write_stream()
        .format("delta")
        .query_name(&format!("{}bronze", lake.database_prefix))
        .option("checkpointLocation", format!("{}/{}bronze.events", lake.state, lake.database_prefix))
        // A table of an earlier version lacks columns.
        .option("mergeSchema", true)
        .trigger(trigger)
        .to_table(&events)
        .await
        .doing(format!("starting the stream into {events}"))
}

/// Kafka's records: key, value, topic, partition, offset, timestamp, headers.
fn read_topics(spark: &SparkSession, lake: &Lake, options: &BronzeOptions) -> DataFrame {
    let pattern = format!("{}\\..*", lake.topic_prefix.replace('.', "\\."));
    let reader = spark.read_stream().format("kafka");
    let options_of_kafka = options.kafka.of_spark();
    options_of_kafka
        .into_iter()
        .fold(reader, |reader, (name, value)| reader.option(name, value))
        .option("subscribePattern", pattern)
        .option("startingOffsets", "earliest")
        .option("maxOffsetsPerTrigger", options.max_records)
        .load()
}

/// What [`to_events`] asks of a session.
pub(crate) async fn prepare_session(spark: &SparkSession) -> Result<()> {
    // Kafka allows two headers of one name.
    let about = "setting up a session that reads Kafka";
    spark.conf().set("spark.sql.mapKeyDedupPolicy", "LAST_WIN").await.doing(about)
}

/// Kafka's records in the columns of `bronze.events`.
pub(crate) fn to_events(records: &DataFrame, lake: &Lake) -> DataFrame {
    let big_endian = |bytes: &str| expr(&format!("cast(conv(hex({bytes}), 16, 10) AS bigint)"));
    let raw_header = |name: &str| format!("by_name['{name}']");
    let text_header = |name: &str| expr(&raw_header(name)).cast("string");
    let header = |name: &str| big_endian(&raw_header(name));
    let table = col("topic").substr(lit(lake.topic_prefix.chars().count() as i32 + 2), lit(i32::MAX));
    let is_checkpoint = col("topic").eq(lake.checkpoint_topic());
    let part = |index: i32| {
        let parts = call_function("split", [table.clone(), lit("\\."), lit(2)]);
        spark_client::functions::when(!is_checkpoint.clone(), call_function("get", [parts, lit(index)])).end()
    };
    // No lambda: Spark would compile the projection anew in each task.
    let records = records.with_column("by_name", expr("map_from_entries(headers)"));
    records.select([
        part(0).alias("source_schema"),
        part(1).alias("source_table"),
        col("topic"),
        col("partition"),
        col("offset"),
        col("timestamp").alias("kafka_timestamp"),
        col("key"),
        col("value"),
        // Confluent's wire format: a zero byte, the schema's id in four bytes, the payload.
        big_endian("substring(value, 2, 4)").cast("int").alias("schema_id"),
        header("commit_lsn").alias("commit_lsn"),
        header("ordinal").alias("ordinal"),
        text_header("op").alias("op"),
        text_header("text").alias("texts"),
        text_header("text_before").alias("texts_before"),
        text_header("untold").alias("untold"),
    ])
}

/// How often a query that has just had something to do is asked for its progress, and how often one that has not.
const BUSY_PAUSE: Duration = Duration::from_millis(100);
const IDLE_PAUSE: Duration = Duration::from_millis(500);

/// Reports the query's progress, to the metrics and to the consumer group `<prefix>.bronze`, until it ends, which it does only by an
/// error.
pub async fn watch(
    query: &StreamingQuery,
    lake: &Lake,
    options: &BronzeOptions,
    metrics: &Metrics,
) -> Result<()> {
    let group = Group::open(&options.kafka, lake)?;
    let mut last_batch = None;
    let mut pause = IDLE_PAUSE;
    loop {
        if query.await_termination(Some(pause)).await.doing("the stream into bronze")? {
            return Err(Error::new(ErrorKind::Spark, "the stream into bronze was stopped by somebody else"));
        }
        let progress =
            query.last_progress().await.doing("asking for the progress of the stream into bronze")?;
        let Some(progress) = progress.filter(|progress| Some(progress.batch_id) != last_batch) else {
            pause = IDLE_PAUSE.min(pause * 2);
            continue;
        };
        last_batch = Some(progress.batch_id);
        pause = BUSY_PAUSE;
        metrics.bronze_batches.inc();
        metrics.bronze_records.inc_by(u64::try_from(progress.num_input_rows()).unwrap_or(0));
        let behind = progress.sources.iter().filter_map(|source| {
            let text = source.metrics.get("maxOffsetsBehindLatest")?;
            text.parse::<i64>().ok()
        });
        metrics.bronze_behind_records.set(behind.max().unwrap_or(0));
        for source in &progress.sources {
            // The server puts the JSON of a source's offsets into a text.
            let offsets = match &source.end_offset {
                Value::String(text) => serde_json::from_str(text),
                offsets => Offsets::deserialize(offsets),
            };
            let offsets = offsets.map_err(|error| {
                let what = format!("the stream into bronze tells its offsets as {}", source.end_offset);
                Error::caused(ErrorKind::Spark, what, error)
            })?;
            tokio::task::block_in_place(|| group.commit(&offsets))?;
        }
        tracing::debug!(
            batch = progress.batch_id,
            rows = progress.num_input_rows(),
            ms = progress.batch_duration,
            "appended"
        );
    }
}

/// Ends the query; what it has not appended yet is appended when it starts again.
pub async fn stop(query: &StreamingQuery) -> Result<()> {
    query.stop().await.doing("stopping the stream into bronze")
}
