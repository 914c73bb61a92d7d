use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::frontend;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::failure::{self, Place};
use crate::config::{SourceConfig, Tls};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::socket::{Socket, connect_tcp, encrypt};
use crate::source::{PIN_LATER_ONES, session_options};
use crate::tls::client_config;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Room for what one read brings.
const READ_BYTES: usize = 256 * 1024;
/// Less room than this is not worth a read.
const LEAST_ROOM: usize = 16 * 1024;
/// Tag and length in front of every message.
pub(super) const HEADER: usize = 5;

/// A PostgreSQL session whose messages are read as they come, many at a time.
pub(crate) struct Connection {
    socket: Socket,
    buffer: BytesMut,
    place: Place,
    /// A message longer than this is refused instead of being held in memory.
    max_message: usize,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Replication,
    Reading,
}

impl Connection {
    /// Connects and logs in.
    pub(crate) async fn open(
        source: &SourceConfig,
        purpose: Purpose,
        slot: &str,
        max_message: usize,
    ) -> Result<Self> {
        let place = Place { server: source.place(), slot: slot.to_owned() };
        let open = Self::handshake(source, purpose, place.clone(), max_message);
        tokio::time::timeout(CONNECT_TIMEOUT, open).await.unwrap_or_else(|_| {
            Err(place.lost(io::Error::new(io::ErrorKind::TimedOut, "it did not answer in time")))
        })
    }

    async fn handshake(
        source: &SourceConfig,
        purpose: Purpose,
        place: Place,
        max_message: usize,
    ) -> Result<Self> {
        let lost = |cause| place.lost(cause);
        let stream = connect_tcp(&source.host, source.port, CONNECT_TIMEOUT).await.map_err(lost)?;
        let socket: Socket = match client_config(&source.tls)? {
            None => Box::new(stream),
            Some(config) => Self::negotiate_tls(stream, source, config).await.map_err(lost)?,
        };
        let mut connection = Self { socket, buffer: BytesMut::new(), place: place.clone(), max_message };
        let options = session_options();
        let mut parameters = vec![
            ("client_encoding", "UTF8"),
            ("user", source.user.as_str()),
            ("database", source.database.as_str()),
            ("application_name", "lakepulse-cdc"),
            ("options", options.as_str()),
        ];
        if purpose == Purpose::Replication {
            parameters.push(("replication", "database"));
        }
        let mut out = BytesMut::new();
        frontend::startup_message(parameters, &mut out).map_err(lost)?;
        connection.write(&out).await?;
        if !connection.log_in(source).await? && purpose == Purpose::Replication {
            // No bytes are checked or converted: what is no text is found in its column.
            connection.query("SET client_encoding = 'SQL_ASCII'").await?;
        }
        connection.query(PIN_LATER_ONES).await?;
        Ok(connection)
    }

    async fn negotiate_tls(
        mut stream: tokio::net::TcpStream,
        source: &SourceConfig,
        config: rustls::ClientConfig,
    ) -> io::Result<Socket> {
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        stream.write_all(&request).await?;
        if stream.read_u8().await? != b'S' {
            return Err(io::Error::other(match source.tls {
                Tls::Disable => "the server asks for nothing".to_owned(),
                _ => format!("the server has no TLS: check {}.ssl_mode", source.section),
            }));
        }
        encrypt(stream, &source.host, config).await
    }

