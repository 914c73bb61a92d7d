//! Writing files and tables.

use crate::{
    DataFrame, Error,
    proto::{
        WriteOperation,
        command::CommandType,
        write_operation::{self, SaveType, save_table::TableSaveMethod},
    },
};

/// What to do when the target exists.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::SaveMode;
/// orders.write().format("delta").mode(SaveMode::Append).save_as_table("silver.orders").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveMode {
    /// An error.
    #[default]
    ErrorIfExists,
    /// The rows are added.
    Append,
    /// The rows take the place of those there.
    Overwrite,
    /// Nothing is written.
    Ignore,
}

/// Writes the rows of a DataFrame: `df.write()`.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// orders.write().partition_by(["country"]).option("compression", "zstd").parquet("/data/orders").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a writer does nothing until it saves"]
pub struct DataFrameWriter {
    input: DataFrame,
    operation: WriteOperation,
}

impl DataFrameWriter {
    pub(crate) fn new(input: DataFrame) -> Self {
        Self { input, operation: WriteOperation::default() }
    }

    /// The format: `delta`, `parquet`, `json`, ...
    pub fn format(mut self, source: &str) -> Self {
        self.operation.source = Some(source.to_owned());
        self
    }

    /// What to do when the target exists.
    pub fn mode(mut self, mode: SaveMode) -> Self {
        let mode = match mode {
            SaveMode::ErrorIfExists => write_operation::SaveMode::ErrorIfExists,
            SaveMode::Append => write_operation::SaveMode::Append,
            SaveMode::Overwrite => write_operation::SaveMode::Overwrite,
            SaveMode::Ignore => write_operation::SaveMode::Ignore,
        };
        self.operation.mode = mode as i32;
        self
    }

    /// An option of the format.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.operation.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// Options of the format.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.operation.options.extend(owned);
        self
    }

    /// A folder for each combination of the values of these columns.
    pub fn partition_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.partitioning_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Buckets of rows that are equal by a hash of these columns, for a table that is not Delta's.
    pub fn bucket_by(mut self, buckets: i32, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let bucket_column_names = columns.into_iter().map(Into::into).collect();
        self.operation.bucket_by =
            Some(write_operation::BucketBy { bucket_column_names, num_buckets: buckets });
        self
    }

    /// The order of the rows in each bucket.
    pub fn sort_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.sort_column_names = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Rows that are alike in these columns near each other.
    pub fn cluster_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.clustering_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the target gain the columns that it lacks.
    pub fn with_schema_evolution(mut self) -> Self {
        self.operation.with_schema_evolution = true;
        self
    }

    /// Writes to a path.
    pub async fn save(self, path: &str) -> Result<(), Error> {
        self.into_path(path).run().await
    }

    /// Writes to a source that has no path, such as `kafka`.
    pub async fn save_by_options(self) -> Result<(), Error> {
        self.run().await
    }

    /// Writes to a table of another database, made if need be. The driver must be on the server; the user and the
    /// password are options (`user`, `password`).
    pub async fn jdbc(self, url: &str, table: &str) -> Result<(), Error> {
        self.into_jdbc(url, table).run().await
    }

    /// Writes to a table, made if need be; columns are matched by name.
    pub async fn save_as_table(self, table: &str) -> Result<(), Error> {
        self.saved_as_table(table).run().await
    }

    /// Adds to a table that exists, or overwrites it by [`SaveMode::Overwrite`]; columns are matched by
    /// position.
    pub async fn insert_into(self, table: &str) -> Result<(), Error> {
        self.inserted_into(table).run().await
    }

    /// Writes Parquet files.
    pub async fn parquet(self, path: &str) -> Result<(), Error> {
        self.format("parquet").save(path).await
    }

    /// Writes CSV files.
    pub async fn csv(self, path: &str) -> Result<(), Error> {
        self.format("csv").save(path).await
    }

    /// Writes files of JSON lines.
    pub async fn json(self, path: &str) -> Result<(), Error> {
        self.format("json").save(path).await
    }

    /// Writes ORC files.
    pub async fn orc(self, path: &str) -> Result<(), Error> {
        self.format("orc").save(path).await
    }

    /// Writes text files, from one column of text.
    pub async fn text(self, path: &str) -> Result<(), Error> {
        self.format("text").save(path).await
    }

    /// Writes XML files; option `rowTag` names the element that is a row.
    pub async fn xml(self, path: &str) -> Result<(), Error> {
        self.format("xml").save(path).await
    }

    pub(crate) fn into_path(mut self, path: &str) -> Self {
        self.operation.save_type = Some(SaveType::Path(path.to_owned()));
        self
    }

    pub(crate) fn saved_as_table(self, table: &str) -> Self {
        self.into_table(table, TableSaveMethod::SaveAsTable)
    }

    pub(crate) fn inserted_into(self, table: &str) -> Self {
        self.into_table(table, TableSaveMethod::InsertInto)
    }

    pub(crate) fn into_jdbc(self, url: &str, table: &str) -> Self {
        self.format("jdbc").option("url", url).option("dbtable", table)
    }

    fn into_table(mut self, table: &str, method: TableSaveMethod) -> Self {
        self.operation.save_type = Some(SaveType::Table(write_operation::SaveTable {
            table_name: table.to_owned(),
            save_method: method as i32,
        }));
        self
    }

    async fn run(self) -> Result<(), Error> {
        let session = self.input.session.clone();
        session.command(self.into_command()).await.map(|_| ())
    }

    pub(crate) fn into_command(self) -> CommandType {
        let input = Some(self.input.plan.to_relation());
        CommandType::WriteOperation(WriteOperation { input, ..self.operation })
    }
}
