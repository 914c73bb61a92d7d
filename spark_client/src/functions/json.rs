//! JSON texts.

use super::{lit, options_map};
use crate::{Column, IntoColumn};

/// Parses a JSON text by a schema given as DDL, for example `"id BIGINT, name STRING"`.
pub fn from_json<'a>(
    text: impl IntoColumn,
    schema: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Column {
    let arguments = [text.into_column(), lit(schema)].into_iter().chain(options_map(options));
    Column::function("from_json", arguments.collect())
}

/// A struct, array or map as a JSON text.
pub fn to_json<'a>(value: impl IntoColumn, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Column {
    let arguments = std::iter::once(value.into_column()).chain(options_map(options));
    Column::function("to_json", arguments.collect())
}

/// The DDL of the schema of a JSON text.
pub fn schema_of_json(text: &str) -> Column {
    Column::function("schema_of_json", vec![lit(text)])
}
