//! Rows that wait for the end of their transaction, since another one may still have their key.
//!
//! Where the key's index is deferrable, or the configuration gives the key, two rows may have one key within a
//! transaction: after `UPDATE t SET id = 3 - id` the log says that row 1 became 2 before it says that row 2 became 1.
//! Whoever applied "2 is created, 2 is deleted" in this order would lose a row. So the rows that a transaction creates, or
//! moves to another key, wait here until it ends. A later change of a waiting row, which the old row in full tells, changes
//! it here. Any other change is of a row that was there before, whose key is still its own: it is told at once. In the end
//! every key that was given up has been told, and the waiting rows are told as created.
//!
//! All of this follows from the order of the log. A capture that starts again in the middle of a transaction makes the same
//! events with the same ordinals, and leaves out those that Kafka has. That the key can be deferred is asked of the catalog:
//! only a constraint that is made anew while the capture is stopped within that transaction would make a difference.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{BuildHasher, RandomState};

use super::changes::{Change, merged};
use crate::avro::Row;
use crate::lsn::Lsn;
use crate::pgoutput::{Datum, OldTuple, RelationId, Tuple, TupleBuffer};

/// What a waiting row takes beside its values.
const OVERHEAD: usize = 128;

/// The waiting rows of one transaction.
pub(super) struct DisplacedRows {
    max_bytes: usize,
    bytes: usize,
    /// In the order of their last changes.
    rows: BTreeMap<u64, Waiting>,
    next: u64,
    /// Of each table, by a hash of all its values.
    places: HashMap<(RelationId, u64), Vec<u64>>,
    hasher: RandomState,
    /// Tables whose rows were told before the transaction's end: their keys may have met.
    ambiguous: BTreeSet<RelationId>,
}

/// A row that waits.
#[derive(Debug)]
pub(super) struct Waiting {
    relation: RelationId,
    row: TupleBuffer,
    /// Of its last change.
    lsn: Lsn,
}

/// What is to be told at once.
#[derive(Debug, Clone, Copy)]
pub(super) enum Told<'a> {
    Nothing,
    /// The change, as it is.
    All,
    /// Of an update to another key, that the old row is gone.
    Deleted(OldTuple<'a>),
}

