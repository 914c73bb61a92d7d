//! Ranges of a table that are read while the stream goes on.
//!
//! Each range has a snapshot of its own, and the stream takes its rows in exactly where the snapshot stands: after the
//! last transaction that it holds, and before the first that it does not. Every change before is in the rows, every
//! change after comes after them, so that neither needs to be compared with the other. PostgreSQL tells which
//! transactions a snapshot holds, and [`Taken::end`] is above all their commits; one below it that the snapshot does not
//! hold was committing just then, and if it touches the table the range is read once more.

use std::sync::Arc;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::plan::Range;
use super::read::{Chunk, open_reader, read};
pub(crate) use super::visibility::Visibility;
use crate::avro::{EventSource, SnapshotMark, TableEncoder};
use crate::capture::SideTopic;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::source::literal;
use crate::table::TableName;
use crate::transport::Connection;

/// Chunks of encoded rows between the reader and the stream.
const QUEUED_CHUNKS: usize = 8;

/// A snapshot that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The table of that name, as of the snapshot.
    pub(crate) relation: RelationId,
    pub(crate) holds: Visibility,
    /// Every transaction that the snapshot holds has its commit below this position.
    pub(crate) end: Lsn,
    at_us: i64,
}

/// A session that reads one range after the other.
pub(crate) struct Reader(Connection);

/// A range being read; its chunks wait until the stream takes them.
pub(crate) struct Reading {
    chunks: mpsc::Receiver<Chunk>,
    task: JoinHandle<Result<(Reader, Option<Vec<String>>)>>,
}

impl Reader {
    pub(crate) async fn open(config: &Config) -> Result<Self> {
        open_reader(config).await.map(Self)
    }

    /// Takes a snapshot of the table, whose shape stays as it is until the range is read.
    pub(crate) async fn take(&mut self, table: &TableName) -> Result<Taken> {
        // The lock comes before the snapshot, so that the snapshot sees what was done under stronger locks.
        let lock = format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '200ms'; LOCK TABLE {} IN ACCESS SHARE MODE",
            table.quoted()
        );
        self.0.query(&lock).await?;
        let sql = format!(
            "SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), {}::regclass::oid",
            literal(&table.quoted())
        );
        let rows = self.0.query(&sql).await?;
        let text = |column: usize| rows.first()?.get(column)?.as_deref();
        let taken = || {
            let relation = RelationId(text(2)?.parse().ok()?);
            let (holds, end) = (text(0)?.parse().ok()?, text(1)?.parse().ok()?);
            Some(Taken { relation, holds, end, at_us: Utc::now().timestamp_micros() })
        };
        taken().ok_or_else(|| Error::new(ErrorKind::Protocol, "PostgreSQL gave no snapshot and position"))
    }

    /// Lets go of a snapshot that is not read.
    pub(crate) async fn give_up(&mut self) -> Result<()> {
        self.0.query("ROLLBACK").await.map(drop)
    }

    /// Begins to read the next rows after this key at the snapshot just taken.
    pub(crate) fn read(
        mut self,
        taken: &Taken,
        encoder: &Arc<TableEncoder>,
        after: &[String],
        rows: u32,
        dead_letters: Option<SideTopic>,
    ) -> Reading {
        let range = Range::next(encoder, after, rows);
        let source = EventSource {
            committed_at_us: taken.at_us,
            previous_commit: None,
            lsn: taken.end,
            xid: None,
            snapshot: SnapshotMark::Incremental,
        };
        let (out, chunks) = mpsc::channel(QUEUED_CHUNKS);
        let task = tokio::spawn(async move {
            let last_key = read(&mut self.0, &range, source, dead_letters.as_ref(), &out).await?;
            self.0.query("COMMIT").await?;
            Ok((self, last_key))
        });
        Reading { chunks, task }
    }
}

impl Reading {
    /// The next rows, none after the last.
    pub(crate) async fn next(&mut self) -> Option<Chunk> {
        self.chunks.recv().await
    }

    /// Once all rows were taken: the reader, and the last row's key when the table goes on.
    pub(crate) async fn finish(mut self) -> Result<(Reader, Option<Vec<String>>)> {
        (&mut self.task).await.unwrap_or_else(|cause| {
            let what = "the reader of an incremental snapshot ended early";
            Err(Error::new(ErrorKind::SourceUnreachable, what).caused_by(cause))
        })
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        // Its connection goes with it; one that has finished is not there any more.
        self.task.abort();
    }
}
