//! Reading files and tables.

use crate::{
    DataFrame, SparkSession,
    proto::{Read, RelationChanges, read, relation::RelType},
};
use std::collections::HashMap;

/// Reads files or tables: `spark.read()`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let people = spark.read().option("header", true).schema("id BIGINT, name STRING").csv("/data/people");
/// people.show(5).await?;
/// # Ok(()) }
/// ```
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
        self.load_parts(paths, Vec::new())
    }

    fn load_parts(self, paths: Vec<String>, predicates: Vec<String>) -> DataFrame {
        let source = read::DataSource {
            format: self.format,
            // PySpark says "no schema" by an empty one.
            schema: Some(self.schema.unwrap_or_default()),
            options: self.options,
            paths,
            predicates,
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
        self.lines("false").format("text").load_path(path)
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

    /// A table of another database, or a query in parentheses, read over one connection. The driver must be on the
    /// server; the user and the password are options (`user`, `password`).
    pub fn jdbc(self, url: &str, table: &str) -> DataFrame {
        self.over_jdbc(url, table).load()
    }

    /// [`DataFrameReader::jdbc`] over several connections, each for a range of a number, date or timestamp column. The
    /// bounds only say how wide the ranges are: all rows are read.
    pub fn jdbc_by_ranges(
        self,
        url: &str,
        table: &str,
        column: &str,
        bounds: std::ops::Range<impl ToString>,
        partitions: u32,
    ) -> DataFrame {
        self.over_jdbc(url, table)
            .option("partitionColumn", column)
            .option("lowerBound", bounds.start)
            .option("upperBound", bounds.end)
            .option("numPartitions", partitions)
            .load()
    }

    /// [`DataFrameReader::jdbc`] over several connections, each for the rows of one SQL condition.
    pub fn jdbc_by_conditions(
        self,
        url: &str,
        table: &str,
        conditions: impl IntoIterator<Item = impl Into<String>>,
    ) -> DataFrame {
        let conditions = conditions.into_iter().map(Into::into).collect();
        self.over_jdbc(url, table).load_parts(Vec::new(), conditions)
    }

    /// PySpark always says whether a file is one row, so that its plans do.
    fn lines(mut self, whole_text: &str) -> Self {
        self.options.entry("wholetext".to_owned()).or_insert_with(|| whole_text.to_owned());
        self
    }

    fn over_jdbc(self, url: &str, table: &str) -> Self {
        self.format("jdbc").option("url", url).option("dbtable", table)
    }

    /// The changes of a table whose catalog keeps them, between the versions or times that the options say.
    pub fn changes(self, table: &str) -> DataFrame {
        changes(&self.session, table, self.options, false)
    }
}

pub(crate) fn changes(
    session: &SparkSession,
    table: &str,
    options: HashMap<String, String>,
    is_streaming: bool,
) -> DataFrame {
    let unparsed_identifier = table.to_owned();
    session.data_frame(move || {
        let (unparsed_identifier, options) = (unparsed_identifier.clone(), options.clone());
        RelType::RelationChanges(RelationChanges { unparsed_identifier, options, is_streaming })
    })
}

pub(crate) fn data_frame(session: &SparkSession, read_type: read::ReadType, is_streaming: bool) -> DataFrame {
    session.data_frame(move || RelType::Read(Read { read_type: Some(read_type.clone()), is_streaming }))
}
