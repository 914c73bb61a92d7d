use super::cursor::Cursor;
use crate::error::{Error, ErrorKind, Result};

/// One column's value, in the receive buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Datum<'a> {
    Null,
    /// A toasted value that the update left alone: not in the stream.
    Unchanged,
    /// In PostgreSQL's text form.
    Text(&'a [u8]),
    /// Bytes that are no text in the encoding of the database, or that UTF-8 has no characters for.
    Bytes(&'a [u8]),
}

/// A row's values, read in place: checked once when the message is decoded, and walked again by who
/// encodes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tuple<'a> {
    columns: u16,
    /// For each column a kind and, for a text, its length and bytes.
    body: &'a [u8],
}

impl<'a> Tuple<'a> {
    /// Takes a tuple off the message.
    #[inline]
    pub(crate) fn read(cursor: &mut Cursor<'a>) -> Result<Self> {
        let columns = cursor.u16("number of values")?;
        let body = cursor.rest();
        for _ in 0..columns {
            match cursor.u8("value kind")? {
                b'n' | b'u' => {}
                b't' | b'b' => {
                    cursor.sized("value")?;
                }
                other => {
                    return Err(Error::new(
                        ErrorKind::Protocol,
                        format!("unexpected value kind {:?}", char::from(other)),
                    ));
                }
            }
        }
        let length = body.len() - cursor.rest().len();
        Ok(Self { columns, body: body.get(..length).unwrap_or_default() })
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.columns)
    }

    /// What the values take in memory.
    pub(crate) fn bytes(&self) -> usize {
        self.body.len()
    }

    /// The values in the order of the columns.
    #[inline]
    pub(crate) fn iter(&self) -> Values<'a> {
        Values { rest: self.body }
    }
}

/// The values of a tuple, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Values<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Values<'a> {
    type Item = Datum<'a>;

    #[inline]
    fn next(&mut self) -> Option<Datum<'a>> {
        let (kind, rest) = self.rest.split_first()?;
        if !matches!(kind, b't' | b'b') {
            self.rest = rest;
            return Some(if *kind == b'n' { Datum::Null } else { Datum::Unchanged });
        }
        let (length, rest) = rest.split_first_chunk::<4>()?;
        let (value, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.rest = rest;
        Some(if *kind == b't' { Datum::Text(value) } else { Datum::Bytes(value) })
    }
}

/// A tuple that is made here, in the form that the stream has: for rows that come by COPY.
#[derive(Debug, Default)]
pub(crate) struct TupleBuffer {
    columns: u16,
    bytes: Vec<u8>,
}

impl TupleBuffer {
    pub(crate) fn clear(&mut self) {
        self.columns = 0;
        self.bytes.clear();
    }

    #[inline]
    pub(crate) fn null(&mut self) {
        self.columns = self.columns.saturating_add(1);
        self.bytes.push(b'n');
    }

    pub(crate) fn unchanged(&mut self) {
        self.columns = self.columns.saturating_add(1);
        self.bytes.push(b'u');
    }

    /// Adds a text.
    #[inline]
    pub(crate) fn text(&mut self, text: &[u8]) {
        self.sized(b't', text);
    }

    /// Adds bytes that are no text.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.sized(b'b', bytes);
    }

    #[inline]
    fn sized(&mut self, kind: u8, bytes: &[u8]) {
        self.columns = self.columns.saturating_add(1);
        self.bytes.push(kind);
        self.bytes.extend_from_slice(&(bytes.len() as u32).to_be_bytes());
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends it as a message has it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.columns.to_be_bytes());
        out.extend_from_slice(&self.bytes);
    }

    pub(crate) fn tuple(&self) -> Tuple<'_> {
        Tuple { columns: self.columns, body: &self.bytes }
    }
}
