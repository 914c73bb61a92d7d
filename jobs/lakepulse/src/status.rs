//! `lakepulse status`: the ladder of lag, from the source's head to gold, and the tables that stand still.

use lakepulse_medallion::changes::{self, Cut};
use lakepulse_medallion::typed::{self, Merged};
use lakepulse_medallion::{Lake, gold};
use serde::Serialize;
use spark_client::SparkSession;
use spark_client::functions::{col, expr, max};

use crate::error::{Doing, Result};
use crate::lakehouse::Lakehouse;
use crate::scrape::Scrape;
use crate::source::{self, SourceAddress};

/// A step of the ladder.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// `source`, `captured`, `bronze`, `published`, `merged`, `gold`.
    pub step: &'static str,
    /// How far it is; none before its first event.
    pub lsn: Option<i64>,
    /// How long ago the last transaction that it has was committed; none where that is not known.
    pub seconds: Option<f64>,
}

/// A table that stands still while the others go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Held {
    /// `schema.table`.
    pub table: String,
    /// The LSN of the cut that it stands at; -1 before its first.
    pub since_lsn: i64,
    /// Why, and what to do.
    pub reason: String,
}

/// How far everything is.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// From the source to gold.
    pub steps: Vec<Step>,
    /// By their names.
    pub held: Vec<Held>,
}

/// How far everything is now.
pub async fn now(lakehouse: &Lakehouse, source: &SourceAddress, capture_metrics: &str) -> Result<Status> {
    let client = source.connect().await?;
    let head = source::head(&client).await?;
    let captured = capture(capture_metrics).await;
    let (spark, lake) = (&lakehouse.spark, &lakehouse.lake);
    let bronze = bronze(spark, lake).await?;
    let cut = if exists(spark, &lake.changes()).await? {
        changes::last_cut(spark, lake).await.doing("asking silver for its last cut")?
    } else {
        None
    };
    let merged = typed::merged(spark, lake).await.doing("asking where silver's tables stand")?;
    let refreshed = if exists(spark, &lake.gold("refreshed")).await? {
        gold::last_refreshed(spark, lake).await.doing("asking gold for its cut")?
    } else {
        None
    };
    let now_us = lakepulse_medallion::job::now_us();
    let since = |committed_at_us: Option<i64>| committed_at_us.map(|at| (now_us - at) as f64 / 1e6);
    let merged_lsn = merged.as_ref().map(|merged| merged.cut).filter(|lsn| *lsn >= 0);
    let merged_at = merged_at(lakehouse, cut.as_ref(), merged_lsn).await?;
    let steps = vec![
        Step { step: "source", lsn: Some(head), seconds: Some(0.0) },
        Step { step: "captured", lsn: captured.0, seconds: captured.1.map(|at| now_us as f64 / 1e6 - at) },
        Step { step: "bronze", lsn: bronze.0, seconds: bronze.1 },
        Step {
            step: "published",
            // A cut without events is told by the round that brings tables to it.
            lsn: cut.as_ref().map(|cut| cut.commit_lsn).max(merged_lsn),
            seconds: since(cut.map(|cut| cut.committed_at_us)),
        },
        Step { step: "merged", lsn: merged_lsn, seconds: since(merged_at) },
        Step { step: "gold", lsn: refreshed.map(|refreshed| refreshed.cut), seconds: None },
    ];
    Ok(Status { steps, held: held(merged.unwrap_or_default()) })
}

async fn exists(spark: &SparkSession, table: &str) -> Result<bool> {
    spark.catalog().table_exists(table).await.doing("looking for tables")
}

/// The LSN of bronze's last event, and how many seconds ago it came to Kafka.
async fn bronze(spark: &SparkSession, lake: &Lake) -> Result<(Option<i64>, Option<f64>)> {
    if !exists(spark, &lake.events()).await? {
        return Ok((None, None));
    }
    let last = spark
        .table(&lake.events())
        .agg([
            max("commit_lsn").alias("lsn"),
            expr("(unix_millis(current_timestamp()) - unix_millis(max(kafka_timestamp))) / 1000")
                .alias("seconds"),
        ])
        .first_as()
        .await
        .doing("asking bronze for its last event")?;
    Ok(last.unwrap_or_default())
}

/// When the source committed the last transaction that is merged, in microseconds since 1970; none where that is not known.
async fn merged_at(lakehouse: &Lakehouse, cut: Option<&Cut>, merged_lsn: Option<i64>) -> Result<Option<i64>> {
    let (Some(cut), Some(merged_lsn)) = (cut, merged_lsn) else { return Ok(None) };
    if merged_lsn >= cut.commit_lsn {
        return Ok(Some(cut.committed_at_us));
    }
    let changes = lakehouse.lake.changes();
    let at: Option<(Option<i64>,)> = lakehouse
        .spark
        .table(&changes)
        .filter(col("commit_lsn").eq(merged_lsn) & expr("op = 'cut'"))
        .agg([expr("unix_micros(max(committed_at))").alias("at")])
        .first_as()
        .await
        .doing(format!("asking {changes} for the merged cut"))?;
    Ok(at.and_then(|(at,)| at))
}

fn held(merged: Merged) -> Vec<Held> {
    let mut held: Vec<Held> = merged
        .standings
        .into_values()
        .filter_map(|standing| {
            Some(Held { table: standing.source_table, since_lsn: standing.cut, reason: standing.held? })
        })
        .collect();
    held.sort_by(|left, right| left.table.cmp(&right.table));
    held
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

impl Status {
    /// The ladder as a table, and a line for each table that stands still.
    pub fn table(&self) -> String {
        let mut lines = vec![format!("{:10} {:>16} {:>12} {:>10}", "step", "lsn", "behind", "seconds")];
        let head = self.steps.first().and_then(|step| step.lsn).unwrap_or(0);
        for step in &self.steps {
            let lsn = step.lsn.map_or_else(|| "-".to_owned(), text);
            let behind = step.lsn.map_or_else(|| "-".to_owned(), |lsn| (head - lsn).max(0).to_string());
            let seconds = step.seconds.map_or_else(|| "-".to_owned(), |seconds| format!("{seconds:.1}"));
            lines.push(format!("{:10} {lsn:>16} {behind:>12} {seconds:>10}", step.step));
        }
        for held in &self.held {
            let since = if held.since_lsn < 0 { "the start".to_owned() } else { text(held.since_lsn) };
            lines.push(format!("held: {} since {since}: {}", held.table, held.reason));
        }
        lines.join("\n")
    }
}

/// As PostgreSQL prints it.
fn text(lsn: i64) -> String {
    format!("{:X}/{:X}", lsn >> 32, lsn & 0xFFFF_FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_held_table_has_a_line_below_the_ladder() {
        let status = Status {
            steps: vec![
                Step { step: "source", lsn: Some(0x1_0000_0010), seconds: Some(0.0) },
                Step { step: "gold", lsn: None, seconds: None },
            ],
            held: vec![Held { table: "s.t".into(), since_lsn: 0x10, reason: "no key".into() }],
        };
        let table = status.table();
        let lines: Vec<String> =
            table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(lines, ["source 1/10 0 0.0", "gold - - -", "held: s.t since 0/10: no key"]);
    }
}
