//! The pipeline under test: its stack's supervisor, its binaries, and the command that compares.

use std::path::PathBuf;
use std::process::{Child, Command, Output};
use std::time::{Duration, Instant};

use lakepulse::scrape::Scrape;
use lakepulse_native::control::{Answer, Request, ask};
use lakepulse_native::status::State;

use super::Outcome;

const POLL: Duration = Duration::from_millis(25);

/// Rows to begin with: few, since it is the crashes that matter here.
const ROWS: &str = "12000";

pub struct Pipeline {
    runtime: tokio::runtime::Runtime,
    socket: PathBuf,
    binaries: PathBuf,
    root: PathBuf,
}

fn variable(name: &str) -> Result<String, String> {
    std::env::var(name)
        .map_err(|_| format!("{name} is not set: run through make test, which starts a stack of its own"))
}

impl Pipeline {
    /// A loaded source, and nothing running behind it yet.
    pub fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let pipeline = Self::beside()?;
        pipeline.succeed("lakepulse-wwi", &["schema"])?;
        pipeline.succeed("lakepulse-wwi", &["load", "--rows", ROWS, "--seed", "7"])?;
        Ok(pipeline)
    }

    /// The same pipeline, for another thread.
    pub fn beside() -> Result<Self, Box<dyn std::error::Error>> {
        let root = PathBuf::from(variable("LAKEPULSE_ROOT")?);
        Ok(Self {
            runtime: tokio::runtime::Builder::new_current_thread().enable_all().build()?,
            socket: PathBuf::from(variable("LAKEPULSE_HOME")?).join("run/control.sock"),
            binaries: root.join("bin"),
            root,
        })
    }

    pub fn command(&self, binary: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.binaries.join(binary));
        command.args(arguments).current_dir(&self.root);
        command
    }

    pub fn run(&self, binary: &str, arguments: &[&str]) -> std::io::Result<Output> {
        self.command(binary, arguments).output()
    }

    /// Runs a binary that must succeed; what it printed.
    pub fn succeed(&self, binary: &str, arguments: &[&str]) -> Result<String, String> {
        let output = self.run(binary, arguments).map_err(|error| format!("{binary}: {error}"))?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        if output.status.success() {
            return Ok(printed);
        }
        Err(format!(
            "{binary} {arguments:?}: {}\n{printed}{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
        ))
    }

    fn ask(&self, request: &Request) -> Result<Answer, String> {
        let answer = self.runtime.block_on(ask(&self.socket, request)).map_err(|error| error.to_string())?;
        answer.ok_or_else(|| "the stack's supervisor is gone".to_owned())
    }

    /// Starts services and waits until they are ready.
    pub fn up(&self, names: &[&str]) -> Result<(), String> {
        self.ask(&Request::Start { names: names.iter().map(|name| (*name).to_owned()).collect() })?;
        self.until(&format!("{names:?} ready"), Duration::from_secs(400), || {
            let answer = self.ask(&Request::Status { memory: false })?;
            for service in &answer.services {
                if service.state == State::Failed {
                    return Err(format!("{}: {}", service.name, service.message));
                }
            }
            Ok(names.iter().all(|name| {
                answer.services.iter().any(|service| service.name == *name && service.state == State::Ready)
            }))
        })
    }

    /// Stops services, others going on.
    pub fn stop(&self, name: &str) -> Result<(), String> {
        self.ask(&Request::Stop { names: vec![name.to_owned()] })?;
        self.until(&format!("{name} stopped"), Duration::from_secs(90), || {
            let answer = self.ask(&Request::Status { memory: false })?;
            Ok(answer.services.iter().any(|service| service.name == name && service.state == State::Stopped))
        })
    }

    /// SIGKILL; the supervisor restarts the service. Returns when it has seen the death.
    pub fn kill(&self, name: &str) -> Result<(), String> {
        let restarts = || -> Result<Option<u32>, String> {
            let answer = self.ask(&Request::Status { memory: false })?;
            Ok(answer.services.iter().find(|service| service.name == name).map(|service| service.restarts))
        };
        let before = restarts()?;
        self.ask(&Request::Kill { name: name.to_owned() })?;
        self.until(&format!("the death of {name}"), Duration::from_secs(60), || Ok(restarts()? != before))
    }

    /// Polls until a condition holds.
    pub fn until(
        &self,
        what: &str,
        limit: Duration,
        mut holds: impl FnMut() -> Result<bool, String>,
    ) -> Result<(), String> {
        let started = Instant::now();
        while !holds()? {
            if started.elapsed() > limit {
                return Err(format!("not seen in {} s: {what}", limit.as_secs()));
            }
            std::thread::sleep(POLL);
        }
        Ok(())
    }

    /// A metric's value, when its service answers.
    pub fn metric(&self, address_variable: &str, name: &str) -> Option<f64> {
        let address = std::env::var(address_variable).ok()?;
        self.runtime.block_on(async { Scrape::of(&address).await.value(name) })
    }

    /// Starts a workload in the background.
    pub fn workload(&self, seconds: u32, seed: u32) -> std::io::Result<Child> {
        let (duration, seed) = (format!("{seconds}s"), seed.to_string());
        self.command("lakepulse-wwi", &["workload", "--rate", "30", "--duration", &duration, "--seed", &seed])
            .spawn()
    }

    /// Silver equals the source, row for row.
    pub fn verify(&self) -> Outcome {
        let printed = self.succeed("lakepulse", &["verify", "--wait", "900"])?;
        // Zero rows compared would be no proof.
        if printed.lines().any(|line| line.starts_with("sales.orders ") && line.ends_with(" 0")) {
            return Ok(());
        }
        Err(format!("verify compared nothing:\n{printed}").into())
    }

    /// Verify fails, and this is a line of what it prints, but for the width of its columns.
    pub fn verify_finds(&self, expected: &str) -> Outcome {
        let output = self.run("lakepulse", &["verify", "--wait", "900"])?;
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_expected = |line: &str| line.split_whitespace().eq(expected.split_whitespace());
        if !output.status.success() && printed.lines().any(is_expected) {
            return Ok(());
        }
        let told = String::from_utf8_lossy(&output.stderr);
        Err(format!("verify did not find \"{expected}\":\n{printed}{told}").into())
    }
}

