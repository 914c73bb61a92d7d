//! A running streaming query.

use super::StreamingQueryProgress;
use crate::{
    Error, SparkSession,
    proto::{
        StreamingQueryCommand, StreamingQueryCommandResult, StreamingQueryInstanceId,
        command::CommandType,
        streaming_query_command::{AwaitTerminationCommand, Command, ExplainCommand},
        streaming_query_command_result::ResultType,
    },
};
use std::time::Duration;

/// A streaming query on the server. It runs on when this value is dropped; it ends with the session.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// use std::time::Duration;
/// if !query.await_termination(Some(Duration::from_secs(60))).await? {
///     query.stop().await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StreamingQuery {
    session: SparkSession,
    id: StreamingQueryInstanceId,
    name: Option<String>,
}

/// What a query is doing.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// let status = query.status().await?;
/// println!("{} (more to do: {})", status.message, status.is_data_available);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamingQueryStatus {
    /// Spark's words for it.
    pub message: String,
    /// Whether there is something to process.
    pub is_data_available: bool,
    /// Whether a batch is being processed.
    pub is_trigger_active: bool,
    /// Whether the query has not ended.
    pub is_active: bool,
}

/// Why a query ended.
///
/// ```no_run
/// # async fn run(query: spark_client::StreamingQuery) -> Result<(), spark_client::Error> {
/// if let Some(failure) = query.exception().await? {
///     eprintln!("{:?}: {}", failure.error_class, failure.message);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamingQueryFailure {
    /// What Spark says.
    pub message: String,
    /// Spark's error class.
    pub error_class: Option<String>,
    /// The Java stack trace, if the server is set to send it.
    pub stack_trace: Option<String>,
}

impl StreamingQuery {
    pub(crate) fn new(
        session: SparkSession,
        id: StreamingQueryInstanceId,
        name: impl Into<Option<String>>,
    ) -> Self {
        let name = name.into().filter(|name| !name.is_empty());
        Self { session, id, name }
    }

    /// The query's id: the same after a restart from the checkpoint.
    pub fn id(&self) -> &str {
        &self.id.id
    }

    /// The id of this run: another after each restart.
    pub fn run_id(&self) -> &str {
        &self.id.run_id
    }

    /// The query's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// What the query is doing.
    pub async fn status(&self) -> Result<StreamingQueryStatus, Error> {
        match self.ask(Command::Status(true)).await?.result_type {
            Some(ResultType::Status(status)) => Ok(StreamingQueryStatus {
                message: status.status_message,
                is_data_available: status.is_data_available,
                is_trigger_active: status.is_trigger_active,
                is_active: status.is_active,
            }),
            other => Err(unexpected("status", other)),
        }
    }

    /// Whether the query has not ended.
    pub async fn is_active(&self) -> Result<bool, Error> {
        Ok(self.status().await?.is_active)
    }

    /// The last batch, or `None` before the first.
    pub async fn last_progress(&self) -> Result<Option<StreamingQueryProgress>, Error> {
        Ok(self.progress(Command::LastProgress(true)).await?.pop())
    }

    /// The last batches, oldest first: as many as `spark.sql.streaming.numRecentProgressUpdates` says.
    pub async fn recent_progress(&self) -> Result<Vec<StreamingQueryProgress>, Error> {
        self.progress(Command::RecentProgress(true)).await
    }

    async fn progress(&self, command: Command) -> Result<Vec<StreamingQueryProgress>, Error> {
        match self.ask(command).await?.result_type {
            Some(ResultType::RecentProgress(progress)) => {
                progress.recent_progress_json.iter().map(|json| StreamingQueryProgress::parse(json)).collect()
            }
            other => Err(unexpected("progress", other)),
        }
    }

    /// Waits until the query has ended, or for this long; whether it has ended. When an exception ended it,
    /// that is the error, of kind [`crate::ErrorKind::StreamingQuery`].
    pub async fn await_termination(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        // The server refuses 0.
        let timeout_ms = timeout.map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).max(1));
        let command = Command::AwaitTermination(AwaitTerminationCommand { timeout_ms });
        match self.ask(command).await?.result_type {
            Some(ResultType::AwaitTermination(answer)) => Ok(answer.terminated || timeout.is_none()),
            other => Err(unexpected("termination", other)),
        }
    }

    /// Waits until all that the sources have now is in the sink. Only for tests: a busy source may never be
    /// done.
    pub async fn process_all_available(&self) -> Result<(), Error> {
        self.ask(Command::ProcessAllAvailable(true)).await.map(|_| ())
    }

    /// Why the query ended, or `None` when no exception ended it.
    pub async fn exception(&self) -> Result<Option<StreamingQueryFailure>, Error> {
        match self.ask(Command::Exception(true)).await?.result_type {
            Some(ResultType::Exception(failure)) => {
                Ok(failure.exception_message.map(|message| StreamingQueryFailure {
                    message,
                    error_class: failure.error_class,
                    stack_trace: failure.stack_trace,
                }))
            }
            // A query without an exception answers with nothing set.
            None => Ok(None),
            other => Err(unexpected("exception", other)),
        }
    }

    /// How Spark runs the last batch, as text; with `extended`, with the logical plans.
    pub async fn explain(&self, extended: bool) -> Result<String, Error> {
        match self.ask(Command::Explain(ExplainCommand { extended })).await?.result_type {
            Some(ResultType::Explain(answer)) => Ok(answer.result),
            other => Err(unexpected("plan", other)),
        }
    }

    /// Ends the query; returns when it has ended.
    pub async fn stop(&self) -> Result<(), Error> {
        self.ask(Command::Stop(true)).await.map(|_| ())
    }

    async fn ask(&self, command: Command) -> Result<StreamingQueryCommandResult, Error> {
        let command = StreamingQueryCommand { query_id: Some(self.id.clone()), command: Some(command) };
        let outcome = self.session.command(CommandType::StreamingQueryCommand(command)).await?;
        outcome.streaming_query.ok_or_else(|| Error::protocol("a streaming query gave no answer"))
    }
}

fn unexpected(asked: &str, answer: Option<ResultType>) -> Error {
    Error::protocol(format!("a streaming query was asked for its {asked} and answered {answer:?}"))
}
