//! How far silver has come, and how far it goes next.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::control::Noted;
use crate::lake::Lake;

/// A cut that was published, as the commit of `silver.changes` that published it says in its metadata.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Cut {
    /// Counts the appends; each has a number of its own, whoever makes it.
    pub slice: i64,
    /// Everything at or below it is in `silver.changes`.
    pub commit_lsn: i64,
    /// When the source committed the last transaction in it, in microseconds since 1970.
    pub committed_at_us: i64,
    /// Where its checkpoint is in the checkpoint topic; none before the first.
    pub offset: Option<i64>,
    /// When that was written, in milliseconds since 1970, as Kafka has it; none where that is not known.
    #[serde(default)]
    pub written_ms: Option<i64>,
    /// How many events each topic has had up to it.
    pub counts: BTreeMap<String, i64>,
    /// Tables whose events capture buries as dead letters, and why.
    #[serde(default)]
    pub isolated: BTreeMap<String, String>,
}

impl Cut {
    /// Before everything.
    pub fn start() -> Self {
        Self { commit_lsn: -1, ..Self::default() }
    }

    /// The cut that a slice of at most `most` events goes to, or of more if one checkpoint counts more; none while no complete
    /// checkpoint is known. Counts within a snapshot or a split transaction are due at the next complete checkpoint, since the order of
    /// writing is not the order of LSNs in there.
    pub fn next<'a>(&self, noted: impl Iterator<Item = &'a Noted>, most: i64) -> Option<Self> {
        let mut counts = self.counts.clone();
        let mut next: Option<Self> = None;
        for Noted { offset, written_ms, checkpoint } in noted {
            counts.extend(checkpoint.counts.iter().map(|(topic, count)| (topic.clone(), *count)));
            if !checkpoint.complete || checkpoint.commit_lsn < self.commit_lsn {
                continue;
            }
            let events: i64 = counts.values().sum::<i64>() - self.counts.values().sum::<i64>();
            if next.is_some() && events > most {
                break;
            }
            next = Some(Self {
                slice: self.slice + 1,
                commit_lsn: checkpoint.commit_lsn,
                committed_at_us: checkpoint.committed_at_us,
                offset: Some(*offset),
                written_ms: *written_ms,
                counts: counts.clone(),
                isolated: checkpoint
                    .isolated
                    .iter()
                    .map(|(table, why)| (table.clone(), why.reason.clone()))
                    .collect(),
            });
        }
        next
    }

    /// How many events each table's topic has above the cut `before` and up to this one; topics without any are left out.
    pub fn events_since(&self, before: &Self, lake: &Lake) -> BTreeMap<String, i64> {
        let of_tables = self
            .counts
            .iter()
            .filter(|(topic, _)| lake.table_of(topic).is_some_and(|rest| rest.contains('.')));
        of_tables
            .map(|(topic, count)| (topic.clone(), count - before.counts.get(topic).copied().unwrap_or(0)))
            .filter(|(_, events)| *events != 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::Checkpoint;

    fn noted(offset: i64, commit_lsn: i64, complete: bool, count: i64) -> Noted {
        let checkpoint = Checkpoint {
            commit_lsn,
            complete,
            committed_at_us: 0,
            counts: [("p.s.t".to_owned(), count)].into(),
            relations: 0,
            isolated: BTreeMap::new(),
        };
        Noted { offset, written_ms: None, checkpoint }
    }

    #[test]
    fn a_slice_ends_at_a_complete_checkpoint() {
        let next = |noted: &[Noted], most| {
            Cut::start().next(noted.iter(), most).map(|cut| (cut.commit_lsn, cut.offset))
        };
        assert_eq!(next(&[], 10), None);
        assert_eq!(next(&[noted(0, 5, false, 3)], 10), None);
        assert_eq!(next(&[noted(0, 5, false, 3), noted(1, 7, true, 4)], 10), Some((7, Some(1))));
        let backlog = [noted(0, 5, true, 6), noted(1, 7, true, 9), noted(2, 8, true, 12)];
        assert_eq!(next(&backlog, 10), Some((7, Some(1))));
        assert_eq!(next(&backlog, 5), Some((5, Some(0))));
        let split = [noted(0, 5, true, 6), noted(1, 9, false, 20), noted(2, 9, true, 30)];
        assert_eq!(next(&split, 10), Some((5, Some(0))));
    }
}
