//! Silver as gold reads it: every table at the version of one published cut, and what changed since another.

use std::collections::BTreeMap;

use spark_client::{DataFrame, SparkSession};

use crate::error::{Error, ErrorKind, Result};
use crate::lake::Lake;

/// Silver at a published cut, and the versions at the refresh before.
#[derive(Debug)]
pub(super) struct Sources {
    spark: SparkSession,
    lake: Lake,
    now: BTreeMap<String, i64>,
    before: BTreeMap<String, i64>,
}

impl Sources {
    pub(super) fn new(
        spark: SparkSession,
        lake: Lake,
        now: BTreeMap<String, i64>,
        before: BTreeMap<String, i64>,
    ) -> Self {
        Self { spark, lake, now, before }
    }

    fn version(&self, table: &str) -> Result<i64> {
        self.now.get(table).copied().ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!(
                    "gold needs silver table {table}, which no cut has published; does capture include its source, and \
                     does its contract say scd: type2 where the name ends in _history?"
                ),
            )
        })
    }

    /// A silver table as it was at the cut.
    pub(super) fn table(&self, table: &str) -> Result<DataFrame> {
        Ok(self.spark.read().option("versionAsOf", self.version(table)?).table(&self.lake.silver(table)))
    }

    /// The rows that changed between the refresh before and the cut, from the change data feed; none when nothing did.
    pub(super) fn changed(&self, table: &str) -> Result<Option<DataFrame>> {
        let to = self.version(table)?;
        let from = self.before.get(table).map_or(0, |version| version + 1);
        Ok(changes(&self.spark, &self.lake.silver(table), from, to))
    }

    /// Whether a table has changed since the refresh before.
    pub(super) fn has_changed(&self, table: &str) -> Result<bool> {
        Ok(self.before.get(table).copied() != Some(self.version(table)?))
    }

    /// A DataFrame of one row, for literals.
    pub(super) fn one_row(&self) -> DataFrame {
        self.spark.range(0..1)
    }
}

/// The change data feed of a table, both versions included; none when there is no version in between.
pub(super) fn changes(spark: &SparkSession, table: &str, from: i64, to: i64) -> Option<DataFrame> {
    if from > to {
        return None;
    }
    let reader = spark.read().option("readChangeFeed", true);
    Some(reader.option("startingVersion", from).option("endingVersion", to).table(table))
}
