//! Debezium's metadata of transactions: their beginnings and ends, and each event's place between them.

use crate::avro::{Boundary, TransactionBlock};
use crate::delivery::SideTopic;
use crate::lsn::Lsn;
use crate::pgoutput::Begin;
use crate::table::TableName;

/// What is told of the source transaction that is being received.
pub(super) struct TransactionMetadata {
    topic: SideTopic,
    transaction: Option<Counted>,
    /// The last event's name of the transaction.
    block_id: String,
}

/// A transaction whose events are counted.
struct Counted {
    begin: Begin,
    /// Where its beginning was received.
    began_at: Lsn,
    /// Of each table, in the order in which the tables come.
    events: Vec<(TableName, i64)>,
}

/// Key and value of a record.
pub(super) type KeyAndValue = (Vec<u8>, Vec<u8>);

impl TransactionMetadata {
    pub(super) fn new(topic: SideTopic) -> Self {
        Self { topic, transaction: None, block_id: String::new() }
    }

    pub(super) fn topic(&self) -> &SideTopic {
        &self.topic
    }

    pub(super) fn begin(&mut self, begin: Begin, at: Lsn) {
        self.transaction = Some(Counted { begin, began_at: at, events: Vec::new() });
    }

    /// The place of the transaction's next event, which is of this table and was received at `lsn`.
    pub(super) fn block(&mut self, table: &TableName, lsn: Lsn) -> Option<TransactionBlock<'_>> {
        let transaction = self.transaction.as_ref()?;
        self.block_id = transaction.id_at(lsn);
        let before =
            transaction.events.iter().find(|(name, _)| name == table).map_or(0, |(_, events)| *events);
        Some(TransactionBlock {
            id: &self.block_id,
            total_order: transaction.total() + 1,
            collection_order: before + 1,
        })
    }

    /// Counts an event, and returns whether it is the first: a transaction without events is not told.
    pub(super) fn count(&mut self, table: &TableName) -> bool {
        let Some(transaction) = &mut self.transaction else { return false };
        let is_first = transaction.events.is_empty();
        match transaction.events.iter_mut().find(|(name, _)| name == table) {
            Some((_, events)) => *events += 1,
            None => transaction.events.push((table.clone(), 1)),
        }
        is_first
    }

    /// The record of the transaction's beginning.
    pub(super) fn beginning(&self) -> Option<KeyAndValue> {
        let transaction = self.transaction.as_ref()?;
        Some(self.encode(transaction, &Boundary::Begin, transaction.began_at))
    }

    /// Whether the transaction's end is told.
    pub(super) fn has_events(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| !transaction.events.is_empty())
    }

    /// The record of the transaction's end at `lsn`.
    pub(super) fn end(&self, lsn: Lsn) -> Option<KeyAndValue> {
        let transaction = self.transaction.as_ref()?;
        Some(self.encode(transaction, &Boundary::End(&transaction.events), lsn))
    }

    fn encode(&self, transaction: &Counted, boundary: &Boundary<'_>, lsn: Lsn) -> KeyAndValue {
        boundary.encode(self.topic.schema_ids, &transaction.id_at(lsn), transaction.begin.committed_at_us)
    }
}

impl Counted {
    fn total(&self) -> i64 {
        self.events.iter().map(|(_, events)| events).sum()
    }

    /// Debezium names a transaction by its number and the position of what is told of it.
    fn id_at(&self, lsn: Lsn) -> String {
        format!("{}:{}", self.begin.xid, lsn.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName { schema: "s".into(), table: name.into() }
    }

    fn metadata() -> TransactionMetadata {
        let topic = SideTopic { name: "t".into(), schema_ids: (1, 2), takes: &[], max_record_bytes: 1 };
        let mut metadata = TransactionMetadata::new(topic);
        metadata.begin(Begin { commit_lsn: Lsn(9), committed_at_us: 5_000, xid: 7 }, Lsn(3));
        metadata
    }

    #[test]
    fn events_are_counted_in_the_transaction_and_in_their_table() {
        let mut metadata = metadata();
        let mut places = Vec::new();
        for (name, lsn) in [("a", 4), ("b", 5), ("a", 6)] {
            let block = metadata.block(&table(name), Lsn(lsn)).unwrap();
            places.push((block.id.to_owned(), block.total_order, block.collection_order));
            metadata.count(&table(name));
        }
        assert_eq!(places, [("7:4".into(), 1, 1), ("7:5".into(), 2, 1), ("7:6".into(), 3, 2)]);
        let expected = Boundary::End(&[(table("a"), 2), (table("b"), 1)]).encode((1, 2), "7:8", 5_000);
        assert_eq!(metadata.end(Lsn(8)), Some(expected));
    }

    #[test]
    fn a_transaction_is_told_from_its_first_event_on() {
        let mut metadata = metadata();
        assert!(!metadata.has_events());
        assert!(metadata.count(&table("a")) && !metadata.count(&table("b")) && metadata.has_events());
        assert_eq!(metadata.beginning(), Some(Boundary::Begin.encode((1, 2), "7:3", 5_000)));
        metadata.begin(Begin { commit_lsn: Lsn(20), committed_at_us: 6_000, xid: 8 }, Lsn(10));
        assert!(!metadata.has_events(), "the next one has none");
        assert_eq!(metadata.block(&table("a"), Lsn(11)).unwrap().total_order, 1);
    }
}
