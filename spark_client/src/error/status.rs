//! From a gRPC status to an [`Error`].

use super::{Error, ErrorKind, ServerError};
use crate::{proto::FetchErrorDetailsResponse, rpc::is_retryable};
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

impl Error {
    /// The id to ask FetchErrorDetails for, when the server kept details of the failure.
    pub(crate) fn details_id(status: &Status) -> Option<String> {
        let info = status.get_details_error_info()?;
        info.metadata.get("errorId").cloned()
    }

    /// `doing` is what was asked for, as in "executing a plan"; `target` is the server's address.
    pub(crate) fn from_status(
        doing: &str,
        target: &str,
        status: Status,
        details: Option<FetchErrorDetailsResponse>,
    ) -> Self {
        let retryable = is_retryable(&status);
        let server = status.get_details_error_info().map(|info| {
            let mut server = ServerError::from_info(&info);
            if let Some(details) = details {
                server.complete(details);
            }
            server
        });
        let kind = kind_of(&status, server.as_ref(), retryable);
        let said = server.as_ref().and_then(|s| s.message.as_deref()).unwrap_or(status.message());
        let message = match kind {
            ErrorKind::Unreachable => {
                format!(
                    "{doing}: the Spark Connect server at {target} cannot be reached ({said}); check that it runs"
                )
            }
            ErrorKind::SessionGone => format!("{doing}: {said}; open a new session"),
            _ => format!("{doing}: {said}"),
        };
        let error = Self::new(kind, message).with_retryable(retryable);
        match server {
            Some(server) => error.with_server(server),
            None => error.with_source(status),
        }
    }
}

impl Error {
    /// Why the figures of an observation could not be computed.
    pub(crate) fn of_observation(name: &str, details: FetchErrorDetailsResponse) -> Self {
        let mut server = ServerError::default();
        server.complete(details);
        let said = server.message.as_deref().unwrap_or("the server gave no reason");
        let message = format!("the figures of observation {name}: {said}");
        Self::new(ErrorKind::Execution, message).with_server(server)
    }
}

fn kind_of(status: &Status, server: Option<&ServerError>, retryable: bool) -> ErrorKind {
    let class = server.and_then(ServerError::error_class).unwrap_or_default();
    let mentions = |text: &str| class == text || status.message().contains(text);
    if ["SESSION_NOT_FOUND", "SESSION_CLOSED", "SESSION_CHANGED"]
        .iter()
        .any(|reason| mentions(&format!("INVALID_HANDLE.{reason}")))
    {
        return ErrorKind::SessionGone;
    }
    if mentions("INVALID_HANDLE.OPERATION_ABANDONED") {
        return ErrorKind::OperationLost;
    }
    if class == "OPERATION_CANCELED" || mentions("OPERATION_CANCELED") || mentions("OPERATION_CANCELLED") {
        return ErrorKind::Cancelled;
    }
    if let Some(server) = server {
        return if server.is_a("ParseException") {
            ErrorKind::Parse
        } else if server.is_a("AnalysisException") {
            ErrorKind::Analysis
        } else if server.is_a("StreamingQueryException") {
            ErrorKind::StreamingQuery
        } else {
            ErrorKind::Execution
        };
    }
    match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => ErrorKind::Denied,
        Code::InvalidArgument => ErrorKind::InvalidInput,
        _ if retryable => ErrorKind::Unreachable,
        Code::Cancelled => ErrorKind::Cancelled,
        Code::Internal => ErrorKind::Execution,
        _ => ErrorKind::Protocol,
    }
}
