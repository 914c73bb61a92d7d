use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::code;
use super::protocol::{Answer, Api, Request, SASL_AUTHENTICATE, SASL_HANDSHAKE};
use super::scram::{Hash, Scram};
use super::security::{Mechanism, ProducerSettings, Sasl};
use crate::error::{Error, ErrorKind, Result};
use crate::socket::{Socket, connect_tcp, encrypt};
use crate::tls::config_with;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long an answer may take: longer than a broker waits for its replicas, and than a pause of a busy one.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(60);
/// No answer to our requests is longer, but for the metadata of a very large cluster.
const MAX_ANSWER: usize = 64 << 20;
const CLIENT_ID: &str = "lakepulse-cdc";

/// A connection to one broker. Requests go out one after the other and are answered in that order; the
/// answers are read by a task of its own, so that several requests may be under way.
pub(crate) struct Broker {
    writer: WriteHalf<Socket>,
    answers: mpsc::Receiver<io::Result<Bytes>>,
    /// Holds the other half of the socket.
    reader: JoinHandle<()>,
    next: i32,
    expected: VecDeque<(i32, Api)>,
    address: String,
}

impl Broker {
    pub(crate) async fn connect(settings: &ProducerSettings, host: &str, port: u16) -> Result<Self> {
        let address = format!("{host}:{port}");
        let lost = |cause: io::Error| lost(&address, cause);
        let stream = connect_tcp(host, port, CONNECT_TIMEOUT).await.map_err(lost)?;
        let identity =
            settings.identity.as_ref().map(|(certificate, key)| (certificate.as_path(), key.as_path()));
        let socket: Socket = match config_with(&settings.tls, identity)? {
            None => Box::new(stream),
            Some(config) => timeout(CONNECT_TIMEOUT, encrypt(stream, host, config))
                .await
                .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
                .map_err(|cause| {
                    Error::new(
                        ErrorKind::KafkaRefused,
                        format!("no TLS connection to the broker {address}: check security.protocol and ssl.ca.location"),
                    )
                    .caused_by(cause)
                })?,
        };
        let (reader, writer) = tokio::io::split(socket);
        let (sender, answers) = mpsc::channel(8);
        let mut broker = Self {
            writer,
            answers,
            reader: tokio::spawn(read(reader, sender)),
            next: 0,
            expected: VecDeque::new(),
            address,
        };
        if let Some(sasl) = &settings.sasl {
            broker.log_in(sasl).await?;
        }
        Ok(broker)
    }

    /// Whether the broker has closed the connection while nothing was asked, as it does with idle ones.
    pub(crate) fn is_stale(&self) -> bool {
        self.expected.is_empty() && self.answers.is_closed()
    }

    /// Requests that are not answered yet.
    pub(crate) fn under_way(&self) -> usize {
        self.expected.len()
    }

    /// Sends a request; its answer comes by [`answer`](Self::answer).
    pub(crate) async fn send(&mut self, api: Api, request: &Request) -> Result<()> {
        self.next = self.next.wrapping_add(1);
        let header = Request::default().i16(api.key).i16(api.version).i32(self.next).text(CLIENT_ID);
        let length = (header.0.len() + request.0.len()) as u32;
        let front = [&length.to_be_bytes()[..], &header.0].concat();
        let written = async {
            // A short request leaves in one packet.
            if request.0.len() < 4096 {
                self.writer.write_all(&[front, request.0.clone()].concat()).await?;
            } else {
                self.writer.write_all(&front).await?;
                self.writer.write_all(&request.0).await?;
            }
            self.writer.flush().await
        };
        timeout(ANSWER_TIMEOUT, written)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
            .map_err(|cause| lost(&self.address, cause))?;
        self.expected.push_back((self.next, api));
        Ok(())
    }

