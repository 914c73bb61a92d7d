//! What happened between two cuts: per topic and schema, how many events, and of which kinds.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::DataFrame;
use spark_client::functions::{bool_and, bool_or, coalesce, col, count, lit};

use crate::error::{Doing, Result};
use crate::lake::Lake;

/// The events of one topic between two cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Activity {
    /// How many, tombstones not counted.
    pub events: i64,
    /// The ids of the schemas that they were written with.
    pub schema_ids: Vec<i32>,
    /// Whether the table was emptied by TRUNCATE.
    pub truncated: bool,
    /// Whether every event is known to be an insert.
    pub only_inserts: bool,
}

#[derive(Deserialize)]
struct Row {
    topic: String,
    schema_id: i32,
    events: i64,
    truncated: bool,
    only_inserts: bool,
}

/// The activity of every topic that has any of the events, a part of `bronze.events`.
pub(super) async fn of(events: &DataFrame, lake: &Lake) -> Result<BTreeMap<String, Activity>> {
    // Of all events only a TRUNCATE has no key: silver has no tables without one.
    let rows: Vec<Row> = events
        .filter(lake.is_event())
        .group_by(["topic", "schema_id"])
        .agg([
            count(lit(1)).alias("events"),
            bool_or(col("key").is_null()).alias("truncated"),
            bool_and(coalesce([col("op").eq("c"), lit(false)])).alias("only_inserts"),
        ])
        .collect_as()
        .await
        .doing(format!("counting the events of {}", lake.events()))?;
    let mut activities: BTreeMap<String, Activity> = BTreeMap::new();
    for row in rows {
        let activity = activities
            .entry(row.topic)
            .or_insert_with(|| Activity { only_inserts: true, ..Activity::default() });
        activity.events += row.events;
        activity.schema_ids.push(row.schema_id);
        activity.truncated |= row.truncated;
        activity.only_inserts &= row.only_inserts;
    }
    Ok(activities)
}
