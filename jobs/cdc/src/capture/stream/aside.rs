//! Tables that can't be read at the moment, and when each is tried again.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::table::TableName;

const FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(60);

/// Tables set aside, so that others are read meanwhile.
#[derive(Default)]
pub(super) struct Aside(HashMap<String, Wait>);

struct Wait {
    /// None: in this session no more.
    until: Option<Instant>,
    pause: Duration,
}

impl Aside {
    /// Sets a table aside after a failure, each time for twice as long; how long is returned.
    pub(super) fn failed(&mut self, table: &str) -> Duration {
        let pause = self.0.get(table).map_or(FIRST, |wait| (wait.pause * 2).min(LONGEST));
        self.0.insert(table.to_owned(), Wait { until: Some(Instant::now() + pause), pause });
        pause
    }

    /// Leaves tables to a later session.
    pub(super) fn hold(&mut self, tables: &[&TableName]) {
        for table in tables {
            self.0.insert(table.key(), Wait { until: None, pause: FIRST });
        }
    }

    /// Whether the table may be read now.
    pub(super) fn lets_through(&self, table: &str) -> bool {
        self.0.get(table).is_none_or(|wait| wait.until.is_some_and(|until| until <= Instant::now()))
    }

    /// Forgets the failures of a table that was read, or is asked for anew.
    pub(super) fn forget(&mut self, table: &str) {
        if self.0.get(table).is_some_and(|wait| wait.until.is_some()) {
            self.0.remove(table);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_waits_for_itself() {
        let mut aside = Aside::default();
        assert_eq!([aside.failed("a"), aside.failed("a"), aside.failed("b")], [FIRST, FIRST * 2, FIRST]);
        assert!(!aside.lets_through("a") && aside.lets_through("c"));
        let held = TableName { schema: "s".into(), table: "t".into() };
        aside.hold(&[&held]);
        aside.forget("s.t");
        aside.forget("a");
        assert!(aside.lets_through("a") && !aside.lets_through("s.t"));
        assert!((0..20).map(|_| aside.failed("d")).all(|pause| pause <= LONGEST));
    }
}
