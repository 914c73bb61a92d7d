use std::time::Duration;

use pgwire_replication::client::{ReplicationClient, ReplicationEvent};
use pgwire_replication::{PgWireError, ReplicationConfig, TlsConfig};

use super::{Received, ReplicationStream};
use crate::config::{SourceConfig, Tls};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::pgoutput::{Begin, Commit, Message, decode};
use crate::source::SESSION_OPTIONS;

/// PostgreSQL's name of a system and its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SystemIdentity {
    pub(crate) system_id: String,
    pub(crate) timeline: u32,
}

/// A snapshot that other sessions can read at, as long as the session that exported it lives.
#[derive(Debug, Clone)]
pub(crate) struct ExportedSnapshot {
    pub(crate) name: String,
    /// The snapshot holds exactly the transactions whose commit LSN is below this.
    pub(crate) consistent_point: Lsn,
}

/// A replication session over the crate `pgwire-replication`.
pub(crate) struct PgWire {
    client: ReplicationClient,
    slot: String,
    place: String,
}

impl PgWire {
    /// Connects and logs in; replication starts with [`start`](Self::start).
    pub(crate) async fn connect(
        source: &SourceConfig,
        slot: &str,
        publication: &str,
        start: Lsn,
    ) -> Result<Self> {
        let place = source.place();
        let password = source.password.as_ref().map_or("", |secret| secret.expose());
        let config =
            ReplicationConfig::new(&source.host, &source.user, password, &source.database, slot, publication)
                .with_port(source.port)
                .with_tls(match &source.tls {
                    Tls::Disable => TlsConfig::disabled(),
                    Tls::Require => TlsConfig::require(),
                    Tls::VerifyFull(ca_file) => TlsConfig::verify_full(ca_file.clone()),
                })
                .with_start_lsn(pgwire_replication::Lsn(start.0))
                .with_status_interval(Duration::from_secs(1))
                .with_buffer_size(source.receive_messages)
                .with_options(SESSION_OPTIONS)
                .with_application_name("lakepulse-cdc");
        let client =
            ReplicationClient::connect_gated(config).await.map_err(|cause| translate(cause, slot, &place))?;
        Ok(Self { client, slot: slot.to_owned(), place })
    }

    pub(crate) async fn identify(&mut self) -> Result<SystemIdentity> {
        let system = self.client.identify_system().await.map_err(|cause| self.translate(cause))?;
        Ok(SystemIdentity { system_id: system.system_id, timeline: system.timeline })
    }

    /// Creates the slot and exports a snapshot at its consistent point, valid while this session
    /// lives and runs nothing else. `temporary`: the slot goes with the session.
    pub(crate) async fn create_slot(&mut self, name: &str, temporary: bool) -> Result<ExportedSnapshot> {
        let kind = if temporary { "TEMPORARY " } else { "" };
        let sql = format!("CREATE_REPLICATION_SLOT {name} {kind}LOGICAL pgoutput EXPORT_SNAPSHOT");
        let rows = self.client.simple_query(&sql).await.map_err(|cause| self.translate(cause))?;
        let row = rows.into_iter().next().unwrap_or_default();
        let text = |column: usize| {
            row.get(column).cloned().flatten().and_then(|bytes| String::from_utf8(bytes.to_vec()).ok())
        };
        let answer = text(1).and_then(|point| point.parse().ok()).zip(text(2));
        let (consistent_point, name) = answer.ok_or_else(|| {
            Error::new(
                ErrorKind::Protocol,
                format!("CREATE_REPLICATION_SLOT {name} gave no consistent point and snapshot"),
            )
        })?;
        Ok(ExportedSnapshot { name, consistent_point })
    }

    /// Starts the stream; from here on this session holds the slot.
    pub(crate) async fn start(&mut self) -> Result<()> {
        self.client.start().await.map_err(|cause| self.translate(cause))?;
        self.client.wait_started().await.map_err(|cause| self.translate(cause))
    }

    fn translate(&self, cause: PgWireError) -> Error {
        translate(cause, &self.slot, &self.place)
    }
}

impl ReplicationStream for PgWire {
    async fn receive(&mut self) -> Result<Received> {
        loop {
            let event = self.client.recv().await.map_err(|cause| self.translate(cause))?;
            return Ok(match event {
                Some(ReplicationEvent::XLogData { wal_start, data, .. }) => {
                    Received::Message { lsn: Lsn(wal_start.0), message: decode(data)? }
                }
                Some(ReplicationEvent::Begin { final_lsn, xid, commit_time_micros }) => Received::Message {
                    lsn: Lsn(final_lsn.0),
                    message: Message::Begin(Begin {
                        commit_lsn: Lsn(final_lsn.0),
                        committed_at_us: commit_time_micros
                            .saturating_add(crate::pgoutput::POSTGRES_EPOCH_US),
                        xid,
                    }),
                },
                Some(ReplicationEvent::Commit { lsn, end_lsn, .. }) => Received::Message {
                    lsn: Lsn(lsn.0),
                    message: Message::Commit(Commit { commit_lsn: Lsn(lsn.0), end_lsn: Lsn(end_lsn.0) }),
                },
                Some(ReplicationEvent::KeepAlive { wal_end, .. }) => {
                    Received::KeepAlive { end: Lsn(wal_end.0) }
                }
                // Logical messages carry nothing to capture.
                Some(_) => continue,
                None => {
                    return Err(Error::new(
                        ErrorKind::SourceUnreachable,
                        format!("the replication stream of slot {} at {} ended", self.slot, self.place),
                    ));
                }
            });
        }
    }

    fn confirm(&self, position: Lsn) {
        self.client.update_applied_lsn(pgwire_replication::Lsn(position.0));
    }

    async fn close(mut self) {
        // The last status update goes out with the stop; a broken connection has nothing to lose.
        let _ = tokio::time::timeout(Duration::from_secs(1), self.client.shutdown()).await;
    }
}

fn translate(cause: PgWireError, slot: &str, place: &str) -> Error {
    let text = cause.to_string();
    let state = text.split_once("SQLSTATE ").map(|(_, rest)| rest.get(..5).unwrap_or_default().to_owned());
    let (kind, message) = match (&cause, state.as_deref()) {
        (PgWireError::Io(_), _) => (
            ErrorKind::SourceUnreachable,
            format!("the replication connection to PostgreSQL at {place} failed"),
        ),
        (PgWireError::Auth(_), _) | (_, Some("28P01" | "28000")) => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {place} refuses the replication login: check user, password and the REPLICATION right"
            ),
        ),
        (_, Some("57P03" | "57P01" | "57P02")) => {
            (ErrorKind::SourceStarting, format!("PostgreSQL at {place} is starting or stopping"))
        }
        (_, Some("55006")) => (
            ErrorKind::SlotBusy,
            format!("replication slot {slot} at {place} is read by another session: stop the other instance"),
        ),
        (_, Some("42704")) => (
            ErrorKind::SlotMissing,
            format!("replication slot {slot} or its publication is missing at {place}"),
        ),
        (_, Some("53400" | "53300")) => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {place} has no slot or WAL sender free: raise max_replication_slots or max_wal_senders"
            ),
        ),
        _ => (ErrorKind::SourceRefused, format!("replication from slot {slot} at {place} failed")),
    };
    Error::new(kind, message).caused_by(cause)
}
