use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};

use super::batch::{ProducerIdentity, Records};
use super::cluster::{Addresses, Cluster, NodeId};
use super::code;
use super::protocol::{ADD_PARTITIONS, Answer, Api, END_TRANSACTION, INIT_PRODUCER_ID, PRODUCE, Request};
use super::security::ProducerSettings;
use crate::error::{Error, ErrorKind, Result};

/// Produce requests under way to one broker: what an idempotent producer may have at most.
const UNDER_WAY: usize = 5;
/// Batches go together into one request up to this many bytes.
const REQUEST_BYTES: usize = 4 << 20;
/// How long the broker may wait for its replicas.
const REPLICAS_TIMEOUT_MS: i32 = 30_000;
/// How long a coordinator that is busy is asked again.
const PATIENCE: Duration = Duration::from_secs(30);
const FIRST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(100);

/// A partition of a topic.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) index: i32,
}

/// Records of one partition, on their way.
pub(crate) struct Batch {
    pub(crate) partition: Partition,
    pub(crate) leader: NodeId,
    pub(crate) records: Records,
}

/// What the producer's task is told, in order.
pub(crate) enum Command {
    /// Batches of the Kafka transaction with this number, at most one for each partition, and whether they are its
    /// last: then the last of them holds its checkpoint.
    Write { number: u64, batches: Vec<Batch>, commit: bool, room: OwnedSemaphorePermit },
    /// Who leads the partitions of a topic.
    Leaders { topic: Arc<str>, answer: oneshot::Sender<Vec<NodeId>> },
    /// Gives up the open Kafka transaction.
    Abort { done: oneshot::Sender<()> },
}

/// How far the producer is, over all its transactional ids: the numbers of Kafka transactions, which begin with 1.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    /// The last one whose records are all acknowledged.
    acknowledged: watch::Sender<u64>,
    /// The last one that was committed.
    committed: watch::Sender<u64>,
}

impl Turns {
    /// Waits until a Kafka transaction and all before it have got so far.
    async fn reached(turn: &watch::Sender<u64>, number: u64) {
        // The sender is borrowed, so that the channel is open.
        let _ = turn.subscribe().wait_for(|reached| *reached >= number).await;
    }
}

/// One transactional id, its coordinator, and the leaders written to.
///
/// A coordinator has the next transaction of an id wait until the last one's markers are written. So a producer has
/// several ids that take turns: the records of a Kafka transaction follow as soon as those before it are acknowledged,
/// and it is committed as soon as the one before it is. Therefore nothing is missing before what Kafka has committed,
/// whichever of them fails or is fenced, and a topic's records are in order.
///
/// When events may be repeated, there is no transactional id and no transaction is told to Kafka: the checkpoint is
/// written once all that it speaks of is acknowledged.
///
/// Nothing is tried again once records are under way. Whatever fails ends the task, and the session starts
/// again from the last checkpoint: taking the transactional id anew settles what was open.
pub(crate) struct Transactions {
    cluster: Cluster,
    settings: ProducerSettings,
    transactional_id: String,
    coordinator: NodeId,
    producer: ProducerIdentity,
    /// The number of the next record, for each partition.
    sequences: HashMap<Partition, i32>,
    /// Partitions in the open transaction; none is open while there are none.
    joined: BTreeMap<Partition, NodeId>,
    opened_at: Option<Instant>,
    turns: Arc<Turns>,
}

impl Transactions {
    /// Takes the transactional id: older producers with it are fenced, what they left open is aborted.
    pub(crate) async fn open(
        settings: ProducerSettings,
        transactional_id: String,
        addresses: Addresses,
        turns: Arc<Turns>,
    ) -> Result<Self> {
        let mut transactions = Self {
            cluster: Cluster::new(settings.clone(), addresses),
            transactional_id,
            coordinator: -1,
            producer: ProducerIdentity { id: -1, epoch: -1, transactional: settings.exactly_once },
            sequences: HashMap::new(),
            joined: BTreeMap::new(),
            opened_at: None,
            turns,
            settings,
        };
        if !transactions.producer.transactional {
            return transactions.identified_alone().await;
        }
        transactions.coordinator = transactions.cluster.coordinator(&transactions.transactional_id).await?;
        let request = Request::default()
            .text(&transactions.transactional_id)
            .i32(transactions.settings.transaction_timeout_ms);
        let mut answer = transactions
            .ask_coordinator(INIT_PRODUCER_ID, &request, "cannot take the transactional id")
            .await?;
        (transactions.producer.id, transactions.producer.epoch) = (answer.i64()?, answer.i16()?);
        Ok(transactions)
    }

