//! What is asked of PostgreSQL over ordinary connections: catalog, publication, slot.

mod catalog;
mod connect;
mod key;
mod publication;
mod published;
mod server;
mod slot;
mod slot_health;

pub(crate) use self::catalog::Catalog;
pub(crate) use self::connect::{SESSION_OPTIONS, check_wal_level, connect, head, refused};
pub(crate) use self::publication::ensure_publication;
pub(crate) use self::published::Published;
pub(crate) use self::server::Server;
pub(crate) use self::slot::{SlotState, drop_publication, drop_slot, read_slot};
pub(crate) use self::slot_health::{SlotHealth, WalStatus, health};

use crate::config::SourceConfig;

impl SourceConfig {
    /// Host, port and database, to name the source in messages.
    pub(crate) fn place(&self) -> String {
        format!("{}:{}/{}", self.host, self.port, self.database)
    }
}

/// A name as SQL writes it.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as SQL writes it; without a type, it takes that of what it is compared with.
pub(crate) fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
