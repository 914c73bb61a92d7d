use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::future::try_join_all;
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::cluster::{Addresses, Cluster, NodeId};
use super::security::ProducerSettings;
use super::transaction::{Batch, Command, Transactions, Turns};
use crate::config::KafkaConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::shutdown::Shutdown;

const INIT_TIMEOUT: Duration = Duration::from_secs(60);
const ABORT_TIMEOUT: Duration = Duration::from_secs(2);
/// Commands between the one who encodes and each transactional id.
const QUEUED_COMMANDS: usize = 16;
/// Transactional ids that take turns, and so many Kafka transactions may be under way.
pub(crate) const TRANSACTIONAL_IDS: usize = 3;

/// The identity of an event in the order of the source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventId {
    pub(crate) commit_lsn: Lsn,
    pub(crate) ordinal: u64,
}

/// The one transactional producer of a slot: a task of its own compresses, sends and commits.
pub(crate) struct Producer {
    /// Where the open Kafka transaction is written, or the next one will be, and its number.
    commands: mpsc::Sender<Command>,
    number: u64,
    /// The other transactional ids, in the order of their turns.
    others: VecDeque<mpsc::Sender<Command>>,
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
        let ids = if settings.exactly_once { TRANSACTIONAL_IDS } else { 1 };
        let (addresses, turns) = (Addresses::default(), Arc::new(Turns::default()));
        let opening = (0..ids).map(|index| {
            let id = transactional_id(slot, index);
            Transactions::open(settings.clone(), id, addresses.clone(), Arc::clone(&turns))
        });
        let opened = timeout(INIT_TIMEOUT, try_join_all(opening)).await.unwrap_or_else(|_| {
            Err(Error::new(
                ErrorKind::KafkaUnreachable,
                format!(
                    "cannot take the transactional id {} within {} s",
                    transactional_id(slot, 0),
                    INIT_TIMEOUT.as_secs()
                ),
            ))
        })?;
        let (sender, committed) = mpsc::unbounded_channel();
        let (mut others, mut running) = (VecDeque::new(), Vec::new());
        for transactions in opened {
            let (commands, received) = mpsc::channel(QUEUED_COMMANDS);
            others.push_back(commands);
            running.push(transactions.run(received, sender.clone()));
        }
        // What has the first turn.
        let commands = others.pop_front().ok_or_else(no_task)?;
        let room_kbytes = kafka.queue_kbytes;
        Ok(Self {
            commands,
            number: 1,
            others,
            committed,
            room: Arc::new(Semaphore::new(room_kbytes as usize)),
            room_kbytes,
            batch_bytes,
            task: Some(tokio::spawn(async move { try_join_all(running).await.map(|_| ()) })),
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
        let (commands, number) = (&self.commands, self.number);
        let handed_over = async {
            let room = room.await.ok()?;
            commands.send(Command::Write { number, batches, commit, room }).await.ok()
        };
        let taken = tokio::select! {
            taken = handed_over => taken,
            // A task that ended for a failure gives no room back.
            () = commands.closed() => None,
            () = self.shutdown.wait_overdue() => return Err(stopped()),
        };
        match taken {
            Some(()) => {
                if commit {
                    self.pass_turn();
                }
                Ok(())
            }
            None => Err(self.failure().await),
        }
    }

    fn pass_turn(&mut self) {
        self.number += 1;
        if let Some(next) = self.others.pop_front() {
            self.others.push_back(std::mem::replace(&mut self.commands, next));
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
            Ok(Ok(())) => no_task(),
            Err(cause) => {
                Error::new(ErrorKind::KafkaTransaction, "the producer's task ended early").caused_by(cause)
            }
        }
    }
}

/// Connects as the producer does and finds who would coordinate its transactions, which takes nothing from an
/// instance that works.
pub(crate) async fn find_coordinator(kafka: &KafkaConfig, slot: &str) -> Result<NodeId> {
    let mut cluster = Cluster::new(ProducerSettings::new(kafka)?, Addresses::default());
    cluster.coordinator(&transactional_id(slot, 0)).await
}

fn transactional_id(slot: &str, index: usize) -> String {
    match index {
        0 => format!("lakepulse-cdc-{slot}"),
        // No slot's name has a hyphen.
        _ => format!("lakepulse-cdc-{slot}-{index}"),
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        // Nothing may be sent any more: another session takes over from here.
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn no_task() -> Error {
    Error::new(ErrorKind::KafkaTransaction, "the producer's task has ended")
}

fn stopped() -> Error {
    Error::new(
        ErrorKind::Stopped,
        "Kafka did not take the last events in time after the stop was asked for; the next start repeats this Kafka transaction",
    )
}
