use super::captured::Captured;
use crate::avro::{Event, EventSource, Image, Operation, Row, Texts, TransactionBlock};
use crate::config::SkippedOperations;
use crate::delivery::record_bytes;
use crate::error::Result;
use crate::pgoutput::{OldTuple, Tuple};

/// A change of one row or table, as received.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Change<'a> {
    Insert(Tuple<'a>),
    Update(Option<OldTuple<'a>>, Tuple<'a>),
    Delete(OldTuple<'a>),
    Truncate,
}

impl<'a> Change<'a> {
    /// The change as one event, for those that have no encoding.
    pub(crate) fn as_event(&self, source: EventSource, now_us: i64) -> Event<'a> {
        let row = |row: Tuple<'a>| Some(Image::Row(row.into()));
        let (operation, before, after) = match *self {
            Self::Insert(new) => (Operation::Create, None, row(new)),
            Self::Update(old, new) => (Operation::Update, old.map(|old| image(old).0), row(new)),
            Self::Delete(old) => (Operation::Delete, Some(image(old).0), None),
            Self::Truncate => (Operation::Truncate, None, None),
        };
        Event { operation, before, after, source, transaction: None, now_us }
    }

    /// The rows that it tells, whole or in part.
    pub(crate) fn images(&self) -> impl Iterator<Item = Image<'a>> {
        let (old, new) = match *self {
            Self::Insert(new) => (None, Some(new)),
            Self::Update(old, new) => (old, Some(new)),
            Self::Delete(old) => (Some(old), None),
            Self::Truncate => (None, None),
        };
        let new = new.map(|new| Image::Row(new.into()));
        old.map(|old| image(old).0).into_iter().chain(new)
    }
}

/// The events of the last change, encoded into buffers that the next change uses again.
pub(crate) struct Changes {
    /// What is left out does not count among the events of a transaction.
    skip: SkippedOperations,
    max_record_bytes: usize,
    first: Encoded,
    second: Encoded,
    old_key: Vec<u8>,
    length: usize,
}

/// An encoded event.
pub(crate) struct Encoded {
    pub(crate) operation: Operation,
    has_key: bool,
    key: Vec<u8>,
    pub(crate) value: Vec<u8>,
    pub(crate) texts: Texts,
}

impl Default for Encoded {
    fn default() -> Self {
        Self {
            operation: Operation::Truncate,
            has_key: false,
            key: Vec::new(),
            value: Vec::new(),
            texts: Texts::default(),
        }
    }
}

impl Encoded {
    pub(crate) fn key(&self) -> Option<&[u8]> {
        self.has_key.then_some(self.key.as_slice())
    }

    /// Of key and value.
    pub(crate) fn bytes(&self) -> usize {
        self.key.len() + self.value.len()
    }

    /// Encodes an event, whose key is that of this row.
    fn write(&mut self, table: &mut Captured, event: &Event<'_>, key: Option<&Row<'_>>) -> Result<()> {
        self.operation = event.operation;
        self.key.clear();
        self.value.clear();
        self.texts.clear(KEPT_BYTES);
        self.has_key = false;
        if let Some(row) = key {
            table.encoder.key(row, &mut self.key)?;
            self.has_key = table.encoder.has_key();
        }
        table.encoder.value(event, &mut table.stamp, &mut self.texts, &mut self.value)
    }
}

/// A buffer that one large row has made larger than this is given back.
const KEPT_BYTES: usize = 1 << 20;

impl Changes {
    pub(crate) fn new(skip: SkippedOperations, max_record_bytes: usize) -> Self {
        Self {
            skip,
            max_record_bytes,
            first: Encoded::default(),
            second: Encoded::default(),
            old_key: Vec::new(),
            length: 0,
        }
    }

