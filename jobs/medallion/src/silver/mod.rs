//! Silver: from cut to cut, decode, merge and publish.

mod activity;
mod current;
mod cut;
mod decode;
mod history;
mod pace;
mod published;
mod tables;
mod truncation;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use clap::Args;
use futures::{StreamExt, TryStreamExt};
use spark_client::delta::IdempotentWrite;
use spark_client::functions::col;
use spark_client::{DataFrame, SparkSession};

pub use activity::Activity;
pub use cut::{Cut, Outlook};
pub use pace::Pace;
pub use published::{Published, last as last_published};
pub(crate) use tables::{create as create_table, version};

use crate::contract::{Contract, Contracts, Scd};
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::Lake;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::writer_schema::WriterSchema;
use tables::Tables;

/// How silver works.
#[derive(Debug, Clone, Args)]
pub struct SilverOptions {
    /// How many tables are merged at the same time
    #[arg(long, env = "LAKEPULSE_SILVER_CONCURRENCY", default_value_t = 2)]
    pub concurrency: usize,
    /// Never publish a cut above this LSN
    #[arg(long)]
    pub until_lsn: Option<i64>,
}

/// The job: one session to look and publish with, and one per table that is merged at the same time, since a
/// session's settings carry the identity of the write.
#[derive(Debug)]
pub struct Silver {
    spark: SparkSession,
    workers: Vec<SparkSession>,
    lake: Lake,
    contracts: Contracts,
    registry: Registry,
    options: SilverOptions,
    metrics: Metrics,
    tables: Tables,
}

/// What a cycle did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cycle {
    /// All tables stand at this cut now.
    Published(Box<Published>),
    /// There is nothing complete above the last cut.
    Waiting {
        /// The checkpoint at which the first event is missing, when there is one.
        missing_at: Option<i64>,
    },
}

impl Silver {
    /// Connects further sessions and makes the database and `silver.published` where they are missing.
    pub async fn new(
        spark: SparkSession,
        lake: Lake,
        contracts: Contracts,
        registry: Registry,
        options: SilverOptions,
        metrics: Metrics,
    ) -> Result<Self> {
        lake.create_database(&spark, "silver").await?;
        published::create(&spark, &lake).await?;
        let mut workers = Vec::new();
        for _ in 0..options.concurrency.max(1) {
            workers.push(spark.new_session().await.doing("opening a session for merges")?);
        }
        Ok(Self { spark, workers, lake, contracts, registry, options, metrics, tables: Tables::default() })
    }

    /// The last published cut.
    pub async fn last_published(&self) -> Result<Option<Published>> {
        published::last(&self.spark, &self.lake).await
    }

    /// Moves from the last published cut to the next one, if there is one.
    pub async fn cycle(&self) -> Result<Cycle> {
        let last = self.last_published().await?;
        self.cycle_from(last).await
    }

    /// [`Silver::cycle`] for who knows the last published cut.
    pub async fn cycle_from(&self, last: Option<Published>) -> Result<Cycle> {
        let (previous, mut tables, mut counts) = match last {
            Some(last) => (last.cut.lsn, last.tables, last.counts),
            None => (-1, BTreeMap::new(), BTreeMap::new()),
        };
        let outlook =
            cut::next(&self.spark, &self.lake, &self.registry, previous, &counts, self.options.until_lsn)
                .await?;
        let cut = match outlook {
            Outlook::Complete(cut) if cut.lsn > previous => cut,
            Outlook::Complete(_) => return Ok(Cycle::Waiting { missing_at: None }),
            Outlook::Waiting { missing_at } => return Ok(Cycle::Waiting { missing_at }),
        };
        let activities = activity::of(&self.slice(&self.spark, previous, cut), &self.lake).await?;
        for (topic, activity) in &activities {
            *counts.entry(topic.clone()).or_default() += activity.events;
        }
        self.metrics.silver_cycle_tables_done.set(0);
        self.metrics.silver_cycle_tables.set(activities.len() as i64);
        let sessions = Arc::new(tokio::sync::Mutex::new(self.workers.clone()));
        let versions: Vec<Vec<(String, i64)>> = futures::stream::iter(&activities)
            .map(|(topic, activity)| {
                let sessions = sessions.clone();
                async move {
                    let session = sessions.lock().await.pop();
                    let session =
                        session.ok_or_else(|| Error::new(ErrorKind::Spark, "more merges than sessions"))?;
                    let done = self.merge_topic(&session, topic, activity, previous, cut).await;
                    sessions.lock().await.push(session);
                    self.metrics.silver_cycle_tables_done.inc();
                    done
                }
            })
            .buffer_unordered(self.workers.len())
            .try_collect()
            .await?;
        tables.extend(versions.into_iter().flatten());
        published::publish(&self.spark, &self.lake, cut, &tables, &counts).await?;
        self.metrics.silver_cycle_tables.set(0);
        let published_at_us = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
        Ok(Cycle::Published(Box::new(Published { cut, published_at_us, tables, counts })))
    }