impl DisplacedRows {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            max_bytes,
            bytes: 0,
            rows: BTreeMap::new(),
            next: 0,
            places: HashMap::new(),
            hasher: RandomState::new(),
            ambiguous: BTreeSet::new(),
        }
    }

    /// Takes note of a change of a table with this key.
    pub(super) fn take<'a>(
        &mut self,
        relation: RelationId,
        key: &[usize],
        lsn: Lsn,
        change: &Change<'a>,
    ) -> Told<'a> {
        if self.ambiguous.contains(&relation) {
            return Told::All;
        }
        match *change {
            Change::Insert(new) => {
                self.wait(relation, &new.into(), lsn).map_or(Told::All, |()| Told::Nothing)
            }
            Change::Update(Some(told @ OldTuple::Full(old)), new) => {
                let row = merged(told, new);
                let was_waiting = self.consume(relation, old);
                if !was_waiting && !moves(key, old, &row) {
                    return Told::All;
                }
                match self.wait(relation, &row, lsn) {
                    None => Told::All,
                    Some(()) if was_waiting => Told::Nothing,
                    Some(()) => Told::Deleted(told),
                }
            }
            Change::Delete(OldTuple::Full(old)) => {
                if self.consume(relation, old) {
                    Told::Nothing
                } else {
                    Told::All
                }
            }
            Change::Truncate => {
                drop(self.remove(relation));
                Told::All
            }
            Change::Update(..) | Change::Delete(OldTuple::Key(_)) => Told::All,
        }
    }

    /// Whether more rows wait than may.
    pub(super) fn is_full(&self) -> bool {
        self.bytes > self.max_bytes
    }

    /// Whether rows of this table wait.
    pub(super) fn holds(&self, relation: RelationId) -> bool {
        self.rows.values().any(|waiting| waiting.relation == relation)
    }

    /// The waiting rows of a table, to be told before the transaction's end; its later rows do not wait.
    pub(super) fn release(&mut self, relation: RelationId) -> Vec<Waiting> {
        self.ambiguous.insert(relation);
        self.remove(relation)
    }

    /// Whether nothing is left to be done at the transaction's end.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.ambiguous.is_empty()
    }

    /// At the transaction's end, the rows that wait, and the tables whose keys may have met.
    pub(super) fn finish(&mut self) -> (Vec<Waiting>, BTreeSet<RelationId>) {
        self.bytes = 0;
        self.places.clear();
        let rows = std::mem::take(&mut self.rows);
        (rows.into_values().collect(), std::mem::take(&mut self.ambiguous))
    }

    /// Lets a row wait; none when not all of its values are told.
    fn wait(&mut self, relation: RelationId, row: &Row<'_>, lsn: Lsn) -> Option<()> {
        let mut values = TupleBuffer::default();
        for datum in row.iter() {
            match datum {
                Datum::Null => values.null(),
                Datum::Text(text) => values.text(text),
                Datum::Bytes(bytes) => values.bytes(bytes),
                Datum::Unchanged => return None,
            }
        }
        let hash = self.hasher.hash_one(values.tuple());
        self.bytes += values.tuple().bytes() + OVERHEAD;
        self.places.entry((relation, hash)).or_default().push(self.next);
        self.rows.insert(self.next, Waiting { relation, row: values, lsn });
        self.next += 1;
        Some(())
    }

    /// Whether a row with exactly these values waited; it waits no more.
    fn consume(&mut self, relation: RelationId, row: Tuple<'_>) -> bool {
        let place = (relation, self.hasher.hash_one(row));
        let Some(places) = self.places.get_mut(&place) else { return false };
        let same = |number: &u64| self.rows.get(number).is_some_and(|waiting| waiting.row.tuple() == row);
        let Some(index) = places.iter().position(same) else { return false };
        let number = places.swap_remove(index);
        if places.is_empty() {
            self.places.remove(&place);
        }
        if let Some(waiting) = self.rows.remove(&number) {
            self.bytes -= waiting.row.tuple().bytes() + OVERHEAD;
        }
        true
    }

    fn remove(&mut self, relation: RelationId) -> Vec<Waiting> {
        let rows = std::mem::take(&mut self.rows);
        let (removed, kept): (BTreeMap<_, _>, _) =
            rows.into_iter().partition(|(_, waiting)| waiting.relation == relation);
        self.rows = kept;
        self.places.retain(|(table, _), _| *table != relation);
        self.bytes -= removed.values().map(|waiting| waiting.row.tuple().bytes() + OVERHEAD).sum::<usize>();
        removed.into_values().collect()
    }
}

impl Waiting {
    pub(super) fn relation(&self) -> RelationId {
        self.relation
    }

    pub(super) fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// The row as a change that creates it.
    pub(super) fn created(&self) -> Change<'_> {
        Change::Insert(self.row.tuple())
    }
}