    /// Whether the database is in UTF-8 is returned.
    async fn log_in(&mut self, source: &SourceConfig) -> Result<bool> {
        let mut scram: Option<ScramSha256> = None;
        let mut is_utf8 = false;
        loop {
            let (tag, mut body) = self.message().await?;
            match tag {
                b'Z' => return Ok(is_utf8),
                b'S' => {
                    is_utf8 |= *body == *b"server_encoding\0UTF8\0";
                    continue;
                }
                b'R' => {}
                _ => continue,
            }
            if body.len() < 4 {
                return Err(self.place.unintelligible("an authentication request"));
            }
            let kind = body.get_u32();
            if kind == 0 {
                continue;
            }
            let Some(password) = source.password.as_ref().map(Secret::expose) else {
                return Err(Error::new(
                    ErrorKind::SourceRefused,
                    format!(
                        "PostgreSQL at {} asks for a password: set {}",
                        self.place.server, source.password_env
                    ),
                ));
            };
            let mut out = BytesMut::new();
            let written = match (kind, &mut scram) {
                (3, _) => frontend::password_message(password.as_bytes(), &mut out),
                (5, _) if body.len() >= 4 => {
                    let salt = [body.get_u8(), body.get_u8(), body.get_u8(), body.get_u8()];
                    let hash = md5_hash(source.user.as_bytes(), password.as_bytes(), salt);
                    frontend::password_message(hash.as_bytes(), &mut out)
                }
                (10, _) => {
                    let begun = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
                    let sent = frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut out);
                    scram = Some(begun);
                    sent
                }
                (11, Some(scram)) => {
                    scram.update(&body).and_then(|()| frontend::sasl_response(scram.message(), &mut out))
                }
                (12, Some(scram)) => scram.finish(&body),
                _ => Err(io::Error::other(format!("it asks for the unknown way of login {kind}"))),
            };
            written.map_err(|cause| self.place.login_refused(cause))?;
            if !out.is_empty() {
                self.write(&out).await?;
            }
        }
    }

    /// Runs a statement and returns its rows as texts.
    pub(crate) async fn query(&mut self, sql: &str) -> Result<Vec<Vec<Option<String>>>> {
        self.send_query(sql).await?;
        let mut rows = Vec::new();
        loop {
            let (tag, body) = self.message().await?;
            match tag {
                b'Z' => return Ok(rows),
                b'D' => {
                    let row = text_row(&body).ok_or_else(|| self.place.unintelligible("a row"))?;
                    rows.push(row);
                }
                _ => {}
            }
        }
    }

    /// Sends a statement that answers by COPY, and waits until the copy begins.
    pub(crate) async fn start_copy(&mut self, sql: &str) -> Result<()> {
        self.send_query(sql).await?;
        loop {
            match self.message().await?.0 {
                b'W' | b'H' => return Ok(()),
                b'Z' => return Err(self.place.unintelligible("the start of a copy")),
                _ => {}
            }
        }
    }

    async fn send_query(&mut self, sql: &str) -> Result<()> {
        let mut out = BytesMut::new();
        frontend::query(sql, &mut out).map_err(|cause| self.place.lost(cause))?;
        self.write(&out).await
    }

    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = async {
            self.socket.write_all(bytes).await?;
            self.socket.flush().await
        };
        written.await.map_err(|cause| self.place.lost(cause))
    }

    /// The error that the body of an ErrorResponse tells.
    pub(crate) fn refused(&self, body: &[u8]) -> Error {
        failure::refused(&self.place, body)
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Every whole message that has arrived, with their headers; waits for at least one. Safe to drop
    /// and call again.
    pub(crate) async fn messages(&mut self) -> Result<Bytes> {
        loop {
            let whole = self.whole_messages()?;
            if whole > 0 {
                return Ok(self.buffer.split_to(whole).freeze());
            }
            self.fill().await?;
        }
    }

    /// The next message; an error of the server is an error.
    async fn message(&mut self) -> Result<(u8, Bytes)> {
        loop {
            if let Some((tag, length)) = self.header(0)?
                && self.buffer.len() >= length
            {
                let mut message = self.buffer.split_to(length).freeze();
                message.advance(HEADER);
                if tag == b'E' {
                    return Err(failure::refused(&self.place, &message));
                }
                return Ok((tag, message));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        // A long message is given its whole room at once.
        let missing = match self.header(0)? {
            Some((_, length)) => length.saturating_sub(self.buffer.len()),
            None => 0,
        };
        let spare = self.buffer.capacity() - self.buffer.len();
        if spare < missing.max(LEAST_ROOM) {
            self.buffer.reserve(missing.max(READ_BYTES));
        }
        let read = self.socket.read_buf(&mut self.buffer).await.map_err(|cause| self.place.lost(cause))?;
        if read == 0 {
            return Err(self.place.lost(io::Error::from(io::ErrorKind::UnexpectedEof)));
        }
        Ok(())
    }

    /// Tag and whole length of the message that begins here.
    fn header(&self, at: usize) -> Result<Option<(u8, usize)>> {
        let Some(header) = self.buffer.get(at..).and_then(|rest| rest.first_chunk::<HEADER>()) else {
            return Ok(None);
        };
        let [tag, length @ ..] = *header;
        let length = u32::from_be_bytes(length) as usize;
        if length < 4 {
            return Err(self.place.unintelligible("a message's length"));
        }
        if length > self.max_message {
            return Err(failure::too_long(&self.place, length, self.max_message));
        }
        Ok(Some((tag, length + 1)))
    }

    fn whole_messages(&self) -> Result<usize> {
        let mut end = 0;
        while let Some((_, length)) = self.header(end)? {
            if end + length > self.buffer.len() {
                break;
            }
            end += length;
        }
        Ok(end)
    }
}

fn text_row(body: &Bytes) -> Option<Vec<Option<String>>> {
    let mut rest: &[u8] = body;
    let columns = rest.try_get_u16().ok()?;
    let mut row = Vec::new();
    for _ in 0..columns {
        let length = rest.try_get_i32().ok()?;
        row.push(match usize::try_from(length) {
            Err(_) => None,
            Ok(length) => {
                let (value, after) = rest.split_at_checked(length)?;
                rest = after;
                Some(String::from_utf8(value.to_vec()).ok()?)
            }
        });
    }
    Some(row)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LONGEST: usize = 1000;

    proptest! {
        /// Whole messages come out as they went in, whatever follows them, and no length makes room beyond its bound.
        #[test]
        fn any_stream_is_read_or_refused(
            bodies in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..400), 0..8),
            rest in prop::collection::vec(any::<u8>(), 0..40),
            written_at_once in 1_usize..300,
        ) {
            let mut whole = Vec::new();
            for body in &bodies {
                whole.push(b'd');
                whole.extend((body.len() as u32 + 4).to_be_bytes());
                whole.extend(body);
            }
            let all = [&whole[..], &rest].concat();
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let (read, capacity) = runtime.block_on(async {
                let (mut server, client) = tokio::io::duplex(64);
                let place = Place { server: "here".into(), slot: "s".into() };
                let mut connection =
                    Connection { socket: Box::new(client), buffer: BytesMut::new(), place, max_message: LONGEST };
                let writing = tokio::spawn(async move {
                    for part in all.chunks(written_at_once) {
                        // The reader may have refused what came before.
                        if server.write_all(part).await.is_err() {
                            break;
                        }
                    }
                });
                let (mut read, mut capacity) = (Vec::new(), 0);
                while let Ok(messages) = connection.messages().await {
                    read.extend_from_slice(&messages);
                    capacity = capacity.max(connection.buffer.capacity());
                }
                capacity = capacity.max(connection.buffer.capacity());
                drop(connection);
                writing.await.unwrap();
                (read, capacity)
            });
            // What follows may hold whole messages too.
            prop_assert!(read.len() <= whole.len() + rest.len());
            prop_assert!(read.starts_with(&whole) || rest.len() >= HEADER && whole.starts_with(&read));
            prop_assert!(capacity <= 2 * (READ_BYTES + LONGEST), "{} bytes of room", capacity);
        }
    }
}
