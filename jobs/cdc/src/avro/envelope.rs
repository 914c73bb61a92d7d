use std::sync::Arc;

use super::column::{Branches, Field};
use super::stamp::{EventSource, Stamp};
use super::texts::{self, Texts};
use super::{ascii, binary, encode, wire_header};
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::{Datum, Tuple, Values};
use crate::table::{Column, Lesson, Lessons, Mask, TableShape};

/// What happened to a row, or to the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Create,
    Update,
    Delete,
    /// A row of the initial snapshot.
    Read,
    Truncate,
}

impl Operation {
    /// Debezium's letter for it.
    pub(crate) fn letter(self) -> &'static str {
        match self {
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::Read => "r",
            Self::Truncate => "t",
        }
    }

    /// The letter as a byte.
    pub(crate) fn byte(self) -> u8 {
        match self {
            Self::Create => b'c',
            Self::Update => b'u',
            Self::Delete => b'd',
            Self::Read => b'r',
            Self::Truncate => b't',
        }
    }
}

/// A row's values; what an update left alone may be taken from the row before it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row<'a> {
    values: Tuple<'a>,
    before: Option<Tuple<'a>>,
}

impl<'a> Row<'a> {
    /// The new row of an update whose old row, or its key, is told.
    pub(crate) fn after(values: Tuple<'a>, before: Tuple<'a>) -> Self {
        Self { values, before: Some(before) }
    }

    #[inline]
    pub(crate) fn iter(&self) -> impl Iterator<Item = Datum<'a>> + use<'a> {
        let mut before = self.before.map(|before| before.iter());
        self.values.iter().map(move |datum| match before.as_mut().and_then(Values::next) {
            Some(old @ (Datum::Text(_) | Datum::Bytes(_))) if datum == Datum::Unchanged => old,
            _ => datum,
        })
    }

    fn len(&self) -> usize {
        self.values.len()
    }
}

impl<'a> From<Tuple<'a>> for Row<'a> {
    fn from(values: Tuple<'a>) -> Self {
        Self { values, before: None }
    }
}

/// A row before or after the change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Image<'a> {
    /// A whole row; an unchanged toasted value is written as Debezium's placeholder.
    Row(Row<'a>),
    /// A row of which only the key is known.
    Key(Row<'a>),
}

/// An event's place in its transaction, both counted from 1.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TransactionBlock<'a> {
    pub(crate) id: &'a str,
    pub(crate) total_order: i64,
    /// Among the events of its table.
    pub(crate) collection_order: i64,
}

impl TransactionBlock<'_> {
    /// The block of the event that follows.
    pub(crate) fn next(self) -> Self {
        Self { total_order: self.total_order + 1, collection_order: self.collection_order + 1, ..self }
    }
}

/// A change to be encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) operation: Operation,
    pub(crate) before: Option<Image<'a>>,
    pub(crate) after: Option<Image<'a>>,
    pub(crate) source: EventSource,
    pub(crate) transaction: Option<TransactionBlock<'a>>,
    /// Microseconds since 1970.
    pub(crate) now_us: i64,
}

/// Writes the keys and envelopes of one version of one table.
#[derive(Debug)]
pub(crate) struct TableEncoder {
    pub(crate) shape: TableShape,
    fields: Vec<Field>,
    /// Of the key's fields, in the key's order.
    key_branches: Vec<Branches>,
    pub(crate) topic: Arc<str>,
    pub(crate) key_schema_id: Option<u32>,
    pub(crate) value_schema_id: u32,
    pub(crate) prefix: String,
    pub(crate) database: String,
    /// Why the registry takes none of its schemas; nothing is encoded then.
    refused: Option<String>,
    /// Where what its rows teach is kept beyond this encoder.
    lessons: Lessons,
}

impl TableEncoder {
    /// The encoder of a table whose schemas have these ids; none for the key of a table without one.
    pub(crate) fn new(
        shape: TableShape,
        topic: &str,
        (key_schema_id, value_schema_id): (Option<u32>, u32),
        prefix: &str,
        database: &str,
    ) -> Self {
        // The columns of a table's own key can't be null, whatever the catalog has said since.
        let in_key =
            |column: &Column| Column { nullable: column.nullable && shape.own_key, ..column.clone() };
        Self {
            key_branches: shape.key_columns().map(|column| Branches::of(&in_key(column))).collect(),
            fields: shape.columns.iter().map(Field::of).collect(),
            shape,
            topic: topic.into(),
            key_schema_id,
            value_schema_id,
            prefix: prefix.to_owned(),
            database: database.to_owned(),
            refused: None,
            lessons: Lessons::default(),
        }
    }

    /// Keeps what its rows teach there.
    pub(crate) fn teaching(mut self, lessons: &Lessons) -> Self {
        self.lessons = lessons.clone();
        self
    }

    /// The encoder of a table whose schemas the registry refuses: every event fails for this reason.
    pub(crate) fn refused(mut self, reason: &Error) -> Self {
        self.refused = Some(reason.chain());
        self
    }

