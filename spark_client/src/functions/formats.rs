//! JSON, CSV and XML texts.

use super::options_map;
use crate::{Column, IntoColumn, IntoLiteral};

fn with_options<'a>(
    name: &str,
    arguments: Vec<Column>,
    options: impl IntoIterator<Item = (&'a str, &'a str)>,
) -> Column {
    Column::function(name, arguments.into_iter().chain(options_map(options)).collect())
}

macro_rules! formats {
    ($($format:literal $from:ident $to:ident $schema_of:ident;)*) => {$(
        #[doc = concat!("Parses a ", $format, " text by a schema: DDL such as `\"id BIGINT, name STRING\"`, or a column.")]
        pub fn $from<'a>(
            text: impl IntoColumn,
            schema: impl IntoLiteral,
            options: impl IntoIterator<Item = (&'a str, &'a str)>,
        ) -> Column {
            with_options(stringify!($from), vec![text.into_column(), schema.into_literal()], options)
        }

        #[doc = concat!("A value as a ", $format, " text.")]
        pub fn $to<'a>(
            value: impl IntoColumn,
            options: impl IntoIterator<Item = (&'a str, &'a str)>,
        ) -> Column {
            with_options(stringify!($to), vec![value.into_column()], options)
        }

        #[doc = concat!("The schema of a ", $format, " text, as DDL.")]
        pub fn $schema_of<'a>(
            text: impl IntoLiteral,
            options: impl IntoIterator<Item = (&'a str, &'a str)>,
        ) -> Column {
            with_options(stringify!($schema_of), vec![text.into_literal()], options)
        }
    )*};
}
formats! {
    "JSON" from_json to_json schema_of_json;
    "CSV" from_csv to_csv schema_of_csv;
    "XML" from_xml to_xml schema_of_xml;
}
