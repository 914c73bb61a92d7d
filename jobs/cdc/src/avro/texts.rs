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
    /// Timestamps that are too late for microseconds in 64 bits, which Debezium writes as the last one.
    Late,
}

impl Beside {
    pub(super) fn of(column: &Column) -> Self {
        if column.mask.is_some() || !column.captured {
            return Self::Never;
        }
        match column.conversion {
            Conversion::Text => Self::Always,
            Conversion::Avro if is_in_micros(&column.kind) => Self::Late,
            Conversion::Avro => Self::Never,
        }
    }

    #[inline]
    pub(super) fn takes(self, kind: &AvroForm, text: &[u8]) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Late => is_late(kind, text),
        }
    }
}

fn is_in_micros(kind: &AvroForm) -> bool {
    match kind {
        AvroForm::Timestamp(TimeForm::Micros) => true,
        AvroForm::Array(element) => is_in_micros(element),
        _ => false,
    }
}

/// Whether it is a timestamp of the year 294000 or later, or an array of timestamps with such a one. The last number of
/// microseconds is within the year 294247.
#[inline]
fn is_late(kind: &AvroForm, text: &[u8]) -> bool {
    let is_late = |text: &[u8]| matches!(text, [b'2', b'9', b'4', _, _, _, b'-', ..]);
    match kind {
        AvroForm::Array(_) => text.windows(7).any(is_late),
        _ => is_late(text),
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

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn late_timestamps() {
        let stamp = AvroForm::Timestamp(TimeForm::Micros);
        let stamps = AvroForm::Array(Box::new(stamp.clone()));
        for (kind, text, late) in [
            (&stamp, "294276-12-31 23:59:59.999999", true),
            (&stamp, "294247-01-10 04:00:54.775807", true),
            (&stamp, "infinity", false),
            (&stamp, "2940-01-01 00:00:00", false),
            (&stamp, "29400-01-01 00:00:00", false),
            (&stamps, "{NULL,\"294276-12-31 23:59:59\"}", true),
            (&stamps, "{\"2940-01-01 00:00:00\",infinity}", false),
            (&stamps, "{}", false),
        ] {
            assert_eq!(Beside::Late.takes(kind, text.as_bytes()), late, "{text}");
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
