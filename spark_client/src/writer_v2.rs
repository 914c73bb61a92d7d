//! Writing tables of a catalog.

use crate::{
    Column, DataFrame, Error, IntoColumn,
    column::into_columns,
    proto::{WriteOperationV2, command::CommandType, write_operation_v2::Mode},
};

/// Writes the rows of a DataFrame to a table of a catalog: `df.write_to("table")`.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{col, days};
/// orders.write_to("lake.orders").using("delta").partitioned_by([days("at")]).create().await?;
/// orders.write_to("lake.orders").overwrite(col("day").eq("2026-11-24")).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a writer does nothing until it creates, appends, replaces or overwrites"]
pub struct DataFrameWriterV2 {
    input: DataFrame,
    operation: WriteOperationV2,
}

impl DataFrameWriterV2 {
    pub(crate) fn new(input: DataFrame, table: &str) -> Self {
        let operation = WriteOperationV2 { table_name: table.to_owned(), ..Default::default() };
        Self { input, operation }
    }

    /// The provider of a new table: `delta`, `parquet`, ...
    pub fn using(mut self, provider: &str) -> Self {
        self.operation.provider = Some(provider.to_owned());
        self
    }

    /// An option of the write.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.operation.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// Options of the provider.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.operation.options.extend(owned);
        self
    }

    /// A property of a new table.
    pub fn table_property(mut self, key: &str, value: impl ToString) -> Self {
        self.operation.table_properties.insert(key.to_owned(), value.to_string());
        self
    }

    /// How a new table is partitioned: columns, or functions such as `years`.
    pub fn partitioned_by(mut self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        self.operation.partitioning_columns =
            into_columns(columns).into_iter().map(|column| column.expression).collect();
        self
    }

    /// Rows that are alike in these columns near each other.
    pub fn cluster_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.clustering_columns = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the table gain the columns that it lacks.
    pub fn with_schema_evolution(mut self) -> Self {
        self.operation.with_schema_evolution = true;
        self
    }

    /// Makes the table; an error when it exists.
    pub async fn create(self) -> Result<(), Error> {
        self.run(Mode::Create).await
    }

    /// Makes the table in place of one that exists; an error when none does.
    pub async fn replace(self) -> Result<(), Error> {
        self.run(Mode::Replace).await
    }

    /// Makes the table, in place of one if it exists.
    pub async fn create_or_replace(self) -> Result<(), Error> {
        self.run(Mode::CreateOrReplace).await
    }

    /// Adds the rows to the table.
    pub async fn append(self) -> Result<(), Error> {
        self.run(Mode::Append).await
    }

    /// Replaces the rows of the table for which the condition holds.
    pub async fn overwrite(self, condition: Column) -> Result<(), Error> {
        self.where_(condition).run(Mode::Overwrite).await
    }

    /// Replaces the partitions of the table that the rows fall into.
    pub async fn overwrite_partitions(self) -> Result<(), Error> {
        self.run(Mode::OverwritePartitions).await
    }

    pub(crate) fn where_(mut self, condition: Column) -> Self {
        self.operation.overwrite_condition = Some(condition.expression);
        self
    }

    async fn run(self, mode: Mode) -> Result<(), Error> {
        let session = self.input.session.clone();
        session.command(self.into_command(mode)).await.map(|_| ())
    }

    pub(crate) fn into_command(self, mode: Mode) -> CommandType {
        let input = Some(self.input.plan.to_relation());
        CommandType::WriteOperationV2(WriteOperationV2 { input, mode: mode as i32, ..self.operation })
    }
}
