//! The plans of `lakepulse verify`: all tables in one, since each plan costs Spark seconds before it reads a row.

use std::collections::BTreeSet;

use lakepulse_medallion::contract::{Contract, Contracts};
use lakepulse_types::SourceType;
use serde::Deserialize;
use spark_client::functions::{call_function, coalesce, col, count, count_if, lit, struct_, sum, when};
use spark_client::{Column, DataFrame, JoinType};

use crate::error::{Doing, Error, Result};

/// A table's rows at the source and in silver, each with the columns of the contract.
pub(crate) struct Pair<'a> {
    pub(crate) contract: &'a Contract,
    pub(crate) source: DataFrame,
    /// None when no cut has published the table: it has had no event.
    pub(crate) silver: Option<DataFrame>,
}

/// How the rows of one table compare.
#[derive(Debug, Deserialize)]
pub(crate) struct Counts {
    pub(crate) table: String,
    pub(crate) rows: i64,
    pub(crate) missing: i64,
    pub(crate) extra: i64,
    pub(crate) different: i64,
}

/// Compares row for row; a table that is empty on both sides has no entry.
pub(crate) async fn count_differences(pairs: &[Pair<'_>]) -> Result<Vec<Counts>> {
    let Some(source) = union(pairs.iter().map(|pair| images(&pair.source, pair.contract))) else {
        return Ok(Vec::new());
    };
    let in_silver =
        pairs.iter().filter_map(|pair| pair.silver.as_ref().map(|rows| images(rows, pair.contract)));
    let silver = union(in_silver).unwrap_or_else(|| source.filter(lit(false)));
    let equal = |name: &str| col(&format!("p.{name}")).eq(col(&format!("s.{name}")));
    let same_values = col("p.values").eq_null_safe(col("s.values"));
    let (absent_there, absent_here) = (|| col("p.table").is_null(), || col("s.table").is_null());
    source
        .alias("p")
        .join(&silver.alias("s"), equal("table") & equal("key"), JoinType::FullOuter)
        .group_by([coalesce([col("p.table"), col("s.table")]).alias("table")])
        .agg([
            count_if(!absent_there()).alias("rows"),
            count_if(absent_here()).alias("missing"),
            count_if(absent_there()).alias("extra"),
            count_if(!absent_there() & !absent_here() & !same_values).alias("different"),
        ])
        .collect_as()
        .await
        .doing("comparing the source with silver")
}

/// For each table of silver that has any: how many of its foreign keys lead nowhere.
pub(crate) async fn count_orphans(contracts: &Contracts, pairs: &[Pair<'_>]) -> Result<Vec<(String, i64)>> {
    let Some(given) = union(pairs.iter().filter_map(|pair| references(pair, contracts))) else {
        return Ok(Vec::new());
    };
    let wanted: BTreeSet<(&str, &[String])> = pairs
        .iter()
        .flat_map(|pair| &pair.contract.foreign_keys)
        .map(|key| (key.references.as_str(), key.ref_columns.as_slice()))
        .collect();
    let mut targets = Vec::new();
    for (table, columns) in wanted {
        let Some(pair) = pairs.iter().find(|pair| pair.contract.table == table) else { continue };
        let Some(rows) = &pair.silver else { continue };
        let values = columns
            .iter()
            .map(|name| Ok(text(name, type_of(pair.contract, name)?)))
            .collect::<Result<Vec<_>>>()?;
        targets.push(rows.select([
            lit(constraint(table, columns).as_str()).alias("reference"),
            call_function("array", values).alias("key"),
        ]));
    }
    let targets = union(targets).unwrap_or_else(|| given.filter(lit(false)).select(["reference", "key"]));
    let equal = |name: &str| col(&format!("o.{name}")).eq(col(&format!("t.{name}")));
    given
        .group_by(["owner", "reference", "key"])
        .agg([count(lit(1)).alias("n")])
        .alias("o")
        .join(&targets.alias("t"), equal("reference") & equal("key"), JoinType::LeftAnti)
        .group_by(["owner"])
        .agg([sum("n").alias("n")])
        .collect_as()
        .await
        .doing("checking silver's foreign keys")
}

/// table string, key array<string>, values array<string>: the same columns whatever the table is.
fn images(rows: &DataFrame, contract: &Contract) -> DataFrame {
    let texts = |wanted: &dyn Fn(&str) -> bool| {
        let columns = contract.columns.iter().filter(|column| wanted(&column.name));
        call_function("array", columns.map(|column| text(&column.name, &column.column_type)))
    };
    rows.select([
        lit(contract.table.as_str()).alias("table"),
        texts(&|name| contract.key.iter().any(|key| key == name)).alias("key"),
        texts(&|_| true).alias("values"),
    ])
}

/// owner string, reference string, key array<string>: every foreign key of every row that has no NULL in it. None
/// when the table has none to check.
fn references(pair: &Pair<'_>, contracts: &Contracts) -> Option<DataFrame> {
    let rows = pair.silver.as_ref()?;
    let mut all: Vec<Column> = Vec::new();
    for key in &pair.contract.foreign_keys {
        // A table without a contract is not captured: nothing is known about its rows.
        let Some(referenced) = contracts.get(&key.references) else { continue };
        let own = key.columns.iter().zip(&key.ref_columns);
        let values: Option<Vec<Column>> =
            own.map(|(own, other)| Some(text(own, &referenced.column(other)?.column_type))).collect();
        let given =
            key.columns.iter().map(|own| col(&quoted(own)).is_not_null()).reduce(|all, next| all & next)?;
        all.push(struct_([
            lit(pair.contract.table.as_str()).alias("owner"),
            lit(constraint(&key.references, &key.ref_columns).as_str()).alias("reference"),
            when(given, call_function("array", values?)).end().alias("key"),
        ]));
    }
    if all.is_empty() {
        return None;
    }
    let exploded = rows.select([call_function("inline", [call_function("array", all)])]);
    Some(exploded.filter(col("key").is_not_null()))
}

/// A value as text, which tells all values of the type apart; NULL stays NULL.
fn text(column: &str, column_type: &SourceType) -> Column {
    let value = col(&quoted(column)).cast(&column_type.spark());
    match column_type {
        SourceType::Bytes => call_function("hex", [value]),
        _ => value.cast("string"),
    }
}

fn type_of<'a>(contract: &'a Contract, column: &str) -> Result<&'a SourceType> {
    contract.column(column).map(|column| &column.column_type).ok_or_else(|| {
        Error::new(format!("a foreign key refers to {}.{column}, which its contract lacks", contract.table))
    })
}

fn constraint(table: &str, columns: &[String]) -> String {
    format!("{table}({})", columns.join(","))
}

fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

fn union(parts: impl IntoIterator<Item = DataFrame>) -> Option<DataFrame> {
    parts.into_iter().reduce(|all, next| all.union(&next))
}