    /// The events of `bronze.events` above the previous cut and not above this one.
    fn slice(&self, spark: &SparkSession, previous: i64, cut: Cut) -> DataFrame {
        spark
            .table(&self.lake.events())
            .filter(col("commit_lsn").gt(previous) & col("commit_lsn").leq(cut.lsn))
    }

    /// Merges the events of one topic; the versions of the tables that it wrote.
    async fn merge_topic(
        &self,
        spark: &SparkSession,
        topic: &str,
        activity: &Activity,
        previous: i64,
        cut: Cut,
    ) -> Result<Vec<(String, i64)>> {
        let started = Instant::now();
        let name = self.lake.table_of(topic).unwrap_or(topic);
        let contract = self.contracts.get(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "there are events of {name} but no contract; write it with: lakepulse contracts init"
                ),
            )
        })?;
        let mut schemas: Vec<(i32, Arc<WriterSchema>)> = Vec::new();
        for id in &activity.schema_ids {
            schemas.push((*id, self.registry.schema(*id).await?));
        }
        schemas.sort_by_key(|(id, _)| *id);
        let columns = decode::columns(contract, &schemas);
        let events = self.slice(spark, previous, cut).filter(col("topic").eq(topic));
        let Some(rows) = decode::rows(&events, &columns, &schemas) else { return Ok(Vec::new()) };
        let current = self.lake.silver(&contract.silver_name());
        let is_there = self.tables.is_ready(spark, &current, &columns).await?;
        let rows = if activity.truncated {
            let keys = if is_there { Some(spark.table(&current)) } else { None };
            truncation::as_deletes(&rows, keys.as_ref(), contract, &columns)
        } else {
            rows
        };
        let mut versions = Vec::new();
        // History first: what TRUNCATE deletes is found in the current rows.
        if contract.scd == Scd::Type2 {
            let history = self.lake.silver(&history_name(contract));
            if self.tables.is_ready(spark, &history, &columns).await? {
                let opened = history::versions(&rows, Some(&spark.table(&history)), contract, &columns);
                let merge = history::merge(&opened, &history, contract, &columns).merge();
                IdempotentWrite::new(&history, cut.lsn)
                    .run(spark, merge)
                    .await
                    .doing(format!("merging {} events into {history}", activity.events))?;
            } else {
                let opened = history::versions(&rows, None, contract, &columns);
                tables::create(spark, &history, &history::first_rows(&opened, &columns), cut.lsn).await?;
            }
            versions.push((history_name(contract), version(spark, &history).await?));
        }
        let last = current::last_events(&rows, contract, &columns);
        if is_there {
            let merge = current::merge(&last, &current, contract, &columns).merge();
            IdempotentWrite::new(&current, cut.lsn)
                .run(spark, merge)
                .await
                .doing(format!("merging {} events into {current}", activity.events))?;
        } else {
            tables::create(spark, &current, &current::first_rows(&last, &columns), cut.lsn).await?;
        }
        versions.push((contract.silver_name(), version(spark, &current).await?));
        tracing::debug!(table = name, events = activity.events, ms = started.elapsed().as_millis(), "merged");
        Ok(versions)
    }
}

/// The name of a table's history, without the database.
pub fn history_name(contract: &Contract) -> String {
    format!("{}_history", contract.silver_name())
}
