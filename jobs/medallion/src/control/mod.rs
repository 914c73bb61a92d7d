//! What capture tells beside rows: checkpoints, which say how much there is, and relation records, which say what it looks like.

mod checkpoint;
mod reader;
mod relation;
mod shape;

pub use checkpoint::Checkpoint;
pub use reader::{Control, Noted};
pub use relation::{Change, RelationColumn, RelationRecord};
pub use shape::{Image, Shape, ShapeColumn, SourceTable};

/// The place of an event, or of what was told, in the source's order: the LSN of its transaction's commit, and where it is in there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    pub commit_lsn: i64,
    pub ordinal: i64,
}

impl Position {
    /// Before everything.
    pub const START: Self = Self { commit_lsn: -1, ordinal: 0 };

    /// Behind every event of the transactions up to an LSN.
    pub fn end_of(commit_lsn: i64) -> Self {
        Self { commit_lsn, ordinal: i64::MAX }
    }

    /// Spark SQL: whether the position in these two columns comes before this one.
    pub(crate) fn is_behind(self, commit_lsn: &str, ordinal: &str) -> String {
        let Self { commit_lsn: lsn, ordinal: at } = self;
        format!("({commit_lsn} < {lsn} OR {commit_lsn} = {lsn} AND {ordinal} < {at})")
    }
}
