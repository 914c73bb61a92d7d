//! The crate's one error: a sentence that names the object and the next step, and what caused it.

use std::fmt;
use std::path::Path;

/// What every fallible function of this crate returns.
pub type Result<T> = std::result::Result<T, Error>;

/// Says what failed, on which object, and what to do about it; `source` holds the cause.
#[derive(Debug)]
pub struct Error {
    message: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
    is_final: bool,
}

impl Error {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), source: None, is_final: false }
    }

    pub(crate) fn caused(
        message: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self { message: message.into(), source: Some(source.into()), is_final: false }
    }

    /// The same error, known to come again however often one tries.
    pub(crate) fn and_final(mut self) -> Self {
        self.is_final = true;
        self
    }

    /// Whether trying again is no use before somebody has changed something.
    pub fn is_final(&self) -> bool {
        self.is_final
    }

    pub(crate) fn io(verb: &str, path: &Path, source: std::io::Error) -> Self {
        Self::caused(format!("could not {verb} {}", path.display()), source)
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

/// The error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
