//! What the binaries share: logging, the session, the end.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::Args;
use spark_client::SparkSession;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::error::{Doing, Error, ErrorKind, Result};

/// Where Spark is.
#[derive(Clone, Args)]
pub struct SparkAddress {
    /// Connection string of the Spark Connect server; may hold a token and is never printed
    #[arg(long, env = "SPARK_REMOTE", hide_env_values = true)]
    pub remote: String,
}

impl SparkAddress {
    /// Opens a session.
    pub async fn connect(&self) -> Result<SparkSession> {
        SparkSession::builder()
            .remote(&self.remote)
            .config("spark.sql.session.timeZone", "UTC")
            .connect()
            .await
            .doing("connecting to Spark (SPARK_REMOTE; is the Spark Connect server up?)")
    }
}

/// What plans count on, whatever the server's own settings are: texts of times are in UTC, a cast that fails is an error, names
/// that differ in case alone are two names, and `${…}` in a text is a text.
const PINNED: [(&str, &str); 4] = [
    ("spark.sql.session.timeZone", "UTC"),
    ("spark.sql.ansi.enabled", "true"),
    ("spark.sql.caseSensitive", "true"),
    ("spark.sql.variable.substitute", "false"),
];

/// A session of its own on the same server, with the settings that silver's plans count on.
pub async fn own_session(spark: &SparkSession) -> Result<SparkSession> {
    let session = spark.new_session().await.doing("opening a session")?;
    session.conf().set_all(PINNED).await.doing("setting up a session")?;
    Ok(session)
}

/// Ends what runs in a session on the server, so that nothing writes after its process.
pub(crate) async fn interrupt(session: &SparkSession) {
    if let Err(error) = session.interrupt_all().await
        && !error.is_session_gone()
    {
        tracing::warn!(%error, "what runs on the server could not be interrupted");
    }
}

/// Now, in microseconds since 1970.
pub fn now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Logs go to standard error; `RUST_LOG` chooses what.
pub fn start_logging() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
}

/// Ends with SIGTERM or SIGINT.
pub async fn until_stopped() -> Result<()> {
    let failed = |error| Error::caused(ErrorKind::Configuration, "could not listen for signals", error);
    let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
    Ok(())
}

/// The exit code: 0, or 1 with the error and its causes on standard error.
pub fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {}", error.chain());
            ExitCode::FAILURE
        }
    }
}
