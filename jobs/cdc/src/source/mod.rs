//! What is asked of PostgreSQL over ordinary connections: catalog, publication, slot.

/// An SQL condition, over aliases of `pg_class`: whether the first is a partition, at any level, of the second, which looks up
/// few rows. PostgreSQL's own `pg_partition_tree` waits for whoever changes one of them.
macro_rules! is_partition_of {
    ($partition:literal, $root:literal) => {
        concat!(
            $root,
            ".relkind = 'p' AND ",
            $partition,
            ".oid = ANY (ARRAY(WITH RECURSIVE tree (oid) AS (SELECT i.inhrelid FROM pg_inherits i WHERE i.inhparent = ",
            $root,
            ".oid UNION ALL SELECT i.inhrelid FROM tree JOIN pg_inherits i ON i.inhparent = tree.oid) SELECT tree.oid FROM tree))"
        )
    };
}

mod catalog;
mod characters;
mod connect;
mod ddl;
mod defaults;
mod facts;
mod identities;
mod narrowing;
mod ordering;
mod publication;
mod published;
mod readable;
mod server;
mod settings;
mod signal_table;
mod slot;
mod slot_health;

pub(crate) use self::catalog::{Catalog, describe_unreadable};
pub(crate) use self::characters::Characters;
pub(crate) use self::connect::{check_wal_level, connect, head, refused};
pub(crate) use self::ddl::{DDL_PREFIX, DdlTrigger, REMOVE_DDL, ddl_trigger, install_ddl, run_ddl};
pub(crate) use self::facts::{ColumnFacts, KeyFacts, LeafFacts, TableFacts, catalog_version};
pub(crate) use self::publication::{
    Arranged, Intended, arrange_publications, create_inserts, intended, remedy, untold_operations,
};
pub(crate) use self::published::Published;
pub(crate) use self::readable::{Hidden, expect_all_told, unreadable};
pub(crate) use self::server::{Places, Server};
pub(crate) use self::settings::{PIN_LATER_ONES, session_options};
pub(crate) use self::signal_table::signal_table;
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
