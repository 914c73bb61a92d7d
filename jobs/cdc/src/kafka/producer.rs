use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cluster::{Cluster, NodeId};
use super::security::ProducerSettings;
use super::transaction::{Batch, Command, Transactions};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::shutdown::Shutdown;

const INIT_TIMEOUT: Duration = Duration::from_secs(60);
const ABORT_TIMEOUT: Duration = Duration::from_secs(2);
/// Commands between the one who encodes and the producer's task.
const QUEUED_COMMANDS: usize = 16;

/// The identity of an event in the order of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId {
    pub(crate) commit_lsn: Lsn,
    pub(crate) ordinal: u64,
}

/// The one transactional producer of a slot: a task of its own compresses, sends and commits.
pub(crate) struct Producer {
    commands: mpsc::Sender<Command>,
    committed: mpsc::UnboundedReceiver<()>,
    /// KiB of records that may wait to be sent.
    room: Arc<Semaphore>,
    room_kbytes: u32,
    batch_bytes: usize,
    /// None once it was asked why it ended.
    task: Option<JoinHandle<Result<()>>>,
    shutdown: Shutdown,
}

impl Producer {
    /// Connects and fences every older producer of the same slot; what it left open is aborted.
    pub(crate) async fn open(kafka: &KafkaConfig, slot: &str, shutdown: Shutdown) -> Result<Self> {
        let settings = ProducerSettings::new(kafka)?;
        let batch_bytes = settings.batch_bytes;
        let transactional_id = transactional_id(slot);
        let opened = timeout(INIT_TIMEOUT, Transactions::open(settings, transactional_id.clone())).await;
        let transactions = opened.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::KafkaUnreachable,
                format!(
                    "cannot take the transactional id {transactional_id} within {} s",
                    INIT_TIMEOUT.as_secs()
                ),
            ))
        })?;
        let (commands, received) = mpsc::channel(QUEUED_COMMANDS);
        let (sender, committed) = mpsc::unbounded_channel();
        let room_kbytes = kafka.queue_kbytes;
        Ok(Self {
            commands,
            committed,
            room: Arc::new(Semaphore::new(room_kbytes as usize)),
            room_kbytes,
            batch_bytes,
            task: Some(tokio::spawn(transactions.run(received, sender))),
            shutdown,
        })
    }

    /// Bytes of records after which a batch of one partition is to be sent.
    pub(crate) fn batch_bytes(&self) -> usize {
        self.batch_bytes
    }

    /// Bytes of records that were handed over and not acknowledged yet.
    pub(crate) fn queued_bytes(&self) -> usize {
        (self.room_kbytes as usize).saturating_sub(self.room.available_permits()) * 1024
    }

    /// The leader of each partition of a topic.
    pub(crate) async fn leaders(&mut self, topic: &Arc<str>) -> Result<Vec<NodeId>> {
        let (answer, leaders) = oneshot::channel();
        if self.commands.send(Command::Leaders { topic: Arc::clone(topic), answer }).await.is_err() {
            return Err(self.failure().await);
        }
        match leaders.await {
            Ok(leaders) => Ok(leaders),
            Err(_) => Err(self.failure().await),
        }
    }

    /// Hands over batches, at most one for each partition; waits while too much is on its way.
    pub(crate) async fn write(&mut self, batches: Vec<Batch>, commit: bool) -> Result<()> {
        let bytes: usize = batches.iter().map(|batch| batch.records.len()).sum();
        let kbytes = u32::try_from(bytes / 1024 + 1).unwrap_or(u32::MAX).min(self.room_kbytes);
        let room = Arc::clone(&self.room).acquire_many_owned(kbytes);
        let commands = &self.commands;
        let handed_over = async {
            let room = room.await.ok()?;
            commands.send(Command::Write { batches, commit, room }).await.ok()
        };
        let taken = tokio::select! {
            taken = handed_over => taken,
            // A task that ended for a failure gives no room back.
            () = commands.closed() => None,
            () = self.shutdown.wait_overdue() => return Err(stopped()),
        };
        match taken {
            Some(()) => Ok(()),
            None => Err(self.failure().await),
        }
    }

    /// Waits for the oldest commit that was handed over and not yet waited for; safe to drop and call again.
    pub(crate) async fn committed(&mut self) -> Result<()> {
        let committed = tokio::select! {
            committed = self.committed.recv() => committed,
            () = self.shutdown.wait_overdue() => return Err(stopped()),
        };
        match committed {
            Some(()) => Ok(()),
            None => Err(self.failure().await),
        }
    }

    /// Aborts what is open; used when leaving it to the next instance would hold readers up.
    pub(crate) async fn abort(&mut self) {
        let (done, aborted) = oneshot::channel();
        if self.commands.send(Command::Abort { done }).await.is_ok() {
            // Otherwise it is left to be fenced.
            let _ = timeout(ABORT_TIMEOUT, aborted).await;
        }
    }

    /// Why the task has ended, or is about to: whoever asks has seen its end of a channel closed.
    async fn failure(&mut self) -> Error {
        let ended = match self.task.take() {
            Some(task) => task.await,
            None => Ok(Ok(())),
        };
        match ended {
            Ok(Err(error)) => error,
            Ok(Ok(())) => Error::new(ErrorKind::KafkaTransaction, "the producer's task has ended"),
            Err(cause) => {
                Error::new(ErrorKind::KafkaTransaction, "the producer's task ended early").caused_by(cause)
            }
        }
    }
}

/// Connects as the producer does and finds who would coordinate its transactions, which takes nothing from an
/// instance that works.
pub(crate) async fn find_coordinator(kafka: &KafkaConfig, slot: &str) -> Result<NodeId> {
    Cluster::new(ProducerSettings::new(kafka)?).coordinator(&transactional_id(slot)).await
}

fn transactional_id(slot: &str) -> String {
    format!("lakepulse-cdc-{slot}")
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Nothing may be sent any more: another session takes over from here.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn stopped() -> Error {
    Error::new(
        ErrorKind::Stopped,
        "Kafka did not take the last events in time after the stop was asked for; the next start repeats this Kafka transaction",
    )
}
