//! How far the snapshot of each table is, as checkpoints tell it.

use std::collections::BTreeMap;

use crate::checkpoint::TableProgress;
use crate::lsn::Lsn;
use crate::table::TableName;

/// What the snapshot has read of each table, until the stream has passed it, and the tables that are read incrementally.
pub(super) struct SnapshotProgress {
    /// The largest position at which rows of the initial snapshot were read.
    lsn: Lsn,
    tables: BTreeMap<String, TableProgress>,
}

impl SnapshotProgress {
    pub(super) fn new(lsn: Lsn, tables: BTreeMap<String, TableProgress>) -> Self {
        Self { lsn, tables }
    }

    pub(super) fn lsn(&self) -> Lsn {
        self.lsn
    }

    pub(super) fn tables(&self) -> &BTreeMap<String, TableProgress> {
        &self.tables
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables that are not read to their end, in the order in which they are read.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &str> {
        self.tables.iter().filter(|(_, progress)| !progress.done).map(|(name, _)| name.as_str())
    }

    /// All tables, and how many of them are read to their end.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.tables.len(), self.tables.len() - self.unfinished().count())
    }

    /// Whether the snapshot read all of the table after this commit, and so holds its changes.
    #[inline]
    pub(super) fn holds(&self, table: &TableName, commit_lsn: Lsn) -> bool {
        !self.tables.is_empty()
            && self.tables.get(&table.key()).is_some_and(|progress| commit_lsn.0 as i64 <= progress.read_at)
    }

    /// The key up to which the table is read; empty before its first row.
    pub(super) fn through(&self, table: &str) -> Vec<String> {
        self.tables.get(table).map(|progress| progress.through.clone()).unwrap_or_default()
    }

    /// Lets a table be read from its beginning. Changes that an earlier snapshot holds are left out as before.
    pub(super) fn begin(&mut self, table: &TableName) {
        let progress = self.tables.entry(table.key()).or_default();
        progress.done = false;
        progress.through.clear();
    }

    /// Takes note that a range is out, with the last key of it; none when no rows follow.
    pub(super) fn range_is_out(&mut self, table: &TableName, last_key: Option<Vec<String>>) {
        let progress = self.tables.entry(table.key()).or_default();
        progress.done = last_key.is_none();
        progress.through = last_key.unwrap_or_default();
    }

    /// Ends the reading of these tables, and returns their names.
    pub(super) fn stop(&mut self, is_meant: impl Fn(&str) -> bool) -> Vec<String> {
        let mut stopped = Vec::new();
        for (name, progress) in &mut self.tables {
            if !progress.done && is_meant(name) {
                progress.done = true;
                stopped.push(name.clone());
            }
        }
        stopped
    }

    /// Gives up a table that is gone.
    pub(super) fn remove(&mut self, table: &str) {
        self.tables.remove(table);
    }

    /// Forgets the tables that are read to their end: once the stream has passed the snapshot it repeats none of their rows.
    pub(super) fn forget_finished(&mut self) {
        self.tables.retain(|_, progress| !progress.done);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        TableName { schema: "s".into(), table: name.into() }
    }

    fn progress() -> SnapshotProgress {
        let read = TableProgress { done: true, read_at: 50, through: Vec::new() };
        let half = TableProgress { done: false, read_at: 60, through: vec!["7".into()] };
        SnapshotProgress::new(Lsn(60), [("s.half".into(), half), ("s.read".into(), read)].into())
    }

    #[test]
    fn a_table_holds_the_changes_before_its_smallest_position() {
        let progress = progress();
        for (name, commit_lsn, is_held) in [
            ("read", 49, true),
            ("read", 50, true),
            ("read", 51, false),
            ("half", 60, true),
            ("new", 1, false),
        ] {
            assert_eq!(progress.holds(&table(name), Lsn(commit_lsn)), is_held, "{name} {commit_lsn}");
        }
    }

    #[test]
    fn a_table_is_read_range_by_range() {
        let mut progress = progress();
        assert_eq!(progress.through("s.half"), ["7"]);
        progress.range_is_out(&table("half"), Some(vec!["9".into()]));
        assert_eq!((progress.through("s.half"), progress.counts()), (vec!["9".into()], (2, 1)));
        progress.range_is_out(&table("half"), None);
        assert_eq!((progress.unfinished().count(), progress.counts()), (0, (2, 2)));
        assert!(progress.through("s.half").is_empty());
        progress.forget_finished();
        assert!(progress.is_empty());
    }

    #[test]
    fn a_table_that_begins_anew_still_holds_its_earlier_changes() {
        let mut progress = progress();
        progress.begin(&table("half"));
        progress.begin(&table("new"));
        assert!(progress.through("s.half").is_empty());
        assert!(progress.holds(&table("half"), Lsn(60)) && !progress.holds(&table("new"), Lsn(1)));
        assert_eq!(progress.unfinished().collect::<Vec<_>>(), ["s.half", "s.new"]);
    }

    #[test]
    fn only_unfinished_tables_are_stopped() {
        let mut progress = progress();
        progress.begin(&table("new"));
        assert_eq!(progress.stop(|name| name != "s.new"), ["s.half"]);
        assert_eq!(progress.unfinished().collect::<Vec<_>>(), ["s.new"]);
        progress.remove("s.new");
        assert_eq!(progress.counts(), (2, 2));
    }
}
