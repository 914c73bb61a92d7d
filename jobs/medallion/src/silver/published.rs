//! The published cuts: `silver.published`, one row per cut at which all tables stood.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::delta::IdempotentWrite;
use spark_client::functions::{call_function, col, create_map, expr, lit};
use spark_client::{Column, SaveMode, SparkSession};

use super::cut::Cut;
use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table};

/// A cut at which all silver tables stood, and how to find them there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The cut.
    pub cut: Cut,
    /// When it was published, in microseconds since 1970.
    pub published_at_us: i64,
    /// The Delta version at which each silver table stands at the cut, by its name without the database.
    pub tables: BTreeMap<String, i64>,
    /// For each topic, how many events it has had at or below the cut.
    pub counts: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Row {
    cut: i64,
    committed_at_us: i64,
    published_at_us: i64,
    tables: String,
    counts: String,
}

/// Makes the table where it is missing: cut bigint, committed_at timestamp, published_at timestamp,
/// tables map<string,bigint>, counts map<string,bigint>.
pub(super) async fn create(spark: &SparkSession, lake: &Lake) -> Result<()> {
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {} (cut BIGINT, committed_at TIMESTAMP, published_at TIMESTAMP, \
         tables MAP<STRING, BIGINT>, counts MAP<STRING, BIGINT>) USING DELTA",
        quoted_table(&lake.published())
    );
    spark.sql(&statement).await.doing(format!("creating {}", lake.published())).map(|_| ())
}

/// The last published cut.
pub async fn last(spark: &SparkSession, lake: &Lake) -> Result<Option<Published>> {
    let row: Option<Row> = spark
        .table(&lake.published())
        .order_by([col("cut").desc()])
        .limit(1)
        .select([
            col("cut"),
            expr("unix_micros(committed_at)").alias("committed_at_us"),
            expr("unix_micros(published_at)").alias("published_at_us"),
            call_function("to_json", [col("tables")]).alias("tables"),
            call_function("to_json", [col("counts")]).alias("counts"),
        ])
        .first_as()
        .await
        .doing(format!("reading {}", lake.published()))?;
    Ok(row.map(|row| Published {
        cut: Cut { lsn: row.cut, committed_at_us: row.committed_at_us },
        published_at_us: row.published_at_us,
        tables: serde_json::from_str(&row.tables).unwrap_or_default(),
        counts: serde_json::from_str(&row.counts).unwrap_or_default(),
    }))
}

/// Publishes a cut; a second time it changes nothing.
pub(super) async fn publish(
    spark: &SparkSession,
    lake: &Lake,
    cut: Cut,
    tables: &BTreeMap<String, i64>,
    counts: &BTreeMap<String, i64>,
) -> Result<()> {
    let row = spark.range(0..1).select([
        lit(cut.lsn).alias("cut"),
        call_function("timestamp_micros", [lit(cut.committed_at_us)]).alias("committed_at"),
        expr("current_timestamp()").alias("published_at"),
        map(tables).alias("tables"),
        map(counts).alias("counts"),
    ]);
    let append =
        async { row.write().format("delta").mode(SaveMode::Append).save_as_table(&lake.published()).await };
    IdempotentWrite::new(&lake.published(), cut.lsn).run(spark, append).await.doing(format!(
        "publishing cut {} in {}",
        cut.lsn,
        lake.published()
    ))
}

/// A column of a map, the same in all rows.
pub(crate) fn map(entries: &BTreeMap<String, i64>) -> Column {
    let pairs: Vec<Column> =
        entries.iter().flat_map(|(name, value)| [lit(name.as_str()), lit(*value)]).collect();
    create_map(pairs).cast("map<string,bigint>")
}
