mod aside;
mod commit_policy;
mod ddl;
mod discovery;
mod displaced;
mod event_writer;
mod incremental;
mod isolated;
mod messages;
mod position;
mod publications;
mod row_changes;
mod signals;
mod snapshot_progress;
mod transaction_metadata;

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio::sync::mpsc;

use self::commit_policy::CommitPolicy;
use self::discovery::Discovery;
use self::event_writer::EventWriter;
use self::incremental::{Incremental, SOON};
use self::messages::Messages;
use self::position::{CheckpointAt, Position};
pub(super) use self::publications::Publications;
use self::signals::receive;
use super::changes::Change;
use super::displaced_rows::DisplacedRows;
use super::tables::Tables;
use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::delivery::{Outbox, Progress, SideTopics};
use crate::error::Result;
use crate::kafka::{EventId, KafkaSignal, TRANSACTIONAL_IDS};
use crate::lsn::Lsn;
use crate::metrics::Metrics;
use crate::pgoutput::{Commit, Message, Relation, RelationId, decode};
use crate::relation::Telling;
use crate::shutdown::Shutdown;
use crate::table::TableName;
use crate::transport::{Chunk, Received, ReplicationStream};

/// How often due work is looked for while nothing is received.
const TICK: Duration = Duration::from_millis(500);
/// Commits on their way while the next Kafka transaction is filled.
const MAX_COMMITTING: usize = TRANSACTIONAL_IDS - 1;

/// The streaming phase: from messages to Kafka transactions to confirmed positions.
pub(crate) struct Stream<S> {
    source: S,
    outbox: Outbox,
    tables: Tables,
    /// What the stream says of tables, until an event of them comes.
    undescribed: Vec<Relation>,
    position: Position,
    policy: CommitPolicy,
    events: EventWriter,
    /// Rows of the transaction whose keys may still be others'.
    displaced: DisplacedRows,
    messages: Messages,
    kafka_signals: Option<mpsc::Receiver<KafkaSignal>>,
    incremental: Incremental,
    discovery: Discovery,
    metrics: Metrics,
}

impl<S: ReplicationStream> Stream<S> {
    pub(crate) fn new(
        source: S,
        outbox: Outbox,
        tables: Tables,
        side_topics: SideTopics,
        config: &Config,
        metrics: &Metrics,
        checkpoint: &Checkpoint,
    ) -> Self {
        Self {
            source,
            outbox,
            tables,
            undescribed: Vec::new(),
            position: Position::new(checkpoint),
            policy: CommitPolicy::new(&config.commit, Instant::now()),
            events: EventWriter::new(config, &side_topics, metrics),
            displaced: DisplacedRows::new(config.kafka.queue_kbytes as usize * 1024 / 4),
            messages: Messages::new(config, side_topics.messages),
            kafka_signals: None,
            incremental: Incremental::new(config),
            discovery: Discovery::new(config),
            metrics: metrics.clone(),
        }
    }

    /// Makes up for what these publications leave untold.
    pub(crate) fn with_publications(mut self, publications: Publications) -> Self {
        self.discovery.publications = publications;
        self
    }

    /// Follows the signals of this topic too.
    pub(crate) fn with_signals(mut self, signals: Option<mpsc::Receiver<KafkaSignal>>) -> Self {
        self.kafka_signals = signals;
        self
    }

    /// Streams until the stop is asked for or something fails; tables that are new are read meanwhile.
    /// `included` are the tables that were listed at the session's start, and `tellings` what the catalog said of those that
    /// were there a little later still.
    pub(crate) async fn run(
        mut self,
        new: &[TableName],
        included: &[(RelationId, TableName)],
        tellings: Vec<Telling>,
        shutdown: &mut Shutdown,
    ) -> Result<()> {
        self.source.confirm(self.position.end());
        self.read_tables(new);
        self.incremental.hold(&self.discovery.publications.held());
        self.compare(tellings, included).await?;
        loop {
            let pause = self.pause();
            tokio::select! {
                biased;
                () = shutdown.wait() => return self.stop().await,
                committed = self.outbox.committed(), if self.outbox.committing() > 0 => self.confirm(&committed?),
                Some(signal) = receive(&mut self.kafka_signals), if self.position.is_between_transactions() => {
                    Box::pin(self.kafka_signal(signal)).await?;
                }
                chunk = self.source.receive() => self.chunk(&chunk?).await?,
                () = tokio::time::sleep(pause) => {}
            }
            self.read_on_if_due().await?;
            if self.discovery.has_found() {
                Box::pin(self.tell_found()).await?;
            }
            if self.position.is_between_transactions() && self.is_time_to_look() {
                Box::pin(self.discover()).await?;
            }
            self.commit_when_due().await?;
        }
    }

    async fn stop(mut self) -> Result<()> {
        if self.outbox.age().is_some() {
            self.commit().await?;
        }
        self.settle().await?;
        self.source.close().await;
        Ok(())
    }

    async fn chunk(&mut self, chunk: &Chunk) -> Result<()> {
        self.events.received(Utc::now().timestamp_micros());
        let mut last = Lsn(0);
        for received in chunk.received() {
            match received? {
                Received::Message { lsn, body } => {
                    last = last.max(lsn);
                    match &self.tables.characters {
                        Some(characters) if !body.is_ascii() => {
                            let recoded = Arc::clone(characters).message(body).await?;
                            self.message(lsn, decode(&recoded)?).await?;
                        }
                        _ => self.message(lsn, decode(body)?).await?,
                    }
                }
                Received::KeepAlive { end, .. } => {
                    self.metrics.received(end);
                    self.position.keep_alive(end);
                }
            }
        }
        self.metrics.received(last);
        Ok(())
    }

