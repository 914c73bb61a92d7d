use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio_postgres::Client;

use super::copy_row::values;
use super::plan::Range;
use crate::avro::{Event, EventSource, Image, Operation, TableEncoder};
use crate::config::SourceConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::source::{connect, refused};

/// Encoded bytes after which rows are handed over.
const CHUNK_BYTES: usize = 256 * 1024;

/// Rows of one table, encoded.
pub(crate) struct Chunk {
    pub(crate) encoder: Arc<TableEncoder>,
    pub(crate) rows: Vec<(Option<Vec<u8>>, Vec<u8>)>,
}

/// The ranges of a wave that nobody reads yet.
pub(crate) type Queue = Arc<Mutex<VecDeque<Range>>>;

/// Opens a connection that stands in a transaction at the exported snapshot.
pub(crate) async fn connect_at(source: &SourceConfig, snapshot: &str) -> Result<Client> {
    let client = connect(source).await?;
    let sql =
        format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET TRANSACTION SNAPSHOT '{snapshot}'");
    client
        .batch_execute(&sql)
        .await
        .map_err(refused(format!("cannot read at the exported snapshot {snapshot}")))?;
    Ok(client)
}

/// Reads ranges until the queue is empty and gives the connection back.
pub(crate) async fn read_ranges(
    client: Client,
    queue: Queue,
    source: EventSource,
    out: mpsc::Sender<Chunk>,
) -> Result<Client> {
    loop {
        let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        let Some(range) = next else { return Ok(client) };
        read(&client, &range, source, &out).await?;
    }
}

async fn read(client: &Client, range: &Range, source: EventSource, out: &mpsc::Sender<Chunk>) -> Result<()> {
    let encoder = &range.encoder;
    let failed = || refused(format!("cannot read {}: the user needs SELECT on it", encoder.shape.name));
    let rows = client.copy_out(&range.copy()).await.map_err(failed())?;
    let mut rows = Box::pin(rows);
    let mut chunk = Vec::new();
    let mut bytes = 0;
    while let Some(row) = rows.next().await {
        let values = values(&row.map_err(failed())?, encoder.shape.columns.len());
        let event = Event {
            operation: Operation::Read,
            before: None,
            after: Some(Image::Row(&values)),
            source,
            now_us: Utc::now().timestamp_micros(),
        };
        let (key, value) = (encoder.key(&values)?, encoder.value(&event)?);
        bytes += value.len();
        chunk.push((key, value));
        if bytes >= CHUNK_BYTES {
            hand_over(encoder, std::mem::take(&mut chunk), out).await?;
            bytes = 0;
        }
    }
    hand_over(encoder, chunk, out).await
}

async fn hand_over(
    encoder: &Arc<TableEncoder>,
    rows: Vec<(Option<Vec<u8>>, Vec<u8>)>,
    out: &mpsc::Sender<Chunk>,
) -> Result<()> {
    out.send(Chunk { encoder: Arc::clone(encoder), rows })
        .await
        .map_err(|_| Error::new(ErrorKind::Stopped, "the wave of the snapshot was given up"))
}
