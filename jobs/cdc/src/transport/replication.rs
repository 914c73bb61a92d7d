use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use chrono::Utc;
use prometheus::IntGauge;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::failure::{self, Place};
use super::{Chunk, Connection, Purpose, ReplicationStream};
use crate::config::SourceConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::POSTGRES_EPOCH_US;
use crate::source::quoted;

/// How often the server is told the confirmed position, asked or not.
const STATUS_INTERVAL: Duration = Duration::from_secs(1);
const CLOSE_LIMIT: Duration = Duration::from_secs(1);
/// The server sends every message by itself. When that many chunks in a row were not waited for longer than this,
/// a pause lets the next messages come together: a read and a chunk of one row cost far more than the row.
const CLOSE_TOGETHER: Duration = Duration::from_micros(500);
const MANY: u32 = 16;
const PAUSE: Duration = Duration::from_millis(1);

/// PostgreSQL's name of a system and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemIdentity {
    pub(crate) system_id: String,
    pub(crate) timeline: u32,
}

/// A snapshot that other sessions can read at, as long as the session that exported it lives.
#[derive(Debug, Clone)]
pub(crate) struct ExportedSnapshot {
    pub(crate) name: String,
    /// The snapshot holds exactly the transactions whose commit LSN is below this.
    pub(crate) consistent_point: Lsn,
}

/// How long a new slot lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SlotKind {
    /// It goes with the session.
    Temporary,
    Lasting,
    /// Standbys of the server have it too, from PostgreSQL 17 on.
    Failover,
}

/// The first version that has failover slots.
const FAILOVER_SINCE: i32 = 170_000;

impl SlotKind {
    /// The kind of a slot that is to last, on a server of this version. A server in recovery has failover slots from its
    /// primary alone.
    pub(crate) fn lasting(wants_failover: bool, version: i32, in_recovery: bool) -> Self {
        let failover = wants_failover && version >= FAILOVER_SINCE && !in_recovery;
        if failover { Self::Failover } else { Self::Lasting }
    }

    /// Versions before 15 know the options without brackets alone.
    fn statement(self, name: &str) -> String {
        match self {
            Self::Temporary => {
                format!("CREATE_REPLICATION_SLOT {name} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT")
            }
            Self::Lasting => format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput EXPORT_SNAPSHOT"),
            Self::Failover => {
                format!("CREATE_REPLICATION_SLOT {name} LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)")
            }
        }
    }
}

/// A replication session before its stream is started.
pub(crate) struct Replication {
    connection: Connection,
    queued_chunks: usize,
}

/// A started stream: a task of its own reads and answers keepalives.
pub(crate) struct Started {
    chunks: mpsc::Receiver<Result<Chunk>>,
    waiting: IntGauge,
    confirmed: Arc<AtomicU64>,
    reader: JoinHandle<()>,
    ended: Error,
}

/// The reader's end of the queue.
struct Outgoing {
    chunks: mpsc::Sender<Result<Chunk>>,
    waiting: IntGauge,
}

impl Replication {
    /// Connects and logs in.
    pub(crate) async fn connect(source: &SourceConfig, slot: &str, max_message: usize) -> Result<Self> {
        let connection = Connection::open(source, Purpose::Replication, slot, max_message).await?;
        Ok(Self { connection, queued_chunks: source.receive_chunks })
    }

    pub(crate) async fn identify(&mut self) -> Result<SystemIdentity> {
        let rows = self.connection.query("IDENTIFY_SYSTEM").await?;
        let mut row = rows.into_iter().next().unwrap_or_default().into_iter();
        match (row.next().flatten(), row.next().flatten().and_then(|timeline| timeline.parse().ok())) {
            (Some(system_id), Some(timeline)) => Ok(SystemIdentity { system_id, timeline }),
            _ => Err(self.connection.place().unintelligible("an answer to IDENTIFY_SYSTEM")),
        }
    }

    /// The history file of a timeline: where those before it ended.
    pub(crate) async fn timeline_history(&mut self, timeline: u32) -> Result<String> {
        let rows = self.connection.query(&format!("TIMELINE_HISTORY {timeline}")).await?;
        let content = rows.into_iter().next().and_then(|row| row.into_iter().nth(1)).flatten();
        content.ok_or_else(|| self.connection.place().unintelligible("an answer to TIMELINE_HISTORY"))
    }

    /// Creates the slot and exports a snapshot at its consistent point, valid while this session
    /// lives and runs nothing else.
    pub(crate) async fn create_slot(&mut self, name: &str, kind: SlotKind) -> Result<ExportedSnapshot> {
        let sql = kind.statement(name);
        let rows = self.connection.query(&sql).await?;
        let row = rows.into_iter().next().unwrap_or_default();
        let text = |column: usize| row.get(column).cloned().flatten();
        let answer = text(1).and_then(|point| point.parse().ok()).zip(text(2));
        let (consistent_point, name) = answer.ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("CREATE_REPLICATION_SLOT {name} gave no consistent point and snapshot"),
            )
        })?;
        Ok(ExportedSnapshot { name, consistent_point })
    }

    /// Starts the stream; from here on this session holds the slot.
    /// `waiting` is kept at the number of chunks that are received and not asked for yet.
    pub(crate) async fn start(
        mut self,
        slot: &str,
        publications: &[String],
        from: Lsn,
        waiting: IntGauge,
    ) -> Result<Started> {
        let names: Vec<String> = publications.iter().map(|name| quoted(name)).collect();
        let names = names.join(",");
        let sql = format!(
            "START_REPLICATION SLOT {slot} LOGICAL {from} (proto_version '1', publication_names '{names}', messages 'true')"
        );
        self.connection.start_copy(&sql).await?;
        let (sender, chunks) = mpsc::channel(self.queued_chunks);
        let confirmed = Arc::new(AtomicU64::new(from.0));
        let Place { server, slot } = self.connection.place();
        let ended = Error::new(
            ErrorKind::SourceUnreachable,
            format!("the replication stream of slot {slot} at {server} ended"),
        );
        let outgoing = Outgoing { chunks: sender, waiting: waiting.clone() };
        let reader = tokio::spawn(read(self.connection, outgoing, Arc::clone(&confirmed)));
        Ok(Started { chunks, waiting, confirmed, reader, ended })
    }
}

