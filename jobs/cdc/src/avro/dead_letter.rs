//! What stands in for an event that has no encoding: its values as PostgreSQL's texts.

use std::borrow::Cow;

use super::{Event, Image, TableEncoder, binary, wire_header};
use crate::delivery::SideTopic;
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

/// Encodes a dead letter for its topic. Values for which the record has no room are left out, the longest first, and the
/// error says so.
pub(crate) fn dead_letter(
    topic: &SideTopic,
    encoder: &TableEncoder,
    event: &Event<'_>,
    id: EventId,
    error: &str,
) -> Vec<u8> {
    let mut out = Vec::new();
    wire_header(topic.schema_ids.1, &mut out);
    binary::bytes(encoder.shape.name.schema.as_bytes(), &mut out);
    binary::bytes(encoder.shape.name.table.as_bytes(), &mut out);
    binary::bytes(event.operation.letter().as_bytes(), &mut out);
    binary::long(id.commit_lsn.0 as i64, &mut out);
    binary::long(id.ordinal as i64, &mut out);
    // Half of it is for what is around the values, be they as many as a table has columns.
    let longest = longest_that_fits(event, topic.max_record_bytes / 2);
    let mut error = error.to_owned();
    if longest < usize::MAX {
        error.push_str(&format!("; values of more than {longest} bytes are left out here"));
    }
    binary::bytes(error.as_bytes(), &mut out);
    for image in [event.before, event.after] {
        binary::option(image, &mut out, |image, out| texts(encoder, &image, longest, out));
    }
    out
}

/// A text, or of bytes that are none their hexadecimal digits, from which they can be had back.
fn readable(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(digits(bytes)),
    }
}

fn digits(bytes: &[u8]) -> String {
    bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
}

/// How long values may be so that all which are no longer fit into so many bytes.
fn longest_that_fits(event: &Event<'_>, room: usize) -> usize {
    let images = [event.before, event.after].into_iter().flatten();
    let lengths = images.flat_map(|(Image::Row(row) | Image::Key(row))| {
        row.iter().filter_map(|datum| match datum {
            Datum::Text(text) | Datum::Bytes(text) => Some(text.len()),
            Datum::Null | Datum::Unchanged => None,
        })
    });
    let mut lengths: Vec<usize> = lengths.collect();
    if lengths.iter().sum::<usize>() <= room {
        return usize::MAX;
    }
    lengths.sort_unstable();
    let (mut sum, mut longest) = (0, 0);
    // Those of one length go together.
    for same in lengths.chunk_by(|a, b| a == b) {
        sum += same.iter().sum::<usize>();
        if sum > room {
            break;
        }
        longest = same.first().copied().unwrap_or_default();
    }
    longest
}

/// The captured columns' texts, in disguise where the configuration wants it; what an update left alone is missing.
fn texts(encoder: &TableEncoder, image: &Image<'_>, longest: usize, out: &mut Vec<u8>) {
    let (Image::Row(row) | Image::Key(row)) = image;
    for (column, datum) in encoder.shape.columns.iter().zip(row.iter()) {
        let is_too_long = matches!(datum, Datum::Text(text) | Datum::Bytes(text) if text.len() > longest);
        if !column.captured || datum == Datum::Unchanged || is_too_long {
            continue;
        }
        binary::long(1, out);
        binary::bytes(column.name.as_bytes(), out);
        let text = match datum {
            Datum::Text(bytes) => Some(readable(bytes)),
            Datum::Bytes(bytes) => Some(Cow::Owned(digits(bytes))),
            Datum::Null | Datum::Unchanged => None,
        };
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
    use crate::avro::{EventSource, Operation, SnapshotMark};
    use crate::lsn::Lsn;
    use crate::pgoutput::TupleBuffer;

    #[test]
    fn the_longest_values_are_left_out() {
        let mut values = TupleBuffer::default();
        for length in [1, 50, 300, 50] {
            values.text(&vec![b'x'; length]);
        }
        let (lsn, snapshot) = (Lsn(1), SnapshotMark::No);
        let source = EventSource { committed_at_us: 0, previous_commit: None, lsn, xid: None, snapshot };
        let after = Some(Image::Row(values.tuple().into()));
        let event =
            Event { operation: Operation::Create, before: None, after, source, transaction: None, now_us: 0 };
        for (room, longest) in [(401, usize::MAX), (400, 50), (101, 50), (100, 1), (0, 0)] {
            assert_eq!(longest_that_fits(&event, room), longest, "{room}");
        }
    }
}
