//! One slice: what bronze has of it, and the statement that appends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::functions::{col, expr};

use super::{CUT, Cut, Envelope};
use crate::control::{Position, Shape};
use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table, text_literal};

/// What bronze has of one topic between two cuts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Activity {
    /// Tombstones not counted.
    pub(super) events: i64,
    /// Rows of an image, which go to the typed tables from bronze.
    pub(super) read: i64,
    /// Of the schemas that changes were written with; and whether some have texts or names of values that were not told beside them.
    pub(super) schemas: Vec<(i32, bool)>,
}

#[derive(Deserialize)]
struct Row {
    topic: String,
    schema_id: i32,
    events: Vec<i64>,
    read: Vec<i64>,
    has_texts: bool,
}

/// What bronze has of each table's topic above one LSN and not above each of the others, by topic.
pub(super) async fn look(
    spark: &SparkSession,
    lake: &Lake,
    above: i64,
    to: &[i64],
) -> Result<Vec<BTreeMap<String, Activity>>> {
    let counts = |condition: &str| {
        let counts: Vec<String> =
            to.iter().map(|lsn| format!("count_if(commit_lsn <= {lsn}{condition})")).collect();
        expr(&format!("array({})", counts.join(", ")))
    };
    let highest = to.iter().copied().max().unwrap_or(above);
    let rows: Vec<Row> = spark
        .table(&lake.events())
        .filter(col("commit_lsn").gt(above) & col("commit_lsn").leq(highest) & lake.is_event())
        .group_by(["topic", "schema_id"])
        .agg([
            counts("").alias("events"),
            counts(" AND op = 'r'").alias("read"),
            expr("coalesce(bool_or(op <> 'r' AND coalesce(texts, texts_before, untold) IS NOT NULL), false)")
                .alias("has_texts"),
        ])
        .collect_as()
        .await
        .doing(format!("counting the events of {}", lake.events()))?;
    let mut found: Vec<BTreeMap<String, Activity>> = vec![BTreeMap::new(); to.len()];
    for Row { topic, schema_id, events, read, has_texts } in rows {
        for ((found, events), read) in found.iter_mut().zip(events).zip(read) {
            if events == 0 {
                continue;
            }
            let activity = found.entry(topic.clone()).or_default();
            activity.events += events;
            activity.read += read;
            if events > read {
                activity.schemas.push((schema_id, has_texts));
            }
        }
    }
    Ok(found)
}

/// Events of one topic that were written with one schema.
pub(super) struct Branch {
    pub(super) topic: String,
    pub(super) table: String,
    pub(super) schema_id: i32,
    pub(super) envelope: Arc<Envelope>,
    /// Those that the events may have, the oldest first.
    pub(super) shapes: Vec<Shape>,
    /// Some have texts or names of values that were not told beside them.
    pub(super) has_texts: bool,
    /// Spark fails on them.
    pub(super) is_undecodable: bool,
}

/// A query that decodes the events of one branch, and fails if they can't be.
pub(super) fn trial(lake: &Lake, cut: &Cut, next: &Cut, branch: &Branch) -> String {
    format!(
        "SELECT max(xxhash64(struct(*))) FROM ({})",
        decoded(lake, cut, next, std::slice::from_ref(branch), 1)
    )
}

/// So many tables are decoded by one branch of the plan: each is a case of one expression, whose code Spark generates. It does so once and
/// not for each slice, since COALESCE keeps what differs in each, the LSNs, in a stage of its own before.
pub(super) const TABLES_PER_SCAN: usize = 24;

/// The statement that appends a slice and the row that publishes its cut.
pub(super) fn insert(lake: &Lake, cut: &Cut, next: &Cut, branches: &[Branch], tasks: i64) -> String {
    let mut selects: Vec<String> =
        branches.chunks(TABLES_PER_SCAN).map(|branches| decoded(lake, cut, next, branches, tasks)).collect();
    selects.push(format!(
        "SELECT {} AS commit_lsn, {} AS ordinal, timestamp_micros({}) AS committed_at, CAST(NULL AS STRING) AS source_table, '{CUT}' AS op, \
         CAST(NULL AS STRING) AS key, CAST(NULL AS STRING) AS `row`, CAST(NULL AS STRING) AS before, CAST(NULL AS ARRAY<STRING>) AS untold, \
         CAST(NULL AS ARRAY<STRING>) AS failed, CAST(NULL AS INT) AS shape",
        next.commit_lsn,
        i64::MAX,
        next.committed_at_us,
    ));
    format!(
        "INSERT INTO {} SELECT /*+ COALESCE({tasks}) */ * FROM ({})",
        quoted_table(&lake.changes()),
        selects.join(" UNION ALL ")
    )
}

fn decoded(lake: &Lake, cut: &Cut, next: &Cut, branches: &[Branch], tasks: i64) -> String {
    let is_before = |shape: &Shape| shape.from.is_behind("commit_lsn", "ordinal");
    let mut cases = String::new();
    for branch in branches {
        // Two topics may share a schema, although capture's names differ.
        let is_shared = branches.iter().filter(|other| other.schema_id == branch.schema_id).count() > 1;
        for (index, shape) in branch.shapes.iter().enumerate() {
            let mut condition = format!("schema_id = {}", branch.schema_id);
            if is_shared {
                condition.push_str(&format!(" AND topic = {}", text_literal(&branch.topic)));
            }
            if shape.from > Position::end_of(cut.commit_lsn) {
                condition.push_str(&format!(" AND NOT {}", is_before(shape)));
            }
            if let Some(later) = branch.shapes.get(index + 1) {
                condition.push_str(&format!(" AND {}", is_before(later)));
            }
            let change = if branch.is_undecodable {
                Envelope::unread(&branch.table, shape)
            } else {
                branch.envelope.change(&branch.table, shape, branch.has_texts)
            };
            cases.push_str(&format!(" WHEN {condition} THEN {change}"));
        }
    }
    let ids: Vec<String> = branches.iter().map(|branch| branch.schema_id.to_string()).collect();
    format!(
        "SELECT commit_lsn, ordinal, d.at AS committed_at, d.source_table, CASE WHEN d.decoded THEN op ELSE '?' END AS op, d.key, d.`row`, d.before, d.untold, \
         CAST(NULL AS ARRAY<STRING>) AS failed, d.shape FROM (SELECT commit_lsn, ordinal, op, CASE{cases} END AS d FROM \
         (SELECT /*+ COALESCE({tasks}) */ * FROM {} WHERE commit_lsn > {} AND commit_lsn <= {} AND schema_id IN ({}) AND op <> 'r')) \
         WHERE d IS NOT NULL",
        quoted_table(&lake.events()),
        cut.commit_lsn,
        next.commit_lsn,
        ids.join(", "),
    )
}
