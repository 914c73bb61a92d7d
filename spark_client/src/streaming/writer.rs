//! Starting a streaming query.

use super::StreamingQuery;
use crate::{
    DataFrame, Error,
    proto::{
        WriteStreamOperationStart,
        command::CommandType,
        write_stream_operation_start::{self as start, SinkDestination},
    },
};
use std::time::Duration;

/// When a query processes what has come.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::Trigger;
/// let all_there_is = orders.write_stream().format("delta").trigger(Trigger::AvailableNow).to_table("copy").await?;
/// all_there_is.await_termination(None).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// A batch every so often; at once again when the one before took longer.
    ProcessingTime(Duration),
    /// All that is there now, in as many batches as the source's limits ask for; then the query ends.
    AvailableNow,
    /// All that is there now in one batch; then the query ends.
    Once,
    /// Row by row, with a checkpoint every so often; few sources and sinks can do it.
    Continuous(Duration),
}

/// Which rows of a result a batch writes.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::OutputMode;
/// let counts = orders.group_by(["country"]).count();
/// counts.write_stream().format("console").output_mode(OutputMode::Complete).start().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputMode {
    /// Rows that never change again.
    Append,
    /// The whole result.
    Complete,
    /// Rows that changed.
    Update,
}

/// Writes the rows of a stream: `df.write_stream()`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::Trigger;
/// use std::time::Duration;
/// let query = spark.read_stream().format("kafka")
///     .option("kafka.bootstrap.servers", "localhost:9092").option("subscribePattern", "wwi\\..*")
///     .load()
///     .write_stream().format("delta")
///     .option("checkpointLocation", "s3a://lake/checkpoints/events")
///     .trigger(Trigger::ProcessingTime(Duration::from_secs(1)))
///     .to_table("bronze.events").await?;
/// query.await_termination(None).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a writer does nothing until it starts"]
pub struct DataStreamWriter {
    input: DataFrame,
    operation: WriteStreamOperationStart,
}

impl DataStreamWriter {
    pub(crate) fn new(input: DataFrame) -> Self {
        Self { input, operation: WriteStreamOperationStart::default() }
    }

    /// The sink: `delta`, `kafka`, `memory`, `console`, or a file format.
    pub fn format(mut self, sink: &str) -> Self {
        sink.clone_into(&mut self.operation.format);
        self
    }

    /// An option of the sink; `checkpointLocation` is what makes a query restartable.
    pub fn option(mut self, key: &str, value: impl ToString) -> Self {
        self.operation.options.insert(key.to_owned(), value.to_string());
        self
    }

    /// Options of the sink.
    pub fn options<'a>(mut self, options: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let owned = options.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
        self.operation.options.extend(owned);
        self
    }

    /// Which rows of the result a batch writes.
    pub fn output_mode(mut self, mode: OutputMode) -> Self {
        let mode = match mode {
            OutputMode::Append => "append",
            OutputMode::Complete => "complete",
            OutputMode::Update => "update",
        };
        mode.clone_into(&mut self.operation.output_mode);
        self
    }

    /// The query's name, unique among the active queries of the session.
    pub fn query_name(mut self, name: &str) -> Self {
        name.clone_into(&mut self.operation.query_name);
        self
    }

    /// When the query processes what has come.
    pub fn trigger(mut self, trigger: Trigger) -> Self {
        let milliseconds = |interval: Duration| format!("{} milliseconds", interval.as_millis());
        self.operation.trigger = Some(match trigger {
            Trigger::ProcessingTime(interval) => {
                start::Trigger::ProcessingTimeInterval(milliseconds(interval))
            }
            Trigger::AvailableNow => start::Trigger::AvailableNow(true),
            Trigger::Once => start::Trigger::Once(true),
            Trigger::Continuous(interval) => {
                start::Trigger::ContinuousCheckpointInterval(milliseconds(interval))
            }
        });
        self
    }

    /// A folder for each combination of the values of these columns.
    pub fn partition_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.partitioning_column_names = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Rows that are alike in these columns near each other.
    pub fn cluster_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.operation.clustering_column_names = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Starts a query into a sink that has no path.
    pub async fn start(self) -> Result<StreamingQuery, Error> {
        self.run().await
    }

    /// Starts a query into files under a path.
    pub async fn start_path(self, path: &str) -> Result<StreamingQuery, Error> {
        self.into_path(path).run().await
    }

    /// Starts a query into a table, made if need be.
    pub async fn to_table(self, table: &str) -> Result<StreamingQuery, Error> {
        self.into_table(table).run().await
    }

    pub(crate) fn into_path(mut self, path: &str) -> Self {
        self.operation.sink_destination = Some(SinkDestination::Path(path.to_owned()));
        self
    }

    pub(crate) fn into_table(mut self, table: &str) -> Self {
        self.operation.sink_destination = Some(SinkDestination::TableName(table.to_owned()));
        self
    }

    async fn run(self) -> Result<StreamingQuery, Error> {
        let session = self.input.session.clone();
        let outcome = session.command(self.into_command()).await?;
        let started =
            outcome.stream_start.ok_or_else(|| Error::protocol("the server started no streaming query"))?;
        let id = started.query_id.ok_or_else(|| Error::protocol("a streaming query without an id"))?;
        Ok(StreamingQuery::new(session, id, started.name))
    }

    pub(crate) fn into_command(self) -> CommandType {
        let input = Some(self.input.plan.to_relation());
        CommandType::WriteStreamOperationStart(WriteStreamOperationStart { input, ..self.operation })
    }
}
