//! Keeps tables fit to be read: many small files become few, and changes that nobody needs any more go.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clap::Args;
use spark_client::SparkSession;

use crate::error::{Doing, Result};
use crate::gold;
use crate::job::own_session;
use crate::lake::{Lake, PRUNED, quoted_table, text_literal};
use crate::typed::{Merged, history_name};

/// When silver tidies up.
#[derive(Debug, Clone, Args)]
pub struct UpkeepOptions {
    /// How many small files a table of bronze or silver may have before they are rewritten into fewer
    #[arg(long, env = "LAKEPULSE_SILVER_MOST_FILES", default_value_t = 400)]
    pub most_files: i64,
    /// Days that silver.changes keeps an event at least; it is kept as long as a typed table or gold needs it
    #[arg(long, env = "LAKEPULSE_SILVER_KEEP_DAYS", default_value_t = 30)]
    pub keep_days: u32,
    /// Seconds between two looks, at least
    #[arg(long, env = "LAKEPULSE_SILVER_UPKEEP_SECONDS", default_value_t = 600)]
    pub upkeep_seconds: u64,
}

/// Files that are half as large are left as they are.
const FILE_BYTES: i64 = 128 << 20;
/// Commits of a table before its files are counted again.
const COMMITS: i64 = 100;
const BETWEEN_PRUNINGS: Duration = Duration::from_secs(24 * 3600);

/// Who tidies up, between rounds: nobody else writes to typed tables then.
#[derive(Debug)]
pub struct Upkeep {
    spark: SparkSession,
    lake: Lake,
    options: UpkeepOptions,
    looked: Instant,
    pruned: Option<Instant>,
    /// The version that each table had when its files were counted.
    versions: HashMap<String, i64>,
}

impl Upkeep {
    /// Nothing was looked at yet.
    pub async fn open(spark: &SparkSession, lake: &Lake, options: &UpkeepOptions) -> Result<Self> {
        let spark = own_session(spark).await?;
        let sizes = [("maxFileSize", FILE_BYTES), ("minFileSize", FILE_BYTES / 2)]
            .map(|(name, bytes)| (format!("spark.databricks.delta.optimize.{name}"), bytes.to_string()));
        let sizes = sizes.iter().map(|(name, bytes)| (name.as_str(), bytes.as_str()));
        spark.conf().set_all(sizes).await.doing("setting up a session")?;
        Ok(Self {
            spark,
            lake: lake.clone(),
            options: options.clone(),
            looked: Instant::now(),
            pruned: None,
            versions: HashMap::new(),
        })
    }

    /// Tidies up if it is time to. What Spark refuses, such as for a writer that came first, is told and tried again later.
    pub async fn after_round(&mut self, merged: &Merged) -> Result<()> {
        let pause = Duration::from_secs(self.options.upkeep_seconds);
        if self.looked.elapsed() < pause {
            return Ok(());
        }
        self.looked = Instant::now();
        match self.tidy(merged).await {
            Err(error) if error.is_of_one_table() => {
                tracing::warn!(error = error.chain(), "tables are not tidied up");
                Ok(())
            }
            tidied => tidied,
        }
    }

    async fn tidy(&mut self, merged: &Merged) -> Result<()> {
        if self.pruned.is_none_or(|pruned| pruned.elapsed() > BETWEEN_PRUNINGS) {
            self.pruned = Some(Instant::now());
            self.prune(merged).await?;
        }
        let mut tables: Vec<(String, Option<i64>)> =
            [self.lake.events(), self.lake.changes(), self.lake.silver("rounds")]
                .map(|table| (table, None))
                .into();
        for standing in merged.standings.values().filter(|standing| standing.version >= 0) {
            tables.push((self.lake.silver(&standing.silver_table), Some(standing.version)));
            let history = standing
                .history
                .map(|version| (self.lake.silver(&history_name(&standing.silver_table)), Some(version)));
            tables.extend(history);
        }
        for (table, version) in tables {
            let counted = self.versions.get(&table).zip(version);
            if counted.is_some_and(|(counted, version)| version - counted < COMMITS) {
                continue;
            }
            self.compact(&table).await?;
            self.versions.insert(table, version.unwrap_or_default());
        }
        Ok(())
    }

    async fn compact(&self, table: &str) -> Result<()> {
        let about = || format!("counting the files of {table}");
        let detail =
            self.spark.sql(&format!("DESCRIBE DETAIL {}", quoted_table(table))).await.doing(about())?;
        let found: Option<(i64, i64)> =
            detail.select(["numFiles", "sizeInBytes"]).first_as().await.doing(about())?;
        let Some((files, bytes)) = found else { return Ok(()) };
        if files > self.options.most_files && bytes / files < FILE_BYTES / 2 {
            let started = Instant::now();
            self.spark
                .sql(&format!("OPTIMIZE {}", quoted_table(table)))
                .await
                .doing(format!("rewriting the small files of {table}"))?;
            tracing::info!(table, files, ms = started.elapsed().as_millis(), "small files were rewritten");
        }
        Ok(())
    }

    /// Deletes changes that are old enough and merged everywhere. Gold's last refresh needs those behind it.
    async fn prune(&self, merged: &Merged) -> Result<()> {
        let changes = self.lake.changes();
        let about = || format!("deleting old events of {changes}");
        let standings = merged.standings.values().map(|standing| standing.cut);
        let refreshed =
            if self.spark.catalog().table_exists(&self.lake.gold("refreshed")).await.doing(about())? {
                gold::last_refreshed(&self.spark, &self.lake).await?.map(|refreshed| refreshed.cut)
            } else {
                None
            };
        let Some(needed) = standings.chain(refreshed).min() else { return Ok(()) };
        let oldest = format!(
            "SELECT max(commit_lsn) FROM {} WHERE op = 'cut' AND commit_lsn <= {needed} AND committed_at < current_timestamp() - INTERVAL {} DAYS",
            quoted_table(&changes),
            self.options.keep_days,
        );
        let oldest: Option<(Option<i64>,)> =
            self.spark.sql(&oldest).await.doing(about())?.first_as().await.doing(about())?;
        let Some((Some(pruned),)) = oldest else { return Ok(()) };
        // Readers learn first that events are missing.
        let statements = [
            format!(
                "ALTER TABLE {} SET TBLPROPERTIES ('{PRUNED}' = {})",
                quoted_table(&changes),
                text_literal(&pruned.to_string())
            ),
            format!("DELETE FROM {} WHERE commit_lsn <= {pruned}", quoted_table(&changes)),
        ];
        for statement in statements {
            self.spark.sql(&statement).await.doing(about())?;
        }
        tracing::info!(lsn = pruned, "old events were deleted");
        Ok(())
    }

    /// Ends what this process has begun on the server.
    pub(super) async fn interrupt(&self) {
        crate::job::interrupt(&self.spark).await;
    }
}
