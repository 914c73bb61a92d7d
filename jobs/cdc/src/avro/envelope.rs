use std::sync::Arc;

use super::{binary, encode, wire_header};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::Datum;
use crate::table::{Column, TableShape};

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
}

/// A row before or after the change.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Image<'a> {
    /// A whole row; an unchanged toasted value is written as Debezium's placeholder.
    Row(&'a [Datum]),
    /// A row of which only the key is known.
    Key(&'a [Datum]),
}

/// Where an event comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct EventSource {
    /// Microseconds since 1970.
    pub(crate) committed_at_us: i64,
    /// The commit before this one.
    pub(crate) previous_commit: Option<Lsn>,
    /// The change's own WAL record.
    pub(crate) lsn: Lsn,
    /// None for the snapshot.
    pub(crate) xid: Option<u32>,
}

/// A change to be encoded.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) operation: Operation,
    pub(crate) before: Option<Image<'a>>,
    pub(crate) after: Option<Image<'a>>,
    pub(crate) source: EventSource,
    /// Microseconds since 1970.
    pub(crate) now_us: i64,
}

/// Writes the keys and envelopes of one version of one table.
#[derive(Debug)]
pub(crate) struct TableEncoder {
    pub(crate) shape: TableShape,
    pub(crate) topic: Arc<str>,
    pub(crate) key_schema_id: Option<u32>,
    pub(crate) value_schema_id: u32,
    pub(crate) prefix: String,
    pub(crate) database: String,
}

impl TableEncoder {
    /// The key's bytes; `None` for a table without a primary key.
    pub(crate) fn key(&self, values: &[Datum]) -> Result<Option<Vec<u8>>> {
        let Some(schema_id) = self.key_schema_id else { return Ok(None) };
        let mut out = Vec::with_capacity(16);
        wire_header(schema_id, &mut out);
        for index in &self.shape.key {
            let (Some(column), Some(datum)) = (self.shape.columns.get(*index), values.get(*index)) else {
                return Err(self.wrong_width(values.len()));
            };
            match datum {
                Datum::Text(bytes) => self.text(column, bytes, &mut out)?,
                Datum::Unchanged => encode::unavailable(&column.kind, &mut out),
                Datum::Null => return Err(self.wrong(column, "a primary key is null")),
            }
        }
        Ok(Some(out))
    }

    /// The envelope's bytes.
    pub(crate) fn value(&self, event: &Event<'_>) -> Result<Vec<u8>> {
        let mut out = Vec::with_capacity(512);
        wire_header(self.value_schema_id, &mut out);
        for image in [event.before, event.after] {
            match image {
                None => out.push(0),
                Some(image) => {
                    out.push(2);
                    self.row(image, &mut out)?;
                }
            }
        }
        self.source(event, &mut out);
        // No block of transaction metadata.
        out.push(0);
        binary::bytes(event.operation.letter().as_bytes(), &mut out);
        for now in [event.now_us / 1000, event.now_us, event.now_us.saturating_mul(1000)] {
            binary::option(Some(now), &mut out, binary::long);
        }
        Ok(out)
    }

    fn row(&self, image: Image<'_>, out: &mut Vec<u8>) -> Result<()> {
        let (values, key_only) = match image {
            Image::Row(values) => (values, false),
            Image::Key(values) => (values, true),
        };
        if values.len() != self.shape.columns.len() {
            return Err(self.wrong_width(values.len()));
        }
        for (column, datum) in self.shape.columns.iter().zip(values) {
            match datum {
                Datum::Null if column.nullable => out.push(0),
                Datum::Null if key_only => encode::zero(&column.kind, out),
                Datum::Null => return Err(self.unexpected_null(column)),
                Datum::Text(bytes) => {
                    if column.nullable {
                        out.push(2);
                    }
                    self.text(column, bytes, out)?;
                }
                Datum::Unchanged => {
                    if column.nullable {
                        out.push(2);
                    }
                    encode::unavailable(&column.kind, out);
                }
            }
        }
        Ok(())
    }

    fn source(&self, event: &Event<'_>, out: &mut Vec<u8>) {
        let source = &event.source;
        binary::bytes(env!("CARGO_PKG_VERSION").as_bytes(), out);
        binary::bytes(b"postgresql", out);
        binary::bytes(self.prefix.as_bytes(), out);
        binary::long(source.committed_at_us.div_euclid(1000), out);
        // The first branch of [enum, "null"].
        out.push(0);
        binary::bytes(if event.operation == Operation::Read { b"true" } else { b"false" }, out);
        binary::bytes(self.database.as_bytes(), out);
        let previous =
            source.previous_commit.map_or_else(|| "null".to_owned(), |lsn| format!("\"{}\"", lsn.0));
        binary::option(Some(format!("[{previous},\"{}\"]", source.lsn.0)), out, |text, out| {
            binary::bytes(text.as_bytes(), out);
        });
        binary::option(Some(source.committed_at_us), out, binary::long);
        binary::option(Some(source.committed_at_us.saturating_mul(1000)), out, binary::long);
        binary::bytes(self.shape.name.schema.as_bytes(), out);
        binary::bytes(self.shape.name.table.as_bytes(), out);
        binary::option(source.xid.map(i64::from), out, binary::long);
        binary::option(Some(source.lsn.0 as i64), out, binary::long);
        // xmin, origin, origin_lsn: never known here.
        out.extend_from_slice(&[0, 0, 0]);
    }

    fn text(&self, column: &Column, bytes: &[u8], out: &mut Vec<u8>) -> Result<()> {
        let text = std::str::from_utf8(bytes)
            .map_err(|cause| self.wrong(column, "the value is not UTF-8").caused_by(cause))?;
        if encode::value(&column.kind, text, out) {
            return Ok(());
        }
        Err(self.wrong(column, "the value has no encoding in this type (NaN or infinity in a decimal, an array of more dimensions?)"))
    }

    fn wrong(&self, column: &Column, what: &str) -> Error {
        Error::new(
            ErrorKind::Encoding,
            format!(
                "column {} of {} ({:?}): {what}; change the value or exclude the table",
                column.name, self.shape.name, column.kind
            ),
        )
    }

    fn unexpected_null(&self, column: &Column) -> Error {
        Error::new(
            ErrorKind::UnexpectedNull,
            format!(
                "column {} of {} is null although the catalog says NOT NULL",
                column.name, self.shape.name
            ),
        )
    }

    fn wrong_width(&self, width: usize) -> Error {
        Error::new(
            ErrorKind::Protocol,
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
