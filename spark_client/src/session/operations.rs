//! What became of operations.

use super::SparkSession;
use crate::{
    Error,
    proto::{
        GetStatusRequest,
        get_status_request::OperationStatusRequest,
        get_status_response::{OperationStatus as Status, operation_status::OperationState as State},
    },
};

/// How far the server is with an operation.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::OperationState;
/// let all = spark.operation_statuses([] as [&str; 0]).await?;
/// let running = all.iter().filter(|operation| operation.state == OperationState::Running).count();
/// # let _ = running; Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OperationState {
    /// The server knows nothing of it (any more).
    Unknown,
    /// It runs.
    Running,
    /// It was interrupted and has not ended yet.
    Terminating,
    /// It has ended well.
    Succeeded,
    /// It has failed.
    Failed,
    /// It was interrupted.
    Cancelled,
}

/// An operation and how far the server is with it.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// spark.register_progress_handler(|progress| println!("{} runs", progress.operation_id));
/// for operation in spark.operation_statuses([] as [&str; 0]).await? {
///     println!("{}: {:?}", operation.operation_id, operation.state);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OperationStatus {
    /// The operation's id, a UUID.
    pub operation_id: String,
    /// How far it is.
    pub state: OperationState,
}

impl SparkSession {
    /// How far the server is with operations of this session: those of these ids, or all that it knows when no id is
    /// given. It forgets an operation some time after its end.
    pub async fn operation_statuses(
        &self,
        operation_ids: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<Vec<OperationStatus>, Error> {
        let connection = self.connection();
        let operation_ids = operation_ids.into_iter().map(Into::into).collect();
        let request = GetStatusRequest {
            session_id: connection.session_id(),
            user_context: connection.user_context(),
            client_type: connection.client_type(),
            client_observed_server_side_session_id: connection.server_session_id(),
            operation_status: Some(OperationStatusRequest { operation_ids, extensions: Vec::new() }),
            extensions: Vec::new(),
        };
        let response = connection
            .call("asking for operations", |mut c| {
                let request = request.clone();
                async move { c.get_status(request).await }
            })
            .await?;
        connection.verify(&response)?;
        Ok(response.operation_statuses.into_iter().map(OperationStatus::from_proto).collect())
    }
}

impl OperationStatus {
    fn from_proto(status: Status) -> Self {
        let state = match status.state() {
            State::Running => OperationState::Running,
            State::Terminating => OperationState::Terminating,
            State::Succeeded => OperationState::Succeeded,
            State::Failed => OperationState::Failed,
            State::Cancelled => OperationState::Cancelled,
            State::Unspecified | State::Unknown => OperationState::Unknown,
        };
        Self { operation_id: status.operation_id, state }
    }
}
