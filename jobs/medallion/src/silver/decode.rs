//! Decoding the events of one table: from Avro payloads to rows of the table's columns.

use std::sync::Arc;

use lakepulse_types::SourceType;
use spark_client::functions::{col, expr, from_avro, lit, when};
use spark_client::{Column, DataFrame};

use crate::contract::Contract;
use crate::writer_schema::{UNAVAILABLE, WriterSchema};

/// The columns that silver adds to a table's own: which event a row comes from, and when that was committed.
pub(super) const META: [&str; 3] = ["_commit_lsn", "_ordinal", "_committed_at"];

/// A column of a silver table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SilverColumn {
    /// Its name, as at the source.
    pub name: String,
    /// Its type at the source.
    pub column_type: SourceType,
}

/// The columns that the contract names, and behind them those that only the payloads have.
pub(super) fn columns(contract: &Contract, schemas: &[(i32, Arc<WriterSchema>)]) -> Vec<SilverColumn> {
    let mut columns: Vec<SilverColumn> = contract
        .columns
        .iter()
        .map(|column| SilverColumn { name: column.name.clone(), column_type: column.column_type.clone() })
        .collect();
    for (_, schema) in schemas {
        for written in &schema.columns {
            let known = columns.iter().any(|column| schema.column(&column.name) == Some(written));
            if !known {
                columns
                    .push(SilverColumn { name: written.field.clone(), column_type: written.inferred_type() });
            }
        }
    }
    columns
}

/// The name of the column that says whether the event left that column's value out.
pub(super) fn unavailable_name(column: &str) -> String {
    format!("_unavailable_{column}")
}

/// The events of one topic as rows: the table's columns, the meta columns, `_op` string (c, u, d, r, and t for
/// TRUNCATE, which has no columns), and for each column that can be kept out of line `_unavailable_<column>` boolean.
/// A deleted row has its key only. None when there is no schema.
pub(super) fn rows(
    events: &DataFrame,
    columns: &[SilverColumn],
    schemas: &[(i32, Arc<WriterSchema>)],
) -> Option<DataFrame> {
    let mut all: Option<DataFrame> = None;
    // Each schema has a branch of its own, so that each payload is decoded once, by its own schema.
    for (id, schema) in schemas {
        let decoded = events
            .filter(col("schema_id").eq(*id))
            .select([
                col("commit_lsn"),
                col("ordinal"),
                from_avro(expr("substring(value, 6)"), &schema.json).alias("e"),
            ])
            .select([
                col("commit_lsn"),
                col("ordinal"),
                col("e.op").alias("op"),
                col("e.source.ts_us").alias("ts_us"),
                when(col("e.op").eq("d"), col("e.before")).otherwise(col("e.after")).alias("row"),
            ]);
        let mut selected: Vec<Column> = vec![
            col("commit_lsn").alias("_commit_lsn"),
            col("ordinal").alias("_ordinal"),
            expr("timestamp_micros(ts_us)").alias("_committed_at"),
            col("op").alias("_op"),
        ];
        for column in columns {
            let spark_type = column.column_type.spark();
            let absent = || lit(None::<&str>).cast(&spark_type);
            let Some(written) = schema.column(&column.name) else {
                selected.push(absent().alias(&column.name));
                if column.column_type.can_be_toasted() {
                    selected.push(lit(false).alias(&unavailable_name(&column.name)));
                }
                continue;
            };
            let value = written.value("row", &column.column_type);
            if column.column_type.can_be_toasted() {
                let placeholder = lit(UNAVAILABLE).cast(&spark_type);
                let unavailable = value.clone().eq_null_safe(placeholder);
                selected.push(when(unavailable.clone(), absent()).otherwise(value).alias(&column.name));
                selected.push(unavailable.alias(&unavailable_name(&column.name)));
            } else {
                selected.push(value.alias(&column.name));
            }
        }
        let branch = decoded.select(selected);
        all = Some(match all {
            Some(before) => before.union(&branch),
            None => branch,
        });
    }
    all
}
