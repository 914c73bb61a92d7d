//! Functions on columns, named as in PySpark's `functions` module.
//!
//! A parameter that is a column takes a [`Column`] or the name of one; a parameter that is a plain value
//! takes a Rust value. What PySpark makes optional is in a second function, `name_with`, beside `name`. The many
//! functions that are a name and arguments come from one table (`functions/table/`); those with a shape of their
//! own are here and in the modules beside it.

mod avro;
mod formats;
mod lambda;
pub(crate) mod table;

pub use crate::column::decimal;
pub use avro::{from_avro, from_avro_with_options, to_avro, to_avro_with_schema};
pub use formats::*;
pub use lambda::*;
pub use table::*;

use crate::{
    CaseWhen, Column, DataFrame, IntoColumn, IntoLiteral, OptionalLiteral,
    column::into_columns,
    proto::{
        CallFunction,
        expression::{ExprType, ExpressionString},
    },
};

/// The column of that name; `*` and `table.*` stand for all columns.
pub fn col(name: &str) -> Column {
    Column::named(name)
}

/// The same as [`col`].
pub fn column(name: &str) -> Column {
    col(name)
}

/// A literal of a Rust value.
pub fn lit(value: impl IntoLiteral) -> Column {
    value.into_literal()
}

/// A SQL expression, parsed by the server.
pub fn expr(sql: &str) -> Column {
    Column::new(ExprType::ExpressionString(ExpressionString { expression: sql.to_owned() }))
}

/// `CASE WHEN condition THEN value`, to go on with [`CaseWhen::when`] and [`CaseWhen::otherwise`].
pub fn when(condition: Column, value: impl IntoLiteral) -> CaseWhen {
    CaseWhen::new(condition, value)
}

/// Any function by its SQL name: built in, registered, or not yet in this module.
pub fn call_function(name: &str, arguments: impl IntoIterator<Item = impl IntoColumn>) -> Column {
    Column::over_parts(|used| {
        let (function_name, arguments) = (name.to_owned(), used.expressions(arguments));
        ExprType::CallFunction(CallFunction { function_name, arguments })
    })
}

/// The number of different combinations of these columns, those with a NULL not counted.
pub fn count_distinct(columns: impl IntoIterator<Item = impl IntoColumn>) -> Column {
    Column::distinct_function("count", into_columns(columns))
}

/// A registered function by its name, as PySpark sends it; [`call_function`] also parses qualified names.
pub fn call_udf(name: &str, arguments: impl IntoIterator<Item = impl IntoColumn>) -> Column {
    Column::function(name, into_columns(arguments))
}

/// Without any of these characters at both ends.
pub fn trim_with(text: impl IntoColumn, characters: impl IntoColumn) -> Column {
    Column::function("trim", vec![characters.into_column(), text.into_column()])
}

/// Without any of these characters at the left end.
pub fn ltrim_with(text: impl IntoColumn, characters: impl IntoColumn) -> Column {
    Column::function("ltrim", vec![characters.into_column(), text.into_column()])
}

/// Without any of these characters at the right end.
pub fn rtrim_with(text: impl IntoColumn, characters: impl IntoColumn) -> Column {
    Column::function("rtrim", vec![characters.into_column(), text.into_column()])
}

/// The fields of a JSON text as columns `c0`, `c1`, ..., each a text.
pub fn json_tuple<'a>(text: impl IntoColumn, fields: impl IntoIterator<Item = &'a str>) -> Column {
    let fields = fields.into_iter().map(lit);
    Column::function("json_tuple", std::iter::once(text.into_column()).chain(fields).collect())
}

/// The window of this length, for example `10 minutes`, that a time falls into: a struct of `start` and `end`.
pub fn window(time: impl IntoColumn, duration: &str) -> Column {
    window_with(time, duration, None, None)
}

/// [`window`]s that begin every `slide` (their own length unless told) and `start` after the hour.
pub fn window_with(
    time: impl IntoColumn,
    duration: &str,
    slide: impl OptionalLiteral,
    start: impl OptionalLiteral,
) -> Column {
    let (slide, start) = (slide.into_optional_literal(), start.into_optional_literal());
    let slide = slide.or_else(|| start.is_some().then(|| lit(duration)));
    let optional = slide.into_iter().chain(start);
    Column::function("window", [time.into_column(), lit(duration)].into_iter().chain(optional).collect())
}

/// The table with the hint that it is small enough to be sent to every executor. The same as
/// [`DataFrame::broadcast`].
pub fn broadcast(table: &DataFrame) -> DataFrame {
    table.broadcast()
}

/// Ascending order of a column, NULL first.
pub fn asc(column: impl IntoColumn) -> Column {
    column.into_column().asc()
}

/// Descending order of a column, NULL last.
pub fn desc(column: impl IntoColumn) -> Column {
    column.into_column().desc()
}

/// Ascending order of a column, NULL first.
pub fn asc_nulls_first(column: impl IntoColumn) -> Column {
    column.into_column().asc_nulls_first()
}

/// Ascending order of a column, NULL last.
pub fn asc_nulls_last(column: impl IntoColumn) -> Column {
    column.into_column().asc_nulls_last()
}

/// Descending order of a column, NULL first.
pub fn desc_nulls_first(column: impl IntoColumn) -> Column {
    column.into_column().desc_nulls_first()
}

/// Descending order of a column, NULL last.
pub fn desc_nulls_last(column: impl IntoColumn) -> Column {
    column.into_column().desc_nulls_last()
}

/// Options as the map literal that functions take them in.
fn options_map<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Column> {
    let literals: Vec<_> = options.into_iter().flat_map(|(key, value)| [lit(key), lit(value)]).collect();
    (!literals.is_empty()).then(|| create_map(literals))
}
