//! What stands in for an event that has no encoding: its values as PostgreSQL's texts.

use std::borrow::Cow;

use super::{Event, Image, TableEncoder, binary, wire_header};
use crate::kafka::EventId;
use crate::pgoutput::Datum;

/// The schema of the values; there is no key.
pub(crate) const DEAD_LETTER: &str = r#"{"type": "record", "name": "DeadLetter", "namespace": "io.lakepulse.cdc", "fields": [
    {"name": "schema", "type": "string"},
    {"name": "table", "type": "string"},
    {"name": "op", "type": "string"},
    {"name": "commit_lsn", "type": "long"},
    {"name": "ordinal", "type": "long"},
    {"name": "error", "type": "string"},
    {"name": "before", "type": ["null", {"type": "map", "values": ["null", "string"]}], "default": null},
    {"name": "after", "type": ["null", {"type": "map", "values": ["null", "string"]}], "default": null}]}"#;

/// Encodes a dead letter under a schema of this id.
pub(crate) fn dead_letter(
    schema_id: u32,
    encoder: &TableEncoder,
    event: &Event<'_>,
    id: EventId,
    error: &str,
) -> Vec<u8> {
    let mut out = Vec::new();
    wire_header(schema_id, &mut out);
    binary::bytes(encoder.shape.name.schema.as_bytes(), &mut out);
    binary::bytes(encoder.shape.name.table.as_bytes(), &mut out);
    binary::bytes(event.operation.letter().as_bytes(), &mut out);
    binary::long(id.commit_lsn.0 as i64, &mut out);
    binary::long(id.ordinal as i64, &mut out);
    binary::bytes(error.as_bytes(), &mut out);
    for image in [event.before, event.after] {
        binary::option(image, &mut out, |image, out| texts(encoder, &image, out));
    }
    out
}

/// A text, or of bytes that are none their hexadecimal digits, from which they can be had back.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))),
    }
}

/// The captured columns' texts, in disguise where the configuration wants it; what an update left alone is missing.
fn texts(encoder: &TableEncoder, image: &Image<'_>, out: &mut Vec<u8>) {
    let (Image::Row(row) | Image::Key(row)) = image;
    for (column, datum) in encoder.shape.columns.iter().zip(row.iter()) {
        if !column.captured || datum == Datum::Unchanged {
            continue;
        }
        binary::long(1, out);
        binary::bytes(column.name.as_bytes(), out);
        let text = if let Datum::Text(bytes) = datum { Some(readable(bytes)) } else { None };
        binary::option(text, out, |text, out| match &column.mask {
            Some(mask) => mask.write(&text, out),
            None => binary::bytes(text.as_bytes(), out),
        });
    }
    out.push(0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_no_text_are_digits() {
        assert_eq!(readable("é".as_bytes()), "é");
        assert_eq!(readable(b"a\xff"), "\\x61ff");
    }
}
