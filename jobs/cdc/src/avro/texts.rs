//! PostgreSQL's own texts of values whose Avro form leaves something out, beside the record: each header is a JSON object of
//! texts by the names of their fields.

use lakepulse_types::{AvroForm, Conversion, TimeForm};

use crate::table::Column;

/// The row that the event is about: after the change, or before a delete.
pub(crate) const TEXT: &str = "text";
/// The row before an update, if it is told in full.
const TEXT_BEFORE: &str = "text_before";
/// A JSON array of the fields whose values did not change and were not told: among arrays of floats or booleans nothing else tells.
const UNTOLD: &str = "untold";

/// The texts of one event, in buffers that are used again.
#[derive(Debug, Default)]
pub(crate) struct Texts {
    pub(super) row: Vec<u8>,
    pub(super) before: Vec<u8>,
    pub(super) untold: Vec<u8>,
}

impl Texts {
    /// Forgets them; a buffer that has grown beyond `kept_bytes` is given back.
    pub(crate) fn clear(&mut self, kept_bytes: usize) {
        for buffer in [&mut self.row, &mut self.before, &mut self.untold] {
            buffer.clear();
            buffer.shrink_to(kept_bytes);
        }
    }

    /// The names and contents of the headers; those without a content are none.
    pub(crate) fn headers(&self) -> [(&'static str, &[u8]); 3] {
        [(TEXT, &self.row), (TEXT_BEFORE, &self.before), (UNTOLD, &self.untold)]
    }

    /// The header of a row that is there, as a snapshot's are.
    pub(crate) fn of_row(&self) -> &[u8] {
        &self.row
    }

    /// What they take.
    pub(crate) fn bytes(&self) -> usize {
        self.row.len() + self.before.len() + self.untold.len()
    }
}

/// Which texts of a column are written beside the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beside {
    Never,
    Always,
    /// Of dates and timestamps those that are not of the years 1 to 9999. Arrays of timestamps in microseconds, if one of them is too late
    /// for 64 bits, which Debezium writes as the last one.
    Unusual,
}

impl Beside {
    pub(super) fn of(column: &Column) -> Self {
        if column.mask.is_some() || !column.captured {
            return Self::Never;
        }
        match column.conversion {
            Conversion::Text => Self::Always,
            Conversion::Avro if may_be_unusual(&column.kind) => Self::Unusual,
            Conversion::Avro => Self::Never,
        }
    }

    #[inline]
    pub(super) fn takes(self, kind: &AvroForm, text: &[u8]) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Unusual => is_unusual(kind, text),
        }
    }
}

fn may_be_unusual(kind: &AvroForm) -> bool {
    match kind {
        AvroForm::Date(_) | AvroForm::Timestamp(_) | AvroForm::TimestampTz(_) => true,
        AvroForm::Array(element) => is_in_micros(element),
        _ => false,
    }
}

fn is_in_micros(kind: &AvroForm) -> bool {
    match kind {
        AvroForm::Timestamp(TimeForm::Micros) => true,
        AvroForm::Array(element) => is_in_micros(element),
        _ => false,
    }
}

#[inline]
fn is_unusual(kind: &AvroForm, text: &[u8]) -> bool {
    match kind {
        // The last number of microseconds is within the year 294247.
        AvroForm::Array(_) => {
            text.windows(7).any(|part| matches!(part, [b'2', b'9', b'4', _, _, _, b'-', ..]))
        }
        _ => text.get(4) != Some(&b'-') || text.ends_with(b"C"),
    }
}

/// Adds a text to an object that [`end`] ends; `field` is a name that Avro allows.
pub(super) fn add(field: &str, text: &str, out: &mut Vec<u8>) -> serde_json::Result<()> {
    out.extend_from_slice(if out.is_empty() { b"{\"" } else { b",\"" });
    out.extend_from_slice(field.as_bytes());
    out.extend_from_slice(b"\":");
    serde_json::to_writer(out, text)
}

/// Ends an object, if there is one.
pub(super) fn end(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b'}');
    }
}

/// Adds a field to an array that [`end_list`] ends.
pub(super) fn add_to_list(field: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(if out.is_empty() { b"[\"" } else { b",\"" });
    out.extend_from_slice(field.as_bytes());
    out.push(b'"');
}

/// Ends an array, if there is one.
pub(super) fn end_list(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b']');
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use lakepulse_types::DateForm;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn unusual_dates_and_timestamps() {
        let date = AvroForm::Date(DateForm::Days);
        let stamp = AvroForm::Timestamp(TimeForm::Micros);
        let zoned = AvroForm::TimestampTz(6);
        let stamps = AvroForm::Array(Box::new(stamp.clone()));
        for (kind, text, unusual) in [
            (&date, "2026-11-28", false),
            (&date, "0001-01-01", false),
            (&date, "0001-01-01 BC", true),
            (&date, "infinity", true),
            (&date, "-infinity", true),
            (&date, "10000-01-01", true),
            (&stamp, "9999-12-31 23:59:59.999999", false),
            (&stamp, "294276-12-31 23:59:59.999999", true),
            (&stamp, "infinity", true),
            (&stamp, "0044-03-15 12:00:00 BC", true),
            (&zoned, "2026-11-28 12:00:00.5+00", false),
            (&zoned, "10000-01-01 00:00:00+00", true),
            (&zoned, "-infinity", true),
            (&zoned, "0044-03-15 12:00:00+00 BC", true),
            (&stamps, "{NULL,\"294276-12-31 23:59:59\"}", true),
            (&stamps, "{\"2940-01-01 00:00:00\",infinity}", false),
            (&stamps, "{}", false),
        ] {
            assert_eq!(Beside::Unusual.takes(kind, text.as_bytes()), unusual, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_texts_are_a_json_object(texts in prop::collection::btree_map("[A-Za-z_][A-Za-z0-9_]{0,5}", "(?s).{0,20}", 0..5)) {
            let mut out = Vec::new();
            for (field, text) in &texts {
                add(field, text, &mut out).unwrap();
            }
            end(&mut out);
            if texts.is_empty() {
                prop_assert!(out.is_empty());
            } else {
                prop_assert_eq!(serde_json::from_slice::<BTreeMap<String, String>>(&out).unwrap(), texts);
            }
        }
    }
}
