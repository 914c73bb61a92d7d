use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::copy_row::read_row;
use super::plan::{Range, key_text};
use crate::avro::{Event, EventSource, Image, Operation, Row, Stamp, TEXT, TableEncoder, Texts, dead_letter};
use crate::config::{Config, SourceConfig};
use crate::delivery::{Outbox, SideTopic, record_bytes};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::EventId;
use crate::metrics::Metrics;
use crate::pgoutput::{Datum, Tuple, TupleBuffer};
use crate::source::{Characters, connect, refused};
use crate::transport::{Chunk as Messages, Connection, Purpose};

/// Encoded bytes after which rows are handed over.
const CHUNK_BYTES: usize = 256 * 1024;

/// Rows of one table, encoded: keys, values and texts one after the other.
pub(crate) struct Chunk {
    encoder: Arc<TableEncoder>,
    bytes: Vec<u8>,
    /// Where each row's key, value and texts end.
    ends: Vec<[usize; 3]>,
    /// Of the row that is encoded.
    texts: Texts,
    /// Values of the dead letters for rows that have no encoding.
    dead_letters: Vec<Vec<u8>>,
    now_us: i64,
}

impl Chunk {
    fn new(encoder: &Arc<TableEncoder>) -> Self {
        let bytes = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8);
        Self {
            encoder: Arc::clone(encoder),
            bytes,
            ends: Vec::new(),
            texts: Texts::default(),
            dead_letters: Vec::new(),
            now_us: Utc::now().timestamp_micros(),
        }
    }

    /// Adds a row, or nothing when it has no encoding.
    #[inline]
    fn push(&mut self, row: &Row<'_>, event: &Event<'_>, stamp: &mut Stamp, max_bytes: usize) -> Result<()> {
        let start = self.bytes.len();
        let encoder = Arc::clone(&self.encoder);
        self.texts.clear(CHUNK_BYTES);
        let pushed = encoder.key(row, &mut self.bytes).and_then(|()| {
            let key_end = self.bytes.len();
            encoder.value(event, stamp, &mut self.texts, &mut self.bytes)?;
            let value_end = self.bytes.len();
            self.bytes.extend_from_slice(self.texts.of_row());
            let bytes = record_bytes(self.bytes.len() - start);
            if bytes > max_bytes {
                return Err(encoder.too_large(event.after, bytes));
            }
            self.ends.push([key_end, value_end, self.bytes.len()]);
            Ok(())
        });
        if pushed.is_err() {
            self.bytes.truncate(start);
        }
        pushed
    }

    /// Adds the rows, and what stands in for those without an encoding, to the open Kafka transaction; the first has
    /// this identity, and the next one to give is returned.
    pub(crate) async fn send(
        &self,
        outbox: &mut Outbox,
        mut id: EventId,
        dead_letters: Option<&SideTopic>,
        metrics: &Metrics,
    ) -> Result<EventId> {
        let topic = outbox.topic(&self.encoder.topic);
        let mut size = 0;
        for (key, value, text) in self.rows() {
            let headers = [(TEXT, text)];
            outbox.event(topic, (key, value), &headers, id, Operation::Read, self.now_us).await?;
            size += key.map_or(0, <[u8]>::len) + value.len();
            id.ordinal += 1;
        }
        let table = &self.encoder.shape.name;
        if let Some(topic) = dead_letters.filter(|_| !self.dead_letters.is_empty()) {
            tracing::warn!(%table, rows = self.dead_letters.len(), topic = %topic.name, "rows of the snapshot have no encoding");
            metrics.buried(table, self.dead_letters.len() as u64);
            let topic = outbox.uncounted_topic(&topic.name);
            for value in &self.dead_letters {
                outbox.uncounted(topic, (None, value), id, self.now_us).await?;
                id.ordinal += 1;
            }
        }
        let (events, bytes) = metrics.events(table, Operation::Read.letter());
        events.inc_by(self.ends.len() as u64);
        bytes.inc_by(size as u64);
        Ok(id)
    }

    /// Key, value and texts of each row.
    fn rows(&self) -> impl Iterator<Item = (Option<&[u8]>, &[u8], &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |[key_end, value_end, end]| {
            let part = |from: usize, to: &usize| self.bytes.get(from..*to).unwrap_or_default();
            let (key, value) = (part(start, key_end), part(*key_end, value_end));
            let text = part(*value_end, end);
            start = *end;
            (self.encoder.has_key().then_some(key), value, text)
        })
    }
}

/// The ranges of a wave that nobody reads yet.
pub(crate) type Queue = Arc<Mutex<VecDeque<Range>>>;

fn at_snapshot(snapshot: &str) -> String {
    format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'")
}

/// Opens a connection that stands in a transaction at the exported snapshot.
pub(crate) async fn connect_at(source: &SourceConfig, snapshot: &str) -> Result<Client> {
    let client = connect(source).await?;
    client
        .batch_execute(&at_snapshot(snapshot))
        .await
        .map_err(refused(format!("cannot read at the exported snapshot {snapshot}")))?;
    Ok(client)
}

