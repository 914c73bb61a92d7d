//! Changes of rows and tables: from the stream's message to the events of its transaction.

use super::Stream;
use crate::avro::EventSource;
use crate::capture::changes::Change;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::transport::ReplicationStream;

impl<S: ReplicationStream> Stream<S> {
    /// Takes one change in, which is sent at once unless it has to wait for the transaction's end.
    pub(super) async fn change(&mut self, relation: RelationId, lsn: Lsn, change: Change<'_>) -> Result<()> {
        let Some(transaction) = self.position.transaction().copied() else { return Ok(()) };
        self.incremental.changed(relation, &transaction);
        let Some(table) = self.tables.get(relation)? else {
            // Not captured, yet part of the transaction: positions don't depend on the configuration.
            self.position.next_event();
            return Ok(());
        };
        if self.position.snapshots.holds(&table.encoder.shape.name, transaction.commit_lsn) {
            self.position.next_event();
            return Ok(());
        }
        if table.displaces {
            return Box::pin(self.displace(relation, lsn, change)).await;
        }
        self.emit(relation, lsn, change).await
    }

    /// Encodes and sends one change, in one or two events.
    pub(super) async fn emit(&mut self, relation: RelationId, lsn: Lsn, change: Change<'_>) -> Result<()> {
        let source = self.position.source(lsn);
        let Some(table) = self.tables.get(relation)? else {
            self.position.next_event();
            return Ok(());
        };
        let mut encoded = self.events.encode(table, &change, source);
        if matches!(&encoded, Err(error) if error.kind().teaches()) {
            Box::pin(self.tables.learn(relation, change.images())).await?;
            if let Some(table) = self.tables.get(relation)? {
                encoded = self.events.encode(table, &change, source);
            }
        }
        match encoded {
            Err(error) if self.events.buries(&error) => {
                return Box::pin(self.bury(relation, &change, source, &error)).await;
            }
            encoded => encoded.map_err(|error| at(error, lsn))?,
        }
        for event in 0..self.events.len() {
            self.send(relation, event).await?;
        }
        Ok(())
    }

    /// Sends one encoded event, unless Kafka has it already, and commits when the limit is reached.
    async fn send(&mut self, relation: RelationId, event: usize) -> Result<()> {
        let Some(id) = self.position.next_event() else { return Ok(()) };
        if self.events.skips(event) {
            return Ok(());
        }
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        let is_first = self.events.count(table);
        if self.position.is_out(id) {
            return Ok(());
        }
        if is_first {
            self.events.write_beginning(id, &mut self.outbox).await?;
        }
        self.events.write(event, table, id, &mut self.outbox).await?;
        self.sent(id).await
    }

    /// Sends a change that has no encoding where it can be looked at.
    async fn bury(
        &mut self,
        relation: RelationId,
        change: &Change<'_>,
        source: EventSource,
        failure: &Error,
    ) -> Result<()> {
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        let places = self.events.places(table, change);
        let Some(id) = self.position.next_event() else { return Ok(()) };
        let last = (1..places).filter_map(|_| self.position.next_event()).last().unwrap_or(id);
        if self.position.is_out(id) {
            return Ok(());
        }
        self.events.bury(table, (change, source), id, failure, &mut self.outbox).await?;
        self.policy.sent_uncounted();
        self.sent(last).await
    }
}

/// A failure together with its place in the log.
#[cold]
fn at(error: Error, lsn: Lsn) -> Error {
    match error.kind() {
        ErrorKind::Encoding | ErrorKind::RecordTooLarge => {
            Error::new(error.kind(), format!("the change at LSN {lsn} can't be told")).caused_by(error)
        }
        _ => error,
    }
}
