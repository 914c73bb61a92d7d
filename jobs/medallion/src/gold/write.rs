//! Making gold's tables and merging into them, once for each cut.

use spark_client::delta::IdempotentWrite;
use spark_client::{DataFrame, MergeInto, SaveMode, SparkSession};

use crate::error::{Doing, Result};
use crate::lake::version;

/// A refresh reads what changed in the dimensions, and Trino reads the tables: its connector cannot read the change data feed of tables
/// with deletion vectors. Statistics are kept of the first columns, the keys among them, instead of 32: each merge computes them.
const PROPERTIES: [(&str, &str); 3] = [
    ("delta.enableChangeDataFeed", "true"),
    ("delta.enableDeletionVectors", "false"),
    ("delta.dataSkippingNumIndexedCols", "4"),
];

/// Makes a table out of its first rows; the version that it is at then.
pub(super) async fn create(spark: &SparkSession, table: &str, rows: &DataFrame, cut: i64) -> Result<i64> {
    let write = async {
        let writer = rows.write().format("delta").mode(SaveMode::Append).options(PROPERTIES);
        writer.save_as_table(table).await
    };
    commit(spark, table, cut, write, "creating").await
}

/// Merges into a table; the version that it is at then.
pub(super) async fn merge(spark: &SparkSession, table: &str, changes: MergeInto, cut: i64) -> Result<i64> {
    commit(spark, table, cut, changes.merge(), "merging into").await
}

async fn commit<T>(
    spark: &SparkSession,
    table: &str,
    cut: i64,
    write: impl Future<Output = std::result::Result<T, spark_client::Error>>,
    doing: &str,
) -> Result<i64> {
    let committed = Box::pin(IdempotentWrite::new(table, cut).commit(spark, write)).await;
    match committed.doing(format!("{doing} {table}"))? {
        Some(version) => Ok(version),
        None => version(spark, table).await,
    }
}