/// Reads until the stream fails or nobody listens any more, and then takes leave.
async fn read(mut connection: Connection, outgoing: Outgoing, confirmed: Arc<AtomicU64>) {
    let result = forward(&mut connection, &outgoing, &confirmed).await;
    match result {
        // The last position, and the end of the copy; a broken connection has nothing to lose.
        Ok(()) => {
            let _ = connection.write(&status(&confirmed)).await;
            let _ = connection.write(b"c\0\0\0\x04X\0\0\0\x04").await;
        }
        Err(error) => drop(outgoing.chunks.send(Err(error)).await),
    }
}

async fn forward(
    connection: &mut Connection,
    Outgoing { chunks, waiting }: &Outgoing,
    confirmed: &AtomicU64,
) -> Result<()> {
    let mut ticks = tokio::time::interval(STATUS_INTERVAL);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut in_a_row = 0;
    loop {
        if in_a_row >= MANY {
            tokio::time::sleep(PAUSE).await;
        }
        let begun = Instant::now();
        let bytes = tokio::select! {
            bytes = connection.messages() => bytes?,
            _ = ticks.tick() => {
                connection.write(&status(confirmed)).await?;
                continue;
            }
            () = chunks.closed() => return Ok(()),
        };
        in_a_row = if begun.elapsed() <= CLOSE_TOGETHER { in_a_row + 1 } else { 0 };
        let chunk = Chunk::new(bytes);
        let mut asked = false;
        for (tag, body) in chunk.messages() {
            match tag {
                b'd' if body.first() == Some(&b'k') => asked |= body.get(17) == Some(&1),
                b'd' | b'N' | b'S' => {}
                b'E' => return Err(failure::refused(connection.place(), body)),
                _ => {
                    let Place { server, slot } = connection.place();
                    return Err(Error::new(
                        ErrorKind::SourceStarting,
                        format!("PostgreSQL at {server} ended the replication stream of slot {slot}"),
                    ));
                }
            }
        }
        if asked {
            connection.write(&status(confirmed)).await?;
        }
        // While the consumer is busy, the server is still told that we live.
        loop {
            tokio::select! {
                permit = chunks.reserve() => {
                    let Ok(permit) = permit else { return Ok(()) };
                    permit.send(Ok(chunk));
                    waiting.set((chunks.max_capacity() - chunks.capacity()) as i64);
                    break;
                }
                _ = ticks.tick() => connection.write(&status(confirmed)).await?,
            }
        }
    }
}

/// A standby status update: written, flushed and applied are what is confirmed.
fn status(confirmed: &AtomicU64) -> Vec<u8> {
    let position = confirmed.load(Ordering::Relaxed).to_be_bytes();
    let clock = Utc::now().timestamp_micros() - POSTGRES_EPOCH_US;
    [&b"d"[..], &38_u32.to_be_bytes(), b"r", &position, &position, &position, &clock.to_be_bytes(), &[0]]
        .concat()
}

impl ReplicationStream for Started {
    async fn receive(&mut self) -> Result<Chunk> {
        let received = self.chunks.recv().await;
        self.waiting.set(self.chunks.len() as i64);
        match received {
            Some(chunk) => chunk,
            None => Err(Error::new(self.ended.kind(), self.ended.to_string())),
        }
    }

    fn is_behind(&self) -> bool {
        !self.chunks.is_empty()
    }

    fn confirm(&self, position: Lsn) {
        self.confirmed.fetch_max(position.0, Ordering::Relaxed);
    }

    async fn close(mut self) {
        self.chunks.close();
        while self.chunks.recv().await.is_some() {}
        let _ = tokio::time::timeout(CLOSE_LIMIT, self.reader).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failover_slots_where_the_server_has_them() {
        for (wanted, version, in_recovery, kind) in [
            (true, 150_018, false, SlotKind::Lasting),
            (true, 169_999, false, SlotKind::Lasting),
            (true, 170_000, false, SlotKind::Failover),
            (true, 180_001, false, SlotKind::Failover),
            (true, 170_000, true, SlotKind::Lasting),
            (false, 170_000, false, SlotKind::Lasting),
        ] {
            assert_eq!(
                SlotKind::lasting(wanted, version, in_recovery),
                kind,
                "{wanted} {version} {in_recovery}"
            );
        }
    }

    #[test]
    fn statements() {
        for (kind, statement) in [
            (SlotKind::Temporary, "CREATE_REPLICATION_SLOT s TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT"),
            (SlotKind::Lasting, "CREATE_REPLICATION_SLOT s LOGICAL pgoutput EXPORT_SNAPSHOT"),
            (
                SlotKind::Failover,
                "CREATE_REPLICATION_SLOT s LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true)",
            ),
        ] {
            assert_eq!(kind.statement("s"), statement);
        }
    }
}