    /// Takes an identity without a transactional id, which any broker gives.
    async fn identified_alone(mut self) -> Result<Self> {
        const ANY_TIMEOUT: i32 = i32::MAX;
        let request = Request::default().text_or_none(None).i32(ANY_TIMEOUT);
        let begun = Instant::now();
        loop {
            let mut answer = self.cluster.any().await?.ask(INIT_PRODUCER_ID, &request).await?;
            answer.i32()?;
            let code = answer.i16()?;
            if code == 0 {
                (self.producer.id, self.producer.epoch) = (answer.i64()?, answer.i16()?);
                return Ok(self);
            }
            if !(code::is_busy(code) || code::is_misdirected(code)) || begun.elapsed() > PATIENCE {
                return Err(code::error("cannot take a producer id", code));
            }
            tokio::time::sleep(LONGEST_PAUSE).await;
        }
    }

    /// Carries out commands until there are no more of them; reports each commit.
    pub(crate) async fn run(
        mut self,
        mut commands: mpsc::Receiver<Command>,
        committed: mpsc::UnboundedSender<()>,
    ) -> Result<()> {
        while let Some(command) = commands.recv().await {
            match command {
                Command::Write { number, mut batches, commit, room } => {
                    self.join(&batches).await?;
                    let turns = Arc::clone(&self.turns);
                    Turns::reached(&turns.acknowledged, number - 1).await;
                    if commit && !self.producer.transactional {
                        let checkpoint = batches.pop();
                        self.write(batches).await?;
                        self.finish_writes().await?;
                        batches = checkpoint.into_iter().collect();
                    }
                    self.write(batches).await?;
                    // What is under way is in the connection's buffers, compressed.
                    drop(room);
                    if commit {
                        self.finish_writes().await?;
                        turns.acknowledged.send_replace(number);
                        Turns::reached(&turns.committed, number - 1).await;
                        self.end(true).await?;
                        turns.committed.send_replace(number);
                        // Nobody may wait any more when the program ends.
                        let _ = committed.send(());
                    }
                }
                Command::Leaders { topic, answer } => {
                    let _ = answer.send(self.cluster.leaders(&topic).await?);
                }
                Command::Abort { done } => {
                    self.finish_writes().await?;
                    if !self.joined.is_empty() {
                        self.end(false).await?;
                    }
                    let _ = done.send(());
                }
            }
        }
        Ok(())
    }

    async fn write(&mut self, batches: Vec<Batch>) -> Result<()> {
        let mut by_leader: BTreeMap<NodeId, Vec<Batch>> = BTreeMap::new();
        for batch in batches {
            by_leader.entry(batch.leader).or_default().push(batch);
        }
        for (leader, batches) in by_leader {
            let mut together: Vec<(Partition, Vec<u8>)> = Vec::new();
            let mut bytes = 0;
            for batch in batches {
                let sequence = self.sequences.entry(batch.partition.clone()).or_insert(0);
                let sealed = batch
                    .records
                    .seal(self.settings.compression, self.producer, *sequence)
                    .map_err(|cause| {
                        Error::new(
                            ErrorKind::Encoding,
                            format!("records of topic {} can't be compressed", batch.partition.topic),
                        )
                        .caused_by(cause)
                    })?;
                // Numbers go round at the end of the positive ones.
                *sequence =
                    (i64::from(*sequence) + i64::from(batch.records.count())).rem_euclid(1 << 31) as i32;
                if bytes + sealed.len() > REQUEST_BYTES && !together.is_empty() {
                    self.produce(leader, &together).await?;
                    together.clear();
                    bytes = 0;
                }
                bytes += sealed.len();
                together.push((batch.partition, sealed));
            }
            self.produce(leader, &together).await?;
        }
        Ok(())
    }

    /// Makes the batches' partitions part of the open transaction.
    async fn join(&mut self, batches: &[Batch]) -> Result<()> {
        let mut new: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
        for batch in batches.iter().filter(|batch| !self.joined.contains_key(&batch.partition)) {
            new.entry(&batch.partition.topic).or_default().push(batch.partition.index);
        }
        if new.is_empty() {
            return Ok(());
        }
        if !self.producer.transactional {
            self.joined.extend(batches.iter().map(|batch| (batch.partition.clone(), batch.leader)));
            return Ok(());
        }
        if self.joined.is_empty() {
            self.opened_at = Some(Instant::now());
        }
        let mut request = self.identified().i32(new.len() as i32);
        for (topic, partitions) in &new {
            request = request.text(topic).i32(partitions.len() as i32);
            for partition in partitions {
                request = request.i32(*partition);
            }
        }
        let what = "cannot add partitions to the Kafka transaction";
        self.ask_coordinator(ADD_PARTITIONS, &request, what).await?;
        self.joined.extend(batches.iter().map(|batch| (batch.partition.clone(), batch.leader)));
        Ok(())
    }

