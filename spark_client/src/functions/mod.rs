//! Functions on columns, named as in PySpark's `functions` module.
//!
//! A parameter that is a column takes a [`Column`] or the name of one; a parameter that is a plain value
//! takes a Rust value. The many functions that are a name and arguments come from one table
//! (`functions/table.rs`); those with a shape of their own are here and in the modules beside it.

mod avro;
mod json;
mod lambda;
mod table;

pub use crate::column::decimal;
pub use avro::{from_avro, from_avro_with_options, to_avro, to_avro_with_schema};
pub use json::{from_json, schema_of_json, to_json};
pub use lambda::{aggregate, any_match, exists, filter, forall, transform, transform_with_index, zip_with};
pub use table::*;

use crate::{
    CaseWhen, Column, IntoColumn, IntoLiteral,
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
    Column::new(ExprType::CallFunction(CallFunction {
        function_name: name.to_owned(),
        arguments: crate::column::expressions(into_columns(arguments)),
    }))
}

/// The number of different combinations of these columns, those with a NULL not counted.
pub fn count_distinct(columns: impl IntoIterator<Item = impl IntoColumn>) -> Column {
    Column::distinct_function("count", into_columns(columns))
}

/// The sum of the different values of a column.
pub fn sum_distinct(column: impl IntoColumn) -> Column {
    Column::distinct_function("sum", vec![column.into_column()])
}

/// A map from alternating keys and values: `create_map([k1, v1, k2, v2])`.
pub fn create_map(columns: impl IntoIterator<Item = impl IntoColumn>) -> Column {
    Column::function("map", into_columns(columns))
}

/// Ascending order of a column, NULL first.
pub fn asc(column: impl IntoColumn) -> Column {
    column.into_column().asc()
}

/// Descending order of a column, NULL last.
pub fn desc(column: impl IntoColumn) -> Column {
    column.into_column().desc()
}

/// Options as the map literal that functions take them in.
fn options_map<'a>(options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<Column> {
    let literals: Vec<_> = options.into_iter().flat_map(|(key, value)| [lit(key), lit(value)]).collect();
    (!literals.is_empty()).then(|| create_map(literals))
}
