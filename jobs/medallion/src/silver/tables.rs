//! Making silver's tables, and giving them the columns that the source has gained.

use std::collections::{HashMap, HashSet};

use spark_client::delta::IdempotentWrite;
use spark_client::{DataFrame, MergeInto, SaveMode, SparkSession};
use tokio::sync::Mutex;

use super::decode::SilverColumn;
use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted, quoted_table};

/// Gold reads what changed, and Trino reads the tables: its connector cannot read the change data feed of tables
/// with deletion vectors. Statistics are kept of the first columns, the keys among them, instead of 32: each merge
/// computes them.
const PROPERTIES: [(&str, &str); 3] = [
    ("delta.enableChangeDataFeed", "true"),
    ("delta.enableDeletionVectors", "false"),
    ("delta.dataSkippingNumIndexedCols", "4"),
];

/// What is known about the tables of silver.
#[derive(Debug, Default)]
pub(super) struct Tables(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    /// The names of the tables that are there, without the database; none before the first look.
    present: Option<HashSet<String>>,
    /// The columns of tables that were looked at before, lower case as Spark compares them.
    columns: HashMap<String, Vec<String>>,
}

impl Tables {
    /// Whether a table is there; then it has all the columns afterwards. A table that is not there is made by who
    /// has its first rows, with [`PROPERTIES`].
    pub(super) async fn is_ready(
        &self,
        spark: &SparkSession,
        lake: &Lake,
        table: &str,
        columns: &[SilverColumn],
    ) -> Result<bool> {
        let mut known = self.0.lock().await;
        let present = match &mut known.present {
            Some(present) => present,
            none => none.insert(lake.tables(spark, "silver").await?),
        };
        let name = lake.silver(table);
        if !present.contains(&table.to_lowercase()) {
            return Ok(false);
        }
        if !known.columns.contains_key(table) {
            let names = spark.table(&name).columns().await.doing(format!("reading the columns of {name}"))?;
            known.columns.insert(table.to_owned(), names.iter().map(|name| name.to_lowercase()).collect());
        }
        let Some(names) = known.columns.get_mut(table) else { return Ok(false) };
        let missing: Vec<&SilverColumn> =
            columns.iter().filter(|column| !names.contains(&column.name.to_lowercase())).collect();
        if !missing.is_empty() {
            let statement =
                format!("ALTER TABLE {} ADD COLUMNS ({})", quoted_table(&name), definitions(&missing));
            spark.sql(&statement).await.doing(format!("adding columns to {name}"))?;
            names.extend(missing.iter().map(|column| column.name.to_lowercase()));
            let added: Vec<&str> = missing.iter().map(|column| column.name.as_str()).collect();
            tracing::info!(table, columns = ?added, "the source has new columns");
        }
        Ok(true)
    }

    /// Makes a table that is not there.
    pub(super) async fn create(
        &self,
        spark: &SparkSession,
        lake: &Lake,
        table: &str,
        rows: &DataFrame,
        cut: i64,
    ) -> Result<i64> {
        let version = create(spark, &lake.silver(table), rows, cut).await?;
        if let Some(present) = &mut self.0.lock().await.present {
            present.insert(table.to_lowercase());
        }
        Ok(version)
    }
}

/// Makes a table out of its first rows; the version that it is at then.
pub(crate) async fn create(spark: &SparkSession, table: &str, rows: &DataFrame, cut: i64) -> Result<i64> {
    let write = async {
        let writer = rows.write().format("delta").mode(SaveMode::Append).options(PROPERTIES);
        writer.save_as_table(table).await
    };
    commit(spark, table, cut, write).await.doing(format!("creating {table}"))
}

/// Merges into a table once for each cut; the version that it is at then.
pub(crate) async fn merge(spark: &SparkSession, table: &str, changes: MergeInto, cut: i64) -> Result<i64> {
    commit(spark, table, cut, changes.merge()).await.doing(format!("merging into {table}"))
}

async fn commit<T>(
    spark: &SparkSession,
    table: &str,
    cut: i64,
    write: impl Future<Output = std::result::Result<T, spark_client::Error>>,
) -> std::result::Result<i64, spark_client::Error> {
    match Box::pin(IdempotentWrite::new(table, cut).commit(spark, write)).await? {
        Some(version) => Ok(version),
        None => version(spark, table).await,
    }
}

fn definitions(columns: &[&SilverColumn]) -> String {
    let definition =
        |column: &&SilverColumn| format!("{} {}", quoted(&column.name), column.column_type.spark());
    columns.iter().map(definition).collect::<Vec<_>>().join(", ")
}

/// The version that a Delta table is at now.
pub(crate) async fn version(
    spark: &SparkSession,
    table: &str,
) -> std::result::Result<i64, spark_client::Error> {
    let statement = format!("DESCRIBE HISTORY {} LIMIT 1", quoted_table(table));
    let row: Option<(i64,)> = spark.sql(&statement).await?.select(["version"]).first_as().await?;
    Ok(row.map_or(0, |(version,)| version))
}
