//! A snapshot of the source of which the place in the log is known.

use std::time::{Duration, Instant};

use tokio_postgres::Client;

use crate::error::{Doing, Error, Result};
use crate::source::{self, SourceAddress};

/// How long to look for a moment without a transaction in progress, and how often.
const QUIET_LIMIT: Duration = Duration::from_secs(60);
const QUIET_POLL: Duration = Duration::from_millis(100);

const EXPORT: &str = "select pg_export_snapshot() as id, \
    pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot()) as quiet";

/// A transaction at the source that holds a snapshot, and what bounds it in the log.
pub(crate) struct Snapshot {
    /// The connection of the transaction, which sees the snapshot and ends with this value.
    pub(crate) client: Client,
    /// What another transaction takes the snapshot over by.
    pub(crate) id: String,
    /// The snapshot lacks no transaction that committed at or below this LSN...
    pub(crate) before: i64,
    /// ... and has none that committed above this one.
    pub(crate) after: i64,
}

impl Snapshot {
    /// A transaction whose commit record is written is not at once visible: only a snapshot that sees no transaction in
    /// progress holds everything below an LSN that was read before it.
    pub(crate) async fn take(address: &SourceAddress) -> Result<Self> {
        let client = address.connect().await?;
        let failed = "taking a snapshot of the source";
        let started = Instant::now();
        loop {
            let before = source::head(&client).await?;
            client.batch_execute("begin isolation level repeatable read read only").await.doing(failed)?;
            let row = client.query_one(EXPORT, &[]).await.doing(failed)?;
            if row.get("quiet") {
                let after = source::head(&client).await?;
                return Ok(Self { id: row.get("id"), client, before, after });
            }
            client.batch_execute("rollback").await.doing(failed)?;
            if started.elapsed() > QUIET_LIMIT {
                return Err(Error::new(format!(
                    "transactions were in progress at the source for {} s without a pause; stop the writers and run verify \
                     again (who they are: select * from pg_stat_activity where backend_xid is not null)",
                    QUIET_LIMIT.as_secs()
                )));
            }
            tokio::time::sleep(QUIET_POLL).await;
        }
    }
}
