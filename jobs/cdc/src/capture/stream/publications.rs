//! What the publications leave untold, and how the stream makes up for it: by reading tables again.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use super::Stream;
use crate::config::{Config, SnapshotMode};
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::RelationId;
use crate::source::{Arranged, arrange_publications, remedy};
use crate::table::TableName;
use crate::transport::ReplicationStream;

/// A table whose updates keep coming is read again this seldom.
const SELDOM: Duration = Duration::from_secs(3600);
/// How soon is looked again while something is waited for, where new tables are not looked for.
const LOOK: Duration = Duration::from_secs(15);

/// The state of the publications as this session knows it.
pub(crate) struct Publications {
    /// Whether the session streams without the publication of inserts, which is too young for the slot.
    is_without_inserts: bool,
    reads: bool,
    interval: Duration,
    untold: BTreeMap<TableName, Untold>,
    left_out: HashSet<TableName>,
    said: HashSet<String>,
}

/// Updates and deletes that no publication tells.
struct Untold {
    /// PostgreSQL's count of them when the table was last read, or is being read.
    changes: i64,
    not_before: Instant,
    pause: Duration,
}

impl Publications {
    /// As they are when a session begins, with the tables to be read again; `goes_on` says that it begins with the stream,
    /// and not with a snapshot: changes since the last session are not told by the stream.
    pub(crate) fn new(config: &Config, arranged: Arranged, goes_on: bool) -> (Self, Vec<TableName>) {
        let mut publications = Self {
            is_without_inserts: arranged.is_too_young,
            reads: config.snapshot.mode != SnapshotMode::Never,
            interval: config.discover_interval.unwrap_or(LOOK),
            untold: BTreeMap::new(),
            left_out: HashSet::new(),
            said: HashSet::new(),
        };
        if arranged.is_too_young {
            tracing::warn!(
                publication = config.inserts_publication(),
                "the publication is younger than what the replication slot still has to tell: this session streams without it, and \
                 tables without a replica identity are read once it can be streamed"
            );
        }
        if goes_on && publications.reads {
            // Nobody has seen how many there were when the table was last read.
            for (name, _) in arranged.inserts_only.iter().filter(|(_, changes)| *changes != 0) {
                publications.untold.insert(name.clone(), Untold { changes: 0, ..publications.fresh(0) });
            }
        }
        let mut again = publications.look(&arranged, &BTreeSet::new());
        if !goes_on && !arranged.is_too_young {
            // The snapshot has them.
            again.clear();
        }
        (publications, again)
    }

    fn fresh(&self, changes: i64) -> Untold {
        Untold { changes, not_before: Instant::now(), pause: self.interval }
    }

    /// Tables whose rows have to wait until their inserts are streamed.
    pub(super) fn held(&self) -> Vec<&TableName> {
        if self.is_without_inserts { self.untold.keys().collect() } else { Vec::new() }
    }

    /// Takes note of what was found, and returns the tables to be read again; those in `being_read` are not done yet.
    fn look(&mut self, arranged: &Arranged, being_read: &BTreeSet<String>) -> Vec<TableName> {
        self.left_out = arranged.left_out.iter().cloned().collect();
        for (_, problem) in &arranged.problems {
            if self.said.insert(problem.clone()) {
                tracing::error!("{problem}");
            }
        }
        let mut again = arranged.to_read_again.clone();
        let now = Instant::now();
        for (name, changes) in &arranged.inserts_only {
            let fresh = self.fresh(*changes);
            let is_new = !self.untold.contains_key(name);
            let untold = self.untold.entry(name.clone()).or_insert(fresh);
            if is_new && self.is_without_inserts {
                again.push(name.clone());
            }
            if untold.changes == *changes {
                if now > untold.not_before + untold.pause {
                    untold.pause = self.interval;
                }
                continue;
            }
            if now < untold.not_before || being_read.contains(&name.key()) {
                continue;
            }
            untold.changes = *changes;
            untold.not_before = now + untold.pause;
            untold.pause = (untold.pause * 2).min(SELDOM);
            let what = if self.reads { "it is read again" } else { "its topic lacks them" };
            tracing::warn!(table = %name, again_after_s = untold.pause.as_secs(), "rows of the table were updated or deleted, which PostgreSQL does not tell without a replica identity: {what}; {}", remedy(name));
            if !again.contains(name) {
                again.push(name.clone());
            }
        }
        self.untold.retain(|name, _| arranged.inserts_only.iter().any(|(known, _)| known == name));
        if !self.reads {
            again.clear();
        }
        again
    }

    /// How soon has to be looked, whatever the configuration says of new tables.
    pub(super) fn look_interval(&self) -> Option<Duration> {
        self.is_without_inserts.then_some(LOOK)
    }

    pub(super) fn leaves_out(&self, name: &TableName) -> bool {
        self.left_out.contains(name)
    }
}

impl<S: ReplicationStream> Stream<S> {
    /// Whether the catalog is to be looked at: for new tables, and for those that are published otherwise.
    pub(super) fn is_time_to_look(&self) -> bool {
        self.discovery.is_due(self.discovery.publications.look_interval())
    }

    /// Puts tables into the publications where they belong by now, and lets those be read of which something went untold.
    pub(super) async fn arrange(&mut self, tables: &[(RelationId, TableName)]) -> Result<Option<Error>> {
        let names: Vec<TableName> = tables.iter().map(|(_, name)| name.clone()).collect();
        let mut arranged =
            arrange_publications(&self.tables.client(), &self.incremental.config, &names).await?;
        if self.discovery.publications.is_without_inserts && !arranged.is_too_young {
            self.commit().await?;
            self.settle().await?;
            return Err(Error::new(
                ErrorKind::SourceStarting,
                "the publication of inserts can be streamed from here on, which takes a new session",
            ));
        }
        let being_read = self.position.snapshots.unfinished().map(str::to_owned).collect();
        let again = self.discovery.publications.look(&arranged, &being_read);
        if !again.is_empty() {
            self.read_tables(&again);
        }
        self.incremental.hold(&self.discovery.publications.held());
        Ok(arranged.refused.take())
    }
}
