//! Which cut gold stands at: `gold.refreshed`, one row per refresh that was done to its end.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::delta::IdempotentWrite;
use spark_client::functions::{call_function, col, expr, lit};
use spark_client::{SaveMode, SparkSession};

use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table};
use crate::silver::map;

/// A refresh of all gold tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refreshed {
    /// The published cut of silver that gold stands at.
    pub cut: i64,
    /// The versions of silver's tables at that cut, which the next refresh reads changes from.
    pub silver: BTreeMap<String, i64>,
    /// The versions of gold's own tables after the refresh.
    pub gold: BTreeMap<String, i64>,
}

#[derive(Deserialize)]
struct Row {
    cut: i64,
    silver: String,
    gold: String,
}

/// Makes the table where it is missing: cut bigint, refreshed_at timestamp, silver and gold map<string,bigint>.
pub(super) async fn create(spark: &SparkSession, lake: &Lake) -> Result<()> {
    let statement = format!(
        "CREATE TABLE IF NOT EXISTS {} (cut BIGINT, refreshed_at TIMESTAMP, silver MAP<STRING, BIGINT>, \
         gold MAP<STRING, BIGINT>) USING DELTA",
        quoted_table(&lake.gold("refreshed"))
    );
    spark.sql(&statement).await.doing("creating gold.refreshed").map(|_| ())
}

/// The last refresh.
pub async fn last(spark: &SparkSession, lake: &Lake) -> Result<Option<Refreshed>> {
    let as_json = |name: &str| call_function("to_json", [col(name)]).alias(name);
    let row: Option<Row> = spark
        .table(&lake.gold("refreshed"))
        .order_by([col("cut").desc()])
        .limit(1)
        .select([col("cut"), as_json("silver"), as_json("gold")])
        .first_as()
        .await
        .doing("reading gold.refreshed")?;
    Ok(row.map(|row| Refreshed {
        cut: row.cut,
        silver: serde_json::from_str(&row.silver).unwrap_or_default(),
        gold: serde_json::from_str(&row.gold).unwrap_or_default(),
    }))
}

/// Records a refresh; a second time it changes nothing.
pub(super) async fn record(spark: &SparkSession, lake: &Lake, refreshed: &Refreshed) -> Result<()> {
    let table = lake.gold("refreshed");
    let row = spark.range(0..1).select([
        lit(refreshed.cut).alias("cut"),
        expr("current_timestamp()").alias("refreshed_at"),
        map(&refreshed.silver).alias("silver"),
        map(&refreshed.gold).alias("gold"),
    ]);
    let append = async { row.write().format("delta").mode(SaveMode::Append).save_as_table(&table).await };
    IdempotentWrite::new(&table, refreshed.cut).run(spark, append).await.doing(format!("writing {table}"))
}
