use std::error::Error as StdError;
use std::fmt;

use tokio_postgres::error::SqlState;

/// What kind of failure an [`Error`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// An argument or the source URL can't be used.
    Configuration,
    /// The database can't be reached or refuses the login.
    Connection,
    /// The tables present don't have the shape that this version expects.
    Shape,
    /// There are rows already in the tables to load.
    Filled,
    /// A statement failed.
    Statement,
    /// The reference data in the crate can't be used: a fault of this crate.
    ReferenceData,
}

/// The one error type of this crate: a sentence with the object and the next step, and its cause.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), cause: None }
    }

    pub(crate) fn caused_by(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// What kind of failure this is.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether the transaction lost against another one and may be tried again: a serialization
    /// failure or a deadlock.
    pub fn is_retryable(&self) -> bool {
        let state = self
            .cause
            .as_deref()
            .and_then(|cause| cause.downcast_ref::<tokio_postgres::Error>())
            .and_then(tokio_postgres::Error::code);
        matches!(state, Some(&SqlState::T_R_SERIALIZATION_FAILURE | &SqlState::T_R_DEADLOCK_DETECTED))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as _)
    }
}

pub(crate) fn statement(what: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Error {
    let what = what.into();
    move |cause| Error::new(ErrorKind::Statement, what).caused_by(cause)
}
