//! Snapshots of single tables while the stream goes on; how, is told in [`crate::snapshot::incremental`].

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_postgres::Client;

use super::Stream;
use super::aside::Aside;
use crate::capture::tables::Present;
use crate::config::Config;
use crate::error::{ErrorKind, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::pgoutput::{Begin, RelationId};
use crate::relation::Telling;
use crate::snapshot::incremental::{Reader, Reading, Standing, Taken, standing};
use crate::source::{Characters, expect_all_told, unreadable};
use crate::table::{TableName, TableShape};
use crate::transport::ReplicationStream;

/// How soon a snapshot is taken again that came at a bad moment.
pub(super) const SOON: Duration = Duration::from_millis(20);
/// How soon a standby is asked again that is far behind.
const STANDBY_PAUSE: Duration = Duration::from_secs(5);
/// How soon the next table is begun with after one that failed.
const AFTER_FAILURE: Duration = Duration::from_millis(250);
/// How often is looked whether somebody waits for the lock of a snapshot.
const LOOK: Duration = Duration::from_millis(500);
/// How often is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(30);

/// What is read beside the stream, one table after the other.
pub(super) struct Incremental {
    pub(super) config: Config,
    reader: Option<Reader>,
    table: Option<Table>,
    not_before: Instant,
    /// The name of the table that is read, or was when reading failed.
    current: String,
    aside: Aside,
    pub(super) paused: bool,
}

/// The table being read.
struct Table {
    name: TableName,
    relation: RelationId,
    /// What was in progress when it came up, and has to end first: such a transaction may have begun before the table
    /// was published, or have been in the stream before others see it.
    at_first: Option<Standing>,
    /// Transactions that changed the table and are out, as long as a snapshot may not hold them yet: their numbers
    /// and commits.
    changed_by: Vec<(u32, Lsn)>,
    range: Option<Range>,
    /// A shape that the stream has not described, and where it would have by then.
    ahead: Option<(TableShape, Lsn)>,
    rows: u64,
    told: Instant,
}

/// A range being read.
struct Range {
    taken: Taken,
    reading: Reading,
    /// What the table looks like in the snapshot.
    telling: Telling,
    /// Whether it is the table's first.
    begins: bool,
    /// A transaction that the snapshot does not hold has changed the table before the range could be taken in.
    is_late: bool,
    looked_at: Instant,
}

impl Incremental {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            config: config.clone(),
            reader: None,
            table: None,
            not_before: Instant::now(),
            current: String::new(),
            aside: Aside::default(),
            paused: false,
        }
    }

    /// Where the stream has to be for the range being read to be taken in.
    fn end(&self) -> Option<Lsn> {
        self.table.as_ref()?.range.as_ref().map(|range| range.taken.end)
    }

    /// Whether a range is to be taken in before this transaction, which its snapshot does not hold.
    pub(super) fn stands_before(&self, begin: &Begin) -> bool {
        self.end().is_some_and(|end| begin.commit_lsn >= end)
    }

    /// Leaves tables to a later session.
    pub(super) fn hold(&mut self, tables: &[&TableName]) {
        self.aside.hold(tables);
    }

    /// Begins anew with whatever is left.
    pub(super) fn forget(&mut self) {
        self.table = None;
    }

    /// Takes note of a change in the stream.
    #[inline]
    pub(super) fn changed(&mut self, relation: RelationId, by: &Begin) {
        let Some(table) = self.table.as_mut().filter(|table| table.relation == relation) else { return };
        let by = (by.xid, by.commit_lsn);
        if table.changed_by.last() != Some(&by) {
            table.changed_by.push(by);
        }
        if let Some(range) = &mut table.range {
            range.is_late |= !range.taken.holds.holds(by.0, by.1);
        }
    }

    /// Takes a snapshot for the next range of the table, none while it comes too early.
    async fn take(
        &mut self,
        table: &mut Table,
        source: &Client,
        characters: Option<Arc<Characters>>,
    ) -> Result<Option<(Reader, Taken)>> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => Reader::open(&self.config, source, characters).await?,
        };
        let at_first = match table.at_first.take() {
            Some(at_first) => at_first,
            None => standing(source).await?,
        };
        let last_change = table.changed_by.iter().map(|(_, commit)| Lsn(commit.0 + 1)).max();
        let since = last_change.unwrap_or_default().max(at_first.end);
        let Some(taken) = reader.take(&table.name, since).await? else {
            table.tell_wait(format_args!("the replica to get to {since}"));
            table.at_first = Some(at_first);
            self.put_back(reader, STANDBY_PAUSE);
            return Ok(None);
        };
        table.changed_by.retain(|(xid, commit)| !taken.holds.holds(*xid, *commit));
        // Another table of that name is one that was not open before.
        let is_another = std::mem::replace(&mut table.relation, taken.relation) != taken.relation;
        if table.changed_by.is_empty() && !is_another && taken.holds.has_outlived(&at_first) {
            table.at_first = Some(at_first);
            return Ok(Some((reader, taken)));
        }
        if !is_another {
            table.tell_wait(format_args!(
                "transactions that were open when it began, among {:?}",
                at_first.visible
            ));
            table.at_first = Some(at_first);
        }
        reader.give_up().await?;
        self.put_back(reader, SOON);
        Ok(None)
    }

    fn put_back(&mut self, reader: Reader, pause: Duration) {
        self.reader = Some(reader);
        self.not_before = Instant::now() + pause;
    }

    /// Whether it may go on later: the server may be another one than the stream's.
    fn may_go_on(&self, failure: ErrorKind) -> bool {
        let elsewhere = self.config.snapshot.replica.is_some();
        matches!(failure, ErrorKind::SourceRefused | ErrorKind::SourceBusy)
            || elsewhere && matches!(failure, ErrorKind::SourceUnreachable | ErrorKind::SourceStarting)
    }
}

