//! How commands reach a running supervisor: one line of JSON each way over a Unix socket in the stack's home.

use std::path::Path;
use std::sync::Arc;

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;

use crate::error::{Error, Result, chain};
use crate::memory;
use crate::status::State;
use crate::supervisor::Supervisor;

/// What a supervisor can be asked.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "ask")]
pub enum Request {
    /// Answer with all services.
    Status {
        /// Whether to measure their memory.
        memory: bool,
    },
    /// Want these profiles or services.
    Start {
        /// Profiles and services by name.
        names: Vec<String>,
    },
    /// Stop these services alone.
    Stop {
        /// Profiles and services by name; what they need goes on.
        names: Vec<String>,
    },
    /// Send SIGKILL to a service, which is then restarted.
    Kill {
        /// The service.
        name: String,
    },
    /// Stop everything and end.
    End,
}

/// A service as it is shown.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServiceReport {
    /// Its name.
    pub name: String,
    /// What it is doing.
    pub state: State,
    /// The leader of its process group.
    pub pid: Option<u32>,
    /// For how many seconds it has been in this state.
    pub seconds: u64,
    /// How often it was restarted.
    pub restarts: u32,
    /// Memory of its process group, in bytes; shared pages are split among those who share them.
    pub memory_bytes: u64,
    /// Why it is restarting or has failed.
    pub message: String,
}

/// The answer to every request.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Answer {
    /// Why the request was refused; empty when it was not.
    pub error: String,
    /// The services that the request names, with what they need, or all.
    pub services: Vec<ServiceReport>,
    /// The most memory that all services together had since the supervisor started, in bytes.
    pub peak_memory_bytes: u64,
}

/// Answers requests until one asks to end.
pub(crate) async fn serve(socket: &Path, supervisor: Arc<Supervisor>, peak: Arc<memory::Peak>) -> Result<()> {
    // One that is left from a supervisor that was killed; whether one lives was asked before.
    let _ = std::fs::remove_file(socket);
    let listener = UnixListener::bind(socket).map_err(|error| Error::io("listen on", socket, error))?;
    let end = Arc::new(Notify::new());
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                if let Ok((stream, _)) = accepted {
                    let (supervisor, peak, end) = (supervisor.clone(), peak.clone(), end.clone());
                    // A client that goes away in the middle is no concern of the others.
                    tokio::spawn(async move { let _ = reply(stream, &supervisor, &peak, &end).await; });
                }
            }
            () = end.notified() => {
                let _ = std::fs::remove_file(socket);
                return Ok(());
            }
        }
    }
}

async fn reply(
    stream: UnixStream,
    supervisor: &Arc<Supervisor>,
    peak: &memory::Peak,
    end: &Notify,
) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut line = String::new();
    stream.read_line(&mut line).await?;
    let request = serde_json::from_str(&line);
    let ending = matches!(request, Ok(Request::End));
    let answer = match request {
        Ok(request) => answer(request, supervisor, peak).await,
        Err(error) => Answer { error: error.to_string(), ..Answer::default() },
    };
    let mut text = serde_json::to_string(&answer)?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await?;
    if ending {
        end.notify_one();
    }
    Ok(())
}

async fn answer(request: Request, supervisor: &Arc<Supervisor>, peak: &memory::Peak) -> Answer {
    let with_memory = matches!(request, Request::Status { memory: true });
    let outcome = match request {
        Request::Status { .. } => Ok(Vec::new()),
        Request::Start { names } => supervisor.select(&names).inspect(|names| supervisor.want(names)),
        Request::Stop { names } => supervisor.select(&names).map(|all| {
            let named: Vec<_> =
                all.into_iter().filter(|service| names.iter().any(|name| name == service)).collect();
            supervisor.unwant(&named);
            named
        }),
        Request::Kill { name } => supervisor.signal(&name, Signal::SIGKILL).map(|()| Vec::new()),
        Request::End => {
            supervisor.end().await;
            Ok(Vec::new())
        }
    };
    match outcome {
        Ok(names) => report(supervisor, &names, peak, with_memory),
        Err(error) => Answer { error: chain(&error), ..Answer::default() },
    }
}

/// The named services, or all of them when none is named. Measuring memory takes a while.
fn report(supervisor: &Supervisor, names: &[&'static str], peak: &memory::Peak, with_memory: bool) -> Answer {
    let statuses = supervisor.statuses();
    let leaders: Vec<u32> = statuses.values().filter_map(|status| status.pid).collect();
    let memory = if with_memory { memory::of_groups(&leaders) } else { std::collections::BTreeMap::new() };
    let services = statuses
        .into_iter()
        .filter(|(name, _)| names.is_empty() || names.contains(name))
        .map(|(name, status)| ServiceReport {
            name: name.to_owned(),
            state: status.state,
            pid: status.pid,
            seconds: status.since.elapsed().as_secs(),
            restarts: status.restarts,
            memory_bytes: status.pid.and_then(|pid| memory.get(&pid).copied()).unwrap_or(0),
            message: status.message,
        })
        .collect();
    Answer { error: String::new(), services, peak_memory_bytes: peak.bytes() }
}

/// Asks the supervisor behind `socket`; none when nobody listens there.
pub async fn ask(socket: &Path, request: &Request) -> Result<Option<Answer>> {
    let Ok(stream) = UnixStream::connect(socket).await else { return Ok(None) };
    let failed = |error: std::io::Error| Error::io("talk to the supervisor behind", socket, error);
    let mut stream = BufReader::new(stream);
    let mut text = serde_json::to_string(request)
        .map_err(|error| Error::caused("could not write the request to the supervisor", error))?;
    text.push('\n');
    stream.write_all(text.as_bytes()).await.map_err(failed)?;
    let mut line = String::new();
    stream.read_line(&mut line).await.map_err(failed)?;
    let answer: Answer = serde_json::from_str(&line).map_err(|error| {
        Error::caused("the supervisor's answer could not be read; is it of another version?", error)
    })?;
    if answer.error.is_empty() { Ok(Some(answer)) } else { Err(Error::new(answer.error)) }
}
