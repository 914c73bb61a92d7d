//! The checkpoint record: what is out in Kafka, as of one Kafka transaction.

use std::collections::BTreeMap;

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{Schema, from_value};
use serde::Deserialize;

use crate::avro::binary;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::transport::SystemIdentity;

/// A checkpoint lists every topic at least this often, so that a reader finds all counts close by.
pub(crate) const ALL_TOPICS_EVERY: u64 = 500;

pub(crate) const PHASE_STARTING: &str = "starting";
pub(crate) const PHASE_SNAPSHOT: &str = "snapshot";
pub(crate) const PHASE_STREAM: &str = "stream";

/// The record's Avro schema.
pub(crate) const SCHEMA: &str = include_str!("checkpoint.avsc");

/// One record of the checkpoint topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Checkpoint {
    pub(crate) system_id: String,
    pub(crate) timeline: i32,
    pub(crate) slot: String,
    /// With `ordinal`: the last event that is out.
    pub(crate) commit_lsn: i64,
    /// Where the stream goes on.
    pub(crate) end_lsn: i64,
    pub(crate) ordinal: i64,
    /// Everything at or below `commit_lsn` is out.
    pub(crate) complete: bool,
    /// Microseconds since 1970: when the source committed the last transaction in it.
    pub(crate) committed_at_us: i64,
    pub(crate) phase: String,
    /// The largest LSN at which rows of the snapshot were read.
    pub(crate) snapshot_lsn: i64,
    /// Topic to number of events since the slot began, tombstones not counted.
    pub(crate) counts: BTreeMap<String, i64>,
    pub(crate) all_topics: bool,
    /// Table to what the snapshot has read of it, until the stream has passed `snapshot_lsn`; in the stream, those that
    /// are not done are read incrementally.
    pub(crate) snapshot_progress: BTreeMap<String, TableProgress>,
    /// Topics in the counts whose tables are not captured at the moment: whoever captures them again reads them anew.
    pub(crate) left_out: Vec<String>,
    /// Tables whose events go to the topic of dead letters: once they are captured again they are read as a whole.
    pub(crate) isolated: BTreeMap<String, IsolatedTable>,
    /// How many records the relation topic has: a reader that has seen so many knows each table as its events up to here need it.
    pub(crate) relations: i64,
}

/// Why and since when a table's events are dead letters.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct IsolatedTable {
    pub(crate) reason: String,
    /// With `ordinal`, the first event that is a dead letter; zero before there is one, and for rows of a snapshot.
    pub(crate) commit_lsn: i64,
    pub(crate) ordinal: i64,
}

/// How far the snapshot of one table is.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct TableProgress {
    pub(crate) done: bool,
    /// The smallest LSN at which rows of it were read: earlier changes are in those rows, so the
    /// stream leaves them out. Zero before the first row.
    pub(crate) read_at: i64,
    /// The primary key up to which, inclusive, rows are out, as texts; empty when none are.
    pub(crate) through: Vec<String>,
}

impl TableProgress {
    fn encode(&self, out: &mut Vec<u8>) {
        binary::boolean(self.done, out);
        binary::long(self.read_at, out);
        texts(&self.through, out);
    }
}

fn text(text: &str, out: &mut Vec<u8>) {
    binary::bytes(text.as_bytes(), out);
}

fn texts(texts: &[String], out: &mut Vec<u8>) {
    binary::items(texts, out, |item, out| text(item, out));
}

impl Checkpoint {
    /// The record that is written before the slot is created: it tells a slot of this capture from one
    /// that somebody else made.
    pub(crate) fn starting(identity: &SystemIdentity, slot: &str) -> Self {
        Self {
            system_id: identity.system_id.clone(),
            timeline: identity.timeline as i32,
            slot: slot.to_owned(),
            commit_lsn: 0,
            end_lsn: 0,
            ordinal: 0,
            complete: false,
            committed_at_us: 0,
            phase: PHASE_STARTING.to_owned(),
            snapshot_lsn: 0,
            counts: BTreeMap::new(),
            all_topics: true,
            snapshot_progress: BTreeMap::new(),
            left_out: Vec::new(),
            isolated: BTreeMap::new(),
            relations: 0,
        }
    }

    /// The LSN up to which everything is out, shown in messages.
    pub(crate) fn position(&self) -> Lsn {
        Lsn(self.commit_lsn as u64)
    }

    /// Appends Avro bytes by [`SCHEMA`], without a wire header.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        text(&self.system_id, out);
        binary::long(i64::from(self.timeline), out);
        text(&self.slot, out);
        for number in [self.commit_lsn, self.end_lsn, self.ordinal] {
            binary::long(number, out);
        }
        binary::boolean(self.complete, out);
        binary::long(self.committed_at_us, out);
        text(&self.phase, out);
        binary::long(self.snapshot_lsn, out);
        binary::items(&self.counts, out, |(topic, count), out| {
            text(topic, out);
            binary::long(*count, out);
        });
        binary::boolean(self.all_topics, out);
        binary::items(&self.snapshot_progress, out, |(table, progress), out| {
            text(table, out);
            progress.encode(out);
        });
        texts(&self.left_out, out);
        binary::items(&self.isolated, out, |(table, isolated), out| {
            text(table, out);
            text(&isolated.reason, out);
            binary::long(isolated.commit_lsn, out);
            binary::long(isolated.ordinal, out);
        });
        binary::long(self.relations, out);
    }

    /// Reads Avro bytes that were written by `writer`.
    pub(crate) fn decode(writer: &str, mut bytes: &[u8]) -> Result<Self> {
        let wrong = |cause: apache_avro::Error| {
            Error::new(
                ErrorKind::Protocol,
                "the last checkpoint record can't be read: was it written by another program?",
            )
            .caused_by(cause)
        };
        let (writer, reader) =
            (Schema::parse_str(writer).map_err(wrong)?, Schema::parse_str(SCHEMA).map_err(wrong)?);
        let value = GenericDatumReader::builder(&writer)
            .reader_schema(&reader)
            .build()
            .and_then(|datum| datum.read_value(&mut bytes))
            .map_err(wrong)?;
        from_value(&value).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn encoded_and_back(
            numbers in prop::array::uniform5(any::<i64>()),
            counts in prop::collection::btree_map("[a-z.]{1,12}", any::<i64>(), 0..5),
            through in prop::collection::vec(".{0,6}", 0..3),
            complete: bool,
        ) {
            let checkpoint = Checkpoint {
                commit_lsn: numbers[0],
                end_lsn: numbers[1],
                ordinal: numbers[2],
                committed_at_us: numbers[3],
                snapshot_lsn: numbers[4],
                relations: numbers[0],
                complete,
                left_out: counts.keys().take(2).cloned().collect(),
                isolated: counts.iter().take(2).map(|(table, number)| {
                    let isolated = IsolatedTable { reason: "r".into(), commit_lsn: *number, ordinal: 2 };
                    (table.clone(), isolated)
                }).collect(),
                counts,
                snapshot_progress: [("sales.orders".to_owned(), TableProgress { done: !complete, read_at: 7, through })].into(),
                ..Checkpoint::starting(&SystemIdentity { system_id: "7".into(), timeline: 1 }, "lakepulse")
            };
            let mut bytes = Vec::new();
            checkpoint.encode(&mut bytes);
            prop_assert_eq!(Checkpoint::decode(SCHEMA, &bytes).unwrap(), checkpoint);
        }
    }
}
