use std::error::Error as StdError;
use std::fmt;

/// What kind of failure an [`Error`] is; decides whether waiting can help (`retry`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The configuration can't be used.
    Configuration,
    /// PostgreSQL can't be reached, or the connection broke.
    SourceUnreachable,
    /// PostgreSQL refuses: password, rights, settings, a statement.
    SourceRefused,
    /// PostgreSQL is starting up or shutting down.
    SourceStarting,
    /// Somebody holds a lock for long.
    SourceBusy,
    /// The publication lacks tables, or names none.
    Publication,
    /// The slot is gone although events were read from it.
    SlotMissing,
    /// PostgreSQL has thrown away WAL that the slot still needed.
    SlotInvalidated,
    /// The slot stands past what was captured.
    SlotMoved,
    /// Another session reads from the slot.
    SlotBusy,
    /// The checkpoint comes from another cluster or timeline.
    SourceChanged,
    /// No broker can be reached.
    KafkaUnreachable,
    /// A topic or transaction is not authorised, or a topic can't be created.
    KafkaRefused,
    /// A Kafka transaction failed and was given up; the next session repeats it.
    KafkaTransaction,
    /// Another instance has taken the transactional id.
    Fenced,
    /// The registry can't be reached.
    RegistryUnreachable,
    /// The registry answers that it fails inside, or has too much to do.
    RegistryFailing,
    /// The registry refuses the request.
    RegistryRefused,
    /// The registry refuses a schema as incompatible with the subject's earlier ones.
    SchemaIncompatible,
    /// A value has no encoding.
    Encoding,
    /// A column is null in the stream that the catalog, read later, calls NOT NULL.
    UnexpectedNull,
    /// An enum's value that the schema does not list: it was added, or renamed, since.
    UnknownLabel,
    /// A value has no form in its column's type, but the column may hold texts beside it.
    NeedsText,
    /// A record is larger than Kafka is to take.
    RecordTooLarge,
    /// A message can't be understood.
    Protocol,
    /// The program was told to stop before it could finish its Kafka transaction.
    Stopped,
}

impl ErrorKind {
    /// Whether events were lost that a new snapshot of the same source makes up for.
    pub(crate) fn is_gap(self) -> bool {
        matches!(self, Self::SlotMissing | Self::SlotInvalidated | Self::SlotMoved)
    }

    /// Whether the failure tells what a table's schema has to allow, so that it does not happen again.
    pub(crate) fn teaches(self) -> bool {
        matches!(self, Self::UnexpectedNull | Self::UnknownLabel | Self::NeedsText)
    }
}

/// The one error type of this crate: a sentence that names the object and the next step, and its cause.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// A result with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

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

    /// The message and its causes on one line.
    pub fn chain(&self) -> String {
        let mut line = self.message.clone();
        let mut cause = self.source();
        while let Some(inner) = cause {
            let text = inner.to_string();
            if !line.contains(&text) {
                line = format!("{line}: {}", text.replace('\n', " "));
            }
            cause = inner.source();
        }
        line
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
