//! Making a typed table out of an image, or empty.

use std::collections::BTreeMap;
use std::sync::Arc;

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
pub(super) fn replace(table: &str, shape: &Shape, select: &str, meta: &MetaColumns) -> String {
    let properties = properties(shape, meta);
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
    for (name, kind) in meta.names().zip(["BIGINT", "BIGINT", "TIMESTAMP"]) {
        columns.push(format!("CAST(NULL AS {kind}) AS {}", quoted(name)));
    }
    format!("SELECT {} WHERE false", columns.join(", "))
}

/// An image, and what its rows were written with.
#[derive(Debug)]
pub(super) struct Image<'a> {
    pub(super) topic: &'a str,
    pub(super) begin: Position,
    pub(super) to_lsn: i64,
    /// The shapes that its rows may have, the oldest first.
    pub(super) shapes: &'a [Shape],
    pub(super) envelopes: &'a BTreeMap<i32, Arc<Envelope>>,
}

impl Image<'_> {
    /// Its rows in the columns of a shape, out of bronze.
    pub(super) fn rows(&self, lake: &Lake, shape: &Shape) -> String {
        let meta = MetaColumns::of(shape);
        let columns: Vec<String> = shape.columns.iter().map(|column| quoted(&column.column)).collect();
        let branches = self.branches(lake, |envelope, from| envelope.row(from, shape)).map(|rows| {
            format!(
                "SELECT {}, commit_lsn AS {}, ordinal AS {}, r.`{}` AS {} FROM ({rows})",
                columns.iter().map(|column| format!("r.{column}")).collect::<Vec<_>>().join(", "),
                quoted(&meta.commit_lsn),
                quoted(&meta.ordinal),
                Envelope::COMMITTED_AT,
                quoted(&meta.committed_at),
            )
        });
        let branches: Vec<String> = branches.collect();
        if branches.is_empty() { nothing(shape) } else { branches.join(" UNION ALL ") }
    }

    /// A query for one row if there is a row that does not fit into the table; none when there can't be.
    pub(super) fn misfit(&self, lake: &Lake) -> Option<String> {
        let may_misfit = self
            .envelopes
            .values()
            .any(|envelope| self.shapes.iter().any(|shape| envelope.has_misfit(shape).is_some()));
        let rows = self
            .branches(lake, |envelope, from| envelope.has_misfit(from).unwrap_or_else(|| "false".to_owned()));
        let rows: Vec<String> = rows.map(|rows| format!("SELECT commit_lsn FROM ({rows}) WHERE r")).collect();
        may_misfit.then(|| format!("{} LIMIT 1", rows.join(" UNION ALL ")))
    }

    /// For each schema and shape of rows: commit_lsn, ordinal, and `r` as `value` says.
    fn branches(
        &self,
        lake: &Lake,
        value: impl Fn(&Envelope, &Shape) -> String,
    ) -> impl Iterator<Item = String> {
        self.envelopes.iter().flat_map(move |(id, envelope)| {
            let is_before = |shape: &Shape| shape.from.is_behind("commit_lsn", "ordinal");
            let mut branches = Vec::new();
            for (index, from) in self.shapes.iter().enumerate() {
                let mut condition = rows_of(self.begin, self.to_lsn);
                if index > 0 {
                    condition.push_str(&format!(" AND NOT {}", is_before(from)));
                }
                if let Some(later) = self.shapes.get(index + 1) {
                    condition.push_str(&format!(" AND {}", is_before(later)));
                }
                branches.push(format!(
                    "SELECT commit_lsn, ordinal, {} AS r FROM {} WHERE topic = {} AND schema_id = {id} AND {condition}",
                    value(envelope, from),
                    quoted_table(&lake.events()),
                    text_literal(self.topic),
                ));
            }
            branches
        })
    }
}

/// Which rows of bronze are an image's.
pub(super) fn rows_of(begin: Position, to_lsn: i64) -> String {
    // The first comparison is one that files are left out by.
    format!(
        "op = 'r' AND commit_lsn >= {} AND commit_lsn <= {to_lsn} AND NOT {}",
        begin.commit_lsn,
        begin.is_behind("commit_lsn", "ordinal")
    )
}
