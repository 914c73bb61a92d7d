//! How long transactions took from their commit to a published cut.

use serde::{Deserialize, Serialize};
use spark_client::functions::{call_function, coalesce, col, count, expr, lag, lit, percentile};
use spark_client::{JoinType, Window};

use crate::error::{Doing, Error, Result};
use crate::lakehouse::Lakehouse;

/// Over all transactions since a moment: seconds from the commit at the source to the publication of the first cut
/// that holds it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Freshness {
    /// How many transactions.
    pub transactions: i64,
    /// The median.
    pub p50_seconds: f64,
    /// The time that 95 % did not exceed.
    pub p95_seconds: f64,
}

/// The freshness of the transactions that were committed since `began_us`, as far as a row that they wrote last is
/// still in a silver table.
pub async fn since(lakehouse: &Lakehouse, began_us: i64) -> Result<Freshness> {
    let (spark, lake) = (&lakehouse.spark, &lakehouse.lake);
    let began = call_function("timestamp_micros", [lit(began_us)]);
    let mut commits = None;
    for table in ["sales_orders", "sales_invoices", "sales_customer_transactions", "sales_customers"] {
        let rows = spark
            .table(&lake.silver(table))
            .filter(col("_committed_at").geq(began.clone()))
            .select(["_commit_lsn", "_committed_at"]);
        commits = Some(match commits {
            Some(before) => rows.union(&before),
            None => rows,
        });
    }
    let commits = commits.ok_or_else(|| Error::new("no silver table to measure freshness with"))?.distinct();
    let previous = coalesce([lag("cut").over(Window::ordered_by(["cut"])), lit(-1_i64)]);
    let cuts = spark.table(&lake.published()).with_column("previous", previous);
    let first = col("_commit_lsn").gt(col("previous")) & col("_commit_lsn").leq(col("cut"));
    let took = expr("(unix_micros(published_at) - unix_micros(_committed_at)) / 1e6");
    let measured: Option<(i64, Option<f64>, Option<f64>)> = commits
        .join(&cuts, first, JoinType::Inner)
        .select([took.alias("took")])
        .agg([
            count(lit(1)).alias("n"),
            percentile("took", 0.5).alias("p50"),
            percentile("took", 0.95).alias("p95"),
        ])
        .first_as()
        .await
        .doing("measuring freshness")?;
    match measured {
        Some((transactions, Some(p50_seconds), Some(p95_seconds))) => {
            Ok(Freshness { transactions, p50_seconds, p95_seconds })
        }
        _ => Err(Error::new("no transaction of the workload is in silver")),
    }
}
