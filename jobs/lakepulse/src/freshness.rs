//! How long transactions took from their commit to a published cut.

use serde::{Deserialize, Serialize};
use spark_client::functions::{call_function, coalesce, col, count, expr, lag, lit, min, percentile};
use spark_client::{JoinType, Window};

use crate::compared::quoted;
use crate::error::{Doing, Error, Result};
use crate::lakehouse::Lakehouse;

/// Over all transactions since a moment: seconds from the commit at the source to the Delta commit that published the first cut
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

/// The freshness of the transactions that were committed since `began_us`, as far as `silver.changes` still has them.
pub async fn since(lakehouse: &Lakehouse, began_us: i64) -> Result<Freshness> {
    let (spark, changes) = (&lakehouse.spark, lakehouse.lake.changes());
    let began = call_function("timestamp_micros", [lit(began_us)]);
    let commits = spark
        .table(&changes)
        .filter(expr("op <> 'cut'") & col("committed_at").geq(began))
        .select(["commit_lsn", "committed_at"])
        .distinct();
    let table: Vec<String> = changes.splitn(2, '.').map(quoted).collect();
    let history = format!("DESCRIBE HISTORY {}", table.join("."));
    let previous = coalesce([lag("cut").over(Window::ordered_by(["cut"])), lit(-1_i64)]);
    let cuts = spark
        .sql(&history)
        .await
        .doing(format!("reading the history of {changes}"))?
        .select([
            expr("CAST(get_json_object(userMetadata, '$.lakepulse_cut.commit_lsn') AS BIGINT)").alias("cut"),
            col("timestamp"),
        ])
        // Other commits tidy the table up.
        .filter(col("cut").is_not_null())
        .group_by(["cut"])
        .agg([min("timestamp").alias("published_at")])
        .with_column("previous", previous);
    let first = col("commit_lsn").gt(col("previous")) & col("commit_lsn").leq(col("cut"));
    let took = expr("(unix_micros(published_at) - unix_micros(committed_at)) / 1e6");
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
        _ => Err(Error::new(format!("{changes} has no transaction of that time"))),
    }
}
