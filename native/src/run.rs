//! What the command line does: `up`, `supervise`, `down`, `exec`.

use std::io::Write as _;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use crate::control::{self, Answer, Request, ServiceReport, ask};
use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::memory::{self, Peak};
use crate::port_owner;
use crate::settings::{PORT_SPAN, Settings};
use crate::status::State;
use crate::supervisor::Supervisor;

const PAUSE: Duration = Duration::from_millis(200);
const MEMORY_INTERVAL: Duration = Duration::from_secs(5);

/// Where the search for the ports of a stack of its own begins; a process-dependent offset keeps two from racing.
const OWN_PORTS_FROM: u16 = 22000;

/// Starts the named profiles and services in the background and returns when they are ready. Is Ctrl-C pressed
/// meanwhile, what was started is stopped again.
pub async fn up(layout: &Layout, names: &[String]) -> Result<()> {
    let socket = layout.control();
    let ours = if ask(&socket, &Request::Status { memory: false }).await?.is_none() {
        start_supervisor(layout).await?;
        true
    } else {
        false
    };
    let outcome = tokio::select! {
        outcome = until_ready(&socket, names) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Error::new("interrupted")),
    };
    if outcome.is_err() && ours {
        down(layout).await?;
    }
    outcome
}

async fn start_supervisor(layout: &Layout) -> Result<()> {
    let binary = layout.binaries().join("lakepulse-stack");
    let log = layout.log("supervisor");
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(&log)
        .map_err(|error| Error::io("open", &log, error))?;
    let copy = file.try_clone().map_err(|error| Error::io("open", &log, error))?;
    let mut child = Command::new("setsid")
        .arg(binary)
        .arg("supervise")
        .stdin(Stdio::null())
        .stdout(file)
        .stderr(copy)
        .spawn()
        .map_err(|error| Error::caused("could not start the supervisor", error))?;
    loop {
        if ask(&layout.control(), &Request::Status { memory: false }).await?.is_some() {
            return Ok(());
        }
        if let Ok(Some(status)) = child.try_wait() {
            let end = std::fs::read_to_string(&log).unwrap_or_default();
            let end = crate::process::last_lines(&end, 3);
            return Err(Error::new(format!("the supervisor ended ({status}): {end}")));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn until_ready(socket: &Path, names: &[String]) -> Result<()> {
    let started = Instant::now();
    let gone = || Error::new("the supervisor has gone; its log is in log/supervisor.log of the stack's home");
    let mut answer = ask(socket, &Request::Start { names: names.to_vec() }).await?.ok_or_else(gone)?;
    let wanted: Vec<String> = answer.services.iter().map(|service| service.name.clone()).collect();
    let mut seen = Vec::new();
    loop {
        let services: Vec<&ServiceReport> =
            answer.services.iter().filter(|service| wanted.contains(&service.name)).collect();
        for service in &services {
            if service.state == State::Failed {
                return Err(Error::new(service.message.clone()));
            }
            if service.state == State::Ready && !seen.contains(&service.name) {
                seen.push(service.name.clone());
                println!("{:4}s  {} ready", started.elapsed().as_secs(), service.name);
            }
        }
        if services.iter().all(|service| service.state == State::Ready) {
            return Ok(());
        }
        tokio::time::sleep(PAUSE).await;
        answer = ask(socket, &Request::Status { memory: false }).await?.ok_or_else(gone)?;
    }
}

/// The supervisor itself, in the foreground, until it is asked to end or gets SIGTERM, SIGINT or SIGHUP.
pub async fn supervise(layout: &Layout) -> Result<()> {
    let (supervisor, peak) = (Supervisor::start(layout)?, Arc::new(Peak::default()));
    let measuring = tokio::spawn(measure(supervisor.clone(), peak.clone()));
    let socket = layout.control();
    let served = tokio::select! {
        served = control::serve(&socket, supervisor.clone(), peak) => served,
        stop = until_signalled() => {
            stop?;
            supervisor.end().await;
            let _ = std::fs::remove_file(&socket);
            Ok(())
        }
    };
    measuring.abort();
    served
}

async fn until_signalled() -> Result<()> {
    let listen = |kind| signal(kind).map_err(|error| Error::caused("could not listen for signals", error));
    let (mut terminate, mut interrupt, mut hang_up) =
        (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?, listen(SignalKind::hangup())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hang_up.recv() => {}
    }
    Ok(())
}

async fn measure(supervisor: Arc<Supervisor>, peak: Arc<Peak>) {
    loop {
        tokio::time::sleep(MEMORY_INTERVAL).await;
        let pids: Vec<u32> = supervisor.statuses().values().filter_map(|status| status.pid).collect();
        let sum = tokio::task::spawn_blocking(move || memory::of_groups(&pids).values().sum());
        peak.see(sum.await.unwrap_or_default());
    }
}

/// Stops everything; harmless when nothing runs.
pub async fn down(layout: &Layout) -> Result<()> {
    match ask(&layout.control(), &Request::End).await? {
        Some(_) => println!("stopped"),
        None => println!("nothing is running"),
    }
    Ok(())
}

/// What the supervisor knows, as a table on standard output.
pub fn print_table(answer: &Answer) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let mut print = || -> std::io::Result<()> {
        writeln!(
            out,
            "{:14} {:10} {:>8} {:>9} {:>8} {:>9}",
            "service", "state", "pid", "since", "restarts", "MiB"
        )?;
        for service in &answer.services {
            let pid = service.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let state = format!("{:?}", service.state).to_lowercase();
            writeln!(
                out,
                "{:14} {state:10} {pid:>8} {:>8}s {:>8} {:>9}",
                service.name,
                service.seconds,
                service.restarts,
                service.memory_bytes >> 20
            )?;
            for line in service.message.lines() {
                writeln!(out, "    {line}")?;
            }
        }
        writeln!(out, "peak memory of all services together: {} MiB", answer.peak_memory_bytes >> 20)
    };
    print().map_err(|error| Error::caused("could not write to standard output", error))
}

/// Runs a command with the addresses and secrets of the running stack in its environment.
pub async fn exec(layout: &Layout, command: &[String]) -> Result<ExitStatus> {
    run_command(layout, command).await
}

/// Starts a stack of its own in a temporary home on free ports, runs the command in its environment, and ends it.
pub async fn exec_own(
    settings: &Settings,
    names: &[String],
    command: &[String],
    keep: bool,
) -> Result<ExitStatus> {
    let home = std::env::temp_dir().join(format!("lakepulse-{}", std::process::id()));
    let offset = (std::process::id() % 200) as u16 * PORT_SPAN;
    let base = port_owner::free_range(OWN_PORTS_FROM + offset, PORT_SPAN)
        .or_else(|| port_owner::free_range(OWN_PORTS_FROM, PORT_SPAN))
        .ok_or_else(|| Error::new(format!("no {PORT_SPAN} consecutive free ports above {OWN_PORTS_FROM}")))?;
    let layout = Layout::prepare(settings.isolated(&home, base)?)?;
    let supervisor = Supervisor::start(&layout)?;
    let serving = tokio::spawn({
        let (socket, supervisor) = (layout.control(), supervisor.clone());
        async move { control::serve(&socket, supervisor, Arc::new(Peak::default())).await }
    });
    let work = async {
        while !layout.control().exists() && !serving.is_finished() {
            tokio::time::sleep(PAUSE).await;
        }
        if !names.is_empty() {
            until_ready(&layout.control(), names).await?;
        }
        run_command(&layout, command).await
    };
    let outcome = tokio::select! {
        outcome = work => outcome,
        stop = until_signalled() => stop.and(Err(Error::new("interrupted"))),
    };
    supervisor.end().await;
    serving.abort();
    if keep || outcome.as_ref().map_or(true, |status| !status.success()) {
        eprintln!("the logs of the servers are in {}", layout.settings.home.join("log").display());
        let _ = std::fs::remove_dir_all(layout.settings.home.join("data"));
    } else {
        let _ = std::fs::remove_dir_all(&home);
    }
    outcome
}

async fn run_command(layout: &Layout, command: &[String]) -> Result<ExitStatus> {
    let (program, arguments) =
        command.split_first().ok_or_else(|| Error::new("exec was given no command"))?;
    Command::new(program)
        .args(arguments)
        .envs(layout.endpoints())
        .kill_on_drop(true)
        .status()
        .await
        .map_err(|error| Error::caused(format!("could not run {program}"), error))
}
