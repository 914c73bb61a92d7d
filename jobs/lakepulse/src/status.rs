//! `lakepulse status`: the ladder of lag, from the source's head to gold.

use lakepulse_medallion::{gold, silver};
use serde::Serialize;
use spark_client::functions::{expr, max};

use crate::error::{Doing, Result};
use crate::lakehouse::Lakehouse;
use crate::scrape::Scrape;
use crate::source::{self, SourceAddress};

/// A step of the ladder.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `source`, `captured`, `bronze`, `silver`, `gold`.
    pub step: &'static str,
    /// How far it is; none before its first event.
    pub lsn: Option<i64>,
    /// How long ago the last transaction that it has was committed; none where that is not known.
    pub seconds: Option<f64>,
}

/// All steps now.
pub async fn ladder(
    lakehouse: &Lakehouse,
    source: &SourceAddress,
    capture_metrics: &str,
) -> Result<Vec<Step>> {
    let client = source.connect().await?;
    let head = source::head(&client).await?;
    let captured = capture(capture_metrics).await;
    let (spark, lake) = (&lakehouse.spark, &lakehouse.lake);
    let exists =
        |table: String| async move { spark.catalog().table_exists(&table).await.doing("looking for tables") };
    let bronze: Option<(Option<i64>, Option<f64>)> = if exists(lake.events()).await? {
        spark
            .table(&lake.events())
            .agg([
                max("commit_lsn").alias("lsn"),
                expr("(unix_millis(current_timestamp()) - unix_millis(max(kafka_timestamp))) / 1000")
                    .alias("seconds"),
            ])
            .first_as()
            .await
            .doing("asking bronze for its last event")?
    } else {
        None
    };
    let published = if exists(lake.published()).await? {
        silver::last_published(spark, lake).await.doing("asking silver for its last cut")?
    } else {
        None
    };
    let refreshed = if exists(lake.gold("refreshed")).await? {
        gold::last_refreshed(spark, lake).await.doing("asking gold for its cut")?
    } else {
        None
    };
    let now_us = lakepulse_medallion::job::now_us();
    let (bronze_lsn, bronze_seconds) = bronze.unwrap_or_default();
    Ok(vec![
        Step { step: "source", lsn: Some(head), seconds: Some(0.0) },
        Step { step: "captured", lsn: captured.0, seconds: captured.1.map(|at| now_us as f64 / 1e6 - at) },
        Step { step: "bronze", lsn: bronze_lsn, seconds: bronze_seconds },
        Step {
            step: "silver",
            lsn: published.as_ref().map(|published| published.cut.lsn),
            seconds: published.map(|published| (now_us - published.cut.committed_at_us) as f64 / 1e6),
        },
        Step { step: "gold", lsn: refreshed.map(|refreshed| refreshed.cut), seconds: None },
    ])
}

/// The LSN that capture has produced and the commit time of its last transaction in seconds since 1970, from its
/// metrics; none when capture does not run.
async fn capture(address: &str) -> (Option<i64>, Option<f64>) {
    let metrics = Scrape::of(address).await;
    (
        metrics.value("lakepulse_cdc_produced_lsn").map(|lsn| lsn as i64),
        metrics.value("lakepulse_cdc_last_commit_timestamp_seconds"),
    )
}

/// The ladder as a table.
pub fn table(steps: &[Step]) -> String {
    let mut lines = vec![format!("{:10} {:>16} {:>12} {:>10}", "step", "lsn", "behind", "seconds")];
    let head = steps.first().and_then(|step| step.lsn).unwrap_or(0);
    for step in steps {
        let lsn =
            step.lsn.map_or_else(|| "-".to_owned(), |lsn| format!("{:X}/{:X}", lsn >> 32, lsn & 0xFFFF_FFFF));
        let behind = step.lsn.map_or_else(|| "-".to_owned(), |lsn| (head - lsn).max(0).to_string());
        let seconds = step.seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"));
        lines.push(format!("{:10} {lsn:>16} {behind:>12} {seconds:>10}", step.step));
    }
    lines.join("\n")
}
