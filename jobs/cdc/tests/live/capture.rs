//! The binary as a child process.

use std::fs::File;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::stage::{Result, Stage, eventually};
use crate::topics::Topics;

/// Runs another subcommand to its end.
pub fn command(config: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Output> {
    let directory = tempfile::tempdir()?;
    let path = directory.path().join("cdc.toml");
    std::fs::write(&path, config)?;
    Ok(Command::new(env!("CARGO_BIN_EXE_lakepulse-cdc"))
        .arg("--config")
        .arg(&path)
        .args(arguments)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .output()?)
}

/// A stage with these tables, and a capture that streams.
pub fn capturing(ddl: &str) -> Result<(Stage, Capture)> {
    capturing_with(ddl, "")
}

/// The same, with these lines more in its configuration.
pub fn capturing_with(ddl: &str, more: &str) -> Result<(Stage, Capture)> {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ddl)?;
    let capture = Capture::streaming_with(&(stage.config() + more), &[])?;
    Ok((stage, capture))
}

pub struct Capture {
    child: Child,
    directory: TempDir,
}

impl Capture {
    pub fn start(stage: &Stage) -> Result<Self> {
        Self::start_with(&stage.config(), &[])
    }

    pub fn start_with(config: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let path = directory.path().join("cdc.toml");
        std::fs::write(&path, config)?;
        let log = File::create(directory.path().join("log"))?;
        let child = Command::new(env!("CARGO_BIN_EXE_lakepulse-cdc"))
            .arg("--config")
            .arg(&path)
            .arg("run")
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()?;
        Ok(Self { child, directory })
    }

    /// Starts, and waits until it streams.
    pub fn streaming(stage: &Stage) -> Result<Self> {
        Self::streaming_with(&stage.config(), &[])
    }

    pub fn streaming_with(config: &str, environment: &[(&str, &str)]) -> Result<Self> {
        let mut capture = Self::start_with(config, environment)?;
        capture.wait_for("streaming")?;
        Ok(capture)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }

    /// Waits until a line of the log contains this.
    pub fn wait_for(&mut self, text: &str) -> Result<()> {
        eventually(text, || {
            if self.log().contains(text) {
                return Ok(true);
            }
            match self.child.try_wait()? {
                Some(status) => {
                    Err(format!("the capture ended with {status} before {text:?}:\n{}", self.log()).into())
                }
                None => Ok(false),
            }
        })
        .map_err(|error| format!("{error}\n{}", self.log()).into())
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_some())
    }

    /// Waits until it ends by itself.
    pub fn end(mut self) -> Result<ExitStatus> {
        eventually("the capture to end", || self.has_ended())?;
        Ok(self.child.wait()?)
    }

    pub fn kill(mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Asks it to stop, and says how it ended and how long that took.
    pub fn terminate(mut self) -> Result<(ExitStatus, Duration)> {
        let begun = Instant::now();
        kill(Pid::from_raw(self.child.id().try_into()?), Signal::SIGTERM)?;
        Ok((self.child.wait()?, begun.elapsed()))
    }

    /// Waits until everything is out, stops, and reads the topics, whose promises must hold.
    pub fn finish(self, stage: &Stage) -> Result<Topics> {
        self.stop(stage)?;
        let topics = Topics::read(stage)?;
        topics.check()?;
        Ok(topics)
    }

    /// Waits until everything is out, and stops.
    pub fn stop(self, stage: &Stage) -> Result<()> {
        stage.catch_up().map_err(|error| format!("{error}\n{}", self.log()))?;
        let log = self.log();
        let (status, took) = self.terminate()?;
        if !status.success() || took > Duration::from_secs(5) {
            return Err(format!("told to stop, it ended with {status} after {took:?}:\n{log}").into());
        }
        Ok(())
    }

    /// Waits until it ends by itself with a failure, and returns its log.
    pub fn refusal(mut self) -> Result<String> {
        let mut status = None;
        eventually("the capture to give up", || {
            status = self.child.try_wait()?;
            Ok(status.is_some())
        })
        .map_err(|error| format!("{error}\n{}", self.log()))?;
        if status.is_some_and(|status| status.success()) {
            return Err(format!("the capture ended with success:\n{}", self.log()).into());
        }
        let errors = self.log().lines().filter(|line| line.contains("ERROR")).count();
        if errors != 1 {
            return Err(format!("{errors} error lines instead of one:\n{}", self.log()).into());
        }
        Ok(self.log())
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        // Ended already, or a test failed half-way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
