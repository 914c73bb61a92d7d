//! Which cut gold stands at: `gold.refreshed`, one row per refresh that was done to its end.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::delta::IdempotentWrite;
use spark_client::functions::{call_function, col, create_map, expr, lit};
use spark_client::{Column, SaveMode, SparkSession};

use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table};

/// A refresh of all gold tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The merged cut of silver that gold stands at.
    pub cut: i64,
    /// The round that brought silver's tables there; the next refresh reads what changed since.
    pub round: i64,
    /// The versions of gold's own tables after the refresh.
    pub gold: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Row {
    cut: i64,
    round: i64,
    gold: String,
}

/// Makes the table where it is missing: cut bigint, round bigint, refreshed_at timestamp, gold map<string,bigint>.
pub(super) async fn create(spark: &SparkSession, lake: &Lake) -> Result<()> {
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {} (cut BIGINT, round BIGINT, refreshed_at TIMESTAMP, gold MAP<STRING, BIGINT>) USING DELTA",
        quoted_table(&lake.gold("refreshed"))
    );
    spark.sql(&statement).await.doing("creating gold.refreshed").map(|_| ())
}

/// The last refresh.
pub async fn last(spark: &SparkSession, lake: &Lake) -> Result<Option<Refreshed>> {
    let row: Option<Row> = spark
        .table(&lake.gold("refreshed"))
        .order_by([col("cut").desc()])
        .limit(1)
        .select([col("cut"), col("round"), call_function("to_json", [col("gold")]).alias("gold")])
        .first_as()
        .await
        .doing("reading gold.refreshed")?;
    Ok(row.map(|row| Refreshed {
        cut: row.cut,
        round: row.round,
        gold: serde_json::from_str(&row.gold).unwrap_or_default(),
    }))
}

/// Records a refresh; a second time it changes nothing.
pub(super) async fn record(spark: &SparkSession, lake: &Lake, refreshed: &Refreshed) -> Result<()> {
    let table = lake.gold("refreshed");
    let pairs: Vec<Column> =
        refreshed.gold.iter().flat_map(|(name, version)| [lit(name.as_str()), lit(*version)]).collect();
    let row = spark.range(0..1).select([
        lit(refreshed.cut).alias("cut"),
        lit(refreshed.round).alias("round"),
        expr("current_timestamp()").alias("refreshed_at"),
        create_map(pairs).cast("map<string,bigint>").alias("gold"),
    ]);
    let append = async { row.write().format("delta").mode(SaveMode::Append).save_as_table(&table).await };
    IdempotentWrite::new(&table, refreshed.cut).run(spark, append).await.doing(format!("writing {table}"))
}
