use crate::avro::{Boundary, TableEncoder, TransactionBlock};
use crate::delivery::SideTopic;
use crate::lsn::Lsn;
use crate::pgoutput::Begin;
use crate::table::TableName;

/// A source transaction being received.
pub(super) struct Transaction {
    pub(super) begin: Begin,
    pub(super) ordinal: u64,
    pub(super) previous_commit: Lsn,
    /// Where its beginning was received; none without metadata.
    pub(super) began_at: Option<Lsn>,
    /// Whether the record of its beginning is out, or in the open Kafka transaction.
    pub(super) begun: bool,
    /// Events of each table, in the order in which the tables come.
    pub(super) events: Vec<(TableName, i64)>,
}

impl Transaction {
    /// The place of its next event, in a table; none without metadata.
    pub(super) fn block<'a>(
        &self,
        encoder: &TableEncoder,
        lsn: Lsn,
        id: &'a mut String,
    ) -> Option<TransactionBlock<'a>> {
        self.began_at?;
        *id = self.id_at(lsn);
        let name = &encoder.shape.name;
        let before = self.events.iter().find(|(table, _)| table == name).map_or(0, |(_, events)| *events);
        let total: i64 = self.events.iter().map(|(_, events)| events).sum();
        Some(TransactionBlock { id, total_order: total + 1, collection_order: before + 1 })
    }

    pub(super) fn count(&mut self, encoder: &TableEncoder) {
        let name = &encoder.shape.name;
        match self.events.iter_mut().find(|(table, _)| table == name) {
            Some((_, events)) => *events += 1,
            None => self.events.push((name.clone(), 1)),
        }
    }

    pub(super) fn boundary(
        &self,
        topic: &SideTopic,
        boundary: &Boundary<'_>,
        lsn: Lsn,
    ) -> (Vec<u8>, Vec<u8>) {
        boundary.encode(topic.schema_ids, &self.id_at(lsn), self.begin.committed_at_us)
    }

    /// Debezium names a transaction by its number and the position of what is told of it.
    fn id_at(&self, lsn: Lsn) -> String {
        format!("{}:{}", self.begin.xid, lsn.0)
    }
}
