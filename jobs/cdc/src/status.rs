//! How a capture stands, read from the source and from Kafka without disturbing the instance that works.

use std::collections::BTreeMap;
use std::fmt;

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use tokio::task::block_in_place;

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::error::Result;
use crate::kafka::{cluster_state, committed_checkpoint};
use crate::lsn::Lsn;
use crate::registry::Registry;
use crate::source::{self, WalStatus};

/// Shown as aligned text; serialized, the same for machines.
#[derive(Debug, Serialize)]
pub struct Status {
    /// Host, port and database.
    source: String,
    /// None when the source can't be asked.
    head_lsn: Option<String>,
    slot_name: String,
    /// None when there is no slot.
    slot: Option<Slot>,
    /// None when there is no checkpoint.
    checkpoint: Option<Committed>,
    errors: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Slot {
    confirmed_lsn: String,
    lag_bytes: i64,
    wal_status: WalStatus,
    retained_bytes: Option<i64>,
    safe_bytes: Option<i64>,
    active_pid: Option<i32>,
}

/// What the last committed checkpoint says.
#[derive(Debug, Serialize)]
struct Committed {
    commit_lsn: String,
    ordinal: i64,
    end_lsn: String,
    phase: String,
    complete: bool,
    /// When the source committed the last transaction in Kafka.
    committed_at: Option<String>,
    seconds_since_commit: Option<f64>,
    snapshot: Vec<SnapshotTable>,
    /// Tables whose events go to the topic of dead letters.
    isolated: Vec<Isolated>,
    events: BTreeMap<String, i64>,
}

#[derive(Debug, Serialize)]
struct Isolated {
    table: String,
    reason: String,
    /// The first event that is a dead letter; none before there is one.
    since_lsn: Option<String>,
    ordinal: i64,
}

#[derive(Debug, Serialize)]
struct SnapshotTable {
    table: String,
    done: bool,
    /// The key up to which rows are in Kafka.
    through: Vec<String>,
}

impl Status {
    /// Whether everything could be read.
    pub fn is_whole(&self) -> bool {
        self.errors.is_empty()
    }
}

/// Reads how the capture stands; what can't be read is among the errors.
pub async fn status(config: &Config) -> Status {
    let mut status = Status {
        source: config.source.place(),
        head_lsn: None,
        slot_name: config.slot.clone(),
        slot: None,
        checkpoint: None,
        errors: Vec::new(),
    };
    if let Err(error) = read_source(config, &mut status).await {
        status.errors.push(error.chain());
    }
    match read_checkpoint(config).await {
        Ok(last) => status.checkpoint = last.map(|last| Committed::new(last, Utc::now())),
        Err(error) => status.errors.push(error.chain()),
    }
    status
}

async fn read_source(config: &Config, status: &mut Status) -> Result<()> {
    let client = source::connect(&config.source).await?;
    let health = source::health(&client, &config.slot).await?;
    status.head_lsn = Some(health.head.to_string());
    status.slot = health.slot.map(|slot| Slot {
        confirmed_lsn: slot.confirmed.to_string(),
        lag_bytes: slot.lag_bytes,
        wal_status: slot.wal_status,
        retained_bytes: slot.retained_bytes,
        safe_bytes: slot.safe_bytes,
        active_pid: slot.active_pid,
    });
    Ok(())
}

async fn read_checkpoint(config: &Config) -> Result<Option<Checkpoint>> {
    let cluster = block_in_place(|| cluster_state(&config.kafka))?;
    let mut registry = Registry::new(&config.registry, false)?;
    committed_checkpoint(config, &cluster, &mut registry).await
}

impl Committed {
    fn new(last: Checkpoint, now: DateTime<Utc>) -> Self {
        let at = DateTime::from_timestamp_micros(last.committed_at_us).filter(|_| last.committed_at_us > 0);
        let since = |at: DateTime<Utc>| (now - at).num_milliseconds() as f64 / 1000.0;
        Self {
            commit_lsn: last.position().to_string(),
            ordinal: last.ordinal,
            end_lsn: Lsn(last.end_lsn as u64).to_string(),
            phase: last.phase,
            complete: last.complete,
            committed_at: at.map(|at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
            seconds_since_commit: at.map(since),
            snapshot: last
                .snapshot_progress
                .into_iter()
                .map(|(table, progress)| SnapshotTable {
                    table,
                    done: progress.done,
                    through: progress.through,
                })
                .collect(),
            isolated: last
                .isolated
                .into_iter()
                .map(|(table, isolated)| Isolated {
                    table,
                    reason: isolated.reason,
                    since_lsn: (isolated.commit_lsn > 0).then(|| Lsn(isolated.commit_lsn as u64).to_string()),
                    ordinal: isolated.ordinal,
                })
                .collect(),
            events: last.counts,
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = |what: &str, says: String| writeln!(out, "{what:<12}{says}");
        let head = self.head_lsn.as_deref().map_or(String::new(), |head| format!(", head at {head}"));
        line("source", format!("{}{head}", self.source))?;
        match &self.slot {
            Some(slot) => {
                line("slot", format!("{} at {}", self.slot_name, slot.confirmed_lsn))?;
                line("", format!("{} bytes behind the head", slot.lag_bytes))?;
                let kept = slot.retained_bytes.map_or("no".to_owned(), |bytes| bytes.to_string());
                line("", format!("{kept} bytes of WAL kept, {}", slot.wal_status.name()))?;
                if let Some(bytes) = slot.safe_bytes {
                    line("", format!("{bytes} bytes more are kept if need be"))?;
                }
                let reader = slot
                    .active_pid
                    .map_or("nobody reads from it".to_owned(), |pid| format!("read by PostgreSQL pid {pid}"));
                line("", reader)?;
            }
            None if self.head_lsn.is_some() => line("slot", format!("{} is not there", self.slot_name))?,
            None => {}
        }
        if let Some(last) = &self.checkpoint {
            let complete = if last.complete { "complete" } else { "not complete" };
            line("checkpoint", format!("{} ordinal {}", last.commit_lsn, last.ordinal))?;
            line("", format!("phase {}, {complete}, goes on at {}", last.phase, last.end_lsn))?;
            if let (Some(at), Some(seconds)) = (&last.committed_at, last.seconds_since_commit) {
                line("", format!("committed at the source {at}, {seconds:.1} s ago"))?;
            }
            let width = last.snapshot.iter().map(|table| table.table.chars().count()).max().unwrap_or(0);
            for (index, table) in last.snapshot.iter().enumerate() {
                let state = match (table.done, table.through.as_slice()) {
                    (true, _) => "read".to_owned(),
                    (false, []) => "not begun".to_owned(),
                    (false, through) => format!("read up to key ({})", through.join(", ")),
                };
                line(if index == 0 { "snapshot" } else { "" }, format!("{:<width$}  {state}", table.table))?;
            }
            for (index, table) in last.isolated.iter().enumerate() {
                let since = table.since_lsn.as_ref();
                let since =
                    since.map_or(String::new(), |lsn| format!(" since {lsn} ordinal {}", table.ordinal));
                let says = format!("{}{since}: {}", table.table, table.reason);
                line(if index == 0 { "isolated" } else { "" }, says)?;
            }
            let width = last.events.keys().map(|topic| topic.chars().count()).max().unwrap_or(0);
            for (index, (topic, count)) in last.events.iter().enumerate() {
                line(if index == 0 { "events" } else { "" }, format!("{topic:<width$}  {count}"))?;
            }
        } else if self.is_whole() {
            line("checkpoint", "there is none".to_owned())?;
        }
        for error in &self.errors {
            line("error", error.clone())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::{IsolatedTable, PHASE_SNAPSHOT, TableProgress};
    use crate::transport::SystemIdentity;

    #[test]
    fn text_of_a_snapshot_half_way() {
        let identity = SystemIdentity { system_id: "7".into(), timeline: 1 };
        let through = |done, through: &[&str]| TableProgress {
            done,
            read_at: 1,
            through: through.iter().map(ToString::to_string).collect(),
        };
        let last = Checkpoint {
            commit_lsn: 16,
            end_lsn: 17,
            phase: PHASE_SNAPSHOT.into(),
            committed_at_us: 1_600_000_000_000_000,
            snapshot_progress: [
                ("s.a".to_owned(), through(true, &[])),
                ("s.long".to_owned(), through(false, &["4", "x"])),
            ]
            .into(),
            counts: [("p.s.a".to_owned(), 5)].into(),
            isolated: [(
                "s.b".to_owned(),
                IsolatedTable { reason: "refused".into(), commit_lsn: 18, ordinal: 3 },
            )]
            .into(),
            ..Checkpoint::starting(&identity, "slot")
        };
        let now = DateTime::from_timestamp_micros(1_600_000_001_500_000).unwrap();
        let status = Status {
            source: "h:1/d".into(),
            head_lsn: Some("0/20".into()),
            slot_name: "slot".into(),
            slot: None,
            checkpoint: Some(Committed::new(last, now)),
            errors: vec!["cannot".into()],
        };
        assert_eq!(
            status.to_string(),
            "source      h:1/d, head at 0/20\n\
             slot        slot is not there\n\
             checkpoint  0/10 ordinal 0\n            phase snapshot, not complete, goes on at 0/11\n            \
             committed at the source 2020-09-13T12:26:40.000000Z, 1.5 s ago\n\
             snapshot    s.a     read\n            s.long  read up to key (4, x)\n\
             isolated    s.b since 0/12 ordinal 3: refused\n\
             events      p.s.a  5\n\
             error       cannot\n"
        );
    }
}
