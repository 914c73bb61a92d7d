//! Silver: from cut to cut, decode, merge and publish.

mod activity;
mod batch;
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
use spark_client::SparkSession;
use spark_client::functions::col;

pub use activity::Activity;
pub use cut::{Cut, Outlook};
pub use pace::Pace;
pub(crate) use published::map;
pub use published::{Published, last as last_published};
pub(crate) use tables::{create as create_table, merge as merge_table, version};

use crate::contract::{Contract, Contracts, Scd};
use crate::error::{Error, ErrorKind, Result};
use crate::job::now_us;
use crate::lake::Lake;
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::sessions::Sessions;
use crate::writer_schema::WriterSchema;
use batch::Batch;
use tables::Tables;

/// How silver works.
#[derive(Debug, Clone, Args)]
pub struct SilverOptions {
    /// How many tables are merged at the same time
    #[arg(long, env = "LAKEPULSE_SILVER_CONCURRENCY", default_value_t = 2)]
    pub concurrency: usize,
    /// How many events of a cycle one task takes; a cycle of fewer has one task a stage, since Spark generates code
    /// and opens files for each task
    #[arg(long, env = "LAKEPULSE_SILVER_EVENTS_PER_TASK", default_value_t = 100_000)]
    pub events_per_task: u32,
    /// Never publish a cut above this LSN
    #[arg(long)]
    pub until_lsn: Option<i64>,
}

/// The job: one session to look and publish with, and one per table that is merged at the same time.
#[derive(Debug)]
pub struct Silver {
    spark: SparkSession,
    sessions: Sessions,
    lake: Lake,
    contracts: Contracts,
    registry: Registry,
    options: SilverOptions,
    metrics: Metrics,
    tables: Tables,
    /// The server's own number of tasks after a shuffle.
    most_tasks: i32,
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
        let sessions = Sessions::open(&spark, options.concurrency).await?;
        let most_tasks = batch::most_tasks(&spark).await?;
        let tables = Tables::default();
        Ok(Self { spark, sessions, lake, contracts, registry, options, metrics, tables, most_tasks })
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
        let (previous, tables, counts) = match last {
            Some(last) => (last.cut.lsn, last.tables, last.counts),
            None => (-1, BTreeMap::new(), BTreeMap::new()),
        };
        let outlook =
            cut::next(&self.spark, &self.lake, &self.registry, previous, &counts, self.options.until_lsn)
                .await?;
        let (cut, events) = match outlook {
            Outlook::Complete { cut, events } if cut.lsn > previous => (cut, events),
            Outlook::Complete { .. } => return Ok(Cycle::Waiting { missing_at: None }),
            Outlook::Waiting { missing_at } => return Ok(Cycle::Waiting { missing_at }),
        };
        if events == 0 {
            return self.publish(cut, tables, counts).await;
        }
        let tasks = events / i64::from(self.options.events_per_task.max(1)) + 1;
        let tasks = i32::try_from(tasks).unwrap_or(i32::MAX).min(self.most_tasks);
        let batch = Batch::keep(&self.spark, &self.lake, previous, cut, tasks).await?;
        let published = self.advance(&batch, cut, tables, counts).await;
        self.metrics.silver_cycle_tables.set(0);
        batch.release().await;
        published
    }

    async fn publish(
        &self,
        cut: Cut,
        tables: BTreeMap<String, i64>,
        counts: BTreeMap<String, i64>,
    ) -> Result<Cycle> {
        published::publish(&self.spark, &self.lake, cut, &tables, &counts).await?;
        Ok(Cycle::Published(Box::new(Published { cut, published_at_us: now_us(), tables, counts })))
    }

    /// Merges a batch into the tables that stand at the cut before it, and publishes.
    async fn advance(
        &self,
        batch: &Batch,
        cut: Cut,
        mut tables: BTreeMap<String, i64>,
        mut counts: BTreeMap<String, i64>,
    ) -> Result<Cycle> {
        let activities = activity::of(&batch.events(&self.spark), &self.lake).await?;
        for (topic, activity) in &activities {
            *counts.entry(topic.clone()).or_default() += activity.events;
        }
        self.metrics.silver_cycle_tables_done.set(0);
        self.metrics.silver_cycle_tables.set(activities.len() as i64);
        let versions: Vec<Vec<(String, i64)>> = futures::stream::iter(&activities)
            .map(|(topic, activity)| {
                self.sessions.lend(async |spark| {
                    batch.set_tasks(&spark).await?;
                    let done = self.merge_topic(&spark, topic, activity, batch, cut).await;
                    self.metrics.silver_cycle_tables_done.inc();
                    done
                })
            })
            .buffer_unordered(self.sessions.count())
            .try_collect()
            .await?;
        tables.extend(versions.into_iter().flatten());
        self.publish(cut, tables, counts).await
    }

    /// Merges the events of one topic; the versions of the tables that it wrote.
    async fn merge_topic(
        &self,
        spark: &SparkSession,
        topic: &str,
        activity: &Activity,
        batch: &Batch,
        cut: Cut,
    ) -> Result<Vec<(String, i64)>> {
        let started = Instant::now();
        let source = self.lake.table_of(topic).unwrap_or(topic);
        let contract = self.contracts.get(source).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "there are events of {source} but no contract; write it with: lakepulse contracts init"
                ),
            )
        })?;
        let mut schemas: Vec<(i32, Arc<WriterSchema>)> = Vec::new();
        for id in &activity.schema_ids {
            schemas.push((*id, self.registry.schema(*id).await?));
        }
        schemas.sort_by_key(|(id, _)| *id);
        let columns = decode::columns(contract, &schemas);
        let events = batch.events(spark).filter(col("topic").eq(topic));
        let Some(rows) = decode::rows(&events, &columns, &schemas) else { return Ok(Vec::new()) };
        let (lake, name) = (&self.lake, contract.silver_name());
        let current = lake.silver(&name);
        let is_there = self.tables.is_ready(spark, lake, &name, &columns).await?;
        let rows = if activity.truncated {
            let keys = if is_there { Some(spark.table(&current)) } else { None };
            truncation::as_deletes(&rows, keys.as_ref(), contract, &columns)
        } else {
            rows
        };
        let mut versions = Vec::new();
        // History first: what TRUNCATE deletes is found in the current rows.
        if contract.scd == Scd::Type2 {
            let name = history_name(contract);
            let history = lake.silver(&name);
            let version = if self.tables.is_ready(spark, lake, &name, &columns).await? {
                let opened = history::versions(&rows, Some(&spark.table(&history)), contract, &columns);
                let changes = history::merge(&opened, &history, contract, &columns);
                tables::merge(spark, &history, changes, cut.lsn).await?
            } else {
                let opened = history::versions(&rows, None, contract, &columns);
                let first = history::first_rows(&opened, &columns);
                self.tables.create(spark, lake, &name, &first, cut.lsn).await?
            };
            versions.push((name, version));
        }
        let last = current::last_events(&rows, contract, &columns);
        let version = if is_there {
            let changes = current::merge(&last, &current, contract, &columns, activity.only_inserts);
            tables::merge(spark, &current, changes, cut.lsn).await?
        } else {
            let first = current::first_rows(&last, &columns);
            self.tables.create(spark, lake, &name, &first, cut.lsn).await?
        };
        versions.push((name, version));
        tracing::debug!(
            table = source,
            events = activity.events,
            ms = started.elapsed().as_millis(),
            "merged"
        );
        Ok(versions)
    }
}

/// The name of a table's history, without the database.
pub fn history_name(contract: &Contract) -> String {
    format!("{}_history", contract.silver_name())
}
