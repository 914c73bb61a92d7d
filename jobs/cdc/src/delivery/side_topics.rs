use std::sync::Arc;

use crate::error::ErrorKind;

/// A topic beside those of tables.
#[derive(Debug, Clone)]
pub(crate) struct SideTopic {
    pub(crate) name: Arc<str>,
    /// Of key and value.
    pub(crate) schema_ids: (u32, u32),
    /// The failures that an event goes there for.
    pub(crate) takes: &'static [ErrorKind],
    /// What one of its records may have, and those of other topics.
    pub(crate) max_record_bytes: usize,
}

impl SideTopic {
    /// Whether an event that fails like this goes there.
    pub(crate) fn takes(&self, failure: ErrorKind) -> bool {
        self.takes.contains(&failure)
    }
}

/// The topics beside those of tables that the configuration wants.
#[derive(Debug, Clone, Default)]
pub(crate) struct SideTopics {
    pub(crate) transactions: Option<SideTopic>,
    pub(crate) dead_letters: Option<SideTopic>,
    pub(crate) messages: Option<SideTopic>,
}
