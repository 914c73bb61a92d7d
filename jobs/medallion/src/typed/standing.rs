//! Where typed tables stand, as `silver.rounds` has it.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::SparkSession;

use crate::control::Position;
use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table};

/// Where a typed table stands, as `silver.rounds` has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// `schema.table`.
    pub source_table: String,
    /// Its name in silver.
    pub silver_table: String,
    /// The LSN of the cut that it stands at.
    pub cut: i64,
    /// The Delta version that has this state.
    pub version: i64,
    /// The shape of the source that it has.
    pub shape: i32,
    /// The Delta version of its history that has this state; none when none is kept.
    pub history: Option<i64>,
    /// Where the image began that it was loaded from; none when it never was.
    pub image_lsn: Option<i64>,
    pub image_ordinal: Option<i64>,
    /// Why it stands still; none while it does not.
    pub held: Option<String>,
}

impl Merged {
    /// Before the first round.
    pub(super) fn nothing() -> Self {
        Self { cut: -1, ..Self::default() }
    }
}

impl Standing {
    /// Of a table that is not there yet.
    pub(super) fn none(source_table: &str, silver_table: &str) -> Self {
        Self {
            source_table: source_table.to_owned(),
            silver_table: silver_table.to_owned(),
            cut: -1,
            version: -1,
            shape: 0,
            history: None,
            image_lsn: None,
            image_ordinal: None,
            held: None,
        }
    }

    /// Where its image began.
    pub fn image(&self) -> Option<Position> {
        Some(Position { commit_lsn: self.image_lsn?, ordinal: self.image_ordinal? })
    }
}

/// What the rounds have come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// Counts the rounds.
    pub round: i64,
    /// Every table that is not held stands at the cut of this LSN, as of the last round; -1 before the first.
    pub cut: i64,
    /// By topic.
    pub standings: BTreeMap<String, Standing>,
}

/// A row of `silver.rounds`.
#[derive(Debug, Deserialize)]
struct Recorded {
    round: i64,
    cut: i64,
    topic: Option<String>,
    source_table: Option<String>,
    silver_table: Option<String>,
    version: Option<i64>,
    shape: Option<i32>,
    history: Option<i64>,
    image_lsn: Option<i64>,
    image_ordinal: Option<i64>,
    held: Option<String>,
}

/// Where every table stands, from `silver.rounds`; none when no silver has begun.
pub async fn merged(spark: &SparkSession, lake: &Lake) -> Result<Option<Merged>> {
    merged_at(spark, lake, i64::MAX).await
}

/// Where every table stood after a round.
pub async fn merged_at(spark: &SparkSession, lake: &Lake, round: i64) -> Result<Option<Merged>> {
    let rounds = lake.silver("rounds");
    let about = || format!("reading {rounds}");
    if !spark.catalog().table_exists(&rounds).await.doing(about())? {
        return Ok(None);
    }
    let newest = format!(
        "SELECT l.round, l.cut, l.topic, l.source_table, l.silver_table, l.version, l.shape, l.history, l.image_lsn, l.image_ordinal, l.held \
         FROM (SELECT max_by(struct(*), round) AS l FROM {} WHERE round <= {round} GROUP BY topic)",
        quoted_table(&rounds)
    );
    let rows: Vec<Recorded> = spark.sql(&newest).await.doing(about())?.collect_as().await.doing(about())?;
    let mut merged = Merged::nothing();
    for row in rows {
        let Recorded {
            topic: Some(topic),
            source_table: Some(source_table),
            silver_table: Some(silver_table),
            ..
        } = row
        else {
            (merged.round, merged.cut) = (row.round, row.cut);
            continue;
        };
        let standing = Standing {
            source_table,
            silver_table,
            cut: row.cut,
            version: row.version.unwrap_or(-1),
            shape: row.shape.unwrap_or(0),
            history: row.history,
            image_lsn: row.image_lsn,
            image_ordinal: row.image_ordinal,
            held: row.held,
        };
        merged.standings.insert(topic, standing);
    }
    Ok(Some(merged))
}
