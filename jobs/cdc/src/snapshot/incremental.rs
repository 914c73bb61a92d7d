//! Ranges of a table that are read while the stream goes on.
//!
//! Each range has a snapshot of its own, and the stream takes its rows in exactly where the snapshot stands: after the
//! last transaction that it holds, and before the first that it does not. Every change before is in the rows, every
//! change after comes after them, so that neither needs to be compared with the other. PostgreSQL tells which
//! transactions a snapshot holds, and [`Taken::end`] is above all their commits; one below it that the snapshot does not
//! hold was committing just then, and if it touches the table the range is read once more.
//!
//! A physical standby of the source can be read instead. It does not tell which transactions its snapshot holds, but
//! how far it has replayed the log before and after the snapshot was taken: what was committed before is held, what was
//! committed after is not, and what was committed between the two is treated like what was committing just then.

use std::sync::Arc;

use chrono::Utc;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_postgres::Client;

use super::plan::Range;
use super::read::{Chunk, open_reader, read};
use super::standby::Standby;
pub(crate) use super::visibility::{Holds, Standing, Visibility};
use crate::avro::{EventSource, SnapshotMark, TableEncoder};
use crate::config::Config;
use crate::delivery::SideTopic;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::source::{Catalog, Characters, literal, refused};
use crate::table::TableName;
use crate::transport::Connection;

/// Chunks of encoded rows between the reader and the stream.
const QUEUED_CHUNKS: usize = 8;

/// A snapshot that was taken.
#[derive(Debug)]
pub(crate) struct Taken {
    /// The table of that name, as of the snapshot.
    pub(crate) relation: RelationId,
    pub(crate) holds: Holds,
    /// Every transaction that the snapshot holds has its commit below this position.
    pub(crate) end: Lsn,
    pub(super) at_us: i64,
    /// Of the server process on the source that holds the lock; none on a standby, where the log that is replayed goes first.
    pub(super) locked_by: Option<i32>,
}

impl Taken {
    /// Whether somebody waits for the table's lock.
    pub(crate) async fn is_waited_for(&self, source: &Client) -> Result<bool> {
        let Some(pid) = self.locked_by else { return Ok(false) };
        let row = source
            .query_one(
                "SELECT EXISTS (SELECT FROM pg_locks h JOIN pg_locks w USING (database, relation)
                                 WHERE h.pid = $1 AND h.granted AND NOT w.granted)",
                &[&pid],
            )
            .await
            .map_err(refused("cannot read who waits for locks"))?;
        Ok(row.get(0))
    }
}

/// A session that reads one range after the other, on the source or its standby.
pub(crate) struct Reader {
    connection: Connection,
    standby: Option<Standby>,
    characters: Option<Arc<Characters>>,
}

/// A range being read; its chunks wait until the stream takes them.
pub(crate) struct Reading {
    chunks: mpsc::Receiver<Chunk>,
    task: JoinHandle<Result<(Reader, Option<Vec<String>>)>>,
    is_limited: bool,
}

/// The transactions of the source at this time.
pub(crate) async fn standing(source: &Client) -> Result<Standing> {
    let row = source
        .query_one("SELECT pg_current_snapshot()::text, pg_current_wal_insert_lsn()::text", &[])
        .await
        .map_err(refused("cannot read the source's transactions"))?;
    let (visible, end): (String, String) = (row.get(0), row.get(1));
    let standing = || Some(Standing { visible: visible.parse().ok()?, end: end.parse().ok()? });
    standing().ok_or_else(no_snapshot)
}

pub(super) fn no_snapshot() -> Error {
    Error::new(ErrorKind::Protocol, "PostgreSQL gave no snapshot and position")
}

impl Reader {
    /// Opens a session on the standby, if there is one, or on the source.
    pub(crate) async fn open(
        config: &Config,
        source: &Client,
        characters: Option<Arc<Characters>>,
    ) -> Result<Self> {
        match &config.snapshot.replica {
            None => {
                Ok(Self { connection: open_reader(config, &config.source).await?, standby: None, characters })
            }
            Some(replica) => {
                let standby = Standby::open(config, replica, source).await?;
                tracing::info!(replica = replica.place(), "tables are read from a replica");
                Ok(Self {
                    connection: open_reader(config, replica).await?,
                    standby: Some(standby),
                    characters,
                })
            }
        }
    }

    /// The catalog that the snapshot's shapes are in; none when it is the source's.
    pub(crate) fn catalog(&mut self) -> Option<&mut Catalog> {
        self.standby.as_mut().map(|standby| &mut standby.catalog)
    }

    /// Takes a snapshot of the table, whose shape stays as it is until the range is read; none on a standby that has not
    /// reached this position.
    pub(crate) async fn take(&mut self, table: &TableName, since: Lsn) -> Result<Option<Taken>> {
        if let Some(standby) = &mut self.standby {
            return standby.take(&mut self.connection, table, since).await;
        }
        lock(&mut self.connection, table).await?;
        let sql = format!(
            "SELECT pg_current_snapshot(), pg_current_wal_insert_lsn(), {}::regclass::oid, pg_backend_pid()",
            literal(&table.quoted())
        );
        let rows = self.connection.query(&sql).await?;
        let text = |column: usize| rows.first()?.get(column)?.as_deref();
        let taken = || {
            let relation = RelationId(text(2)?.parse().ok()?);
            let (holds, end) = (Holds::Numbers(text(0)?.parse().ok()?), text(1)?.parse().ok()?);
            let locked_by = Some(text(3)?.parse().ok()?);
            Some(Taken { relation, holds, end, at_us: Utc::now().timestamp_micros(), locked_by })
        };
        taken().map(Some).ok_or_else(no_snapshot)
    }

    /// Lets go of a snapshot that is not read.
    pub(crate) async fn give_up(&mut self) -> Result<()> {
        self.connection.query("ROLLBACK").await.map(drop)
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
        let is_limited = range.limit.is_some();
        let task = tokio::spawn(async move {
            let meant_for = (dead_letters.as_ref(), self.characters.as_deref());
            let last_key = read(&mut self.connection, &range, source, meant_for, &out).await?;
            self.connection.query("COMMIT").await?;
            Ok((self, last_key))
        });
        Reading { chunks, task, is_limited }
    }
}

/// Begins a transaction whose snapshot sees what was done under stronger locks: the lock comes before it.
pub(super) async fn lock(connection: &mut Connection, table: &TableName) -> Result<()> {
    let lock = format!(
        "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SET LOCAL lock_timeout = '200ms'; LOCK TABLE {} IN ACCESS SHARE MODE",
        table.quoted()
    );
    connection.query(&lock).await.map(drop)
}

impl Reading {
    /// The next rows, none after the last.
    pub(crate) async fn next(&mut self) -> Option<Chunk> {
        self.chunks.recv().await
    }

    /// Gives up the rows; the reader when it can go on soon.
    pub(crate) async fn discard(mut self) -> Option<Reader> {
        if !self.is_limited {
            return None;
        }
        while self.next().await.is_some() {}
        self.finish().await.ok().map(|(reader, _)| reader)
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
