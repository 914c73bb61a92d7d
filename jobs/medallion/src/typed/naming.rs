//! Names of silver's tables and of the columns that it adds.

use std::collections::{BTreeMap, HashSet};

use sha2::{Digest, Sha256};

use crate::control::{Shape, SourceTable};

/// The table in silver of each topic: `schema_table` in lower case, everything else than letters, digits and underscores replaced by
/// an underscore, since Spark allows no more. Of tables whose names meet, the one that was told first keeps the name, and the others get
/// digits of a hash of theirs.
pub fn silver_names(tables: &BTreeMap<String, SourceTable>) -> BTreeMap<String, String> {
    let mut order: Vec<(&String, &SourceTable)> = tables.iter().collect();
    order.sort_by_key(|(topic, table)| (table.shapes.first().map(|shape| shape.from), *topic));
    let mut taken: HashSet<String> = RESERVED.iter().map(|name| (*name).to_owned()).collect();
    let mut names = BTreeMap::new();
    for (topic, table) in order {
        let plain: String = format!("{}_{}", table.schema, table.table)
            .to_lowercase()
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() { char } else { '_' })
            .collect();
        let is_taken = [plain.as_str(), &history_name(&plain)].iter().any(|name| taken.contains(*name));
        let name = if is_taken { format!("{plain}_{}", digest(topic)) } else { plain };
        taken.insert(history_name(&name));
        taken.insert(name.clone());
        names.insert(topic.clone(), name);
    }
    names
}

/// Silver's own tables.
const RESERVED: [&str; 3] = ["changes", "rounds", "tables"];

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(4).map(|byte| format!("{byte:02x}")).collect()
}

/// The columns that silver adds to the source's: `_commit_lsn` bigint and `_ordinal` bigint, the event that a row is from, and
/// `_committed_at` timestamp, when it was committed; a history has `_valid_from` in its place, and `_valid_to` timestamp. Each with a further
/// underscore in front where the source has such a name itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaColumns {
    pub commit_lsn: String,
    pub ordinal: String,
    pub committed_at: String,
    /// When a version's row was changed or deleted; NULL while it is the row. Only a history has it.
    pub valid_to: Option<String>,
}

impl MetaColumns {
    pub fn of(shape: &Shape) -> Self {
        Self {
            commit_lsn: free(shape, "_commit_lsn"),
            ordinal: free(shape, "_ordinal"),
            committed_at: free(shape, "_committed_at"),
            valid_to: None,
        }
    }

    /// Those of the table's history.
    pub fn of_history(shape: &Shape) -> Self {
        Self {
            committed_at: free(shape, "_valid_from"),
            valid_to: Some(free(shape, "_valid_to")),
            ..Self::of(shape)
        }
    }

    /// In the order in which tables have them.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        [&self.commit_lsn, &self.ordinal, &self.committed_at]
            .into_iter()
            .chain(&self.valid_to)
            .map(String::as_str)
    }
}

/// The name, or one that no column of the source has.
fn free(shape: &Shape, name: &str) -> String {
    let mut name = name.to_owned();
    while shape.columns.iter().any(|column| column.column.eq_ignore_ascii_case(&name)) {
        name.insert(0, '_');
    }
    name
}

/// The name of a table's history.
pub fn history_name(silver_table: &str) -> String {
    format!("{silver_table}_history")
}
