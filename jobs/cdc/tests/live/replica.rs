//! Tables read from a physical standby of the source, whose log is replayed a moment later.

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User, chown, geteuid};

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::incremental::{ADDED, Changes, check_added, settings};
use crate::stage::{Result, Stage, eventually};

/// A standby of the stage's server, with a physical slot there.
struct Standby<'a> {
    stage: &'a Stage,
    folder: tempfile::TempDir,
    binaries: PathBuf,
    port: u16,
    server: Option<Child>,
}

impl<'a> Standby<'a> {
    fn new(stage: &'a Stage) -> Result<Self> {
        let binaries = stage.value("SELECT setting FROM pg_config WHERE name = 'BINDIR'")?;
        let standby = Self {
            stage,
            folder: tempfile::tempdir()?,
            binaries: binaries.ok_or("no folder of programs")?.into(),
            port: TcpListener::bind("127.0.0.1:0")?.local_addr()?.port(),
            server: None,
        };
        if let Some(user) = account()? {
            chown(standby.folder.path(), Some(user.uid), Some(user.gid))?;
        }
        let copied = standby
            .program("pg_basebackup")?
            .args([
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "-C",
                "-S",
                &format!("{}_standby", stage.name),
                "-d",
                &stage.source_url,
                "-D",
            ])
            .arg(standby.data())
            .output()?;
        if !copied.status.success() {
            return Err(String::from_utf8_lossy(&copied.stderr).into());
        }
        Ok(standby)
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A program of PostgreSQL, which root runs as the account of its package.
    fn program(&self, name: &str) -> Result<Command> {
        let mut command = Command::new(self.binaries.join(name));
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::null());
        if let Some(user) = account()? {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        Ok(command)
    }

    fn start(&mut self) -> Outcome {
        let config = self.stage.value("SELECT current_setting('config_file')")?.ok_or("no configuration")?;
        let mut command = self.program("postgres")?;
        command.arg("-D").arg(self.data()).stderr(Stdio::null());
        for setting in [
            format!("config_file={config}"),
            format!("port={}", self.port),
            "unix_socket_directories=".to_owned(),
            "recovery_min_apply_delay=20ms".to_owned(),
        ] {
            command.args(["-c", &setting]);
        }
        self.server = Some(command.spawn()?);
        eventually("the standby", || Ok(self.sql("SELECT 1").is_ok()))
    }

    fn sql(&self, sql: &str) -> Outcome {
        let mut config = tokio_postgres::Config::new();
        config.host("127.0.0.1").port(self.port).dbname(&self.stage.name);
        config.user(self.stage.source.get_user().unwrap_or("postgres"));
        if let Some(password) = self.stage.source.get_password() {
            config.password(password);
        }
        self.stage.runtime.block_on(async {
            let (client, connection) = config.connect(tokio_postgres::NoTls).await?;
            tokio::spawn(connection);
            client.batch_execute(sql).await
        })?;
        Ok(())
    }

    fn stop(&mut self) -> Outcome {
        if let Some(mut server) = self.server.take() {
            kill(Pid::from_raw(server.id().try_into()?), Signal::SIGINT)?;
            server.wait()?;
        }
        Ok(())
    }

    fn settings(&self) -> String {
        settings(self.stage, &format!("[snapshot.replica]\nhost = \"127.0.0.1\"\nport = {}\n", self.port))
    }
}

impl Drop for Standby<'_> {
    fn drop(&mut self) {
        // A test that failed half-way leaves it running.
        let _ = self.stop();
        let slot = &self.stage.name;
        let drop = format!(
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = '{slot}_standby'"
        );
        let _ = eventually("the standby's slot to be free", || Ok(self.stage.sql(&drop).is_ok()));
    }
}

fn account() -> Result<Option<User>> {
    if geteuid().is_root() { Ok(User::from_name("postgres")?) } else { Ok(None) }
}

fn wait_for_snapshots(capture: &Capture, count: usize) -> Outcome {
    eventually("the snapshots", || {
        Ok(capture.log().matches("the incremental snapshot is out").count() >= count)
    })
    .map_err(|error| format!("{error}\n{}", capture.log()).into())
}

/// All tables of a new capture, which is killed in the middle of them, while they change every few milliseconds; then again
/// on demand, while the standby is away for a time; and not any more once it is a primary of its own.
pub fn tables_are_read_from_a_standby() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ADDED)?;
    let changes = Changes::start(&stage);
    let mut standby = Standby::new(&stage)?;
    standby.start()?;
    let config = standby.settings();
    for _ in 0..2 {
        let mut capture = Capture::start_with(&config, &[])?;
        capture.wait_for("tables are read from a replica")?;
        capture.kill()?;
    }
    let mut capture = Capture::start_with(&config, &[])?;
    eventually("the table to be read", || {
        let said = command(&config, &["status", "--json"], &[])?.stdout;
        let status: serde_json::Value = serde_json::from_slice(&said)?;
        let tables = status["checkpoint"]["snapshot"].as_array().ok_or("no progress")?;
        Ok(status["checkpoint"]["phase"] == "stream" && tables.iter().all(|table| table["done"] == true))
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
    assert!(checked.contains("ok    replica"), "{checked}");

    standby.stop()?;
    let ask = || {
        stage.sql(&format!(
            "SELECT pg_logical_emit_message(false, 'lakepulse.signal.{}', '{}')",
            stage.name, r#"{"type": "execute-snapshot", "data": {"data-collections": ["public.added"]}}"#
        ))
    };
    let before = capture.log().matches("the incremental snapshot is out").count();
    ask()?;
    capture.wait_for("an incremental snapshot can't go on")?;
    stage.catch_up()?;
    standby.start()?;
    wait_for_snapshots(&capture, before + 1)?;

    // Without a wait, in which the statement might come into conflict with the log.
    standby.sql("SELECT pg_promote(false)")?;
    // While it is still in recovery, rows would be read from it.
    eventually("the standby's promotion", || {
        Ok(standby.sql("SELECT pg_create_restore_point('promoted')").is_ok())
    })?;
    ask()?;
    capture.wait_for("is not in recovery")?;
    let checked = String::from_utf8(command(&config, &["check"], &[])?.stdout)?;
    assert!(checked.contains("fix   replica"), "{checked}");
    changes.end(&stage)?;
    let topics = capture.finish(&stage)?;
    check_added(&stage, &topics, 2)
}

/// A replica of another server, and a mode that it can't be had with.
pub fn wrong_replicas() -> Outcome {
    let stage = Stage::new()?;
    let config = stage.config() + "[snapshot.replica]\nhost = \"127.0.0.1\"\nport = 1\n";
    let only = config.replace("[snapshot]\n", "[snapshot]\nmode = \"only\"\n");
    let log = Capture::start_with(&only, &[])?.refusal()?;
    assert!(log.contains("snapshot.mode = \"only\" reads no replica"), "{log}");
    // The source itself is no standby, and the stream goes on.
    stage.create_touched()?;
    let port = stage.source.get_ports().first().copied().unwrap_or(5432);
    let mut capture =
        Capture::streaming_with(&config.replace("port = 1\n", &format!("port = {port}\n")), &[])?;
    capture.wait_for("is not in recovery: name a physical standby")?;
    stage.catch_up()?;
    capture.terminate()?;
    Ok(())
}