    async fn message(&mut self, lsn: Lsn, message: Message<'_>) -> Result<()> {
        match message {
            Message::Begin(begin) => {
                if self.incremental.stands_before(&begin) {
                    Box::pin(self.take_in_before(&begin)).await?;
                }
                self.policy.arrived(&begin, self.events.received_at_us(), Instant::now());
                self.position.begin(begin);
                self.events.begin(begin, lsn);
            }
            Message::Commit(commit) => self.finish_transaction(commit).await?,
            Message::Relation(relation) => {
                self.undescribed.retain(|known| known.id != relation.id);
                self.undescribed.push(relation);
            }
            Message::Insert { relation, new } => {
                self.describe(relation).await?;
                if let Some(columns) = self.tables.signal_columns(relation) {
                    Box::pin(self.signal_row(new, columns)).await?;
                }
                self.change(relation, lsn, Change::Insert(new)).await?;
            }
            Message::Update { relation, old, new } => {
                self.describe(relation).await?;
                self.change(relation, lsn, Change::Update(old, new)).await?;
            }
            Message::Delete { relation, old } => {
                self.describe(relation).await?;
                self.change(relation, lsn, Change::Delete(old)).await?;
            }
            Message::Truncate { relations } => {
                for relation in relations {
                    self.describe(relation).await?;
                    self.change(relation, lsn, Change::Truncate).await?;
                }
            }
            Message::Logical { lsn, prefix, content, .. } => {
                Box::pin(self.logical(lsn, (prefix, content))).await?;
            }
            Message::Origin { .. } | Message::Type { .. } => {}
        }
        Ok(())
    }

    /// Follows what the stream said of a table, now that an event of it comes. Where the root of a partitioned table is
    /// published, the server describes its partitions too, of which no event comes.
    #[inline]
    async fn describe(&mut self, relation: RelationId) -> Result<()> {
        if !self.undescribed.is_empty()
            && let Some(index) = self.undescribed.iter().position(|known| known.id == relation)
        {
            let relation = self.undescribed.swap_remove(index);
            Box::pin(self.relation(&relation)).await?;
        }
        Ok(())
    }

    /// What the stream says of a table holds from its next event on.
    async fn relation(&mut self, relation: &Relation) -> Result<()> {
        self.displaced_before(relation).await?;
        let telling = self.tables.describe(relation).await?;
        self.read_again_if_mended(relation.id)?;
        let Some(table) = self.tables.get(relation.id)? else { return Ok(()) };
        let topic = Arc::clone(&table.encoder.topic);
        if let (Some(telling), Some(at)) = (telling, self.position.peek_event())
            && !self.position.is_out(at)
        {
            self.tell(telling, at, "stream").await?;
        }
        self.outbox.know_topic(&topic);
        Ok(())
    }

    /// Takes note that everything up to here is in the open Kafka transaction, which ends when it is full.
    async fn sent(&mut self, id: EventId) -> Result<()> {
        self.position.reach(id);
        if self.policy.is_full(self.outbox.events()) { self.commit().await } else { Ok(()) }
    }

    async fn finish_transaction(&mut self, commit: Commit) -> Result<()> {
        if !self.displaced.is_empty() {
            Box::pin(self.finish_displaced()).await?;
        }
        if self.events.tells_end()
            && let Some(id) = self.position.next_event()
            && !self.position.is_out(id)
        {
            self.events.write_end(commit.end_lsn, id, &mut self.outbox).await?;
        }
        self.position.finish(commit);
        self.metrics.received(commit.end_lsn);
        self.read_on_if_due().await
    }

    /// Whether the open Kafka transaction may end here.
    fn may_commit(&self) -> bool {
        self.position.is_between_transactions() && self.outbox.committing() < MAX_COMMITTING
    }

    /// How long nothing is due while nothing arrives.
    fn pause(&self) -> Duration {
        match self.outbox.age() {
            Some(age) if self.may_commit() => self.policy.hold(age, Instant::now()),
            _ if self.is_reading() => SOON,
            _ => TICK,
        }
    }

    async fn commit_when_due(&mut self) -> Result<()> {
        if !self.may_commit() {
            return Ok(());
        }
        let now = Instant::now();
        let is_due = match self.outbox.age() {
            Some(age) => self.policy.is_due(age, self.source.is_behind(), now),
            None => self.policy.is_checkpoint_due(self.position.unwritten(self.checkpoint_at()), now),
        };
        if is_due { self.commit().await } else { Ok(()) }
    }

    /// While tables are read, or something of them is still to be told, room is left for it.
    fn checkpoint_at(&self) -> CheckpointAt {
        if self.is_reading() || self.discovery.has_found() {
            CheckpointAt::LastEvent
        } else {
            CheckpointAt::LastByte
        }
    }

    async fn commit(&mut self) -> Result<()> {
        while self.outbox.committing() >= MAX_COMMITTING {
            let progress = self.outbox.committed().await?;
            self.confirm(&progress);
        }
        let progress = self.position.checkpoint(self.checkpoint_at());
        self.policy.ended(self.outbox.events(), Instant::now());
        self.outbox.commit(progress).await
    }

    /// Waits until Kafka has committed everything that was handed over.
    async fn settle(&mut self) -> Result<()> {
        if let Some(progress) = self.outbox.all_committed().await? {
            self.confirm(&progress);
        }
        Ok(())
    }

    /// Tells the source what is safe in Kafka.
    fn confirm(&self, progress: &Progress) {
        self.source.confirm(progress.end);
        self.metrics.confirmed(progress.end);
    }
}
