//! Commands: plans that change something.

use super::SparkSession;
use crate::{
    Error,
    plan::command_plan,
    proto::{
        CachedRemoteRelation, Relation, StreamingQueryCommandResult, StreamingQueryManagerCommandResult,
        WriteStreamOperationStartResult, command::CommandType, execute_plan_response::ResponseType,
    },
    rpc::Execution,
};

/// What a command answered. Which part is there depends on the command.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) sql_relation: Option<Relation>,
    pub(crate) stream_start: Option<WriteStreamOperationStartResult>,
    pub(crate) streaming_query: Option<StreamingQueryCommandResult>,
    pub(crate) streaming_queries: Option<StreamingQueryManagerCommandResult>,
    pub(crate) checkpoint: Option<CachedRemoteRelation>,
}

impl SparkSession {
    /// Runs a command to its end.
    pub(crate) async fn command(&self, command: CommandType) -> Result<Outcome, Error> {
        // Boxed, so that the futures of all writers stay small.
        Box::pin(self.run(command)).await
    }

    async fn run(&self, command: CommandType) -> Result<Outcome, Error> {
        let mut execution = Execution::new(self.connection(), command_plan(command)).await?;
        let mut outcome = Outcome::default();
        while let Some(response) = execution.next().await? {
            match response.response_type {
                Some(ResponseType::SqlCommandResult(answer)) => outcome.sql_relation = answer.relation,
                Some(ResponseType::WriteStreamOperationStartResult(answer)) => {
                    outcome.stream_start = Some(answer);
                }
                Some(ResponseType::StreamingQueryCommandResult(answer)) => {
                    outcome.streaming_query = Some(answer);
                }
                Some(ResponseType::StreamingQueryManagerCommandResult(answer)) => {
                    outcome.streaming_queries = Some(answer);
                }
                Some(ResponseType::CheckpointCommandResult(answer)) => outcome.checkpoint = answer.relation,
                _ => {}
            }
        }
        Ok(outcome)
    }
}
