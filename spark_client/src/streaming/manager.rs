//! The streaming queries of a session.

use super::StreamingQuery;
use crate::{
    Error, SparkSession,
    proto::{
        StreamingQueryManagerCommand,
        command::CommandType,
        streaming_query_manager_command::{AwaitAnyTerminationCommand, Command},
        streaming_query_manager_command_result::{ResultType, StreamingQueryInstance},
    },
};
use std::time::Duration;

/// The streaming queries of a session: `spark.streams()`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// for query in spark.streams().active().await? {
///     println!("{:?} {}", query.name(), query.id());
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct StreamingQueryManager {
    session: SparkSession,
}

impl StreamingQueryManager {
    pub(crate) fn new(session: SparkSession) -> Self {
        Self { session }
    }

    pub(super) fn session(&self) -> &SparkSession {
        &self.session
    }

    /// The queries that have not ended.
    pub async fn active(&self) -> Result<Vec<StreamingQuery>, Error> {
        match self.ask(Command::Active(true)).await? {
            Some(ResultType::Active(answer)) => {
                answer.active_queries.into_iter().map(|query| self.query(query)).collect()
            }
            other => Err(Error::protocol(format!("asked for the active queries, answered {other:?}"))),
        }
    }

    /// The active query of that id.
    pub async fn get(&self, id: &str) -> Result<Option<StreamingQuery>, Error> {
        match self.ask(Command::GetQuery(id.to_owned())).await? {
            Some(ResultType::Query(query)) => self.query(query).map(Some),
            None => Ok(None),
            other => Err(Error::protocol(format!("asked for a query, answered {other:?}"))),
        }
    }

    /// Waits until any query has ended since the session began or since
    /// [`StreamingQueryManager::reset_terminated`], or for this long; whether one has.
    pub async fn await_any_termination(&self, timeout: Option<Duration>) -> Result<bool, Error> {
        let timeout_ms = timeout.map(|limit| i64::try_from(limit.as_millis()).unwrap_or(i64::MAX).max(1));
        let command = Command::AwaitAnyTermination(AwaitAnyTerminationCommand { timeout_ms });
        match self.ask(command).await? {
            Some(ResultType::AwaitAnyTermination(answer)) => Ok(answer.terminated || timeout.is_none()),
            other => Err(Error::protocol(format!("asked for any termination, answered {other:?}"))),
        }
    }

    /// Forgets the queries that have ended.
    pub async fn reset_terminated(&self) -> Result<(), Error> {
        self.ask(Command::ResetTerminated(true)).await.map(|_| ())
    }

    fn query(&self, query: StreamingQueryInstance) -> Result<StreamingQuery, Error> {
        let id = query.id.ok_or_else(|| Error::protocol("a streaming query without an id"))?;
        Ok(StreamingQuery::new(self.session.clone(), id, query.name))
    }

    async fn ask(&self, command: Command) -> Result<Option<ResultType>, Error> {
        let command = StreamingQueryManagerCommand { command: Some(command) };
        let outcome = self.session.command(CommandType::StreamingQueryManagerCommand(command)).await?;
        let answer = outcome.streaming_queries;
        Ok(answer.ok_or_else(|| Error::protocol("the streaming queries gave no answer"))?.result_type)
    }
}
