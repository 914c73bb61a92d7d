//! The supervisor with real servers: what it starts, it stops, and nothing is left behind.

// A panic fails the test, as it should.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use lakepulse_native::control::Answer;
use libtest_mimic::{Arguments, Failed, Trial};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const LIMIT: Duration = Duration::from_secs(60);

/// A home and a range of ports for a stack of the test's own.
struct Own {
    home: tempfile::TempDir,
    base: u16,
    variables: Vec<(&'static str, String)>,
}

impl Own {
    fn new(base: u16) -> Self {
        let home = tempfile::tempdir().unwrap();
        // PostgreSQL's account has to get through.
        std::fs::set_permissions(home.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, base, variables: Vec::new() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(binaries().join("lakepulse-stack"))
            .args(arguments)
            .env("LAKEPULSE_HOME", self.home.path().join("home"))
            .env("LAKEPULSE_PORT_BASE", self.base.to_string())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .output()
            .unwrap()
    }

    fn succeed(&self, arguments: &[&str]) -> Result<String, String> {
        let output = self.run(arguments);
        let printed = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        if output.status.success() { Ok(printed) } else { Err(format!("{arguments:?}: {printed}")) }
    }

    fn status(&self) -> Result<Answer, Box<dyn std::error::Error>> {
        Ok(serde_json::from_str(&self.succeed(&["status", "--json"])?)?)
    }

    fn pids(&self) -> Result<Vec<u32>, Box<dyn std::error::Error>> {
        Ok(self.status()?.services.iter().filter_map(|service| service.pid).collect())
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        self.run(&["down"]);
    }
}

fn binaries() -> PathBuf {
    std::env::var_os("LAKEPULSE_ROOT").map(PathBuf::from).expect("run through make test").join("bin")
}

fn alive(pid: u32) -> bool {
    // A zombie waits for its new parent only.
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with(['Z', 'X']))
}

fn until(what: &str, mut holds: impl FnMut() -> bool) -> Outcome {
    let started = Instant::now();
    while !holds() {
        if started.elapsed() > LIMIT {
            return Err(format!("not seen in {} s: {what}", LIMIT.as_secs()).into());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn up_twice_down_twice() -> Outcome {
    let own = Own::new(31000);
    own.succeed(&["up", "source"])?;
    let first = own.pids()?;
    own.succeed(&["up", "source"])?;
    if first.len() != 1 || own.pids()? != first {
        return Err(format!("{first:?} became {:?}", own.pids()?).into());
    }
    own.succeed(&["down"])?;
    until("no process left", || !first.iter().any(|pid| alive(*pid)))?;
    own.succeed(&["down"])?;
    let data = own.home.path().join("home/data/postgres/PG_VERSION");
    if data.exists() { Ok(()) } else { Err("down removed the data".into()) }
}

fn killed_supervisor_leaves_no_orphan() -> Outcome {
    let own = Own::new(31050);
    own.succeed(&["up", "postgres", "object-store"])?;
    let pids = own.pids()?;
    let supervisor = parent(pids.first().copied().ok_or("nothing runs")?)?;
    Command::new("kill").args(["-9", &supervisor.to_string()]).status()?;
    until("no process left", || !pids.iter().any(|pid| alive(*pid)))?;
    // And the next start takes over what the killed one left.
    own.succeed(&["up", "postgres"]).map(|_| ()).map_err(Into::into)
}

fn parent(pid: u32) -> Result<u32, Box<dyn std::error::Error>> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat"))?;
    let rest = stat.rsplit_once(')').ok_or("no stat")?.1;
    Ok(rest.split_whitespace().nth(1).ok_or("no parent")?.parse()?)
}

fn dead_server_is_restarted() -> Outcome {
    let own = Own::new(31100);
    own.succeed(&["up", "object-store"])?;
    let before = own.pids()?;
    own.succeed(&["kill", "object-store"])?;
    until("another process", || own.pids().is_ok_and(|pids| pids.len() == 1 && pids != before))?;
    own.succeed(&["up", "object-store"]).map(|_| ()).map_err(Into::into)
}

fn taken_port_is_named() -> Outcome {
    let own = Own::new(31150);
    let listener = TcpListener::bind(("127.0.0.1", 31156))?;
    let error = own.succeed(&["up", "object-store"]).err().ok_or("it started on a port that was taken")?;
    drop(listener);
    for text in ["31156", "LAKEPULSE_S3_PORT", &std::process::id().to_string()] {
        if !error.contains(text) {
            return Err(format!("the error does not name {text}: {error}").into());
        }
    }
    Ok(())
}

fn seaweedfs_takes_the_place_of_minio() -> Outcome {
    let mut own = Own::new(31200);
    own.variables.push(("LAKEPULSE_OBJECT_STORE", "seaweedfs".to_owned()));
    own.succeed(&["up", "object-store"])?;
    let bucket = own.home.path().join("home/data/seaweedfs/bucket-created");
    if bucket.exists() { Ok(()) } else { Err("the bucket was not created".into()) }
}

fn trial(name: &str, test: fn() -> Outcome) -> Trial {
    Trial::test(name, move || test().map_err(|error| Failed::from(error.to_string())))
}

fn main() {
    let tests = vec![
        trial("up_twice_down_twice", up_twice_down_twice),
        trial("killed_supervisor_leaves_no_orphan", killed_supervisor_leaves_no_orphan),
        trial("dead_server_is_restarted", dead_server_is_restarted),
        trial("taken_port_is_named", taken_port_is_named),
        trial("seaweedfs_takes_the_place_of_minio", seaweedfs_takes_the_place_of_minio),
    ];
    let mut arguments = Arguments::from_args();
    arguments.test_threads = Some(1);
    libtest_mimic::run(&arguments, tests).exit();
}
