//! A table as `lakepulse verify` compares it: the columns, and their values as texts.

use lakepulse_medallion::control::ShapeColumn;
use lakepulse_types::SourceType;
use spark_client::DataFrame;
use spark_client::functions::{call_function, expr};

/// A table's rows at the source and in silver.
pub(crate) struct Compared {
    /// `schema.table`.
    pub(crate) table: String,
    /// Those whose values both sides have.
    pub(crate) columns: Vec<ShapeColumn>,
    /// Names of columns in silver; empty when nothing identifies a row.
    pub(crate) key: Vec<String>,
    /// As [`source_rows::texts`](crate::source_rows::texts) gives them; none when the source has no such table any more.
    pub(crate) source: Option<DataFrame>,
    /// The typed table; none before its first round.
    pub(crate) silver: Option<DataFrame>,
}

impl Compared {
    /// The column of that name at the source.
    pub(crate) fn column(&self, name: &str) -> Option<&ShapeColumn> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// For each column that `wanted` says: its value in a row of the source, as a text.
    pub(crate) fn source_values(&self, wanted: impl Fn(&ShapeColumn) -> bool) -> spark_client::Column {
        let columns = self.columns.iter().enumerate().filter(|(_, column)| wanted(column));
        array_of(columns.map(|(index, column)| {
            let told = match &column.source {
                SourceType::Array(_) => format!("from_json(c{index}, '{}')", column.source.canonical_json()),
                _ => format!("c{index}"),
            };
            text(&column.source, &column.source.typed_canonical(&told), 0)
        }))
    }

    /// The same of a row of silver.
    pub(crate) fn silver_values(&self, wanted: impl Fn(&ShapeColumn) -> bool) -> spark_client::Column {
        let columns = self.columns.iter().filter(|column| wanted(column));
        array_of(columns.map(|column| text(&column.source, &quoted(&column.column), 0)))
    }
}

/// array<string>.
pub(crate) fn array_of(values: impl Iterator<Item = String>) -> spark_client::Column {
    call_function("array", values.map(|value| expr(&value))).cast("array<string>")
}

/// Spark SQL: a value of the type's Spark type as a text of its own, unlike that of every other value; NULL stays NULL.
pub(crate) fn text(source: &SourceType, value: &str, depth: u8) -> String {
    match source {
        SourceType::Text(_) => value.to_owned(),
        SourceType::Bytes => format!("hex({value})"),
        SourceType::Array(element) => {
            let variable = format!("y{depth}");
            format!("to_json(transform({value}, {variable} -> {}))", text(element, &variable, depth + 1))
        }
        _ => format!("CAST({value} AS STRING)"),
    }
}

/// An identifier as Spark SQL reads it back.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// All rows of all.
pub(crate) fn union(parts: impl IntoIterator<Item = DataFrame>) -> Option<DataFrame> {
    parts.into_iter().reduce(|all, next| all.union(&next))
}
