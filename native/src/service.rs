//! What the supervisor has to know of a server: command, ports, readiness, what must happen before and after.

use std::path::PathBuf;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};

/// The unprivileged account that PostgreSQL's packages create; root hands its server over to it.
const POSTGRES_ACCOUNT: &str = "postgres";

/// The account a process runs as when the stack runs as root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) name: String,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
}

impl Account {
    /// The account for PostgreSQL: none when the stack's user is unprivileged anyway.
    pub(crate) fn for_postgres() -> Result<Option<Self>> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(None);
        }
        match nix::unistd::User::from_name(POSTGRES_ACCOUNT) {
            Ok(Some(user)) => {
                Ok(Some(Self { name: user.name, uid: user.uid.as_raw(), gid: user.gid.as_raw() }))
            }
            _ => Err(Error::new("there is no account postgres to run PostgreSQL as; run native/install")),
        }
    }
}

/// A program to run: arguments, environment, account. Secrets belong into the environment or standard input.
#[derive(Clone)]
pub(crate) struct Program {
    pub(crate) command: Vec<String>,
    pub(crate) env: Vec<(String, String)>,
    pub(crate) account: Option<Account>,
    pub(crate) folder: PathBuf,
}

impl std::fmt::Debug for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Program").field("command", &self.command).finish_non_exhaustive()
    }
}

/// A program that must have run to its end with exit code 0.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) about: &'static str,
    pub(crate) program: Program,
    pub(crate) stdin: String,
    /// The step is passed over when this exists.
    pub(crate) unless: Option<PathBuf>,
    /// Written when the step has succeeded.
    pub(crate) marker: Option<PathBuf>,
}

/// How one sees that a server serves.
#[derive(Debug, Clone)]
pub(crate) enum Readiness {
    /// It listens on its first port.
    Listening,
    /// A GET answers 200, with this text in the body.
    Http { url: String, contains: &'static str },
    /// A program ends with exit code 0.
    Command(Program),
}

/// A server, as the supervisor starts, watches and stops it.
#[derive(Debug, Clone)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    /// Services that must be ready before this one starts, and that stop after it.
    pub(crate) needs: &'static [&'static str],
    pub(crate) program: Program,
    /// Variable and number of each port that the server itself listens on.
    pub(crate) ports: Vec<(&'static str, u16)>,
    pub(crate) readiness: Readiness,
    pub(crate) before: Vec<Step>,
    pub(crate) after: Vec<Step>,
    pub(crate) stop_signal: Signal,
    /// Whether the stop signal goes to the whole process group or to the server alone.
    pub(crate) stop_group: bool,
    /// How long it may take to become ready.
    pub(crate) start_limit: Duration,
    /// How long it may take to stop before it is killed.
    pub(crate) stop_limit: Duration,
}

impl Service {
    pub(crate) fn new(name: &'static str, needs: &'static [&'static str], program: Program) -> Self {
        Self {
            name,
            needs,
            program,
            ports: Vec::new(),
            readiness: Readiness::Listening,
            before: Vec::new(),
            after: Vec::new(),
            stop_signal: Signal::SIGTERM,
            stop_group: true,
            start_limit: Duration::from_secs(120),
            stop_limit: Duration::from_secs(30),
        }
    }
}