/// Whether the new row has another key.
fn moves(key: &[usize], old: Tuple<'_>, new: &Row<'_>) -> bool {
    key.iter().any(|column| old.iter().nth(*column) != new.iter().nth(*column))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TABLE: RelationId = RelationId(7);

    type Values = (u8, u8);

    fn buffer(row: Values) -> TupleBuffer {
        let mut values = TupleBuffer::default();
        values.text(row.0.to_string().as_bytes());
        values.text(row.1.to_string().as_bytes());
        values
    }

    fn values(tuple: Tuple<'_>) -> Values {
        let mut numbers = tuple.iter().map(|datum| match datum {
            Datum::Text(text) => std::str::from_utf8(text).unwrap().parse().unwrap(),
            other => panic!("{other:?}"),
        });
        (numbers.next().unwrap(), numbers.next().unwrap())
    }

    /// A consumer that applies events in their order, and knows nothing else.
    #[derive(Default, Debug, PartialEq, Eq)]
    struct Consumer(BTreeMap<u8, u8>);

    impl Consumer {
        fn apply(&mut self, told: Told<'_>, change: &Change<'_>) {
            match (told, *change) {
                (Told::Nothing, _) => {}
                (Told::Deleted(OldTuple::Full(old)), _)
                | (Told::All, Change::Delete(OldTuple::Full(old))) => {
                    self.0.remove(&values(old).0);
                }
                (Told::All, Change::Insert(new)) => {
                    let (key, value) = values(new);
                    self.0.insert(key, value);
                }
                (Told::All, Change::Update(old, new)) => {
                    if let Some(OldTuple::Full(old)) = old
                        && values(old).0 != values(new).0
                    {
                        self.0.remove(&values(old).0);
                    }
                    self.apply(Told::All, &Change::Insert(new));
                }
                (Told::All, Change::Truncate) => self.0.clear(),
                other => panic!("{other:?}"),
            }
        }
    }

    /// A statement's effect on the row at a place, counted round.
    #[derive(Debug, Clone)]
    enum Step {
        Insert(Values),
        Update(usize, Values),
        Delete(usize),
        Truncate,
    }

    fn step() -> impl Strategy<Value = Step> {
        let row = || (0..6_u8, 0..3_u8);
        prop_oneof![
            3 => row().prop_map(Step::Insert),
            6 => (any::<usize>(), row()).prop_map(|(place, row)| Step::Update(place, row)),
            2 => any::<usize>().prop_map(Step::Delete),
            1 => Just(Step::Truncate),
        ]
    }

    /// Runs a transaction on the source's rows, whose keys are distinct at its end, as the constraint has it.
    fn run(
        source: &mut Vec<Values>,
        steps: &[Step],
        rows: &mut DisplacedRows,
        consumer: &mut Consumer,
    ) -> bool {
        let mut tell = |change: &Change<'_>| {
            let told = rows.take(TABLE, &[0], Lsn(1), change);
            consumer.apply(told, change);
            if rows.is_full() {
                for waiting in rows.release(TABLE) {
                    consumer.apply(Told::All, &waiting.created());
                }
            }
        };
        for step in steps {
            match step {
                Step::Insert(row) => {
                    source.push(*row);
                    tell(&Change::Insert(buffer(*row).tuple()));
                }
                Step::Update(place, row) if !source.is_empty() => {
                    let place = place % source.len();
                    let old = std::mem::replace(&mut source[place], *row);
                    tell(&Change::Update(Some(OldTuple::Full(buffer(old).tuple())), buffer(*row).tuple()));
                }
                Step::Delete(place) if !source.is_empty() => {
                    let old = source.remove(place % source.len());
                    tell(&Change::Delete(OldTuple::Full(buffer(old).tuple())));
                }
                Step::Truncate => {
                    source.clear();
                    tell(&Change::Truncate);
                }
                _ => {}
            }
        }
        let mut keys = BTreeSet::new();
        let (kept, doubled) = source.iter().partition::<Vec<Values>, _>(|row| keys.insert(row.0));
        for old in doubled {
            tell(&Change::Delete(OldTuple::Full(buffer(old).tuple())));
        }
        *source = kept;
        let (waiting, ambiguous) = rows.finish();
        for waiting in waiting {
            consumer.apply(Told::All, &waiting.created());
        }
        !ambiguous.is_empty()
    }

    proptest! {
        #[test]
        fn every_consumer_gets_the_sources_rows(
            transactions in prop::collection::vec(prop::collection::vec(step(), 1..12), 1..6),
        ) {
            let (mut source, mut consumer) = (Vec::new(), Consumer::default());
            let mut rows = DisplacedRows::new(1 << 20);
            for steps in &transactions {
                prop_assert!(!run(&mut source, steps, &mut rows, &mut consumer));
                prop_assert_eq!(&consumer.0, &source.iter().copied().collect());
                prop_assert!(rows.is_empty() && rows.bytes == 0 && rows.places.is_empty());
            }
        }

        #[test]
        fn with_little_room_a_difference_is_told(
            before in prop::collection::btree_map(0..6_u8, 0..3_u8, 0..6),
            steps in prop::collection::vec(step(), 1..12),
        ) {
            let mut source: Vec<Values> = before.iter().map(|(key, value)| (*key, *value)).collect();
            let mut consumer = Consumer(before);
            let is_ambiguous = run(&mut source, &steps, &mut DisplacedRows::new(3 * OVERHEAD), &mut consumer);
            prop_assert!(is_ambiguous || consumer.0 == source.iter().copied().collect());
        }
    }

    #[test]
    fn keys_swapped_in_one_statement() {
        let (mut source, mut consumer) = (vec![(1, 10), (2, 20)], Consumer([(1, 10), (2, 20)].into()));
        let steps = [Step::Update(0, (2, 10)), Step::Update(1, (1, 20))];
        run(&mut source, &steps, &mut DisplacedRows::new(1 << 20), &mut consumer);
        assert_eq!(consumer.0, [(1, 20), (2, 10)].into());
    }
}
