//! Avro payloads. The server needs Spark's `spark-avro` module.

use super::{lit, options_map};
use crate::{Column, IntoColumn};

/// Decodes Avro bytes (without a container file or schema-registry header) written with `schema`, a JSON text.
pub fn from_avro(data: impl IntoColumn, schema: &str) -> Column {
    from_avro_with_options(data, schema, [])
}

/// [`from_avro`] with options: `avroSchema` is the reader's schema, where it differs from the writer's;
/// `mode` is `FAILFAST` (an unreadable payload fails the query) or `PERMISSIVE` (it gives NULL).
pub fn from_avro_with_options<'a>(
    data: impl IntoColumn,
    schema: &str,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Column {
    let arguments = [data.into_column(), lit(schema)].into_iter().chain(options_map(options));
    Column::function("from_avro", arguments.collect())
}

/// Encodes a column as Avro bytes, by the schema that Spark derives from its type.
pub fn to_avro(data: impl IntoColumn) -> Column {
    Column::function("to_avro", vec![data.into_column()])
}

/// Encodes a column as Avro bytes by `schema`, a JSON text.
pub fn to_avro_with_schema(data: impl IntoColumn, schema: &str) -> Column {
    Column::function("to_avro", vec![data.into_column(), lit(schema)])
}
