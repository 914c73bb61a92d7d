use tokio_postgres::Client;

use super::Findings;
use crate::config::Config;
use crate::source::{Server, refused};
use crate::transport::{Replication, SystemIdentity};

/// Version 14 has the first publications and slots that this capture was made for.
const OLDEST: i32 = 140_000;
/// From here on, a server in recovery has logical slots.
const SLOTS_IN_RECOVERY: i32 = 160_000;

pub(super) async fn check(client: &Client, findings: &mut Findings) -> Option<Server> {
    let server = findings.known("version", Server::read(client).await)?;
    if server.version < OLDEST {
        findings.fix("version", format!("PostgreSQL {}: 14 or later is needed", server.version_text));
    } else if server.in_recovery && server.version < SLOTS_IN_RECOVERY {
        findings.fix(
            "version",
            format!(
                "PostgreSQL {} is a replica, whose version has no logical slots there: name the primary in source.host",
                server.version_text
            ),
        );
    } else {
        findings.ok("version", format!("PostgreSQL {}", server.version_text));
    }
    if server.wal_level == "logical" {
        findings.ok("wal_level", "logical");
    } else {
        findings.fix(
            "wal_level",
            format!(
                "{}: set wal_level = logical in postgresql.conf and restart PostgreSQL",
                server.wal_level
            ),
        );
    }
    let senders = server.senders;
    if senders.taken < senders.most {
        findings.ok("WAL senders", format!("{} of {} are taken", senders.taken, senders.most));
    } else {
        findings.fix(
            "WAL senders",
            format!(
                "all {} are taken: raise max_wal_senders and restart PostgreSQL, or end one",
                senders.most
            ),
        );
    }
    if server.may_replicate() {
        findings.ok("rights", format!("{} may replicate", server.user));
    } else {
        findings.fix(
            "rights",
            format!(
                "{0} may not replicate: run ALTER ROLE {1} REPLICATION",
                server.user,
                crate::source::quoted(&server.user)
            ),
        );
    }
    Some(server)
}

/// What becomes of texts in the database's encoding.
pub(super) async fn encoding(client: &Client, findings: &mut Findings) {
    const WHAT: &str = "encoding";
    let encoding = client.query_one("SELECT current_setting('server_encoding')", &[]).await;
    let encoding = encoding.map_err(refused("cannot read the encoding of the database"));
    let Some(row) = findings.known(WHAT, encoding) else { return };
    match row.get::<_, &str>(0) {
        "UTF8" => findings.ok(WHAT, "UTF8"),
        "SQL_ASCII" => findings.note(
            WHAT,
            "SQL_ASCII: PostgreSQL checks no text here; a row with bytes that are no UTF-8 becomes a dead letter with its bytes in \
             hexadecimal digits, or stops the capture, as events.on_encoding_error says",
        ),
        other => findings.note(
            WHAT,
            format!(
                "{other}: texts are converted to UTF-8; a row with a character that UTF-8 lacks becomes a dead letter with its bytes in \
                 hexadecimal digits, or stops the capture, as events.on_encoding_error says"
            ),
        ),
    }
}

/// A replication session, which pg_hba.conf may refuse although it lets others in.
pub(super) async fn identify(config: &Config, findings: &mut Findings) -> Option<SystemIdentity> {
    let longest = config.kafka.max_record_bytes as usize;
    let identity =
        async { Replication::connect(&config.source, &config.slot, longest).await?.identify().await };
    let identity = findings.known("replication", identity.await)?;
    findings.ok("replication", format!("system {} timeline {}", identity.system_id, identity.timeline));
    Some(identity)
}
