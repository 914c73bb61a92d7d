//! What goes wrong on a session with PostgreSQL, in words that say what to do.

use std::io;

use crate::error::{Error, ErrorKind};

/// Where a session leads, to name it in messages.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) server: String,
    pub(crate) slot: String,
}

impl Place {
    /// The connection broke, or never came about.
    pub(crate) fn lost(&self, cause: io::Error) -> Error {
        let what = format!("the connection to PostgreSQL at {} failed", self.server);
        Error::new(ErrorKind::SourceUnreachable, what).caused_by(cause)
    }

    pub(crate) fn unintelligible(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::Protocol,
            format!("PostgreSQL at {} sent {what} that can't be understood", self.server),
        )
    }

    pub(crate) fn login_refused(&self, cause: io::Error) -> Error {
        Error::new(ErrorKind::SourceRefused, self.login_message()).caused_by(cause)
    }

    fn login_message(&self) -> String {
        format!(
            "PostgreSQL at {} refuses the replication login: check user, password and the REPLICATION right",
            self.server
        )
    }
}

/// The server's own error message.
#[derive(Debug, thiserror::Error)]
#[error("{message} (SQLSTATE {code}){place}")]
struct ServerError {
    code: String,
    message: String,
    /// Where in the log the server was, if it tells.
    place: String,
}

/// Sorts an ErrorResponse into a kind.
pub(crate) fn refused(place: &Place, body: &[u8]) -> Error {
    let cause = server_error(body);
    let Place { server, slot } = place;
    let (kind, message) = match cause.code.as_str() {
        "28P01" | "28000" => (ErrorKind::SourceRefused, place.login_message()),
        // "permission denied to start WAL sender", or in older versions "must be superuser or replication role".
        "42501" if cause.message.contains("WAL sender") || cause.message.contains("walsender") => {
            (ErrorKind::SourceRefused, place.login_message())
        }
        "57P03" | "57P01" | "57P02" => {
            (ErrorKind::SourceStarting, format!("PostgreSQL at {server} is starting or stopping"))
        }
        "40001" | "40P01" => (
            ErrorKind::SourceStarting,
            format!(
                "the standby at {server} broke off reading, since the log that it replays does away with what was read: if it does \
                 so often, set hot_standby_feedback = on there, or raise max_standby_streaming_delay"
            ),
        ),
        "55006" => (
            ErrorKind::SlotBusy,
            format!(
                "replication slot {slot} at {server} is read by another session: stop the other instance"
            ),
        ),
        // Someone dropped it: the next session makes it anew.
        "42704" if cause.message.contains("_inserts\" does not exist") => (
            ErrorKind::SourceStarting,
            format!("the publication of inserts that slot {slot} at {server} is read by is missing"),
        ),
        "42704" => (
            ErrorKind::SlotMissing,
            format!("replication slot {slot} or its publication is missing at {server}"),
        ),
        "53400" | "53300" => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {server} has no slot or WAL sender free: raise max_replication_slots or max_wal_senders"
            ),
        ),
        // "invalid memory alloc request size": a bytea of more than half a GiB has no text form.
        "XX000" if cause.message.contains("memory alloc") => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {server} cannot write a value as text, which may take 1 GiB at most: a row of a captured table \
                 holds a larger one (a bytea above 512 MiB?); exclude the column by a column list of the publication, or the table"
            ),
        ),
        _ => (ErrorKind::SourceRefused, format!("reading from slot {slot} at {server} failed")),
    };
    Error::new(kind, message).caused_by(cause)
}

/// A row that would not fit into a record either.
pub(crate) fn too_long(place: &Place, length: usize, limit: usize) -> Error {
    Error::new(
        ErrorKind::KafkaRefused,
        format!(
            "a change of {} MiB in slot {} is longer than {} MiB, four times kafka.max_record_bytes: raise that, or exclude the \
             table",
            length >> 20,
            place.slot,
            limit >> 20
        ),
    )
}

fn server_error(body: &[u8]) -> ServerError {
    let (mut code, mut message, mut place) = (String::new(), String::new(), String::new());
    for field in body.split(|byte| *byte == 0) {
        if let Some((kind, text)) = field.split_first() {
            let text = || String::from_utf8_lossy(text).into_owned();
            match kind {
                b'C' => code = text(),
                b'M' => message = text(),
                b'W' => {
                    if let Some((_, lsn)) = text().split_once("associated LSN ") {
                        place = format!(" at LSN {}", lsn.lines().next().unwrap_or_default());
                    }
                }
                _ => {}
            }
        }
    }
    ServerError { code, message, place }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_the_log() {
        let place = Place { server: "h:1/d".into(), slot: "s".into() };
        let body = b"SERROR\0CXX000\0Mbroken\0Wslot \"s\", output plugin \"pgoutput\", in the change callback, associated LSN 0/16B2D48\0\0";
        let error = refused(&place, body).chain();
        assert!(error.ends_with("broken (SQLSTATE XX000) at LSN 0/16B2D48"), "{error}");
    }

    #[test]
    fn kinds() {
        let place = Place { server: "h:1/d".into(), slot: "s".into() };
        for (code, kind) in [
            ("28P01", ErrorKind::SourceRefused),
            ("57P03", ErrorKind::SourceStarting),
            ("40001", ErrorKind::SourceStarting),
            ("55006", ErrorKind::SlotBusy),
            ("42704", ErrorKind::SlotMissing),
            ("12345", ErrorKind::SourceRefused),
        ] {
            let body = format!("SFATAL\0C{code}\0Msome reason\0\0");
            let error = refused(&place, body.as_bytes());
            assert_eq!(error.kind(), kind, "{code}");
            assert!(error.chain().contains("some reason"), "{}", error.chain());
        }
    }
}
