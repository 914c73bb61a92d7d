//! How the rows of all tables compare, in one plan: each plan costs Spark seconds before it reads a row.

use serde::Deserialize;
use spark_client::functions::{expr, lit};

use crate::compared::{Compared, union};
use crate::error::{Doing, Result};

/// How the rows of one table compare.
#[derive(Debug, Deserialize)]
pub(crate) struct Counts {
    pub(crate) table: String,
    pub(crate) rows: i64,
    pub(crate) missing: i64,
    pub(crate) extra: i64,
    pub(crate) different: i64,
}

/// Compares row for row, and equal rows by their number; a table that is empty on both sides has no entry.
pub(crate) async fn count_differences(tables: &[Compared]) -> Result<Vec<Counts>> {
    let Some(rows) = union(tables.iter().flat_map(images)) else { return Ok(Vec::new()) };
    rows.repartition_by(None, ["table", "key"])
        .group_by(["table", "key", "values"])
        .agg([expr("count_if(at_source)").alias("s"), expr("count_if(NOT at_source)").alias("l")])
        .group_by(["table", "key"])
        .agg([
            expr("sum(s)").alias("rows"),
            expr("sum(greatest(s - l, 0))").alias("only_there"),
            expr("sum(greatest(l - s, 0))").alias("only_here"),
        ])
        .group_by(["table"])
        .agg([
            expr("sum(rows)").alias("rows"),
            expr("sum(greatest(only_there - only_here, 0))").alias("missing"),
            expr("sum(greatest(only_here - only_there, 0))").alias("extra"),
            expr("sum(least(only_there, only_here))").alias("different"),
        ])
        .collect_as()
        .await
        .doing("comparing the source with silver")
}

/// table string, at_source boolean, key array<string>, values array<string>: the same columns whatever the table is. Where nothing
/// identifies a row, all of it does.
fn images(compared: &Compared) -> Vec<spark_client::DataFrame> {
    let is_key = |column: &lakepulse_medallion::control::ShapeColumn| {
        compared.key.is_empty() || compared.key.contains(&column.column)
    };
    let name = || lit(compared.table.as_str()).alias("table");
    let source = compared.source.as_ref().map(|rows| {
        rows.select([
            name(),
            lit(true).alias("at_source"),
            compared.source_values(is_key).alias("key"),
            compared.source_values(|_| true).alias("values"),
        ])
    });
    let silver = compared.silver.as_ref().map(|rows| {
        rows.select([
            name(),
            lit(false).alias("at_source"),
            compared.silver_values(is_key).alias("key"),
            compared.silver_values(|_| true).alias("values"),
        ])
    });
    source.into_iter().chain(silver).collect()
}