    /// The answer to the oldest request that has none.
    pub(crate) async fn answer(&mut self) -> Result<Answer> {
        let answer = timeout(ANSWER_TIMEOUT, self.answers.recv()).await;
        let closed = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let answer = match answer {
            Ok(answer) => answer.unwrap_or_else(|| Err(closed())),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        };
        let mut answer = answer.map_err(|cause| lost(&self.address, cause))?;
        match (self.expected.pop_front(), answer.try_get_i32()) {
            (Some((expected, api)), Ok(correlation)) if correlation == expected => {
                Ok(Answer::new(api.name, answer))
            }
            _ => Err(Error::new(
                ErrorKind::KafkaTransaction,
                format!("the broker {} answered out of order", self.address),
            )),
        }
    }

    /// A request and its answer.
    pub(crate) async fn ask(&mut self, api: Api, request: &Request) -> Result<Answer> {
        self.send(api, request).await?;
        self.answer().await
    }

    async fn log_in(&mut self, sasl: &Sasl) -> Result<()> {
        let address = self.address.clone();
        let refused = |code: i16, text: Option<String>| {
            let reason = text.unwrap_or_default();
            code::error(
                &format!("the broker {} refuses the login of {} ({reason})", address, sasl.user),
                code,
            )
        };
        let mut answer = self.ask(SASL_HANDSHAKE, &Request::default().text(sasl.mechanism.name())).await?;
        let code = answer.i16()?;
        if code != 0 {
            return Err(code::error(
                &format!("the broker {} has no {}", self.address, sasl.mechanism.name()),
                code,
            ));
        }
        let hash = match sasl.mechanism {
            Mechanism::Plain => {
                let login = format!("\0{}\0{}", sasl.user, sasl.password.expose());
                let (code, text, _) = self.authenticate(login.as_bytes()).await?;
                return if code == 0 { Ok(()) } else { Err(refused(code, text)) };
            }
            Mechanism::ScramSha256 => Hash::Sha256,
            Mechanism::ScramSha512 => Hash::Sha512,
        };
        let nonce = uuid::Uuid::new_v4().simple().to_string();
        let scram = Scram::new(hash, &sasl.user, sasl.password.expose(), nonce);
        let (code, text, first) = self.authenticate(scram.first().as_bytes()).await?;
        if code != 0 {
            return Err(refused(code, text));
        }
        let last = scram.last(&first).ok_or_else(|| refused(58, Some("its answer makes no sense".into())))?;
        let (code, text, proof) = self.authenticate(last.message.as_bytes()).await?;
        if code != 0 {
            return Err(refused(code, text));
        }
        if !last.is_proven_by(&proof) {
            return Err(refused(58, Some("it does not know the password itself".into())));
        }
        Ok(())
    }

    async fn authenticate(&mut self, token: &[u8]) -> Result<(i16, Option<String>, String)> {
        let mut answer = self.ask(SASL_AUTHENTICATE, &Request::default().bytes(token)).await?;
        let (code, text) = (answer.i16()?, answer.text()?);
        let token = answer.bytes()?;
        Ok((code, text, String::from_utf8_lossy(&token).into_owned()))
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // The connection closes with both its halves.
        self.reader.abort();
    }
}

fn lost(address: &str, cause: io::Error) -> Error {
    Error::new(ErrorKind::KafkaUnreachable, format!("the connection to the broker {address} failed"))
        .caused_by(cause)
}

/// Reads answers until the connection ends or nobody listens.
async fn read(mut reader: ReadHalf<Socket>, answers: mpsc::Sender<io::Result<Bytes>>) {
    loop {
        let answer = read_one(&mut reader).await;
        let ended = answer.is_err();
        if answers.send(answer).await.is_err() || ended {
            return;
        }
    }
}

async fn read_one(reader: &mut ReadHalf<Socket>) -> io::Result<Bytes> {
    let length = reader.read_u32().await? as usize;
    if length > MAX_ANSWER {
        return Err(io::Error::other("an answer is too long: is this port Kafka's?"));
    }
    let mut answer = BytesMut::zeroed(length);
    reader.read_exact(&mut answer).await?;
    Ok(answer.freeze())
}
