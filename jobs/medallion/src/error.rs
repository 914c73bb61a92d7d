//! The crate's one error: a sentence that names the object and the next step, and what caused it.

use std::fmt;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// What a caller may want to tell apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A contract, an option or an environment variable says something that cannot be.
    Configuration,
    /// Spark answered with an error, or could not be reached.
    Spark,
    /// The Schema Registry answered with an error, or could not be reached.
    Registry,
    /// Kafka answered with an error, or could not be reached.
    Kafka,
    /// Trino answered with an error, or could not be reached.
    Trino,
    /// Another process does what this one does.
    Fenced,
    /// Events are missing or doubled: what bronze holds can no longer become what the checkpoints count.
    Incomplete,
    /// A payload or a row is against its contract, which says to stop then.
    Data,
}

/// Says what failed, on which object, and what to do about it; `source` holds the cause.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    pub(crate) fn caused(
        kind: ErrorKind,
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { kind, message: message.into(), source: Some(source.into()) }
    }

    /// What went wrong, to match on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether it comes of one table's plan or data, while the server is well.
    pub(crate) fn is_of_one_table(&self) -> bool {
        use spark_client::ErrorKind as Spark;
        self.kind == ErrorKind::Data
            || self.spark().is_some_and(|error| {
                matches!(error.kind(), Spark::Parse | Spark::Analysis | Spark::Execution)
                    && !error.is_retryable()
            })
    }

    /// Whether trying again after a while, from where the tables stand then, may help.
    pub(crate) fn may_pass(&self) -> bool {
        match self.kind {
            ErrorKind::Registry | ErrorKind::Kafka | ErrorKind::Spark | ErrorKind::Trino => true,
            ErrorKind::Configuration | ErrorKind::Fenced | ErrorKind::Incomplete | ErrorKind::Data => false,
        }
    }

    fn spark(&self) -> Option<&spark_client::Error> {
        std::error::Error::source(self).and_then(|source| source.downcast_ref())
    }

    /// The error and its causes in one line.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// Says what was being done when Spark failed: `plan.collect().await.doing("reading the checkpoints")?`.
pub(crate) trait Doing<T> {
    fn doing(self, what: impl Into<String>) -> Result<T>;
}

impl<T> Doing<T> for std::result::Result<T, spark_client::Error> {
    fn doing(self, what: impl Into<String>) -> Result<T> {
        self.map_err(|error| Error::caused(ErrorKind::Spark, format!("{} failed", what.into()), error))
    }
}
