//! Making silver's tables, and giving them the columns that the source has gained.

use std::collections::HashMap;

use serde::Deserialize;
use spark_client::delta::IdempotentWrite;
use spark_client::{DataFrame, SaveMode, SparkSession};
use tokio::sync::Mutex;

use super::decode::SilverColumn;
use crate::error::{Doing, Result};
use crate::lake::{quoted, quoted_table};

/// Gold reads what changed, and Trino reads the tables: its connector cannot read the change data feed of tables
/// with deletion vectors.
const PROPERTIES: [(&str, &str); 2] =
    [("delta.enableChangeDataFeed", "true"), ("delta.enableDeletionVectors", "false")];

/// The columns of tables that were made or looked at before, lower case as Spark compares them.
#[derive(Debug, Default)]
pub(super) struct Tables(Mutex<HashMap<String, Vec<String>>>);

#[derive(Deserialize)]
struct DetailRow {
    version: i64,
}

impl Tables {
    /// Whether the table is there; then it has all the columns afterwards. A table that is not there is made by who
    /// has its first rows, with [`PROPERTIES`].
    pub(super) async fn is_ready(
        &self,
        spark: &SparkSession,
        table: &str,
        columns: &[SilverColumn],
    ) -> Result<bool> {
        let mut known = self.0.lock().await;
        if !known.contains_key(table) {
            if !spark.catalog().table_exists(table).await.doing(format!("looking for {table}"))? {
                return Ok(false);
            }
            let names =
                spark.table(table).columns().await.doing(format!("reading the columns of {table}"))?;
            known.insert(table.to_owned(), names.iter().map(|name| name.to_lowercase()).collect());
        }
        let Some(names) = known.get_mut(table) else { return Ok(false) };
        let missing: Vec<&SilverColumn> =
            columns.iter().filter(|column| !names.contains(&column.name.to_lowercase())).collect();
        if !missing.is_empty() {
            let statement =
                format!("ALTER TABLE {} ADD COLUMNS ({})", quoted_table(table), definitions(&missing));
            spark.sql(&statement).await.doing(format!("adding columns to {table}"))?;
            names.extend(missing.iter().map(|column| column.name.to_lowercase()));
            let added: Vec<&str> = missing.iter().map(|column| column.name.as_str()).collect();
            tracing::info!(table, columns = ?added, "the source has new columns");
        }
        Ok(true)
    }
}

/// Makes a table out of its first rows.
pub(crate) async fn create(spark: &SparkSession, table: &str, rows: &DataFrame, cut: i64) -> Result<()> {
    let write = async {
        let writer = rows.write().format("delta").mode(SaveMode::Append).options(PROPERTIES);
        writer.save_as_table(table).await
    };
    IdempotentWrite::new(table, cut).run(spark, write).await.doing(format!("creating {table}"))
}

fn definitions(columns: &[&SilverColumn]) -> String {
    let definition =
        |column: &&SilverColumn| format!("{} {}", quoted(&column.name), column.column_type.spark());
    columns.iter().map(definition).collect::<Vec<_>>().join(", ")
}

/// The version that a Delta table is at now.
pub(crate) async fn version(spark: &SparkSession, table: &str) -> Result<i64> {
    let statement = format!("DESCRIBE HISTORY {} LIMIT 1", quoted_table(table));
    let history = spark.sql(&statement).await.doing(format!("asking for the version of {table}"))?;
    let row: Option<DetailRow> =
        history.select(["version"]).first_as().await.doing(format!("reading the version of {table}"))?;
    Ok(row.map_or(0, |row| row.version))
}
