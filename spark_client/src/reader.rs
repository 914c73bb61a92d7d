//! Reading files and tables.

use crate::{
    DataFrame, SparkSession,
    proto::{Read, read, relation::RelType},
};
use std::collections::HashMap;

/// Reads files or tables: `spark.read()`.
#[derive(Clone, Debug)]
#[must_use = "a reader does nothing until it loads"]
pub struct DataFrameReader {
    session: SparkSession,
    format: Option<String>,
    schema: Option<String>,
    options: HashMap<String, String>,
}

impl DataFrameReader {
    pub(crate) fn new(session: SparkSession) -> Self {
        Self { session, format: None, schema: None, options: HashMap::new() }
    }

    /// The source: `delta`, `parquet`, `json`, `csv`, `kafka`, ...
    pub fn format(mut self, source: &str) -> Self {
        self.format = Some(source.to_owned());
        self
    }

    /// The columns as DDL, for example `"id BIGINT, name STRING"`, instead of finding them out.
    pub fn schema(mut self, ddl: &str) -> Self {
        self.schema = Some(ddl.to_owned());
        self
    }

    /// An option of the source.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// Options of the source.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.options.extend(options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())));
        self
    }

    /// The rows of a source that has no path.
    pub fn load(self) -> DataFrame {
        self.load_paths(Vec::new())
    }

    /// The rows at a path.
    pub fn load_path(self, path: &str) -> DataFrame {
        self.load_paths(vec![path.to_owned()])
    }

    /// The rows at several paths.
    pub fn load_paths(self, paths: Vec<String>) -> DataFrame {
        let source = read::DataSource {
            format: self.format,
            // PySpark says "no schema" by an empty one.
            schema: Some(self.schema.unwrap_or_default()),
            options: self.options,
            paths,
            predicates: Vec::new(),
            source_name: None,
        };
        data_frame(&self.session, read::ReadType::DataSource(source), false)
    }

    /// The rows of a table.
    pub fn table(self, name: &str) -> DataFrame {
        let table = read::NamedTable { unparsed_identifier: name.to_owned(), options: self.options };
        data_frame(&self.session, read::ReadType::NamedTable(table), false)
    }

    /// The rows of Parquet files.
    pub fn parquet(self, path: &str) -> DataFrame {
        self.format("parquet").load_path(path)
    }

    /// The rows of files of JSON lines.
    pub fn json(self, path: &str) -> DataFrame {
        self.format("json").load_path(path)
    }

    /// The rows of CSV files.
    pub fn csv(self, path: &str) -> DataFrame {
        self.format("csv").load_path(path)
    }

    /// The lines of text files, as column `value`.
    pub fn text(self, path: &str) -> DataFrame {
        self.format("text").load_path(path)
    }

    /// The rows of ORC files.
    pub fn orc(self, path: &str) -> DataFrame {
        self.format("orc").load_path(path)
    }

    /// The rows of XML files; option `rowTag` names the element that is a row.
    pub fn xml(self, path: &str) -> DataFrame {
        self.format("xml").load_path(path)
    }

    /// The rows of a Delta table at a path.
    pub fn delta(self, path: &str) -> DataFrame {
        self.format("delta").load_path(path)
    }
}

pub(crate) fn data_frame(session: &SparkSession, read_type: read::ReadType, is_streaming: bool) -> DataFrame {
    session.data_frame(move || RelType::Read(Read { read_type: Some(read_type.clone()), is_streaming }))
}
