//! Reading a stream.

use crate::{
    DataFrame, SparkSession,
    proto::read,
    reader::{changes, data_frame},
};
use std::collections::HashMap;

/// Reads a stream: `spark.read_stream()`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let clicks = spark.read_stream().schema("user STRING, at TIMESTAMP").json("/data/clicks");
/// assert!(clicks.is_streaming().await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a reader does nothing until it loads"]
pub struct DataStreamReader {
    session: SparkSession,
    format: Option<String>,
    schema: Option<String>,
    source_name: Option<String>,
    options: HashMap<String, String>,
}

impl DataStreamReader {
    pub(crate) fn new(session: SparkSession) -> Self {
        Self { session, format: None, schema: None, source_name: None, options: HashMap::new() }
    }

    /// The source: `kafka`, `delta`, `rate`, or a file format.
    pub fn format(mut self, source: &str) -> Self {
        self.format = Some(source.to_owned());
        self
    }

    /// The columns as DDL; file sources need it.
    pub fn schema(mut self, ddl: &str) -> Self {
        self.schema = Some(ddl.to_owned());
        self
    }

    /// A name for the source in the query's checkpoint: letters, digits and underscores.
    pub fn name(mut self, source_name: &str) -> Self {
        self.source_name = Some(source_name.to_owned());
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

    /// The rows of files as they appear under a path, or of the changes of a Delta table there.
    pub fn load_path(self, path: &str) -> DataFrame {
        self.load_paths(vec![path.to_owned()])
    }

    /// The rows of CSV files as they appear under a path.
    pub fn csv(self, path: &str) -> DataFrame {
        self.format("csv").load_path(path)
    }

    /// The rows of files of JSON lines as they appear under a path.
    pub fn json(self, path: &str) -> DataFrame {
        self.format("json").load_path(path)
    }

    /// The rows of ORC files as they appear under a path.
    pub fn orc(self, path: &str) -> DataFrame {
        self.format("orc").load_path(path)
    }

    /// The rows of Parquet files as they appear under a path.
    pub fn parquet(self, path: &str) -> DataFrame {
        self.format("parquet").load_path(path)
    }

    /// The rows of text files, a line as column `value`, as they appear under a path.
    pub fn text(self, path: &str) -> DataFrame {
        self.lines("False").format("text").load_path(path)
    }

    /// The rows of XML files as they appear under a path.
    pub fn xml(self, path: &str) -> DataFrame {
        self.format("xml").load_path(path)
    }

    /// The rows of a table as they are added.
    pub fn table(self, name: &str) -> DataFrame {
        let table = read::NamedTable { unparsed_identifier: name.to_owned(), options: self.options };
        data_frame(&self.session, read::ReadType::NamedTable(table), true)
    }

    /// The changes of a table whose catalog keeps them, as they come.
    pub fn changes(self, table: &str) -> DataFrame {
        changes(&self.session, table, self.options, true)
    }

    /// PySpark always says whether a file is one row, so that its plans do.
    fn lines(mut self, whole_text: &str) -> Self {
        self.options.entry("wholetext".to_owned()).or_insert_with(|| whole_text.to_owned());
        self
    }

    fn load_paths(self, paths: Vec<String>) -> DataFrame {
        let source = read::DataSource {
            format: self.format,
            schema: Some(self.schema.unwrap_or_default()),
            options: self.options,
            paths,
            predicates: Vec::new(),
            source_name: self.source_name,
        };
        data_frame(&self.session, read::ReadType::DataSource(source), true)
    }
}
