//! `lakepulse verify`: whether silver equals the source, row for row.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use lakepulse_medallion::changes::{self, Cut};
use lakepulse_medallion::control::{Position, Shape, ShapeColumn, SourceTable};
use lakepulse_medallion::job::own_session;
use lakepulse_medallion::typed::{self, Merged, Standing};
use spark_client::functions::{col, expr};

use crate::catalog::{self, CatalogTable};
use crate::compared::Compared;
use crate::comparison::{Counts, count_differences};
use crate::error::{Doing, Error, Result};
use crate::lakehouse::Lakehouse;
use crate::orphans::count_orphans;
use crate::report::{Report, TableReport};
use crate::snapshot::Snapshot;
use crate::source::SourceAddress;
use crate::source_rows;
use crate::told::ToldAddress;

/// Each look costs Spark a query, which whoever publishes waits for.
const POLL: Duration = Duration::from_secs(3);

/// How long relation records take to be read at most.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often a comparison begins anew because somebody wrote to the source in the meantime.
const ATTEMPTS: u32 = 5;

/// Compares every captured table. Takes a snapshot of the source, waits until silver is merged to a cut behind it, and begins anew when
/// there were changes in between, so that both sides show the same moment. Silver's tables are read as they are now.
pub async fn run(
    lakehouse: &Lakehouse,
    source: &SourceAddress,
    told: &ToldAddress,
    limit: Duration,
) -> Result<Report> {
    // With the settings that silver's own plans have, since types and names are read as silver reads them.
    let spark = own_session(&lakehouse.spark).await.doing("opening a session")?;
    let lakehouse = &Lakehouse { spark, lake: lakehouse.lake.clone() };
    let started = Instant::now();
    let mut attempt = 0;
    while attempt < ATTEMPTS {
        let snapshot = Snapshot::take(source).await?;
        let (merged, told) = until_merged(lakehouse, told, snapshot.after, limit).await?;
        if changes_above(lakehouse, snapshot.before, merged.cut.max(snapshot.after)).await? > 0 {
            attempt += 1;
            continue;
        }
        let catalog = catalog::tables(&snapshot.client).await?;
        let comparison = Comparison { lakehouse, source, snapshot, catalog, merged, told };
        if let Some(lost) = comparison.lost_column() {
            if started.elapsed() > limit {
                return Err(Error::new(format!(
                    "the source has lost {lost}, and silver still has it; do capture and silver run? see: lakepulse status"
                )));
            }
            tokio::time::sleep(POLL).await;
            continue;
        }
        let report = comparison.report().await?;
        // A round may have merged what was written since.
        if report.is_clean() || changes_above(lakehouse, comparison.snapshot.before, i64::MAX).await? == 0 {
            return Ok(report);
        }
        attempt += 1;
    }
    Err(Error::new(format!(
        "the source changed during each of {ATTEMPTS} attempts to compare; stop the writers and run verify again"
    )))
}

/// Where every table stands once all is merged that was committed up to an LSN, and what was told of the tables until then.
async fn until_merged(
    lakehouse: &Lakehouse,
    told: &ToldAddress,
    lsn: i64,
    limit: Duration,
) -> Result<(Merged, BTreeMap<String, SourceTable>)> {
    let started = Instant::now();
    loop {
        let (merged, cut) = standing(lakehouse).await?;
        if let (Some(merged), Some(cut)) = (&merged, &cut) {
            if cut.commit_lsn >= lsn && merged.cut < lsn {
                told.ask_to_merge().await;
            }
            let is_beyond = merged.cut >= lsn;
            // Silver at rest tells of no cut without events: then it is enough that capture tells of none above the last.
            if is_beyond || merged.cut >= cut.commit_lsn {
                let (to, patience) = if is_beyond { (merged.cut, PATIENCE) } else { (lsn, POLL) };
                let found = told.read(&lakehouse.lake, cut, to, patience).await?;
                if let Some(found) = found.filter(|found| is_beyond || found.is_at_rest) {
                    return Ok((merged.clone(), found.tables));
                }
            }
        }
        if started.elapsed() > limit {
            let text = |lsn: Option<i64>| lsn.map_or_else(|| "none".to_owned(), |lsn| lsn.to_string());
            return Err(Error::new(format!(
                "silver was not merged to a cut at or above LSN {lsn} in {} s (last published: {}, last merged: {}); do \
                 capture, bronze and silver run? see: lakepulse status",
                limit.as_secs(),
                text(cut.map(|cut| cut.commit_lsn)),
                text(merged.map(|merged| merged.cut))
            )));
        }
        tokio::time::sleep(POLL).await;
    }
}

