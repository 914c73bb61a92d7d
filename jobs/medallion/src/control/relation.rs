//! A record of the relation topic, as far as silver needs it; `docs/relation-records.md` explains each field.

use serde::Deserialize;

use super::Position;

/// The table as described.
pub(super) const RELATION: &str = "relation";
pub(super) const GONE: &str = "gone";
pub(super) const IMAGE_BEGIN: &str = "image_begin";
pub(super) const IMAGE_END: &str = "image_end";

/// What capture tells of a table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RelationRecord {
    pub kind: String,
    pub schema: String,
    pub table: String,
    pub topic: String,
    pub commit_lsn: i64,
    pub ordinal: i64,
    pub changes: Vec<Change>,
    pub identity: String,
    pub key: Vec<String>,
    pub columns: Vec<RelationColumn>,
}

impl RelationRecord {
    /// It holds from the event of this position on.
    pub fn position(&self) -> Position {
        Position { commit_lsn: self.commit_lsn, ordinal: self.ordinal }
    }
}

/// A difference to the record before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Change {
    pub what: String,
    pub column: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
}

/// A column that is not dropped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RelationColumn {
    pub attnum: i32,
    pub name: String,
    pub field: String,
    pub r#type: String,
    pub base: Option<String>,
    pub captured: bool,
    #[serde(default)]
    pub masked: bool,
    /// What rows have that were written before the column existed, in PostgreSQL's text form; none for NULL.
    pub missing: Option<String>,
}
