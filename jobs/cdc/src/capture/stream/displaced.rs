//! Rows whose keys may meet others' within a transaction; why they wait is told in [`super::super::displaced_rows`].

use super::Stream;
use crate::capture::changes::Change;
use crate::capture::displaced_rows::Told;
use crate::error::Result;
use crate::lsn::Lsn;
use crate::pgoutput::{Relation, RelationId};
use crate::transport::ReplicationStream;

impl<S: ReplicationStream> Stream<S> {
    /// Sends what is to be told at once of a change, and lets the rest wait.
    pub(super) async fn displace(
        &mut self,
        relation: RelationId,
        lsn: Lsn,
        change: Change<'_>,
    ) -> Result<()> {
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        match self.displaced.take(relation, &table.encoder.shape.key, lsn, &change) {
            Told::Nothing => {}
            Told::All => self.emit(relation, lsn, change).await?,
            Told::Deleted(old) => self.emit(relation, lsn, Change::Delete(old)).await?,
        }
        if self.displaced.is_full() {
            self.release(relation, "they take more than a quarter of kafka.queue_kbytes").await?;
        }
        Ok(())
    }

    /// Sends a table's waiting rows when it gets another shape within the transaction.
    pub(super) async fn displaced_before(&mut self, relation: &Relation) -> Result<()> {
        if self.displaced.holds(relation.id) && !self.tables.is_described_as(relation) {
            self.release(relation.id, "the table gets another shape").await?;
        }
        Ok(())
    }

    /// At the transaction's end, sends the rows that wait; tables whose keys may have met are read again.
    pub(super) async fn finish_displaced(&mut self) -> Result<()> {
        let (waiting, ambiguous) = self.displaced.finish();
        for row in &waiting {
            self.emit(row.relation(), row.lsn(), row.created()).await?;
        }
        for relation in ambiguous {
            if let Some(table) = self.tables.get(relation)? {
                let name = table.encoder.shape.name.clone();
                self.read_tables([&name]);
            }
        }
        Ok(())
    }

    async fn release(&mut self, relation: RelationId, why: &str) -> Result<()> {
        if let Some(table) = self.tables.get(relation)? {
            tracing::warn!(table = %table.encoder.shape.name, "rows of one transaction can't wait for its end, {why}: they are sent in the log's order, and the table is read again, since keys may have met");
        }
        for row in self.displaced.release(relation) {
            self.emit(relation, row.lsn(), row.created()).await?;
        }
        Ok(())
    }
}
