//! Polls of the catalog: tables that came, went, or changed without an event. What a poll finds holds from where the source's
//! log ended then, and is told once the stream has passed that place: every event before it may be of the old shape.

use std::time::{Duration, Instant};

use super::Stream;
use super::incremental::nudge;
use super::publications::Publications;
use crate::config::{Config, SnapshotMode};
use crate::error::{ErrorKind, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::relation::{Change, RelationRecord, Telling};
use crate::snapshot::incremental::standing;
use crate::source::Arranged;
use crate::table::TableName;
use crate::transport::ReplicationStream;

/// When the catalog is looked at, and what was found and not told yet.
pub(super) struct Discovery {
    interval: Option<Duration>,
    looked_at: Instant,
    /// Of the catalog, when everything in it had been told or noted.
    version: Option<String>,
    found: Vec<Found>,
    pub(super) publications: Publications,
}

/// Something that a poll found.
struct Found {
    /// The end of the log, behind everything that the poll saw.
    at: Lsn,
    what: Finding,
}

enum Finding {
    /// A table, and how often the stream had described it by then: if it has done so since, it knows better.
    Table(Box<Telling>, u32),
    /// The name of a table, likewise.
    Gone(TableName, RelationId, u32),
}

impl Discovery {
    pub(super) fn new(config: &Config) -> Self {
        Self {
            interval: config.discover_interval,
            looked_at: Instant::now(),
            version: None,
            found: Vec::new(),
            publications: Publications::new(config, Arranged::default(), false).0,
        }
    }

    /// Whether it is time for a poll, with this interval where the configuration has none.
    pub(super) fn is_due(&self, otherwise: Option<Duration>) -> bool {
        self.interval.or(otherwise).is_some_and(|interval| self.looked_at.elapsed() >= interval)
    }

    /// Lets the next poll be at once, if there are polls at all.
    pub(super) fn hurry(&mut self) {
        self.version = None;
        if let Some(past) = self.interval.and_then(|interval| Instant::now().checked_sub(interval)) {
            self.looked_at = past;
        }
    }

    /// Whether something waits to be told.
    pub(super) fn has_found(&self) -> bool {
        !self.found.is_empty()
    }
}

impl<S: ReplicationStream> Stream<S> {
    /// Looks whether the catalog has changed.
    pub(super) async fn discover(&mut self) -> Result<()> {
        self.discovery.looked_at = Instant::now();
        match self.look().await {
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::SourceRefused | ErrorKind::SourceBusy | ErrorKind::Publication
                ) =>
            {
                self.discovery.version = None;
                tracing::error!("the catalog can't be followed: {}", error.chain());
                Ok(())
            }
            looked => looked,
        }
    }

    async fn look(&mut self) -> Result<()> {
        let mut included = self.tables.included().await?;
        if let Some(refused) = self.arrange(&included).await? {
            return Err(refused);
        }
        included.retain(|(_, name)| !self.discovery.publications.leaves_out(name));
        self.retry_isolated().await?;
        let version = self.tables.catalog_version().await?;
        if self.discovery.version.as_ref() == Some(&version) {
            return Ok(());
        }
        self.tables.forget_types();
        let mut new = included.clone();
        new.retain(|(id, _)| !self.tables.knows(*id));
        if !new.is_empty() {
            self.add_tables(&new).await?;
            new.retain(|(id, _)| self.tables.knows(*id));
            included.retain(|(id, _)| self.tables.knows(*id));
            if self.incremental.config.snapshot.mode != SnapshotMode::Never {
                self.read_tables(new.iter().map(|(_, name)| name));
            }
        }
        let ids: Vec<_> = included.iter().map(|(id, _)| *id).collect();
        let facts = self.tables.facts(&ids).await?;
        let tellings = self.tables.tellings(facts).await?;
        self.compare(tellings, &included).await?;
        self.discovery.version = Some(version);
        Ok(())
    }

    /// Compares what the catalog says with what was told, of all the tables that are included.
    pub(super) async fn compare(
        &mut self,
        tellings: Vec<Telling>,
        included: &[(RelationId, TableName)],
    ) -> Result<()> {
        let client = self.tables.client();
        let at = standing(&client).await?.end;
        let mut found = Vec::new();
        for mut telling in tellings {
            let changes = self.tables.relations.changes(&telling);
            if !changes.is_empty() {
                // Between two looks, events may have had names of it that nobody knows any more.
                telling.rewritten |= changes.iter().any(Change::renames_label);
                let seen = self.tables.descriptions(telling.id);
                found.push(Finding::Table(Box::new(telling), seen));
            }
        }
        for record in self.tables.relations.present() {
            let (name, id) = (record.name(), record.id());
            if !included.iter().any(|(_, known)| *known == name) {
                found.push(Finding::Gone(name, id, self.tables.descriptions(id)));
            }
        }
        self.discovery.found = found.into_iter().map(|what| Found { at, what }).collect();
        if self.discovery.has_found() {
            nudge(client);
        }
        Ok(())
    }

    /// Between transactions: tells what was found, once the stream has passed its place.
    pub(super) async fn tell_found(&mut self) -> Result<()> {
        let here = self.position.last_passed();
        let is_passed = |found: &Found| found.at <= self.position.end();
        if !self.position.is_between_transactions()
            || !self.discovery.found.iter().all(is_passed)
            || !self.position.is_above_cuts(here)
        {
            return Ok(());
        }
        for found in std::mem::take(&mut self.discovery.found) {
            let here = self.position.last_passed();
            let at = EventId { ordinal: here.ordinal + 1, ..here };
            match found.what {
                Finding::Table(telling, seen) if self.tables.descriptions(telling.id) != seen => {
                    tracing::debug!(table = %telling.name, "the stream has described the table since it was looked at");
                    self.discovery.hurry();
                    continue;
                }
                Finding::Table(telling, _) => self.tell(*telling, at, "catalog").await?,
                Finding::Gone(name, id, seen)
                    if self.tables.descriptions(id) != seen
                        || self.tables.relations.named(&name).is_none_or(|told| told.id() != id) =>
                {
                    tracing::debug!(table = %name, "the stream has told of the name since it was looked at");
                    self.discovery.hurry();
                    continue;
                }
                Finding::Gone(name, ..) => {
                    self.tables.relations.tell_gone(&mut self.outbox, &name, at, "catalog").await?;
                }
            }
            self.position.reach(at);
        }
        Ok(())
    }

    /// Tells what is new about a table; one whose rows are not known any more is read as a whole.
    pub(super) async fn tell(&mut self, telling: Telling, at: EventId, learned_from: &str) -> Result<()> {
        let (name, id) = (telling.name.clone(), telling.id);
        let former =
            self.tables.relations.of(id, &name).map(RelationRecord::name).filter(|former| *former != name);
        if let Some(former) = &former {
            self.tables.relations.tell_gone(&mut self.outbox, former, at, learned_from).await?;
        }
        let is_new = !self.outbox.knows_topic(&telling.topic);
        let changes = self.tables.relations.tell(&mut self.outbox, telling, at, learned_from).await?;
        self.tables.rewritten.remove(&id);
        // A new topic has none of the rows. One that is told first may be on the list since it is new.
        let is_first = changes.iter().all(Change::is_first) && self.is_to_be_read(&name);
        if (former.is_some() || is_new || changes.iter().any(Change::needs_image))
            && !is_first
            && self.incremental.config.snapshot.mode != SnapshotMode::Never
        {
            self.read_tables([&name]);
        }
        Ok(())
    }
}
