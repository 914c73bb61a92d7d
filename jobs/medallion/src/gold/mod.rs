//! Gold: Wide World Importers' star schema, refreshed from what changed in silver between two merged cuts.
//!
//! Every table is a function of silver at a cut. A refresh computes that function for the members that a change can
//! have touched and merges what differs; [`Gold::check`] computes it for all and compares.

mod date;
mod dimension;
mod merge;
mod model;
mod refreshed;
mod sale;
mod sources;
mod timeline;
mod write;

use std::collections::BTreeMap;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use spark_client::functions::{col, count, lit};
use spark_client::{DataFrame, SparkSession};

pub use refreshed::{Refreshed, last as last_refreshed};

use crate::error::{Doing, Error, ErrorKind, Result};
use crate::job::own_session;
use crate::lake::Lake;
use crate::sessions::Sessions;
use crate::typed::{self, Merged};
use dimension::Dimension;
use merge::Target;
use sale::{Dimensions, Late};
use sources::Sources;

/// The job.
#[derive(Debug)]
pub struct Gold {
    spark: SparkSession,
    sessions: Sessions,
    lake: Lake,
}

/// How many dimensions are refreshed at the same time.
const CONCURRENCY: usize = 2;

/// How a gold table compares with its own full rebuild.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The table, without its database.
    pub table: String,
    /// Its rows.
    pub rows: i64,
    /// Rows that a rebuild has and the table lacks.
    pub missing: i64,
    /// Rows that the table has and a rebuild has not.
    pub extra: i64,
}

impl Gold {
    /// Makes the database and `gold.refreshed` where they are missing.
    pub async fn new(spark: SparkSession, lake: Lake) -> Result<Self> {
        let spark = own_session(&spark).await?;
        lake.create_database(&spark, "gold").await?;
        refreshed::create(&spark, &lake).await?;
        let sessions = Sessions::open(&spark, CONCURRENCY).await?;
        Ok(Self { spark, sessions, lake })
    }

    /// Brings every table to the last merged cut; none when they stand there already. When what silver was at the refresh before can't be
    /// read any more, every table is computed anew and compared.
    pub async fn refresh(&self) -> Result<Option<Refreshed>> {
        let now = self.merged().await?;
        let last = refreshed::last(&self.spark, &self.lake).await?;
        if last.as_ref().is_some_and(|last| last.cut >= now.cut) {
            return Ok(None);
        }
        let Some(last) = last else {
            return self.refresh_from(now, None, BTreeMap::new()).await.map(Some);
        };
        let before = typed::merged_at(&self.spark, &self.lake, last.round).await?;
        match self.refresh_from(now.clone(), before, last.gold.clone()).await {
            Err(error) if error.is_of_one_table() => {
                tracing::warn!(
                    error = error.chain(),
                    "gold can't go on from its last refresh and is rebuilt"
                );
                self.refresh_from(now, None, last.gold).await.map(Some)
            }
            refreshed => refreshed.map(Some),
        }
    }

    async fn refresh_from(
        &self,
        now: Merged,
        before: Option<Merged>,
        gold_before: BTreeMap<String, i64>,
    ) -> Result<Refreshed> {
        let (cut, round) = (now.cut, now.round);
        let sources = Sources::open(&self.spark, &self.lake, now, before).await?;
        let present = self.lake.tables(&self.spark, "gold").await?;
        // What is not written stays at its version.
        let mut versions = gold_before.clone();
        if !present.contains(date::NAME) {
            let rows = date::rows(&self.spark);
            versions.insert(date::NAME.to_owned(), self.create(&self.spark, date::NAME, &rows, cut).await?);
        }
        let written: Vec<Option<(String, i64)>> = futures::stream::iter(model::DIMENSIONS)
            .map(|dimension| {
                self.sessions.lend(async |spark| {
                    let is_there = present.contains(dimension.name);
                    let version = self.refresh_dimension(&spark, dimension, is_there, &sources, cut).await?;
                    Ok(version.map(|version| (dimension.name.to_owned(), version)))
                })
            })
            .buffer_unordered(self.sessions.count())
            .try_collect()
            .await?;
        versions.extend(written.into_iter().flatten());
        let is_there = present.contains(sale::NAME);
        if let Some(version) = self.refresh_sales(is_there, &sources, &gold_before, &versions, cut).await? {
            versions.insert(sale::NAME.to_owned(), version);
        }
        let done = Refreshed { cut, round, gold: versions };
        refreshed::record(&self.spark, &self.lake, &done).await?;
        Ok(done)
    }

    /// Refreshes whenever silver has merged on, until `stop` ends; `pause`: between two looks.
    pub async fn run(&self, pause: Duration, stop: impl Future<Output = Result<()>>) -> Result<()> {
        let refresh = async {
            loop {
                if let Some(refreshed) = self.refresh().await? {
                    tracing::info!(cut = refreshed.cut, "refreshed");
                }
                tokio::time::sleep(pause).await;
            }
        };
        let ended = tokio::select! {
            ended = refresh => ended,
            stopped = stop => stopped,
        };
        crate::job::interrupt(&self.spark).await;
        self.sessions.interrupt().await;
        ended
    }

    /// Computes every table anew at the cut where gold stands and compares, row for row.
    pub async fn check(&self) -> Result<Vec<Comparison>> {
        let never =
            || Error::new(ErrorKind::Configuration, "gold was never refreshed; run: lakepulse-gold refresh");
        let stands = refreshed::last(&self.spark, &self.lake).await?.ok_or_else(never)?;
        let then = typed::merged_at(&self.spark, &self.lake, stands.round).await?.ok_or_else(never)?;
        let sources = Sources::open(&self.spark, &self.lake, then, None).await?;
        let mut comparisons = Vec::new();
        for dimension in model::DIMENSIONS {
            let rebuilt = dimension.rows(&sources, None)?;
            comparisons.push(self.compare(dimension.name, &rebuilt).await?);
        }
        let rebuilt = sale::rows(&sources, &self.dimensions(), None)?;
        comparisons.push(self.compare(sale::NAME, &rebuilt).await?);
        Ok(comparisons)
    }