/// Lets an idle source's stream pass the log's present end.
pub(super) fn nudge(source: Arc<Client>) {
    tokio::spawn(async move {
        let nudge = "SELECT pg_logical_emit_message(true, 'lakepulse.watermark', '')";
        if let Err(cause) = source.batch_execute(nudge).await {
            tracing::debug!("no watermark: {cause}");
        }
    });
}

impl Table {
    fn tell_wait(&mut self, what: std::fmt::Arguments<'_>) {
        if self.told.elapsed() > PATIENCE {
            self.told = Instant::now();
            tracing::warn!(table = %self.name, "the incremental snapshot waits for {what}");
        }
    }
}

impl<S: ReplicationStream> Stream<S> {
    /// Lets tables be read from their beginning.
    pub(super) fn read_tables<'a>(&mut self, names: impl IntoIterator<Item = &'a TableName>) {
        for name in names {
            self.position.snapshots.begin(name);
            self.incremental.aside.forget(&name.key());
            self.outbox.end_isolation(name);
            tracing::info!(table = %name, "an incremental snapshot will be read");
        }
        self.incremental.forget();
        self.count_snapshots();
    }

    /// Publishes tables that are not yet.
    pub(super) async fn add_tables(&mut self, tables: &[(RelationId, TableName)]) -> Result<()> {
        for table in self.tables.add(tables).await? {
            self.outbox.know_topic(&table.encoder.topic);
        }
        Ok(())
    }

    /// Between transactions: takes in the range that has been read, and begins with the next one.
    #[inline]
    pub(super) async fn read_on_if_due(&mut self) -> Result<()> {
        if self.position.snapshots.is_empty()
            || !self.position.is_between_transactions()
            || self.incremental.paused
        {
            return Ok(());
        }
        Box::pin(self.read_on()).await
    }

    async fn read_on(&mut self) -> Result<()> {
        if let Some(end) = self.incremental.end() {
            let here = self.position.last_passed();
            if self.position.end() < end || !self.position.is_above_cuts(here) {
                return self.let_others_pass().await;
            }
            self.take_in(here).await?;
        }
        if Instant::now() < self.incremental.not_before {
            return Ok(());
        }
        let begun = self.begin_range().await;
        self.set_aside(begun).await
    }

    /// Gives up a range whose lock somebody waits for, while the stream is not where it can be taken in.
    async fn let_others_pass(&mut self) -> Result<()> {
        let client = self.tables.client();
        let Some(table) = &mut self.incremental.table else { return Ok(()) };
        let is_due = |range: &mut Range| range.looked_at.elapsed() >= LOOK;
        let Some(mut range) = table.range.take_if(is_due) else { return Ok(()) };
        if range.taken.is_waited_for(&client).await? {
            tracing::info!(table = %table.name, "a range of the incremental snapshot is given up for those who wait for its lock");
            self.incremental.reader = range.reading.discard().await;
            self.incremental.not_before = Instant::now() + AFTER_FAILURE;
        } else {
            range.looked_at = Instant::now();
            table.range = Some(range);
        }
        Ok(())
    }

    /// A table that can't be read is tried again later, while others are read.
    async fn set_aside(&mut self, read: Result<()>) -> Result<()> {
        let Err(error) = read else { return Ok(()) };
        if !self.incremental.may_go_on(error.kind()) {
            return Err(error);
        }
        // By the next time it may be gone.
        self.incremental.forget();
        let table = self.incremental.current.clone();
        let pause = self.incremental.aside.failed(&table);
        // The reader itself may be what fails, for every table.
        self.incremental.not_before = Instant::now() + AFTER_FAILURE;
        let remedy = unreadable(&self.tables.client(), &table).await;
        tracing::warn!(
            table,
            pause_ms = pause.as_millis(),
            "an incremental snapshot can't go on: {}; {}trying again",
            error.chain(),
            remedy.map(|remedy| format!("{remedy}; ")).unwrap_or_default()
        );
        Ok(())
    }

    /// Whether something is to be read.
    pub(super) fn is_reading(&self) -> bool {
        let aside = &self.incremental.aside;
        !self.incremental.paused && self.position.snapshots.unfinished().any(|name| aside.lets_through(name))
    }

    /// Whether a table is read, or will be.
    pub(super) fn is_to_be_read(&self, table: &TableName) -> bool {
        self.position.snapshots.unfinished().any(|key| key == table.key())
    }

    /// Takes in the range that stands before this transaction.
    pub(super) async fn take_in_before(&mut self, begin: &Begin) -> Result<()> {
        let here = EventId { commit_lsn: begin.commit_lsn.before(), ordinal: 0 };
        self.take_in(here.max(self.position.reached())).await
    }

    async fn begin_range(&mut self) -> Result<()> {
        let Some(mut table) = self.next_table().await? else { return Ok(()) };
        let client = self.tables.client();
        let characters = self.tables.characters.clone();
        let taken = self.incremental.take(&mut table, &client, characters).await;
        if let Ok(Some((mut reader, taken))) = taken {
            let present = self.tables.present(table.relation, &table.name, reader.catalog()).await?;
            if self.is_ahead(&mut table, &present, taken.end) {
                reader.give_up().await?;
                self.incremental.put_back(reader, SOON);
                self.incremental.table = Some(table);
                nudge(client);
                return Ok(());
            }
            let encoder = self.tables.encoder_of(&present).await?;
            let telling = present.telling;
            let after = self.position.snapshots.through(&table.name.key());
            let rows = self.incremental.config.snapshot.incremental_rows;
            let dead_letters = self.events.dead_letters().cloned();
            let reading = reader.read(&taken, &encoder, &after, rows, dead_letters);
            table.range = Some(Range {
                taken,
                reading,
                telling,
                begins: after.is_empty(),
                is_late: false,
                looked_at: Instant::now(),
            });
            self.incremental.table = Some(table);
            nudge(client);
            return Ok(());
        }
        self.incremental.table = Some(table);
        taken.map(drop)
    }

    /// Whether the stream may still describe the table as it was before the catalog's present shape. The schemas of a table
    /// are registered in the order of its shapes, which the registry's compatibility asks for.
    fn is_ahead(&self, table: &mut Table, present: &Present, end: Lsn) -> bool {
        if !self.tables.differs(present) {
            table.ahead = None;
            return false;
        }
        match &table.ahead {
            Some((shape, until)) if *shape == present.shape => self.position.end() < *until,
            _ => {
                table.ahead = Some((present.shape.clone(), end));
                true
            }
        }
    }

    /// The table that is read at the moment, or the next one; none when all are done.
    async fn next_table(&mut self) -> Result<Option<Table>> {
        if let Some(table) = self.incremental.table.take() {
            return Ok(Some(table));
        }
        loop {
            let aside = &self.incremental.aside;
            let next = self.position.snapshots.unfinished().find(|key| aside.lets_through(key));
            let Some(key) = next.map(str::to_owned) else { return Ok(None) };
            self.incremental.current.clone_from(&key);
            if let Some((relation, name)) = self.tables.keyed(&key).await? {
                expect_all_told(&self.tables.client(), relation, &name).await?;
                return Ok(Some(Table {
                    name,
                    relation,
                    at_first: None,
                    changed_by: Vec::new(),
                    range: None,
                    ahead: None,
                    rows: 0,
                    told: Instant::now(),
                }));
            }
            tracing::warn!(table = key, "the table is gone, or not captured any more: no snapshot of it");
            self.position.snapshots.remove(&key);
        }
    }

    /// Waits for the rows of the range, and sends them as those that follow `before`. One that comes too late is given
    /// up, and read again.
    async fn take_in(&mut self, before: EventId) -> Result<()> {
        let taken_in = self.take_in_rows(before).await;
        self.set_aside(taken_in).await
    }

    async fn take_in_rows(&mut self, before: EventId) -> Result<()> {
        let fits = self.position.is_above_cuts(before);
        let Some(table) = &mut self.incremental.table else { return Ok(()) };
        let Some(mut range) = table.range.take() else { return Ok(()) };
        if range.is_late || !fits {
            self.incremental.reader = range.reading.discard().await;
            return Ok(());
        }
        let mut id = EventId { ordinal: before.ordinal + 1, ..before };
        let events_before = self.outbox.events();
        let relations = &mut self.tables.relations;
        // The rows are of this shape, whatever the stream and the polls have told.
        relations.tell(&mut self.outbox, range.telling, id, "snapshot").await?;
        if range.begins || !relations.has_open_image(&table.name) {
            relations.begin_image(&mut self.outbox, &table.name, id).await?;
            id.ordinal += 1;
        }
        let first = id.ordinal;
        while let Some(chunk) = range.reading.next().await {
            let dead_letters = self.events.dead_letters();
            id = chunk.send(&mut self.outbox, id, dead_letters, &self.metrics).await?;
            // What was sent is sent, should the rest fail.
            self.position.reach(EventId { ordinal: id.ordinal - 1, ..id });
        }
        let (reader, last_key) = range.reading.finish().await?;
        table.rows += id.ordinal - first;
        self.policy.took_in(self.outbox.events().saturating_sub(events_before));
        let key = table.name.key();
        let is_done = last_key.is_none();
        self.position.snapshots.range_is_out(&table.name, last_key);
        if is_done {
            self.tables.relations.end_image(&mut self.outbox, &table.name, id).await?;
            id.ordinal += 1;
            tracing::info!(table = %table.name, rows = table.rows, lsn = %id.commit_lsn, "the incremental snapshot is out");
            self.incremental.table = None;
        }
        self.incremental.reader = Some(reader);
        self.incremental.aside.forget(&key);
        self.position.reach(EventId { ordinal: id.ordinal - 1, ..id });
        self.count_snapshots();
        if self.policy.is_full(self.outbox.events()) { self.commit().await } else { Ok(()) }
    }

    fn count_snapshots(&self) {
        let (tables, done) = self.position.snapshots.counts();
        self.metrics.snapshot(tables, done);
    }
}