/// The same for copies, which are read in chunks.
pub(crate) async fn reader_at(config: &Config, snapshot: &str) -> Result<Connection> {
    let mut connection = open_reader(config, &config.source).await?;
    connection.query(&at_snapshot(snapshot)).await?;
    Ok(connection)
}

/// Opens a session for copies.
pub(crate) async fn open_reader(config: &Config, server: &SourceConfig) -> Result<Connection> {
    let longest = (config.kafka.max_record_bytes as usize).saturating_mul(4);
    Connection::open(server, Purpose::Reading, &config.slot, longest).await
}

/// Reads ranges until the queue is empty and gives the connection back. Rows that fail become dead letters where their
/// topic takes them.
pub(crate) async fn read_ranges(
    mut connection: Connection,
    queue: Queue,
    source: EventSource,
    (dead_letters, characters): (Option<SideTopic>, Option<Arc<Characters>>),
    out: mpsc::Sender<Chunk>,
) -> Result<Connection> {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(range) = next else { return Ok(connection) };
        read(&mut connection, &range, source, (dead_letters.as_ref(), characters.as_deref()), &out).await?;
    }
}

/// Reads a range; the key of its last row, as texts, when the range goes on after as many rows as it may have.
pub(crate) async fn read(
    connection: &mut Connection,
    range: &Range,
    source: EventSource,
    (dead_letters, characters): (Option<&SideTopic>, Option<&Characters>),
    out: &mpsc::Sender<Chunk>,
) -> Result<Option<Vec<String>>> {
    let encoder = &range.encoder;
    let failed = |cause: Error| {
        let table = &encoder.shape.name;
        let what = match cause.kind() {
            ErrorKind::SourceRefused => format!("cannot read {table}: the user needs SELECT on it"),
            _ => format!("reading {table} broke off"),
        };
        Error::new(cause.kind(), what).caused_by(cause)
    };
    // The table's lock goes with the savepoint.
    let copy =
        format!("SAVEPOINT part; {}; ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", range.copy());
    connection.start_copy(&copy).await.map_err(failed)?;
    let (mut values, mut unescaped, mut stamp) = (TupleBuffer::default(), Vec::new(), Stamp::default());
    let mut recoded = TupleBuffer::default();
    let max_bytes = dead_letters.map_or(usize::MAX, |topic| topic.max_record_bytes);
    let mut chunk = Chunk::new(encoder);
    let (mut rows, mut last_key) = (0, None);
    loop {
        let messages = Messages::new(connection.messages().await.map_err(failed)?);
        for (tag, body) in messages.messages() {
            match tag {
                b'd' => {
                    read_row(body, encoder.shape.columns.len(), &mut values, &mut unescaped);
                    rows += 1;
                    if Some(rows) == range.limit {
                        last_key = Some(key_texts(encoder, values.tuple(), characters.is_none()));
                    }
                    if let Some(characters) = characters {
                        characters.row(values.tuple(), &mut recoded).await?;
                        std::mem::swap(&mut values, &mut recoded);
                    }
                    let row = values.tuple().into();
                    let event = Event {
                        operation: Operation::Read,
                        before: None,
                        after: Some(Image::Row(row)),
                        source,
                        transaction: None,
                        now_us: chunk.now_us,
                    };
                    let pushed = match chunk.push(&row, &event, &mut stamp, max_bytes) {
                        Err(error) if error.kind().teaches() => Err(encoder.teach(&Image::Row(row), error)),
                        pushed => pushed,
                    };
                    match (pushed, dead_letters) {
                        (Err(error), Some(topic)) if topic.takes(error.kind()) => {
                            let id = EventId { commit_lsn: source.lsn, ordinal: 0 };
                            let value = dead_letter(topic, encoder, &event, id, &error.chain());
                            chunk.dead_letters.push(value);
                        }
                        (pushed, _) => pushed?,
                    }
                    if chunk.bytes.len() >= CHUNK_BYTES {
                        hand_over(std::mem::replace(&mut chunk, Chunk::new(encoder)), out).await?;
                    }
                }
                b'E' => return Err(failed(connection.refused(body))),
                // Ready for the next statement.
                b'Z' => {
                    hand_over(chunk, out).await?;
                    return Ok(last_key);
                }
                _ => {}
            }
        }
    }
}

fn key_texts(encoder: &TableEncoder, row: Tuple<'_>, is_utf8: bool) -> Vec<String> {
    let text = |index: &usize| match row.iter().nth(*index) {
        Some(Datum::Text(bytes)) => key_text(bytes, is_utf8),
        _ => String::new(),
    };
    encoder.shape.key.iter().map(text).collect()
}

async fn hand_over(chunk: Chunk, out: &mpsc::Sender<Chunk>) -> Result<()> {
    out.send(chunk).await.map_err(|_| Error::new(ErrorKind::Stopped, "the wave of the snapshot was given up"))
}
