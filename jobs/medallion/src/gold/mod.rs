//! Gold: Wide World Importers' star schema, refreshed from what changed in silver between two published cuts.
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

use std::collections::BTreeMap;

use futures::{StreamExt, TryStreamExt};
use spark_client::functions::{col, count, lit};
use spark_client::{DataFrame, SparkSession};

pub use refreshed::{Refreshed, last as last_refreshed};

use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::Lake;
use crate::sessions::Sessions;
use crate::silver::{self, Published};
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
        lake.create_database(&spark, "gold").await?;
        refreshed::create(&spark, &lake).await?;
        let sessions = Sessions::open(&spark, CONCURRENCY).await?;
        Ok(Self { spark, sessions, lake })
    }

    /// Brings every table to the last published cut. None when they stand there already.
    pub async fn refresh(&self) -> Result<Option<Refreshed>> {
        let published = self.published().await?;
        let before = refreshed::last(&self.spark, &self.lake).await?;
        if before.as_ref().is_some_and(|before| before.cut >= published.cut.lsn) {
            return Ok(None);
        }
        let (silver_before, gold_before) =
            before.map(|before| (before.silver, before.gold)).unwrap_or_default();
        let cut = published.cut.lsn;
        let sources =
            Sources::new(self.spark.clone(), self.lake.clone(), published.tables.clone(), silver_before);
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
        let done = Refreshed { cut, silver: published.tables, gold: versions };
        refreshed::record(&self.spark, &self.lake, &done).await?;
        Ok(Some(done))
    }

    /// Computes every table anew at the cut where gold stands and compares, row for row.
    pub async fn check(&self) -> Result<Vec<Comparison>> {
        let stands = refreshed::last(&self.spark, &self.lake).await?.ok_or_else(|| {
            Error::new(ErrorKind::Configuration, "gold was never refreshed; run: lakepulse-gold refresh")
        })?;
        let sources =
            Sources::new(self.spark.clone(), self.lake.clone(), stands.silver.clone(), BTreeMap::new());
        let mut comparisons = Vec::new();
        for dimension in model::DIMENSIONS {
            let rebuilt = dimension.rows(&sources, None)?;
            comparisons.push(self.compare(dimension.name, &rebuilt).await?);
        }
        let rebuilt = sale::rows(&sources, &self.dimensions(), None)?;
        comparisons.push(self.compare(sale::NAME, &rebuilt).await?);
        Ok(comparisons)
    }

    async fn published(&self) -> Result<Published> {
        silver::last_published(&self.spark, &self.lake).await?.ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                "silver has published no cut yet; is lakepulse-silver running?",
            )
        })
    }

    async fn create(&self, spark: &SparkSession, table: &str, rows: &DataFrame, cut: i64) -> Result<i64> {
        silver::create_table(spark, &self.lake.gold(table), &rows.in_session(spark), cut).await
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
        let Some(members) = dimension.affected(sources)? else { return Ok(None) };
        let table = self.lake.gold(dimension.name);
        let target = Target { table: &table, key: dimension.surrogate, group: dimension.business_key };
        let fresh = dimension.rows(sources, Some(&members))?.in_session(spark);
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
        let late = Late {
            customer: self.changed(&model::CUSTOMER, before, now),
            city: self.changed(&model::CITY, before, now),
            employee: self.changed(&model::EMPLOYEE, before, now),
            stock_item: self.changed(&model::STOCK_ITEM, before, now),
        };
        let Some(invoices) = sale::affected(sources, &late)? else { return Ok(None) };
        let table = self.lake.gold(sale::NAME);
        let target = Target { table: &table, key: sale::KEY, group: sale::GROUP };
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