    async fn produce(&mut self, leader: NodeId, batches: &[(Partition, Vec<u8>)]) -> Result<()> {
        let size = batches.iter().map(|(_, batch)| batch.len() + 64).sum();
        let mut request = Request(Vec::with_capacity(size))
            .text_or_none(self.producer.transactional.then_some(self.transactional_id.as_str()))
            .i16(-1)
            .i32(REPLICAS_TIMEOUT_MS)
            .i32(batches.len() as i32);
        for (partition, batch) in batches {
            request = request.text(&partition.topic).i32(1).i32(partition.index).bytes(batch);
        }
        while self.cluster.broker(leader).await?.under_way() >= UNDER_WAY {
            self.answer(leader).await?;
        }
        self.cluster.broker(leader).await?.send(PRODUCE, &request).await
    }

    /// Takes one answer to a produce request.
    async fn answer(&mut self, leader: NodeId) -> Result<()> {
        let mut answer = self.cluster.broker(leader).await?.answer().await?;
        for _ in 0..answer.count()? {
            let topic = answer.text()?.unwrap_or_default();
            for _ in 0..answer.count()? {
                answer.i32()?;
                let code = answer.i16()?;
                answer.skip(24)?;
                if code != 0 {
                    return Err(self.failed(&format!("cannot produce to topic {topic}"), code));
                }
            }
        }
        Ok(())
    }

    async fn finish_writes(&mut self) -> Result<()> {
        let mut leaders: Vec<NodeId> = self.joined.values().copied().collect();
        leaders.sort_unstable();
        leaders.dedup();
        for leader in leaders {
            while self.cluster.broker(leader).await?.under_way() > 0 {
                self.answer(leader).await?;
            }
        }
        Ok(())
    }

    async fn end(&mut self, commit: bool) -> Result<()> {
        if self.producer.transactional {
            let request = self.identified().i8(i8::from(commit));
            let what =
                if commit { "cannot commit a Kafka transaction" } else { "cannot abort a Kafka transaction" };
            self.ask_coordinator(END_TRANSACTION, &request, what).await?;
        }
        self.joined.clear();
        self.opened_at = None;
        Ok(())
    }

    fn identified(&self) -> Request {
        Request::default().text(&self.transactional_id).i64(self.producer.id).i16(self.producer.epoch)
    }

    /// Asks the coordinator, wherever it is, until it is not busy; the answer stands behind its error code.
    async fn ask_coordinator(&mut self, api: Api, request: &Request, what: &str) -> Result<Answer> {
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            // The leader may be the same broker, whose answers come in the order of the requests.
            while self.cluster.broker(self.coordinator).await?.under_way() > 0 {
                self.answer(self.coordinator).await?;
            }
            let mut answer = self.cluster.broker(self.coordinator).await?.ask(api, request).await?;
            answer.i32()?;
            let code =
                if api.key == ADD_PARTITIONS.key { first_error(&mut answer)? } else { answer.i16()? };
            if code == 0 {
                return Ok(answer);
            }
            if !(code::is_busy(code) || code::is_misdirected(code)) || begun.elapsed() > PATIENCE {
                return Err(self.failed(what, code));
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
            if code::is_misdirected(code) {
                self.cluster.forget(self.coordinator);
                self.coordinator = self.cluster.coordinator(&self.transactional_id).await?;
            }
        }
    }

    fn failed(&self, what: &str, code: i16) -> Error {
        let what = if self.producer.transactional {
            format!("{what} (transactional.id {})", self.transactional_id)
        } else {
            what.to_owned()
        };
        let error = code::error(&what, code);
        let timeout = Duration::from_millis(self.settings.transaction_timeout_ms as u64);
        if error.kind() == ErrorKind::Fenced
            && self.opened_at.is_some_and(|opened| opened.elapsed() > timeout / 2)
        {
            // The coordinator itself raises the epoch of a transaction that has been open for too long.
            return Error::new(
                ErrorKind::KafkaTransaction,
                format!("{what}: it was open for longer than transaction.timeout.ms"),
            )
            .caused_by(error);
        }
        error
    }
}

/// The first error among the partitions' results.
fn first_error(answer: &mut Answer) -> Result<i16> {
    const NOT_TRIED: i16 = 55;
    let mut first = 0;
    for _ in 0..answer.count()? {
        answer.text()?;
        for _ in 0..answer.count()? {
            answer.i32()?;
            let code = answer.i16()?;
            // Partitions that were fine are said to be not tried because of the others.
            if code != 0 && (first == 0 || first == NOT_TRIED) {
                first = code;
            }
        }
    }
    Ok(first)
}