/// Where every table stands, and the last cut that `silver.changes` tells of.
async fn standing(lakehouse: &Lakehouse) -> Result<(Option<Merged>, Option<Cut>)> {
    let (spark, lake) = (&lakehouse.spark, &lakehouse.lake);
    let merged = typed::merged(spark, lake).await.doing("asking where silver's tables stand")?;
    if !spark.catalog().table_exists(&lake.changes()).await.doing("looking for tables")? {
        return Ok((merged, None));
    }
    let cut = changes::last_cut(spark, lake).await.doing("asking for the last cut")?;
    Ok((merged, cut))
}

/// How many changes were published above one LSN and not above another.
async fn changes_above(lakehouse: &Lakehouse, above: i64, to: i64) -> Result<i64> {
    let lake = &lakehouse.lake;
    lakehouse
        .spark
        .table(&lake.changes())
        .filter(col("commit_lsn").gt(above) & col("commit_lsn").leq(to) & expr("op <> 'cut'"))
        .count()
        .await
        .doing("looking for changes since the snapshot")
}

/// What there is to compare of a table.
enum Found<'a> {
    /// The source has no such table any more, or capture leaves it out.
    Gone,
    Held(String),
    /// Its shape, and its name in silver once a round has made it.
    Standing(&'a Shape, Option<&'a str>),
}

impl<'a> Found<'a> {
    fn of(table: &'a SourceTable, standing: Option<&'a Standing>, cut: i64) -> Self {
        let is_told = |position: Position| position <= Position::end_of(cut);
        if table.gone.is_some_and(is_told) {
            return Self::Gone;
        }
        if let Some(reason) = standing.and_then(|standing| standing.held.as_ref()) {
            return Self::Held(reason.clone());
        }
        match (table.shape_at(cut), &table.unreadable) {
            (Some(shape), _) => {
                Self::Standing(shape, standing.map(|standing| standing.silver_table.as_str()))
            }
            (None, Some((from, reason))) if is_told(*from) => {
                Self::Held(format!("its shape can't be followed: {reason}"))
            }
            (None, _) => Self::Gone,
        }
    }
}

/// Everything at one moment.
struct Comparison<'a> {
    lakehouse: &'a Lakehouse,
    source: &'a SourceAddress,
    snapshot: Snapshot,
    /// As of the snapshot.
    catalog: BTreeMap<String, CatalogTable>,
    merged: Merged,
    /// By topic.
    told: BTreeMap<String, SourceTable>,
}

impl Comparison<'_> {
    /// Every table that was told of, and what there is to compare of it.
    fn found(&self) -> impl Iterator<Item = (&SourceTable, Found<'_>)> {
        self.told.iter().map(|(topic, table)| {
            (table, Found::of(table, self.merged.standings.get(topic), self.merged.cut))
        })
    }

    /// A column that silver has and the source has not: it was dropped or renamed without an event since.
    fn lost_column(&self) -> Option<String> {
        self.found().find_map(|(table, found)| {
            let Found::Standing(shape, _) = found else { return None };
            let known = self.catalog.get(&table.name)?;
            let lost = shape.columns.iter().find(|column| !known.columns.contains(&column.name))?;
            Some(format!("column {} of {}", lost.name, table.name))
        })
    }

    async fn report(&self) -> Result<Report> {
        let mut reports = BTreeMap::new();
        let mut compared = Vec::new();
        for (table, found) in self.found() {
            let mut report = TableReport { table: table.name.clone(), ..TableReport::default() };
            match found {
                Found::Gone => continue,
                Found::Held(reason) => report.held = Some(reason),
                Found::Standing(shape, silver) => {
                    let masked = shape.columns.iter().filter(|column| column.masked);
                    report.masked = masked.map(|column| column.name.clone()).collect();
                    compared.push(self.compared(table, shape, silver)?);
                }
            }
            reports.insert(table.name.clone(), report);
        }
        let constraints = catalog::constraints(&self.snapshot.client).await?;
        let (counts, orphans) =
            futures::try_join!(count_differences(&compared), count_orphans(&compared, &constraints))?;
        for Counts { table, rows, missing, extra, different } in counts {
            let report = reports.entry(table).or_default();
            (report.rows, report.missing, report.extra, report.different) = (rows, missing, extra, different);
        }
        for (table, count) in orphans {
            reports.entry(table).or_default().orphans = count;
        }
        Ok(Report { cut: self.merged.cut, tables: reports.into_values().collect() })
    }

    /// Both sides of a table.
    fn compared(&self, table: &SourceTable, shape: &Shape, silver: Option<&str>) -> Result<Compared> {
        let Lakehouse { spark, lake } = self.lakehouse;
        let columns: Vec<ShapeColumn> =
            shape.columns.iter().filter(|column| !column.masked).cloned().collect();
        let source = self.catalog.get(&table.name).map(|known| {
            source_rows::texts(spark, self.source, &self.snapshot, table, known.is_partitioned, &columns)
        });
        Ok(Compared {
            table: table.name.clone(),
            key: shape.key.clone(),
            source: source.transpose()?,
            silver: silver.map(|name| spark.table(&lake.silver(name))),
            columns,
        })
    }
}
