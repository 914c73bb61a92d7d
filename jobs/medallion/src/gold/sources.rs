//! Silver as gold reads it: every table at one merged cut, and what changed since another.

use std::collections::{BTreeMap, BTreeSet};

use spark_client::functions::{call_function, col, count_if, lit};
use spark_client::{DataFrame, JoinType, SparkSession};

use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::{Lake, PRUNED};
use crate::typed::{Merged, Standing, history_name};

/// Silver at a merged cut, and at the refresh before.
#[derive(Debug)]
pub(super) struct Sources {
    spark: SparkSession,
    lake: Lake,
    now: Merged,
    /// None for a rebuild.
    before: Option<Merged>,
    /// Source tables that were emptied in between.
    emptied: BTreeSet<String>,
    /// Of silver's tables that have another shape than before: the columns that they have in both.
    common_columns: BTreeMap<String, Vec<String>>,
}

/// A table of silver, or a history, with the Delta version that stands at a cut.
struct Versioned<'a> {
    standing: &'a Standing,
    version: i64,
}

fn versioned<'a>(merged: &'a Merged, table: &str) -> Option<Versioned<'a>> {
    merged.standings.values().find_map(|standing| {
        if standing.silver_table == table {
            (standing.version >= 0).then_some(Versioned { standing, version: standing.version })
        } else if history_name(&standing.silver_table) == table {
            standing.history.map(|version| Versioned { standing, version })
        } else {
            None
        }
    })
}

impl Sources {
    /// `before`: where silver's tables stood at the refresh before.
    pub(super) async fn open(
        spark: &SparkSession,
        lake: &Lake,
        now: Merged,
        before: Option<Merged>,
    ) -> Result<Self> {
        let mut sources = Self {
            spark: spark.clone(),
            lake: lake.clone(),
            now,
            before,
            emptied: BTreeSet::new(),
            common_columns: BTreeMap::new(),
        };
        let Some(before) = &sources.before else { return Ok(sources) };
        let changes = lake.changes();
        let pruned = crate::lake::property(spark, &changes, PRUNED).await?.and_then(|lsn| lsn.parse().ok());
        if pruned.is_some_and(|pruned: i64| before.cut < pruned) {
            let what = format!("{changes} has no events any more from after the last refresh");
            return Err(Error::new(ErrorKind::Data, what));
        }
        let emptied: Vec<(String, i64)> = spark
            .table(&changes)
            .filter(
                col("commit_lsn").gt(before.cut) & col("commit_lsn").leq(sources.now.cut) & col("op").eq("t"),
            )
            .group_by(["source_table"])
            .agg([count_if(lit(true)).alias("n")])
            .collect_as()
            .await
            .doing(format!("looking for TRUNCATE in {changes}"))?;
        sources.emptied = emptied.into_iter().map(|(table, _)| table).collect();
        for (topic, standing) in &sources.now.standings {
            let former = before.standings.get(topic);
            if former.is_none_or(|former| former.shape == standing.shape || former.version < 0) {
                continue;
            }
            let mut tables = vec![standing.silver_table.clone()];
            tables.extend(standing.history.map(|_| history_name(&standing.silver_table)));
            for table in tables {
                let Some(former) = versioned(before, &table) else { continue };
                let about = || format!("reading the columns of {table}");
                let then = sources.at(&table, former.version).columns().await.doing(about())?;
                let now = sources.table(&table)?.columns().await.doing(about())?;
                let common = now.into_iter().filter(|column| then.contains(column)).collect();
                sources.common_columns.insert(table, common);
            }
        }
        Ok(sources)
    }

    /// Whether there is a refresh before to go on from.
    pub(super) fn has_before(&self) -> bool {
        self.before.is_some()
    }

    fn at(&self, table: &str, version: i64) -> DataFrame {
        self.spark.read().option("versionAsOf", version).table(&self.lake.silver(table))
    }

    fn now(&self, table: &str) -> Result<Versioned<'_>> {
        versioned(&self.now, table).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "gold needs silver table {table}, which no round has made; does capture include its source, and \
                     does its contract say scd: type2 where the name ends in _history?"
                ),
            )
        })
    }

    /// A silver table as it was at the cut.
    pub(super) fn table(&self, table: &str) -> Result<DataFrame> {
        Ok(self.at(table, self.now(table)?.version))
    }

    /// The rows that the table has and had not at the refresh before, and those that it had and has not any more; none when there is no
    /// such row. `key`: the one column that identifies a row of the source table.
    pub(super) fn changed(&self, table: &str, key: &str) -> Result<Option<DataFrame>> {
        let now = self.now(table)?;
        let rows = self.table(table)?;
        let former = self.before.as_ref().and_then(|before| Some((before, versioned(before, table)?)));
        let Some((before, former)) = former else { return Ok(Some(rows)) };
        if former.version == now.version {
            return Ok(None);
        }
        let mut sides = [rows, self.at(table, former.version)];
        if let Some(columns) = self.common_columns.get(table) {
            sides = sides.map(|side| side.select(columns.iter()));
        }
        // Rows that an image or a TRUNCATE took away have no event of their own.
        let is_told_by_events = now.standing.image() == former.standing.image()
            && !self.emptied.contains(&now.standing.source_table);
        if is_told_by_events {
            let keys = self.changed_keys(before.cut, &now.standing.source_table, key);
            let same = col(key).cast("string").eq(col(CHANGED));
            sides = sides.map(|side| side.join(&keys, same.clone(), JoinType::LeftSemi));
        }
        let [now, former] = &sides;
        Ok(Some(now.except_all(former).union(&former.except_all(now))))
    }

    fn changed_keys(&self, above: i64, source_table: &str, key: &str) -> DataFrame {
        let key = call_function("get_json_object", [col("key"), lit(format!("$.{key}").as_str())]);
        self.spark
            .table(&self.lake.changes())
            .filter(
                col("source_table").eq(source_table)
                    & col("commit_lsn").gt(above)
                    & col("commit_lsn").leq(self.now.cut)
                    & col("op").isin(["c", "u", "d"]),
            )
            .select([key.alias(CHANGED)])
            .distinct()
    }

    /// Whether a table has changed since the refresh before.
    pub(super) fn has_changed(&self, table: &str) -> Result<bool> {
        let former = self.before.as_ref().and_then(|before| versioned(before, table));
        Ok(former.map(|former| former.version) != Some(self.now(table)?.version))
    }

    /// A DataFrame of one row, for literals.
    pub(super) fn one_row(&self) -> DataFrame {
        self.spark.range(0..1)
    }
}

const CHANGED: &str = "_changed_key";

/// The change data feed of a gold table, both versions included; none when there is no version in between.
pub(super) fn changes(spark: &SparkSession, table: &str, from: i64, to: i64) -> Option<DataFrame> {
    if from > to {
        return None;
    }
    let reader = spark.read().option("readChangeFeed", true);
    Some(reader.option("startingVersion", from).option("endingVersion", to).table(table))
}
