use tokio_postgres::Client;

use super::refused;
use crate::config::SourceConfig;
use crate::error::Result;
use crate::transport::SlotKind;

/// What a server says of itself and of the user that is logged in.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    /// Such as 150017 for 15.17.
    pub(crate) version: i32,
    pub(crate) version_text: String,
    pub(crate) wal_level: String,
    pub(crate) in_recovery: bool,
    pub(crate) slots: Places,
    pub(crate) senders: Places,
    /// As set, such as `1GB`; `-1` without a limit.
    pub(crate) max_slot_wal_keep_size: String,
    pub(crate) user: String,
    superuser: bool,
    replication: bool,
    /// CREATE on the database.
    pub(crate) may_create: bool,
}

/// Places that there are, and those that are taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places {
    pub(crate) most: i64,
    pub(crate) taken: i64,
}

impl Server {
    pub(crate) async fn read(client: &Client) -> Result<Self> {
        let row = client
            .query_one(
                "SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('wal_level'),
                        pg_is_in_recovery(), current_setting('max_replication_slots')::bigint,
                        (SELECT count(*) FROM pg_replication_slots), current_setting('max_wal_senders')::bigint,
                        (SELECT count(*) FROM pg_stat_get_wal_senders()),
                        current_setting('max_slot_wal_keep_size'), r.rolname::text, r.rolsuper, r.rolreplication,
                        has_database_privilege(current_database(), 'CREATE')
                   FROM pg_roles r WHERE r.rolname = current_user",
                &[],
            )
            .await
            .map_err(refused("cannot read the server's settings"))?;
        Ok(Self {
            version: row.get(0),
            version_text: row.get(1),
            wal_level: row.get(2),
            in_recovery: row.get(3),
            slots: Places { most: row.get(4), taken: row.get(5) },
            senders: Places { most: row.get(6), taken: row.get(7) },
            max_slot_wal_keep_size: row.get(8),
            user: row.get(9),
            superuser: row.get(10),
            replication: row.get(11),
            may_create: row.get(12),
        })
    }

    /// The kind of slot that a capture makes here.
    pub(crate) fn slot_kind(&self, source: &SourceConfig) -> SlotKind {
        SlotKind::lasting(source.failover_slot, self.version, self.in_recovery)
    }

    pub(crate) fn may_replicate(&self) -> bool {
        self.superuser || self.replication
    }
}
