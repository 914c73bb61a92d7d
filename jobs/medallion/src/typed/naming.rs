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
        let name = if taken.contains(&plain) { format!("{plain}_{}", digest(topic)) } else { plain };
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

/// The columns that silver adds: `_commit_lsn`, `_ordinal` and `_committed_at` of the event that a row is from; with a further
/// underscore in front where the source has such a name itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaColumns {
    pub commit_lsn: String,
    pub ordinal: String,
    pub committed_at: String,
}

impl MetaColumns {
    pub fn of(shape: &Shape) -> Self {
        let free = |name: &str| {
            let mut name = name.to_owned();
            while shape.columns.iter().any(|column| column.column.eq_ignore_ascii_case(&name)) {
                name.insert(0, '_');
            }
            name
        };
        Self {
            commit_lsn: free("_commit_lsn"),
            ordinal: free("_ordinal"),
            committed_at: free("_committed_at"),
        }
    }

    pub fn names(&self) -> [&str; 3] {
        [&self.commit_lsn, &self.ordinal, &self.committed_at]
    }
}
