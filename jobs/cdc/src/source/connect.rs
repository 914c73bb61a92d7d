use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::settings::{PIN_LATER_ONES, session_options};
use crate::config::SourceConfig;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::tls::client_config;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a statement of ours waits for a lock, since what holds it may wait for us.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// Opens an ordinary connection.
///
/// # Errors
/// [`ErrorKind::SourceUnreachable`], [`ErrorKind::SourceRefused`] or [`ErrorKind::SourceStarting`].
pub(crate) async fn connect(source: &SourceConfig) -> Result<Client> {
    let mut config = tokio_postgres::Config::new();
    config
        .host(&source.host)
        .port(source.port)
        .dbname(&source.database)
        .user(&source.user)
        .application_name("lakepulse-cdc")
        .options(session_options())
        .connect_timeout(CONNECT_TIMEOUT)
        .keepalives_idle(Duration::from_secs(30));
    if let Some(password) = &source.password {
        config.password(password.expose());
    }
    let connected = match client_config(&source.tls)? {
        None => {
            config.ssl_mode(SslMode::Disable);
            config.connect(NoTls).await.map(|(client, connection)| {
                // Ends by itself when the client is dropped; its error reaches the client's next call.
                tokio::spawn(connection);
                client
            })
        }
        Some(tls) => {
            config.ssl_mode(SslMode::Require);
            config.connect(MakeRustlsConnect::new(tls)).await.map(|(client, connection)| {
                tokio::spawn(connection);
                client
            })
        }
    };
    let client = connected.map_err(|cause| translate(source, cause))?;
    let limits = format!("{PIN_LATER_ONES}; SET lock_timeout = '{}ms'", LOCK_TIMEOUT.as_millis());
    client.batch_execute(&limits).await.map_err(refused("cannot set the session's time limits"))?;
    Ok(client)
}

fn translate(source: &SourceConfig, cause: tokio_postgres::Error) -> Error {
    let (place, section) = (source.place(), source.section);
    let reason = cause.source().map(ToString::to_string).unwrap_or_default();
    let (kind, message) = match cause.code() {
        Some(&SqlState::INVALID_PASSWORD | &SqlState::INVALID_AUTHORIZATION_SPECIFICATION) => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {place} refuses the login of {}: check the password in {} and pg_hba.conf",
                source.user, source.password_env
            ),
        ),
        Some(&SqlState::CANNOT_CONNECT_NOW | &SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN) => {
            (ErrorKind::SourceStarting, format!("PostgreSQL at {place} is starting or stopping"))
        }
        Some(&SqlState::FEATURE_NOT_SUPPORTED) => (
            ErrorKind::SourceRefused,
            format!(
                "PostgreSQL at {place} can't convert to UTF-8 what is in the encoding of this database: dump it, and restore it into a \
                 database of another encoding"
            ),
        ),
        Some(_) => (ErrorKind::SourceRefused, format!("PostgreSQL at {place} refuses the connection")),
        None if reason.contains("password missing") => (
            ErrorKind::SourceRefused,
            format!("PostgreSQL at {place} asks for a password: set {}", source.password_env),
        ),
        None if cause.to_string().contains("TLS handshake") => (
            ErrorKind::SourceRefused,
            format!(
                "no TLS connection to PostgreSQL at {place}: check {section}.ssl_mode and {section}.ca_file"
            ),
        ),
        None => (
            ErrorKind::SourceUnreachable,
            format!(
                "cannot reach PostgreSQL at {place}: check that it runs, and {section}.host and {section}.port"
            ),
        ),
    };
    Error::new(kind, message).caused_by(cause)
}

/// Translates the failure of a statement on an open connection; `what` says what was being done.
pub(crate) fn refused(what: impl Into<String>) -> impl FnOnce(tokio_postgres::Error) -> Error {
    let what = what.into();
    move |cause| {
        let kind = match cause.code() {
            Some(&SqlState::ADMIN_SHUTDOWN | &SqlState::CRASH_SHUTDOWN | &SqlState::CANNOT_CONNECT_NOW) => {
                ErrorKind::SourceStarting
            }
            Some(&SqlState::LOCK_NOT_AVAILABLE) => ErrorKind::SourceBusy,
            Some(_) => ErrorKind::SourceRefused,
            None => ErrorKind::SourceUnreachable,
        };
        Error::new(kind, what).caused_by(cause)
    }
}

/// Where the source's write-ahead log ends.
pub(crate) async fn head(client: &Client) -> Result<Lsn> {
    let row = client
        .query_one("SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_flush_lsn() END::text", &[])
        .await
        .map_err(refused("cannot read the end of the WAL"))?;
    let text: String = row.get(0);
    text.parse().map_err(|cause: crate::lsn::ParseLsnError| {
        Error::new(ErrorKind::Protocol, "the end of the WAL is no LSN").caused_by(cause)
    })
}

/// Fails when the server doesn't write what logical decoding needs.
pub(crate) async fn check_wal_level(client: &Client) -> Result<()> {
    let row = client
        .query_one("SELECT current_setting('wal_level')", &[])
        .await
        .map_err(refused("cannot read wal_level"))?;
    let level: String = row.get(0);
    if level == "logical" {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::SourceRefused,
        format!("wal_level is {level}: set wal_level = logical in postgresql.conf and restart PostgreSQL"),
    ))
}
