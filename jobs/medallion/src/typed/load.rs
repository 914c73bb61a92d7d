//! Making a typed table out of an image, or empty.

use std::collections::BTreeMap;

use super::naming::MetaColumns;
use crate::changes::Envelope;
use crate::control::{Position, Shape};
use crate::lake::{Lake, quoted, quoted_table, text_literal};

/// Properties of every typed table. Any column name works with column mapping, and a renamed column is renamed; a change of few rows
/// marks them as deleted instead of writing their files anew. Statistics are kept of what merges look for.
fn properties(shape: &Shape, meta: &MetaColumns) -> String {
    let mut statistics: Vec<String> = shape.key.iter().map(|key| quoted(key)).collect();
    statistics.push(quoted(&meta.commit_lsn));
    format!(
        "USING DELTA TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableDeletionVectors' = 'true', \
         'delta.dataSkippingStatsColumns' = {}, '{SHAPE}' = '{}')",
        text_literal(&statistics.join(",")),
        shape.version,
    )
}

/// The property that says which shape of the source a typed table has.
pub(super) const SHAPE: &str = "lakepulse.shape";

/// The statement that makes a table, or puts another in its place, of the rows that `select` gives.
pub(super) fn replace(table: &str, shape: &Shape, select: &str) -> String {
    let properties = properties(shape, &MetaColumns::of(shape));
    format!("CREATE OR REPLACE TABLE {} {properties} AS {select}", quoted_table(table))
}

/// No rows, but all columns.
pub(super) fn nothing(shape: &Shape) -> String {
    let meta = MetaColumns::of(shape);
    let mut columns: Vec<String> = shape
        .columns
        .iter()
        .map(|column| format!("CAST(NULL AS {}) AS {}", column.lake_type().spark(), quoted(&column.column)))
        .collect();
    for (name, kind) in meta.names().into_iter().zip(["BIGINT", "BIGINT", "TIMESTAMP"]) {
        columns.push(format!("CAST(NULL AS {kind}) AS {}", quoted(name)));
    }
    format!("SELECT {} WHERE false", columns.join(", "))
}

/// The rows of an image, out of bronze.
pub(super) fn image(
    lake: &Lake,
    topic: &str,
    begin: Position,
    to_lsn: i64,
    shape: &Shape,
    envelopes: &BTreeMap<i32, std::sync::Arc<Envelope>>,
) -> String {
    if envelopes.is_empty() {
        return nothing(shape);
    }
    let meta = MetaColumns::of(shape);
    let columns: Vec<String> = shape.columns.iter().map(|column| quoted(&column.column)).collect();
    let branches: Vec<String> = envelopes
        .iter()
        .map(|(id, envelope)| {
            format!(
                "SELECT {}, commit_lsn AS {}, ordinal AS {}, r.`{}` AS {} FROM (SELECT commit_lsn, ordinal, {} AS r FROM {} \
                 WHERE topic = {} AND schema_id = {id} AND {})",
                columns.iter().map(|column| format!("r.{column}")).collect::<Vec<_>>().join(", "),
                quoted(&meta.commit_lsn),
                quoted(&meta.ordinal),
                Envelope::COMMITTED_AT,
                quoted(&meta.committed_at),
                envelope.row(shape),
                quoted_table(&lake.events()),
                text_literal(topic),
                rows_of(begin, to_lsn),
            )
        })
        .collect();
    branches.join(" UNION ALL ")
}

/// Which rows of bronze are an image's.
pub(super) fn rows_of(begin: Position, to_lsn: i64) -> String {
    let Position { commit_lsn, ordinal } = begin;
    format!(
        "op = 'r' AND commit_lsn >= {commit_lsn} AND commit_lsn <= {to_lsn} AND (commit_lsn > {commit_lsn} OR ordinal >= {ordinal})"
    )
}
