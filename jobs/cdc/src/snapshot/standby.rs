use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use tokio_postgres::Client;

use super::incremental::{Holds, Taken, Visibility, lock, no_snapshot};
use crate::config::{Config, SourceConfig};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::source::{self, Catalog, literal, refused};
use crate::table::TableName;
use crate::transport::Connection;

/// How long the standby is waited for at a time, by the stream too, which may be ahead of what the standby has replayed:
/// twice as long each time that it was too short.
const PATIENCE: Duration = Duration::from_millis(500);
const MOST_PATIENCE: Duration = Duration::from_secs(4);
const POLL: Duration = Duration::from_millis(2);
/// The header of a page of the log may stand before a record.
const LONGEST_PAGE_HEADER: u64 = 40;

/// A physical standby of the source that tables are read from.
pub(crate) struct Standby {
    pub(super) catalog: Catalog,
    place: String,
    patience: Duration,
}

/// What a server says of its log: its system identifier, whether it only replays, and its timeline, if it tells.
async fn describe(server: &Client, timeline: &str) -> Result<(String, bool, Option<i32>)> {
    let sql =
        format!("SELECT system_identifier::text, pg_is_in_recovery(), ({timeline}) FROM pg_control_system()");
    let row = server.query_one(&sql, &[]).await.map_err(refused("cannot read the system identifier"))?;
    Ok((row.get(0), row.get(1), row.get(2)))
}

impl Standby {
    /// Connects for the catalog.
    ///
    /// # Errors
    /// Among others [`ErrorKind::SourceRefused`] when it is no standby of this source.
    pub(crate) async fn open(config: &Config, replica: &SourceConfig, source: &Client) -> Result<Self> {
        let client = source::connect(replica).await?;
        let (system, is_standby, timeline) =
            describe(&client, "SELECT received_tli FROM pg_stat_wal_receiver").await?;
        let (of_source, _, of_timeline) = describe(
            source,
            "SELECT ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int",
        )
        .await?;
        let place = replica.place();
        let wrong = |what: String| Err(Error::new(ErrorKind::SourceRefused, what));
        if system != of_source {
            return wrong(format!(
                "snapshot.replica {place} is of system {system}, and the source of system {of_source}: name a physical standby of it"
            ));
        }
        if !is_standby {
            return wrong(promoted(&place));
        }
        if let (Some(own), Some(theirs)) = (timeline, of_timeline)
            && own != theirs
        {
            return wrong(format!(
                "snapshot.replica {place} follows timeline {own}, and the source is in timeline {theirs}: let it follow the source"
            ));
        }
        Ok(Self { catalog: Catalog::new(Arc::new(client), &config.rows), place, patience: PATIENCE })
    }

    /// Takes a snapshot of the table, none while the standby has not replayed the log up to this position.
    pub(super) async fn take(
        &mut self,
        connection: &mut Connection,
        table: &TableName,
        since: Lsn,
    ) -> Result<Option<Taken>> {
        let begun = Instant::now();
        let replayed = loop {
            let rows = connection.query("SELECT pg_last_wal_replay_lsn(), pg_is_in_recovery()").await?;
            let replayed: Lsn = self.value(&rows, 0, 1)?;
            if replayed >= since {
                break replayed;
            }
            if begun.elapsed() > self.patience {
                self.patience = (self.patience * 2).min(MOST_PATIENCE);
                return Ok(None);
            }
            tokio::time::sleep(POLL).await;
        };
        self.patience = PATIENCE;
        lock(connection, table).await?;
        let sql = format!(
            "SELECT pg_current_snapshot(), pg_last_wal_replay_lsn(), {}::regclass::oid, pg_is_in_recovery()",
            literal(&table.quoted())
        );
        let rows = connection.query(&sql).await?;
        let (last, ended): (Lsn, Visibility) = (self.value(&rows, 1, 3)?, self.value(&rows, 0, 3)?);
        Ok(Some(Taken {
            locked_by: None,
            relation: RelationId(self.value(&rows, 2, 3)?),
            holds: Holds::Commits { before: replayed, ended: ended.of_standby() },
            // A record is seen before it is told to be replayed: the next one may be in the snapshot.
            end: Lsn(last.0 + LONGEST_PAGE_HEADER + 1),
            at_us: Utc::now().timestamp_micros(),
        }))
    }

    /// A value of the one row, in which the standby says too whether it is one: a session stays when it becomes a primary.
    fn value<T: FromStr>(&self, rows: &[Vec<Option<String>>], column: usize, recovery: usize) -> Result<T> {
        let text = |column: usize| rows.first()?.get(column)?.as_deref();
        if text(recovery) != Some("t") {
            return Err(Error::new(ErrorKind::SourceRefused, promoted(&self.place)));
        }
        text(column).and_then(|text| text.parse().ok()).ok_or_else(no_snapshot)
    }
}

fn promoted(place: &str) -> String {
    format!(
        "snapshot.replica {place} is not in recovery: name a physical standby of the source, or leave it out"
    )
}
