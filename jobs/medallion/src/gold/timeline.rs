//! Versions in time: intervals of a history table, joins of intervals, and versions that differ from the one before.

use spark_client::functions::{
    coalesce, col, expr, greatest, lag, lead, least, lit, max, row_number, struct_, when,
};
use spark_client::{Column, DataFrame, JoinType, Window, WindowBound};

/// Where a version that nothing has ended yet ends, as a Spark SQL literal.
pub(super) const OPEN_END: &str = "timestamp_ntz'9999-12-31 23:59:59.999999'";

/// Before everything: where the first version of a referenced row begins for those who refer to it.
const BEGINNING: &str = "timestamp_ntz'0001-01-01 00:00:00'";

/// The versions of a temporal source table out of its silver history, each valid from its own `valid_from` up to the
/// next version's. Columns: `<alias>_<column>` for each of `columns`, `<alias>_from`, `<alias>_to` timestamp_ntz.
///
/// The source stamps versions with the start of the transaction; two that waited for each other may have stamps in
/// the wrong order. The log's order is right, so that a version never begins before the one that it follows.
pub(super) fn intervals(history: &DataFrame, alias: &str, key: &str, columns: &[&str]) -> DataFrame {
    let in_order = || Window::partition_by([key]).order_by(["_commit_lsn", "_ordinal"]);
    let so_far = in_order().rows_between(WindowBound::Unbounded, WindowBound::CurrentRow);
    let stamped = history.with_column("_from", max("valid_from").over(so_far));
    let deleted = col("_valid_to").cast("timestamp_ntz");
    let ended = coalesce([lead("_from").over(in_order()), deleted, expr(OPEN_END)]);
    let mut selected: Vec<Column> =
        columns.iter().map(|name| col(name).alias(&format!("{alias}_{name}"))).collect();
    selected.push(col("_from").alias(&format!("{alias}_from")));
    selected.push(col("_to").alias(&format!("{alias}_to")));
    stamped.with_column("_to", ended).filter(col("_from").lt(col("_to"))).select(selected)
}

/// The same intervals, the first of each key reaching back to the beginning of time: what a row refers to was there,
/// even when its first version is stamped later.
pub(super) fn reaching_back(intervals: &DataFrame, alias: &str, key: &str) -> DataFrame {
    let from = format!("{alias}_from");
    let by_key = Window::partition_by([format!("{alias}_{key}")]).order_by([from.as_str()]);
    intervals
        .with_column("_position", row_number().over(by_key))
        .with_column(&from, when(col("_position").eq(1), expr(BEGINNING)).otherwise(col(&from)))
        .drop(["_position"])
}

/// Each version on the left, cut at the boundaries of the versions that it refers to. The left side has `from` and
/// `to`, and so has the result, beside the columns of both; a reference that finds nothing leaves NULLs.
pub(super) fn refer(
    left: &DataFrame,
    foreign_key: &str,
    right: &DataFrame,
    alias: &str,
    key: &str,
) -> DataFrame {
    let (from, to) = (format!("{alias}_from"), format!("{alias}_to"));
    let meets = col(foreign_key).eq(col(&format!("{alias}_{key}")))
        & col("from").lt(col(&to))
        & col(&from).lt(col("to"));
    left.join(right, meets, JoinType::LeftOuter)
        .with_columns([("from", greatest(["from", from.as_str()])), ("to", least(["to", to.as_str()]))])
        .drop([from, to])
}

/// One row for each time that the attributes of a key changed: the key, the attributes, valid_from, valid_to.
pub(super) fn changes(versions: &DataFrame, key: &str, attributes: &[String]) -> DataFrame {
    let in_order = || Window::partition_by([key]).order_by(["from"]);
    let all = || struct_(attributes.iter());
    let selected: Vec<Column> = std::iter::once(col(key))
        .chain(attributes.iter().map(|name| col(name)))
        .chain([col("from").alias("valid_from"), col("valid_to")])
        .collect();
    versions
        .with_columns([
            ("_same", all().eq_null_safe(lag(all()).over(in_order()))),
            ("_end", max("to").over(Window::partition_by([key]))),
        ])
        .filter(!col("_same"))
        .with_column("valid_to", coalesce([lead("from").over(in_order()), col("_end")]))
        .select(selected)
}

/// The version of a dimension that is valid at a time: `valid_from < at <= valid_to`. Adds the dimension's columns
/// under `<alias>.`; its key is NULL where there is none.
pub(super) fn as_of(
    facts: &DataFrame,
    at: &str,
    id: &str,
    dimension: &DataFrame,
    alias: &str,
    key: &str,
) -> DataFrame {
    let of = |name: &str| col(&format!("{alias}.{name}"));
    let valid = of(key).eq(col(id)) & of("valid_from").lt(col(at)) & of("valid_to").geq(col(at));
    facts.join(&dimension.alias(alias), valid, JoinType::LeftOuter)
}

/// A surrogate key: the same for the same business key and beginning, wherever and whenever it is computed.
pub(super) fn surrogate(key: &str) -> Column {
    expr(&format!("xxhash64({key}, valid_from) & 9223372036854775807"))
}

/// The key of the Unknown member for rows that found no version.
pub(super) fn or_unknown(key: Column) -> Column {
    coalesce([key, lit(0_i64)])
}
