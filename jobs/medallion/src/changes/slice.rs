//! One slice: what bronze has of it, and the statement that appends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::functions::{col, expr};

use super::kafka::VIEW;
use super::{CUT, Cut, Envelope};
use crate::control::{Position, Shape};
use crate::error::{Doing, Result};
use crate::lake::{Lake, quoted_table, text_literal};

/// Where a slice's events are read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
    /// In `bronze.events`, where they were counted before.
    Bronze,
    /// In the records that [`VIEW`] has, which the statement counts itself: of each topic there must be so many.
    Kafka(&'a BTreeMap<String, i64>),
}

impl Source<'_> {
    fn table(self, lake: &Lake) -> String {
        match self {
            Self::Bronze => lake.events(),
            Self::Kafka(_) => VIEW.to_owned(),
        }
    }
}

/// What there is of one topic between two cuts.
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

/// What there is of each table's topic above one LSN and not above each of the others, by topic.
pub(super) async fn look(
    spark: &SparkSession,
    lake: &Lake,
    source: Source<'_>,
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
        .table(&source.table(lake))
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
        .doing(format!("counting the events of {}", source.table(lake)))?;
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
pub(super) fn trial(lake: &Lake, source: Source<'_>, cut: &Cut, next: &Cut, branch: &Branch) -> String {
    let branch = std::slice::from_ref(branch);
    let events = decoded(&events(lake, source, cut, next, branch, 1), cut, branch, "NULL");
    format!("SELECT max(xxhash64(struct(*))) FROM ({events})")
}

/// So many tables are decoded by one branch of the plan: each is a case of one expression, whose code Spark generates. It does so once and
/// not for each slice, since COALESCE keeps what differs in each, the LSNs, in a stage of its own before.
pub(super) const TABLES_PER_SCAN: usize = 24;

/// The query for the rows of a slice and the row that publishes its cut. It fails when Kafka's records are not as many as they should be, or
/// are of a schema that no branch is for, or have texts that their branch does not read.
pub(super) fn rows(
    lake: &Lake,
    source: Source<'_>,
    cut: &Cut,
    next: &Cut,
    branches: &[Branch],
    tasks: i64,
) -> String {
    let mut selects: Vec<String> = match source {
        Source::Bronze => branches
            .chunks(TABLES_PER_SCAN)
            .map(|branches| decoded(&events(lake, source, cut, next, branches, tasks), cut, branches, "NULL"))
            .collect(),
        Source::Kafka(expected) => {
            let unforeseen = "raise_error('events of a schema that was not foreseen')";
            let events = counted(&records(lake, cut, next), expected, tasks);
            vec![decoded(&events, cut, branches, unforeseen)]
        }
    };
    selects.push(format!(
        "SELECT BIGINT({}) AS commit_lsn, {} AS ordinal, timestamp_micros({}) AS committed_at, CAST(NULL AS STRING) AS source_table, '{CUT}' AS op, \
         CAST(NULL AS STRING) AS key, CAST(NULL AS STRING) AS `row`, CAST(NULL AS STRING) AS before, CAST(NULL AS ARRAY<STRING>) AS untold, \
         CAST(NULL AS ARRAY<STRING>) AS failed, CAST(NULL AS INT) AS shape",
        next.commit_lsn,
        i64::MAX,
        next.committed_at_us,
    ));
    format!("SELECT /*+ COALESCE({tasks}) */ * FROM ({})", selects.join(" UNION ALL "))
}

/// The columns that decoding reads.
const EVENT: &str = "topic, schema_id, commit_lsn, ordinal, op, value, texts, texts_before, untold";

/// The query for the events between two cuts that branches decode.
fn events(lake: &Lake, source: Source<'_>, cut: &Cut, next: &Cut, branches: &[Branch], tasks: i64) -> String {
    let ids: Vec<String> = branches.iter().map(|branch| branch.schema_id.to_string()).collect();
    format!(
        "SELECT /*+ COALESCE({tasks}) */ {EVENT} FROM {} WHERE commit_lsn > {} AND commit_lsn <= {} AND schema_id IN ({}) AND op <> 'r'",
        quoted_table(&source.table(lake)),
        cut.commit_lsn,
        next.commit_lsn,
        ids.join(", "),
    )
}

/// The query for Kafka's records between two cuts.
fn records(lake: &Lake, cut: &Cut, next: &Cut) -> String {
    let (above, to) = (cut.commit_lsn, next.commit_lsn);
    format!(
        "SELECT {EVENT} FROM {VIEW} WHERE commit_lsn > {above} AND commit_lsn <= {to} AND {}",
        lake.is_event_sql()
    )
}

/// The events of a query, or an error if there are not so many of each topic.
fn counted(events: &str, expected: &BTreeMap<String, i64>, tasks: i64) -> String {
    let expected: Vec<String> = expected
        .iter()
        .map(|(topic, events)| format!("({}, BIGINT({events}))", text_literal(topic)))
        .collect();
    format!(
        "SELECT {EVENT} FROM (SELECT *, sum(number) OVER (PARTITION BY topic) AS surplus FROM (SELECT /*+ COALESCE({tasks}) */ * FROM \
         (SELECT {EVENT}, BIGINT(1) AS number FROM ({events}) UNION ALL SELECT topic, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, -events \
         FROM VALUES {} AS expected(topic, events)))) \
         WHERE CASE WHEN surplus <> 0 THEN CAST(raise_error(concat('a surplus of ', surplus, ' events of ', topic)) AS BOOLEAN) \
         ELSE number = 1 AND op <> 'r' END",
        expected.join(", "),
    )
}

/// What `silver.changes` has of the events of a query; `otherwise`: of those that no branch is for.
fn decoded(events: &str, cut: &Cut, branches: &[Branch], otherwise: &str) -> String {
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
            if !branch.has_texts {
                condition.push_str(" AND coalesce(texts, texts_before, untold) IS NULL");
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
    format!(
        "SELECT commit_lsn, ordinal, d.at AS committed_at, d.source_table, CASE WHEN d.decoded THEN op ELSE '?' END AS op, d.key, d.`row`, d.before, d.untold, \
         CAST(NULL AS ARRAY<STRING>) AS failed, d.shape FROM (SELECT commit_lsn, ordinal, op, CASE{cases} ELSE {otherwise} END AS d FROM ({events})) \
         WHERE d IS NOT NULL",
    )
}
