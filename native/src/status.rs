//! What a service is doing, as the supervisor knows it and as it is shown.

use std::time::Instant;

use serde::{Deserialize, Serialize};

/// The states of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Nobody wants it.
    #[default]
    Stopped,
    /// Something that it needs is not ready.
    Waiting,
    /// Its process runs and does not serve yet.
    Starting,
    /// It serves.
    Ready,
    /// It died and is started again after a pause.
    Restarting,
    /// It is being stopped.
    Stopping,
    /// It died too often, or cannot start; somebody has to look.
    Failed,
}

/// A service's state with its process.
#[derive(Debug, Clone)]
pub struct Status {
    /// What it is doing.
    pub state: State,
    /// The leader of its process group, while there is one.
    pub pid: Option<u32>,
    /// Since when it is in this state.
    pub since: Instant,
    /// How often it was started again after it died.
    pub restarts: u32,
    /// Why it is restarting or failed; empty otherwise.
    pub message: String,
}

impl Default for Status {
    fn default() -> Self {
        Self { state: State::Stopped, pid: None, since: Instant::now(), restarts: 0, message: String::new() }
    }
}
