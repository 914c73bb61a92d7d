//! What the source's event trigger tells, in the transaction that changes a table and at its place there.

use serde::Deserialize;

use super::Stream;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::EventId;
use crate::pgoutput::RelationId;
use crate::relation::RelationRecord;
use crate::source::TableFacts;
use crate::transport::ReplicationStream;

/// The content of a message of the event trigger.
#[derive(Debug, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Ddl {
    /// Tables that a command has made or altered, as they are after it.
    Tables { tables: Vec<TableFacts> },
    /// All rows of a table are about to be written anew.
    Rewrite { oid: u32 },
    /// Tables, and partitions, that are gone.
    Dropped { oids: Vec<u32> },
}

impl<S: ReplicationStream> Stream<S> {
    /// Follows a message of the event trigger. One that can't be read is passed over, since anybody may write such a message:
    /// the next poll of the catalog finds what it missed.
    pub(super) async fn ddl(&mut self, content: &[u8], at: EventId) -> Result<()> {
        let read = serde_json::from_slice(content).map_err(|cause| {
            Error::new(ErrorKind::Protocol, "a message of the event trigger can't be read").caused_by(cause)
        });
        match read {
            Err(error) => {
                tracing::warn!(lsn = %at.commit_lsn, "{}", error.chain());
                self.discovery.hurry();
                Ok(())
            }
            Ok(Ddl::Rewrite { oid }) => {
                self.tables.rewritten.insert(RelationId(oid));
                Ok(())
            }
            Ok(Ddl::Dropped { oids }) => self.dropped(&oids, at).await,
            Ok(Ddl::Tables { tables }) => self.altered(tables, at).await,
        }
    }

    async fn altered(&mut self, tables: Vec<TableFacts>, at: EventId) -> Result<()> {
        self.tables.forget_types();
        let (known, other): (Vec<_>, Vec<_>) = tables.into_iter().partition(|table| {
            self.tables.relations.of(table.id(), &table.name()).is_some()
                && self.tables.includes(&table.name())
        });
        for table in &other {
            // Of one that leaves what is captured, or that has to be published first.
            let left = self.tables.relations.of(table.id(), &table.name()).map(RelationRecord::name);
            if let Some(left) = left {
                self.tables.relations.tell_gone(&mut self.outbox, &left, at, "trigger").await?;
            } else if self.tables.includes(&table.name()) {
                self.discovery.hurry();
            }
        }
        for telling in self.tables.tellings_of(known).await? {
            self.tell(telling, at, "trigger").await?;
        }
        Ok(())
    }

    async fn dropped(&mut self, oids: &[u32], at: EventId) -> Result<()> {
        for oid in oids {
            let id = RelationId(*oid);
            let gone = self.tables.relations.present().find(|told| told.id() == id).map(RelationRecord::name);
            if let Some(gone) = gone {
                self.tables.relations.tell_gone(&mut self.outbox, &gone, at, "trigger").await?;
            } else if self.tables.relations.root_of(id).is_some() {
                self.discovery.hurry();
            }
        }
        Ok(())
    }
}
