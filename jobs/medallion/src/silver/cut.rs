//! Finding the next cut: the last commit LSN at which bronze holds exactly what capture has counted.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::functions::{
    call_function, coalesce, col, count, create_map, expr, from_avro, lit, max, max_by, min, min_by, sum,
    when,
};
use spark_client::{Column, DataFrame, SparkSession, Window, WindowBound};

use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::Lake;
use crate::registry::Registry;

/// A cut: for every topic, the events in bronze at or below it are complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The commit LSN.
    pub lsn: i64,
    /// When the last transaction at or below it was committed, in microseconds since 1970.
    pub committed_at_us: i64,
}

/// What bronze says about the events above the previous cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlook {
    /// Everything up to here is complete.
    Complete {
        /// Where.
        cut: Cut,
        /// How many events bronze has above the previous cut, checkpoints not counted.
        events: i64,
    },
    /// Nothing above the previous cut is complete yet.
    Waiting {
        /// The checkpoint at which the first event is missing, when there is one.
        missing_at: Option<i64>,
    },
}

#[derive(Debug, Deserialize)]
struct Evidence {
    cut: Option<i64>,
    committed_at_us: Option<i64>,
    missing_at: Option<i64>,
    surplus_at: Option<i64>,
    surplus_topic: Option<String>,
    events: Option<i64>,
}

/// Looks for the last cut above the LSN `previous`, and not above `limit` if there is one.
///
/// Capture's checkpoints say, for each topic that a Kafka transaction touched, how many events that topic has had
/// since the slot began; `counted` says how many of them were at or below the previous cut. One plan compares both at
/// every complete checkpoint. A count that is too low may still become right; one that is too high cannot, and is an
/// error.
pub async fn next(
    spark: &SparkSession,
    lake: &Lake,
    registry: &Registry,
    previous: i64,
    counted: &BTreeMap<String, i64>,
    limit: Option<i64>,
) -> Result<Outlook> {
    let fresh = spark.table(&lake.events()).filter(col("commit_lsn").gt(previous));
    let checkpoints = checkpoints(&fresh, lake, registry).await?;
    let Some(checkpoints) = checkpoints else { return Ok(Outlook::Waiting { missing_at: None }) };
    let evidence: Evidence = compare(&fresh, &checkpoints, lake, counted)
        .first_as()
        .await
        .doing(format!("comparing the counts of {} with the checkpoints", lake.events()))?
        .ok_or_else(|| Error::new(ErrorKind::Spark, "Spark gave no row for an aggregate over all rows"))?;
    if let Some(lsn) = evidence.surplus_at {
        return Err(Error::new(
            ErrorKind::Incomplete,
            format!(
                "{} holds more events of {} at or below LSN {lsn} than capture has written: events are doubled, or the \
                 slot was started over without emptying bronze; see \"Counts that do not fit\" in docs/operations.md",
                lake.events(),
                evidence.surplus_topic.as_deref().unwrap_or("a topic"),
            ),
        ));
    }
    match (evidence.cut, evidence.committed_at_us) {
        // Where everything is complete, it is complete at every LSN below too.
        (Some(lsn), Some(committed_at_us)) => {
            let cut = Cut { lsn: limit.map_or(lsn, |limit| limit.min(lsn)), committed_at_us };
            Ok(Outlook::Complete { cut, events: evidence.events.unwrap_or(0) })
        }
        _ => Ok(Outlook::Waiting { missing_at: evidence.missing_at }),
    }
}

/// The checkpoint records among the events: topic, expected (its cumulative count), and the LSN at which the count
/// is due. Counts are in the order in which capture wrote. Within a snapshot or a split transaction that is not the
/// order of LSNs, so that what an incomplete record counts is due at the next complete one.
async fn checkpoints(fresh: &DataFrame, lake: &Lake, registry: &Registry) -> Result<Option<DataFrame>> {
    let topic = lake.checkpoint_topic();
    let records = fresh.filter(col("topic").eq(topic.as_str()));
    let mut all: Option<DataFrame> = None;
    for (id, schema) in registry.value_schemas(&topic).await? {
        let decoded = records
            .filter(col("schema_id").eq(id))
            .select([col("offset"), from_avro(expr("substring(value, 6)"), &schema.json).alias("c")])
            .select(["offset", "c.commit_lsn", "c.committed_at_us", "c.complete", "c.counts"]);
        all = Some(match all {
            Some(before) => before.union(&decoded),
            None => decoded,
        });
    }
    let from_here_on =
        Window::ordered_by(["offset"]).rows_between(WindowBound::CurrentRow, WindowBound::Unbounded);
    Ok(all.map(|records| {
        let due = min(when(col("complete"), col("commit_lsn")).end()).over(from_here_on);
        records.with_column("lsn", due).filter(col("lsn").is_not_null())
    }))
}

/// One row: the highest complete checkpoint below the first that does not match, and where counts do not match.
fn compare(
    fresh: &DataFrame,
    checkpoints: &DataFrame,
    lake: &Lake,
    counted: &BTreeMap<String, i64>,
) -> DataFrame {
    let null = || lit(None::<i64>).cast("bigint");
    let found = fresh
        .filter(lake.is_event())
        .group_by([col("topic"), col("commit_lsn").alias("lsn")])
        .agg([count(lit(1)).alias("found")])
        .select([col("topic"), col("lsn"), col("found"), null().alias("expected")]);
    let expected = checkpoints
        .select([col("lsn"), expr("explode(counts)").aliases(["topic", "expected"])])
        .group_by(["topic", "lsn"])
        .agg([max("expected").alias("expected")])
        .select([col("topic"), col("lsn"), lit(0_i64).alias("found"), col("expected")]);
    let so_far = Window::partition_by(["topic"])
        .order_by(["lsn"])
        .range_between(WindowBound::Unbounded, WindowBound::CurrentRow);
    let total = sum("found").over(so_far) + already(counted);
    let where_surplus = |sign: fn(Column) -> Column| when(sign(col("surplus")), col("lsn")).end();
    let mismatch = found.union(&expected).with_column("surplus", total - col("expected")).agg([
        min(where_surplus(|surplus| surplus.lt(0))).alias("missing_at"),
        min(where_surplus(|surplus| surplus.gt(0))).alias("surplus_at"),
        min_by("topic", where_surplus(|surplus| surplus.gt(0))).alias("surplus_topic"),
        sum("found").alias("events"),
    ]);
    let complete = checkpoints
        .filter(col("complete"))
        .cross_join(&mismatch)
        .filter(col("missing_at").is_null() | col("lsn").lt(col("missing_at")))
        .agg([max("lsn").alias("cut"), max_by("committed_at_us", "lsn").alias("committed_at_us")]);
    complete.cross_join(&mismatch)
}

/// How many events of the row's topic were counted at the previous cut.
fn already(counted: &BTreeMap<String, i64>) -> Column {
    if counted.is_empty() {
        return lit(0_i64);
    }
    let pairs = counted.iter().flat_map(|(topic, count)| [lit(topic.as_str()), lit(*count)]);
    coalesce([call_function("try_element_at", [create_map(pairs), col("topic")]), lit(0_i64)])
}
