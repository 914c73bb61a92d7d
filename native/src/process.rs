//! Starting programs so that none outlives the supervisor, and ending whole process groups.

use std::os::unix::process::CommandExt as _;
use std::process::Stdio;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, Command};

use crate::error::{Error, Result};
use crate::log_file::LogFile;
use crate::service::{Program, Step};

/// What the kernel sends to a child when the supervisor dies: PostgreSQL's children go with its postmaster only when
/// that can shut down, so everything gets the signal that no program can ignore except where an account is switched.
fn command(program: &Program, death_signal: &str) -> Result<Command> {
    let mut arguments = program.command.iter();
    let executable = arguments.next().ok_or_else(|| Error::new("a service has no command"))?;
    let mut command = std::process::Command::new("setpriv");
    command.args(["--pdeathsig", death_signal]);
    if let Some(account) = &program.account {
        command.args(["--reuid", &account.name, "--regid", &account.gid.to_string(), "--init-groups"]);
    }
    command.arg("--").arg(executable).args(arguments);
    // It would make Spark's scripts a client of that server instead of starting one.
    command.env_remove("SPARK_REMOTE");
    command.envs(program.env.iter().map(|(name, value)| (name, value))).current_dir(&program.folder);
    command.process_group(0);
    Ok(Command::from(command))
}

/// Starts a server in a process group of its own; what it prints goes to `log`.
pub(crate) fn spawn(program: &Program, mut log: LogFile) -> Result<Child> {
    let death_signal = if program.account.is_some() { "INT" } else { "KILL" };
    let mut child = command(program, death_signal)?
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Error::caused(format!("could not start {:?}", program.command), error))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    tokio::spawn(async move {
        let (Some(mut stdout), Some(mut stderr)) = (stdout, stderr) else { return };
        let (mut out, mut err) = ([0_u8; 8192], [0_u8; 8192]);
        let (mut out_open, mut err_open) = (true, true);
        while out_open || err_open {
            let (open, chunk) = tokio::select! {
                read = stdout.read(&mut out), if out_open => {
                    let count = read.unwrap_or(0);
                    (&mut out_open, out.get(..count).unwrap_or_default())
                }
                read = stderr.read(&mut err), if err_open => {
                    let count = read.unwrap_or(0);
                    (&mut err_open, err.get(..count).unwrap_or_default())
                }
            };
            *open = !chunk.is_empty();
            log.append(chunk);
        }
    });
    Ok(child)
}

/// Runs a step to its end, unless it is known to be done.
pub(crate) async fn run_step(step: &Step) -> Result<()> {
    if step.unless.as_ref().is_some_and(|path| path.exists()) {
        return Ok(());
    }
    let mut child = command(&step.program, "KILL")?
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| Error::caused(format!("could not {}", step.about), error))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A program that ends without reading is judged by its exit code below.
        let _ = stdin.write_all(step.stdin.as_bytes()).await;
    }
    let output = child
        .wait_with_output()
        .await
        .map_err(|error| Error::caused(format!("could not {}", step.about), error))?;
    if !output.status.success() {
        let printed = [output.stdout, output.stderr].concat();
        return Err(Error::new(format!(
            "could not {} ({}): {}",
            step.about,
            output.status,
            last_lines(&String::from_utf8_lossy(&printed), 6)
        )));
    }
    if let Some(marker) = &step.marker {
        std::fs::write(marker, "").map_err(|error| Error::io("write", marker, error))?;
    }
    Ok(())
}

/// Whether a program ends with exit code 0.
pub(crate) async fn succeeds(program: &Program) -> bool {
    let Ok(mut command) = command(program, "KILL") else { return false };
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .status()
        .await
        .is_ok_and(|status| status.success())
}

/// The last lines of a text, for an error message.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    lines.get(lines.len().saturating_sub(count)..).unwrap_or_default().join("\n")
}

/// Sends a signal to a process, or to the group that it leads.
pub(crate) fn send(pid: u32, signal: Signal, group: bool) {
    let pid = Pid::from_raw(pid as i32);
    // The process may be gone already, which is what the caller wants.
    let _ = if group { killpg(pid, signal) } else { kill(pid, signal) };
}

/// Waits until nobody is left in the process group, and kills those who stay longer than `limit`.
pub(crate) async fn end_group(pid: u32, limit: Duration) {
    let leader = Pid::from_raw(pid as i32);
    let empty = async || {
        while killpg(leader, None) != Err(Errno::ESRCH) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(limit, empty()).await.is_err() {
        send(pid, Signal::SIGKILL, true);
        let _ = tokio::time::timeout(Duration::from_secs(5), empty()).await;
    }
}
