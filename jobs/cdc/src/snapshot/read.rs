use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::copy_row::read_row;
use super::plan::Range;
use crate::avro::{Event, EventSource, Image, Operation, Row, Stamp, TableEncoder, dead_letter};
use crate::config::{Config, SourceConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::EventId;
use crate::pgoutput::TupleBuffer;
use crate::source::{connect, refused};
use crate::transport::{Chunk as Messages, Connection, Purpose};

/// Encoded bytes after which rows are handed over.
const CHUNK_BYTES: usize = 256 * 1024;

/// Rows of one table, encoded: keys and values one after the other.
pub(crate) struct Chunk {
    pub(crate) encoder: Arc<TableEncoder>,
    bytes: Vec<u8>,
    /// Where each row's key and value end.
    ends: Vec<(usize, usize)>,
    /// Values of the dead letters for rows that have no encoding.
    pub(crate) dead_letters: Vec<Vec<u8>>,
    pub(crate) now_us: i64,
}

impl Chunk {
    fn new(encoder: &Arc<TableEncoder>) -> Self {
        let bytes = Vec::with_capacity(CHUNK_BYTES + CHUNK_BYTES / 8);
        Self {
            encoder: Arc::clone(encoder),
            bytes,
            ends: Vec::new(),
            dead_letters: Vec::new(),
            now_us: Utc::now().timestamp_micros(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Adds a row, or nothing when it has no encoding.
    #[inline]
    fn push(&mut self, row: &Row<'_>, event: &Event<'_>, stamp: &mut Stamp) -> Result<()> {
        let start = self.bytes.len();
        let encoder = Arc::clone(&self.encoder);
        let pushed = encoder.key(row, &mut self.bytes).and_then(|()| {
            let key_end = self.bytes.len();
            encoder.value(event, stamp, &mut self.bytes)?;
            self.ends.push((key_end, self.bytes.len()));
            Ok(())
        });
        if pushed.is_err() {
            self.bytes.truncate(start);
        }
        pushed
    }

    /// Key and value of each row.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (Option<&[u8]>, &[u8])> {
        let mut start = 0;
        self.ends.iter().map(move |(key_end, value_end)| {
            let key = self.bytes.get(start..*key_end).unwrap_or_default();
            let value = self.bytes.get(*key_end..*value_end).unwrap_or_default();
            start = *value_end;
            (self.encoder.has_key().then_some(key), value)
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
    let longest = (config.kafka.max_record_bytes as usize).saturating_mul(4);
    let mut connection = Connection::open(&config.source, Purpose::Reading, &config.slot, longest).await?;
    connection.query(&at_snapshot(snapshot)).await?;
    Ok(connection)
}

/// Reads ranges until the queue is empty and gives the connection back. With a schema for dead letters, rows that have
/// no encoding become such.
pub(crate) async fn read_ranges(
    mut connection: Connection,
    queue: Queue,
    source: EventSource,
    dead_letters: Option<u32>,
    out: mpsc::Sender<Chunk>,
) -> Result<Connection> {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(range) = next else { return Ok(connection) };
        read(&mut connection, &range, source, dead_letters, &out).await?;
    }
}

async fn read(
    connection: &mut Connection,
    range: &Range,
    source: EventSource,
    dead_letters: Option<u32>,
    out: &mpsc::Sender<Chunk>,
) -> Result<()> {
    let encoder = &range.encoder;
    let failed = |cause: Error| {
        let what = format!("cannot read {}: the user needs SELECT on it", encoder.shape.name);
        Error::new(cause.kind(), what).caused_by(cause)
    };
    // The table's lock goes with the savepoint.
    let copy =
        format!("SAVEPOINT part; {}; ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", range.copy());
    connection.start_copy(&copy).await.map_err(failed)?;
    let (mut values, mut unescaped, mut stamp) = (TupleBuffer::default(), Vec::new(), Stamp::default());
    let mut chunk = Chunk::new(encoder);
    loop {
        let messages = Messages::new(connection.messages().await.map_err(failed)?);
        for (tag, body) in messages.messages() {
            match tag {
                b'd' => {
                    read_row(body, &mut values, &mut unescaped);
                    let row = values.tuple().into();
                    let event = Event {
                        operation: Operation::Read,
                        before: None,
                        after: Some(Image::Row(row)),
                        source,
                        transaction: None,
                        now_us: chunk.now_us,
                    };
                    match (chunk.push(&row, &event, &mut stamp), dead_letters) {
                        (Err(error), Some(schema_id)) if error.kind() == ErrorKind::Encoding => {
                            let id = EventId { commit_lsn: source.lsn, ordinal: 0 };
                            let value = dead_letter(schema_id, encoder, &event, id, &error.chain());
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
                b'Z' => return hand_over(chunk, out).await,
                _ => {}
            }
        }
    }
}

async fn hand_over(chunk: Chunk, out: &mpsc::Sender<Chunk>) -> Result<()> {
    out.send(chunk).await.map_err(|_| Error::new(ErrorKind::Stopped, "the wave of the snapshot was given up"))
}