impl Pipeline {
    fn session(&self) -> Result<spark_client::SparkSession, String> {
        let remote = variable("SPARK_REMOTE")?;
        self.runtime
            .block_on(spark_client::SparkSession::builder().remote(&remote).connect())
            .map_err(|error| error.to_string())
    }

    /// Runs a statement on Spark.
    pub fn sql(&self, statement: &str) -> Result<(), String> {
        let session = self.session()?;
        self.runtime
            .block_on(session.sql(statement))
            .map(|_| ())
            .map_err(|error| format!("{statement}: {error}"))
    }

    /// Asks Spark for one number.
    pub fn spark_count(&self, query: &str) -> Result<i64, String> {
        self.number(query, "*")
    }

    /// The Delta version of a table.
    pub fn version(&self, table: &str) -> Result<i64, String> {
        self.number(&format!("DESCRIBE HISTORY {table} LIMIT 1"), "version")
    }

    /// A column of the first row of a query; 0 when it is NULL or there is no row.
    fn number(&self, query: &str, column: &str) -> Result<i64, String> {
        let session = self.session()?;
        let row: Option<(Option<i64>,)> = self
            .runtime
            .block_on(async { session.sql(query).await?.select([column]).first_as().await })
            .map_err(|error| format!("{query}: {error}"))?;
        Ok(row.and_then(|(number,)| number).unwrap_or(0))
    }

    /// Runs statements at the source, as its owner.
    pub fn source(&self, statements: &str) -> Result<(), Box<dyn std::error::Error>> {
        let address =
            lakepulse::source::SourceAddress { url: variable("LAKEPULSE_SOURCE_URL")?, password: None };
        self.runtime.block_on(async {
            let client = address.connect().await?;
            client.batch_execute(statements).await?;
            Ok(())
        })
    }
}
