//! What can go wrong, as one type with questions to ask of it.

mod server;
mod status;

pub use server::{Cause, QueryContext, ServerError};

use std::{error::Error as StdError, fmt};

/// What a call failed on. Ask it questions instead of reading its text.
///
/// `Display` is one message without its causes; the causes are the [`std::error::Error::source`] chain.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// if let Err(error) = orders.collect().await {
///     eprintln!("{error}; {:?}, SQLSTATE {:?}", error.error_class(), error.sql_state());
///     if error.is_session_gone() {
///         // Connect anew: the old session's views are gone.
///     }
/// }
/// # Ok(()) }
/// ```
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    message: String,
    server: Option<ServerError>,
    retryable: bool,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// The part of the way where it failed.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::ErrorKind;
/// let kind = orders.collect().await.map_err(|error| error.kind());
/// assert_ne!(kind.err(), Some(ErrorKind::Protocol));
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A value the caller gave cannot be used; nothing was sent.
    InvalidInput,
    /// The server could not be reached, or the connection was lost more often than the retry policy allows.
    Unreachable,
    /// The server says who asked may not.
    Denied,
    /// The server session is gone: released, expired, or its server was restarted. Temporary views and
    /// settings are lost; a new session is needed.
    SessionGone,
    /// The server forgot the operation after it had begun: whether a command took effect is unknown.
    OperationLost,
    /// The operation was interrupted.
    Cancelled,
    /// Spark could not parse the SQL text.
    Parse,
    /// Spark understood the text but the plan does not fit: an unknown table, a column of another type.
    Analysis,
    /// Spark failed while it ran the plan.
    Execution,
    /// A streaming query stopped by an exception.
    StreamingQuery,
    /// The server's answer breaks the protocol, or rows of a result are missing. Never ignored.
    Protocol,
    /// The rows do not fit the Rust type asked for.
    Decode,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self(Box::new(Inner { kind, message: message.into(), server: None, retryable: false, source: None }))
    }

    pub(crate) fn invalid_input(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidInput, message)
    }

    pub(crate) fn protocol(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Protocol, message)
    }

    pub(crate) fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    pub(crate) fn with_server(mut self, server: ServerError) -> Self {
        self.0.server = Some(server);
        self
    }

    pub(crate) fn with_retryable(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// The part of the way where it failed.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// What Spark said, when the failure is Spark's.
    pub fn server(&self) -> Option<&ServerError> {
        self.0.server.as_ref()
    }

    /// Spark's error class, for example `TABLE_OR_VIEW_NOT_FOUND`.
    pub fn error_class(&self) -> Option<&str> {
        self.server().and_then(ServerError::error_class)
    }

    /// The SQLSTATE of the error class, for example `42P01`.
    pub fn sql_state(&self) -> Option<&str> {
        self.server().and_then(ServerError::sql_state)
    }

    /// The value of a parameter of the error's message template, for example `relationName`.
    pub fn message_parameter(&self, name: &str) -> Option<&str> {
        self.server().and_then(|s| s.message_parameters().get(name)).map(String::as_str)
    }

    /// Whether the same call may succeed later without a change: the server was out of reach or asked for
    /// patience. The client has already retried as its policy says.
    pub fn is_retryable(&self) -> bool {
        self.0.retryable
    }

    /// Whether the server session is gone and a new one is needed.
    pub fn is_session_gone(&self) -> bool {
        self.kind() == ErrorKind::SessionGone
    }

    /// Whether the operation was interrupted.
    pub fn is_cancelled(&self) -> bool {
        self.kind() == ErrorKind::Cancelled
    }

    /// Whether a table or view does not exist.
    pub fn is_table_not_found(&self) -> bool {
        self.error_class().is_some_and(|class| {
            matches!(class, "TABLE_OR_VIEW_NOT_FOUND" | "DELTA_TABLE_NOT_FOUND" | "DELTA_MISSING_DELTA_TABLE")
        })
    }

    /// Whether another writer changed the same Delta table first: the statement changed nothing and can
    /// be run again.
    pub fn is_conflict(&self) -> bool {
        self.server().is_some_and(ServerError::is_conflict)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Error");
        shown.field("kind", &self.0.kind).field("message", &self.0.message);
        if let Some(class) = self.error_class() {
            shown.field("error_class", &class);
        }
        if let Some(source) = &self.0.source {
            shown.field("source", source);
        }
        shown.finish_non_exhaustive()
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match (&self.0.source, &self.0.server) {
            (Some(source), _) => Some(source.as_ref()),
            (None, Some(server)) => server.cause().map(|cause| cause as &(dyn StdError + 'static)),
            (None, None) => None,
        }
    }
}
