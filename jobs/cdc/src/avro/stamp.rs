use super::{binary, envelope::TableEncoder};
use crate::lsn::Lsn;

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
    pub(crate) snapshot: SnapshotMark,
}

/// Whether an event is a row of a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SnapshotMark {
    No,
    Initial,
    Incremental,
}

impl SnapshotMark {
    fn text(self) -> &'static [u8] {
        match self {
            Self::No => b"false",
            Self::Initial => b"true",
            Self::Incremental => b"incremental",
        }
    }
}

/// The encoded parts of an envelope that all events of one transaction in one table share, so that they are
/// written once and copied afterwards.
#[derive(Debug, Default)]
pub(crate) struct Stamp {
    made_for: Option<(i64, Option<Lsn>, Option<u32>)>,
    /// From the version to the database.
    before_sequence: Vec<u8>,
    /// The sequence's text up to the event's own LSN.
    sequence_start: Vec<u8>,
    /// From the commit time to the transaction id.
    after_sequence: Vec<u8>,
    now_us: i64,
    /// The three fields of the time of processing.
    now: Vec<u8>,
}

impl Stamp {
    /// Writes the source block, which follows the row images.
    pub(crate) fn source(&mut self, encoder: &TableEncoder, source: &EventSource, out: &mut Vec<u8>) {
        let key = (source.committed_at_us, source.previous_commit, source.xid);
        if self.made_for != Some(key) {
            self.make(encoder, source);
            self.made_for = Some(key);
        }
        out.extend_from_slice(&self.before_sequence);
        let mut digits = [0; 20];
        let lsn = decimal(source.lsn.0, &mut digits);
        out.push(2);
        binary::long((self.sequence_start.len() + lsn.len() + 2) as i64, out);
        out.extend_from_slice(&self.sequence_start);
        out.extend_from_slice(lsn);
        out.extend_from_slice(b"\"]");
        out.extend_from_slice(&self.after_sequence);
        out.push(2);
        binary::long(source.lsn.0 as i64, out);
        // xmin, origin, origin_lsn: never known here.
        out.extend_from_slice(&[0, 0, 0]);
    }

    /// Writes the time of processing in its three units.
    pub(crate) fn now(&mut self, now_us: i64, out: &mut Vec<u8>) {
        if self.now_us != now_us || self.now.is_empty() {
            self.now_us = now_us;
            self.now.clear();
            for now in [now_us / 1000, now_us, now_us.saturating_mul(1000)] {
                binary::option(Some(now), &mut self.now, binary::long);
            }
        }
        out.extend_from_slice(&self.now);
    }

    fn make(&mut self, encoder: &TableEncoder, source: &EventSource) {
        let out = &mut self.before_sequence;
        out.clear();
        binary::bytes(env!("CARGO_PKG_VERSION").as_bytes(), out);
        binary::bytes(b"postgresql", out);
        binary::bytes(encoder.prefix.as_bytes(), out);
        binary::long(source.committed_at_us.div_euclid(1000), out);
        // The first branch of [enum, "null"].
        out.push(0);
        binary::bytes(source.snapshot.text(), out);
        binary::bytes(encoder.database.as_bytes(), out);

        let previous =
            source.previous_commit.map_or_else(|| "null".to_owned(), |lsn| format!("\"{}\"", lsn.0));
        self.sequence_start = format!("[{previous},\"").into_bytes();

        let out = &mut self.after_sequence;
        out.clear();
        binary::option(Some(source.committed_at_us), out, binary::long);
        binary::option(Some(source.committed_at_us.saturating_mul(1000)), out, binary::long);
        binary::bytes(encoder.shape.name.schema.as_bytes(), out);
        binary::bytes(encoder.shape.name.table.as_bytes(), out);
        binary::option(source.xid.map(i64::from), out, binary::long);
    }
}

/// The digits of a number.
fn decimal(mut number: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut first = digits.len();
    for (at, digit) in digits.iter_mut().enumerate().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        first = at;
        if number == 0 {
            break;
        }
    }
    digits.get(first..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn digits(number: u64) {
            let mut digits = [0; 20];
            prop_assert_eq!(decimal(number, &mut digits).to_vec(), number.to_string().into_bytes());
        }
    }

    #[test]
    fn the_ends() {
        for number in [0, 9, 10, u64::MAX] {
            assert_eq!(decimal(number, &mut [0; 20]), number.to_string().as_bytes());
        }
    }
}