    async fn merged(&self) -> Result<Merged> {
        let merged = typed::merged(&self.spark, &self.lake).await?;
        merged.filter(|merged| merged.round > 0).ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "silver has merged no cut yet; is lakepulse-silver running?")
        })
    }

    async fn create(&self, spark: &SparkSession, table: &str, rows: &DataFrame, cut: i64) -> Result<i64> {
        write::create(spark, &self.lake.gold(table), &rows.in_session(spark), cut).await
    }

    /// The version that was written, if one was.
    async fn refresh_dimension(
        &self,
        spark: &SparkSession,
        dimension: &Dimension,
        is_there: bool,
        sources: &Sources,
        cut: i64,
    ) -> Result<Option<i64>> {
        if !is_there {
            let rows = dimension.rows(sources, None)?;
            return self.create(spark, dimension.name, &rows, cut).await.map(Some);
        }
        if !dimension.has_changed(sources)? {
            return Ok(None);
        }
        let table = self.lake.gold(dimension.name);
        let members = if sources.has_before() {
            let Some(members) = dimension.affected(sources)? else { return Ok(None) };
            members
        } else {
            let key = || [dimension.business_key];
            dimension
                .rows(sources, None)?
                .select(key())
                .union(&self.spark.table(&table).select(key()))
                .distinct()
        };
        let target = Target { table: &table, key: dimension.surrogate, group: dimension.business_key };
        let fresh = if sources.has_before() {
            dimension.rows(sources, Some(&members))?
        } else {
            dimension.rows(sources, None)?
        };
        let fresh = fresh.in_session(spark);
        target.replace(spark, &fresh, &members.in_session(spark), cut).await.map(Some)
    }

    fn dimensions(&self) -> Dimensions {
        let table = |dimension: &Dimension| self.spark.table(&self.lake.gold(dimension.name));
        Dimensions {
            customer: table(&model::CUSTOMER),
            city: table(&model::CITY),
            employee: table(&model::EMPLOYEE),
            stock_item: table(&model::STOCK_ITEM),
        }
    }

    /// The version that was written, if one was.
    async fn refresh_sales(
        &self,
        is_there: bool,
        sources: &Sources,
        before: &BTreeMap<String, i64>,
        now: &BTreeMap<String, i64>,
        cut: i64,
    ) -> Result<Option<i64>> {
        if !is_there {
            let rows = sale::rows(sources, &self.dimensions(), None)?;
            return self.create(&self.spark, sale::NAME, &rows, cut).await.map(Some);
        }
        let table = self.lake.gold(sale::NAME);
        let target = Target { table: &table, key: sale::KEY, group: sale::GROUP };
        if !sources.has_before() {
            let fresh = sale::rows(sources, &self.dimensions(), None)?;
            let group = || [sale::GROUP];
            let invoices = fresh.select(group()).union(&self.spark.table(&table).select(group())).distinct();
            return target.replace(&self.spark, &fresh, &invoices, cut).await.map(Some);
        }
        let late = Late {
            customer: self.changed(&model::CUSTOMER, before, now),
            city: self.changed(&model::CITY, before, now),
            employee: self.changed(&model::EMPLOYEE, before, now),
            stock_item: self.changed(&model::STOCK_ITEM, before, now),
        };
        let Some(invoices) = sale::affected(sources, &late)? else { return Ok(None) };
        let fresh = sale::rows(sources, &self.dimensions(), Some(&invoices))?;
        target.replace(&self.spark, &fresh, &invoices, cut).await.map(Some)
    }

    /// From when on members of a dimension are others than at the refresh before; none when the table did not change.
    fn changed(
        &self,
        dimension: &Dimension,
        before: &BTreeMap<String, i64>,
        now: &BTreeMap<String, i64>,
    ) -> Option<DataFrame> {
        let from = before.get(dimension.name).map_or(0, |version| version + 1);
        let to = now.get(dimension.name).copied().unwrap_or(0);
        let changes = sources::changes(&self.spark, &self.lake.gold(dimension.name), from, to)?;
        Some(sale::since(&changes, dimension))
    }

    async fn compare(&self, table: &str, rebuilt: &DataFrame) -> Result<Comparison> {
        let name = self.lake.gold(table);
        let stored = self.spark.table(&name);
        let columns = stored.columns().await.doing(format!("reading the columns of {name}"))?;
        let (stored, rebuilt) = (stored.select(columns.iter()), rebuilt.select(columns.iter()));
        let counted = |side: &str, rows: &DataFrame| {
            rows.agg([count(lit(1)).alias("n")]).select([lit(side).alias("side"), col("n")])
        };
        let all = counted("rows", &stored)
            .union(&counted("missing", &rebuilt.except_all(&stored)))
            .union(&counted("extra", &stored.except_all(&rebuilt)));
        let counts: Vec<(String, i64)> =
            all.collect_as().await.doing(format!("comparing {name} with its rebuild"))?;
        let of = |side: &str| counts.iter().find(|(name, _)| name == side).map_or(0, |(_, count)| *count);
        Ok(Comparison {
            table: table.to_owned(),
            rows: of("rows"),
            missing: of("missing"),
            extra: of("extra"),
        })
    }
}