    /// Why the registry takes none of its schemas, if so.
    pub(crate) fn refusal(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// Whether nothing of the table can be encoded.
    pub(crate) fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Whether the table has a primary key, and so its events have keys.
    pub(crate) fn has_key(&self) -> bool {
        self.key_schema_id.is_some()
    }

    /// Appends the key's bytes; nothing for a table without a primary key.
    #[inline]
    pub(crate) fn key(&self, row: &Row<'_>, out: &mut Vec<u8>) -> Result<()> {
        let Some(schema_id) = self.key_schema_id else { return Ok(()) };
        wire_header(schema_id, out);
        for (index, branches) in self.shape.key.iter().zip(&self.key_branches) {
            let (Some(column), Some(datum)) = (self.shape.columns.get(*index), row.iter().nth(*index)) else {
                return Err(self.wrong_width(row.len()));
            };
            match (datum, branches.null) {
                (Datum::Null, Some(branch)) => out.push(branch),
                (Datum::Null, None) => return Err(self.wrong(column, "a value of the key is null")),
                (Datum::Text(bytes), _) => self.text(column, *branches, bytes, out)?,
                (Datum::Bytes(_), _) => return Err(self.no_text(column)),
                (Datum::Unchanged, _) => return Err(self.key_not_told(column)),
            }
        }
        Ok(())
    }

    /// Appends the envelope's bytes, and writes the texts beside it into `texts`, which are empty; `stamp` is this encoder's
    /// own.
    #[inline]
    pub(crate) fn value(
        &self,
        event: &Event<'_>,
        stamp: &mut Stamp,
        texts: &mut Texts,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        if let Some(reason) = &self.refused {
            return Err(Error::new(ErrorKind::SchemaIncompatible, reason));
        }
        wire_header(self.value_schema_id, out);
        let Texts { row, before, untold } = texts;
        // A delete is about the row before.
        let (of_before, of_after) = if event.after.is_some() { (before, row) } else { (row, before) };
        for (image, texts) in [(event.before, of_before), (event.after, of_after)] {
            match image {
                None => out.push(0),
                Some(image) => {
                    out.push(2);
                    self.row(&image, texts, untold, out)?;
                    texts::end(texts);
                }
            }
        }
        texts::end_list(untold);
        stamp.source(self, &event.source, out);
        binary::option(event.transaction, out, |block, out| {
            binary::bytes(block.id.as_bytes(), out);
            binary::long(block.total_order, out);
            binary::long(block.collection_order, out);
        });
        out.extend_from_slice(&[2, event.operation.byte()]);
        stamp.now(event.now_us, out);
        Ok(())
    }

    #[inline]
    fn row(
        &self,
        image: &Image<'_>,
        texts: &mut Vec<u8>,
        untold: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) -> Result<()> {
        let (row, key_only) = match image {
            Image::Row(row) => (row, false),
            Image::Key(row) => (row, true),
        };
        if row.len() != self.shape.columns.len() {
            return Err(self.wrong_width(row.len()));
        }
        for ((column, field), datum) in self.shape.columns.iter().zip(&self.fields).zip(row.iter()) {
            if !column.captured {
                continue;
            }
            if datum == Datum::Null {
                if let Some(mask @ Mask::Stars(_)) = &column.mask {
                    // That it is null is disguised too.
                    out.extend(field.branches.value);
                    mask.write("", out);
                    continue;
                }
                match field.branches.null {
                    _ if key_only && !column.nullable => {
                        out.extend(field.branches.value);
                        out.extend_from_slice(&field.stand_in);
                    }
                    Some(branch) => out.push(branch),
                    None => return Err(self.unexpected_null(column)),
                }
                continue;
            }
            match datum {
                Datum::Text(bytes) => {
                    self.text(column, field.branches, bytes, out)?;
                    if field.beside.takes(&column.kind, bytes) {
                        self.text_beside(column, bytes, texts)?;
                    }
                }
                Datum::Bytes(_) => return Err(self.no_text(column)),
                Datum::Null | Datum::Unchanged => {
                    out.extend(field.branches.value);
                    encode::unavailable(&column.kind, out);
                    texts::add_to_list(&column.field, untold);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn text(&self, column: &Column, branches: Branches, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let start = out.len();
        if let Some(branch) = branches.value {
            out.push(branch);
        }
        if let Some(mask) = &column.mask {
            mask.write(&String::from_utf8_lossy(bytes), out);
            return Ok(());
        }
        if ascii::value(&column.kind, bytes, out) {
            return Ok(());
        }
        let text = std::str::from_utf8(bytes).map_err(|cause| self.no_text(column).caused_by(cause))?;
        if encode::value(&column.kind, text, out) {
            return Ok(());
        }
        out.truncate(start);
        self.without_form(column, branches, text, out)
    }

    fn text_beside(&self, column: &Column, bytes: &[u8], texts: &mut Vec<u8>) -> Result<()> {
        let text = std::str::from_utf8(bytes).map_err(|cause| self.no_text(column).caused_by(cause))?;
        texts::add(&column.field, text, texts).map_err(|cause| self.no_text(column).caused_by(cause))
    }

    /// A value that its column's type has no form for, such as NaN among decimals.
    #[cold]
    fn without_form(&self, column: &Column, branches: Branches, text: &str, out: &mut Vec<u8>) -> Result<()> {
        let table = &self.shape.name;
        if let Some(label) = encode::unknown_labels(&column.kind, text).first() {
            let what =
                format!("column {} of {table} holds {label:?}, which its type does not list", column.name);
            return Err(Error::new(ErrorKind::UnknownLabel, what));
        }
        if let Some(branch) = branches.text {
            out.push(branch);
            binary::bytes(text.as_bytes(), out);
            return Ok(());
        }
        let error = self.wrong(column, "the value has no encoding in this type");
        Err(if column.kind.is_text() {
            error
        } else {
            let what = format!("column {} of {table} has to hold texts too", column.name);
            Error::new(ErrorKind::NeedsText, what).caused_by(error)
        })
    }

    /// What has to be known of the columns before this row can be written; of one with only a key, the nulls tell nothing.
    #[cold]
    pub(crate) fn lessons(&self, image: &Image<'_>) -> Vec<(usize, Lesson)> {
        let (Image::Row(row) | Image::Key(row)) = image;
        let mut lessons = Vec::new();
        for (index, (column, datum)) in self.shape.columns.iter().zip(row.iter()).enumerate() {
            if !column.captured || column.mask.is_some() {
                continue;
            }
            match datum {
                Datum::Null if matches!(image, Image::Row(_)) && !column.nullable => {
                    lessons.push((index, Lesson::Null));
                }
                Datum::Text(bytes) => {
                    let Ok(text) = std::str::from_utf8(bytes) else { continue };
                    let labels = encode::unknown_labels(&column.kind, text);
                    if labels.is_empty()
                        && !encode::value(&column.kind, text, &mut Vec::new())
                        && !column.kind.is_text()
                    {
                        lessons.push((index, Lesson::Text));
                    }
                    lessons.extend(labels.into_iter().map(|label| (index, Lesson::Label(label))));
                }
                Datum::Null | Datum::Unchanged | Datum::Bytes(_) => {}
            }
        }
        lessons
    }

    /// Keeps what a row taught that could not be written; the error says to begin again, or that this was known already.
    #[cold]
    pub(crate) fn teach(&self, image: &Image<'_>, error: Error) -> Error {
        let is_new = self.lessons.note(&self.shape, &self.lessons(image));
        if is_new { error } else { Error::new(ErrorKind::Encoding, error.to_string()).caused_by(error) }
    }

    #[cold]
    fn wrong(&self, column: &Column, what: &str) -> Error {
        Error::new(
            ErrorKind::Encoding,
            format!(
                "column {} of {} ({:?}): {what}; set events.on_encoding_error = \"dead_letter\", or leave out the column or the table",
                column.name, self.shape.name, column.kind
            ),
        )
    }

    #[cold]
    fn no_text(&self, column: &Column) -> Error {
        self.wrong(column, "the value is bytes that are no text, or that UTF-8 has no characters for")
    }

    #[cold]
    fn unexpected_null(&self, column: &Column) -> Error {
        Error::new(
            ErrorKind::UnexpectedNull,
            format!(
                "column {} of {} is null although the catalog says NOT NULL",
                column.name, self.shape.name
            ),
        )
    }

    /// An update that left a key alone which is stored out of line, without an old row that tells it.
    #[cold]
    fn key_not_told(&self, column: &Column) -> Error {
        Error::new(
            ErrorKind::Encoding,
            format!(
                "column {} of {}, which is in the key, is stored out of line and an update does not tell it: run ALTER TABLE {} \
                 REPLICA IDENTITY FULL",
                column.name,
                self.shape.name,
                self.shape.name.quoted()
            ),
        )
    }

    /// An event with this row takes more bytes than a record may.
    #[cold]
    pub(crate) fn too_large(&self, image: Option<Image<'_>>, bytes: usize) -> Error {
        let row = image.map(|(Image::Row(row) | Image::Key(row))| row);
        let text = |index: &usize| match row.and_then(|row| row.iter().nth(*index)) {
            Some(Datum::Text(text) | Datum::Bytes(text)) => {
                String::from_utf8_lossy(text).chars().take(100).collect()
            }
            _ => String::new(),
        };
        let key: Vec<String> = self.shape.key.iter().map(text).collect();
        Error::new(
            ErrorKind::RecordTooLarge,
            format!(
                "an event of {} with key ({}) for topic {} has {bytes} bytes: the row is larger than a record may be; raise \
                 kafka.max_record_bytes and the topic's max.message.bytes",
                self.shape.name,
                key.join(", "),
                self.topic
            ),
        )
    }

    #[cold]
    fn wrong_width(&self, width: usize) -> Error {
        Error::new(
            ErrorKind::Encoding,
            format!(
                "a row of {} has {width} values, its relation {}",
                self.shape.name,
                self.shape.columns.len()
            ),
        )
    }
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
