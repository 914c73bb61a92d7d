//! Making a table from its description.

use super::Catalog;
use crate::{
    DataFrame, Error, Schema, SparkSession,
    proto::{self, catalog::CatType},
};

/// A table to be made: [`Catalog::create_table`].
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let orders = spark.catalog().create_table("orders")
///     .source("parquet").path("s3a://lake/orders")
///     .create().await?;
/// # let _ = orders; Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it creates"]
pub struct CreateTable {
    session: SparkSession,
    asked: proto::CreateTable,
}

impl Catalog<'_> {
    /// Makes a table by the session's default source, unless the builder says otherwise.
    pub fn create_table(&self, table: &str) -> CreateTable {
        let asked = proto::CreateTable { table_name: table.to_owned(), ..Default::default() };
        CreateTable { session: self.session.clone(), asked }
    }
}

impl CreateTable {
    /// The folder that holds the rows: dropping the table will leave them there.
    pub fn path(mut self, path: &str) -> Self {
        self.asked.path = Some(path.to_owned());
        self
    }

    /// The source: `parquet`, `delta`, `csv`, ...
    pub fn source(mut self, source: &str) -> Self {
        self.asked.source = Some(source.to_owned());
        self
    }

    /// The columns; without them the source says what is in the path.
    pub fn schema(mut self, schema: &Schema) -> Self {
        self.asked.schema = Some(schema.to_proto());
        self
    }

    /// A comment.
    pub fn description(mut self, text: &str) -> Self {
        self.asked.description = Some(text.to_owned());
        self
    }

    /// An option of the source.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.asked.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// Makes it, and gives its rows.
    pub async fn create(self) -> Result<DataFrame, Error> {
        let table = self.asked.table_name.clone();
        self.session.catalog().run(CatType::CreateTable(self.asked)).await?;
        Ok(self.session.table(&table))
    }
}