    /// The number of events of the last change.
    pub(crate) fn len(&self) -> usize {
        self.length
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Encoded> {
        match index {
            0 if self.length > 0 => Some(&self.first),
            1 if self.length > 1 => Some(&self.second),
            _ => None,
        }
    }

    /// Encodes a change as one event, or two when it moves a row to another key.
    ///
    /// # Errors
    /// Among others [`ErrorKind::RecordTooLarge`](crate::error::ErrorKind) when the events do not fit; their number stands.
    pub(crate) fn encode<'a>(
        &mut self,
        table: &mut Captured,
        change: &Change<'a>,
        source: EventSource,
        transaction: Option<TransactionBlock<'a>>,
        now_us: i64,
    ) -> Result<()> {
        let event =
            |operation, before, after| Event { operation, before, after, source, transaction, now_us };
        self.encode_any(table, change, event)?;
        for event in [0, 1].iter().filter_map(|index| self.get(*index)) {
            let bytes = record_bytes(event.bytes() + event.texts.bytes());
            if bytes > self.max_record_bytes && !self.skip.contains(event.operation) {
                return Err(table.encoder.too_large(change.images().last(), bytes));
            }
        }
        Ok(())
    }

    fn encode_any<'a>(
        &mut self,
        table: &mut Captured,
        change: &Change<'a>,
        event: impl Fn(Operation, Option<Image<'a>>, Option<Image<'a>>) -> Event<'a>,
    ) -> Result<()> {
        self.length = 0;
        for encoded in [&mut self.first, &mut self.second] {
            if encoded.value.capacity() > KEPT_BYTES {
                encoded.value = Vec::new();
            }
        }
        match *change {
            Change::Insert(new) | Change::Update(None, new) => {
                let operation = match change {
                    Change::Insert(_) => Operation::Create,
                    _ => Operation::Update,
                };
                let row = Row::from(new);
                self.first.write(table, &event(operation, None, Some(Image::Row(row))), Some(&row))?;
            }
            Change::Update(Some(old), new) => return self.update(table, old, new, event),
            Change::Delete(old) => {
                let (before, row) = image(old);
                self.first.write(table, &event(Operation::Delete, Some(before), None), Some(&row))?;
            }
            Change::Truncate => {
                self.first.write(table, &event(Operation::Truncate, None, None), None)?;
            }
        }
        self.length = 1;
        Ok(())
    }

    /// How many places a buried change has in its transaction: as many as it had events if the registry took the schemas
    /// of its table, or if they fitted, so that the identity of later events does not depend on that.
    pub(crate) fn events_if_taken(&mut self, table: &Captured, change: &Change<'_>) -> usize {
        let Change::Update(Some(old), new) = *change else { return 1 };
        if self.length > 1 {
            return self.length;
        }
        if !table.encoder.is_refused() {
            return 1;
        }
        let row = merged(old, new);
        let mut new_key = Vec::new();
        self.old_key.clear();
        let told = table.encoder.key(&image(old).1, &mut self.old_key).is_ok()
            && table.encoder.key(&row, &mut new_key).is_ok();
        if told && new_key != self.old_key { 2 } else { 1 }
    }

    /// An update that tells the old row, or its key.
    fn update<'a>(
        &mut self,
        table: &mut Captured,
        old: OldTuple<'a>,
        new: Tuple<'a>,
        event: impl Fn(Operation, Option<Image<'a>>, Option<Image<'a>>) -> Event<'a>,
    ) -> Result<()> {
        let (before, old_row) = image(old);
        let row = merged(old, new);
        self.old_key.clear();
        table.encoder.key(&old_row, &mut self.old_key)?;
        let full = matches!(before, Image::Row(_)).then_some(before);
        self.first.write(table, &event(Operation::Update, full, Some(Image::Row(row))), Some(&row))?;
        self.length = 1;
        if self.first.has_key && self.first.key != self.old_key {
            // The row moves to another key: it is deleted there and created here.
            let mut created = event(Operation::Create, None, Some(Image::Row(row)));
            if !self.skip.contains(Operation::Delete) {
                created.transaction = created.transaction.map(TransactionBlock::next);
            }
            self.second.write(table, &created, Some(&row))?;
            self.first.write(table, &event(Operation::Delete, Some(before), None), Some(&old_row))?;
            self.length = 2;
        }
        Ok(())
    }
}

/// The new row; what the update left alone is as the old row tells it.
pub(super) fn merged<'a>(old: OldTuple<'a>, new: Tuple<'a>) -> Row<'a> {
    let (OldTuple::Key(old) | OldTuple::Full(old)) = old;
    Row::after(new, old)
}

fn image(old: OldTuple<'_>) -> (Image<'_>, Row<'_>) {
    match old {
        OldTuple::Key(values) => (Image::Key(values.into()), values.into()),
        OldTuple::Full(values) => (Image::Row(values.into()), values.into()),
    }
}
