//! Where a stack keeps its things, and what its parts tell each other: folders, rendered files, endpoints.

use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::distr::Alphanumeric;

use crate::credentials::Credentials;
use crate::error::{Error, Result};
use crate::service::{Account, Program};
use crate::settings::Settings;
use crate::template::Values;

/// The bucket that holds the lakehouse.
pub(crate) const BUCKET: &str = "lakehouse";

/// The region that S3 clients sign for.
pub(crate) const REGION: &str = "us-east-1";

/// Below this the stack refuses to start, rather than fail in the middle of something.
const LEAST_FREE_GIB: u64 = 3;

/// Where Java servers keep classes, below the checkout.
const CLASSES: &str = "var/classes";

/// What Spark's classes come from.
pub(crate) const SPARK: [&str; 2] = ["spark", "spark-jars"];

/// A folder with nothing in it, the same for all stacks of a checkout.
const EMPTY: &str = "var/classes/none";

/// One stack on this machine: settings, secrets, folders.
#[derive(Debug)]
pub struct Layout {
    /// What can be set.
    pub settings: Settings,
    /// Generated secrets.
    pub credentials: Credentials,
}

impl Layout {
    /// Makes the home folder and the secrets where they are missing.
    pub fn prepare(settings: Settings) -> Result<Self> {
        let home = settings.home.clone();
        std::fs::create_dir_all(&home).map_err(|error| Error::io("create", &home, error))?;
        // PostgreSQL's account has to pass through here; what is secret lies in files of mode 0600.
        set_mode(&home, 0o755)?;
        for folder in ["data", "conf", "log", "run", "tmp"] {
            let path = home.join(folder);
            std::fs::create_dir_all(&path).map_err(|error| Error::io("create", &path, error))?;
            set_mode(&path, 0o711)?;
        }
        let empty = settings.root.join(EMPTY);
        std::fs::create_dir_all(&empty).map_err(|error| Error::io("create", &empty, error))?;
        let credentials = Credentials::load_or_generate(&home)?;
        let layout = Self { settings, credentials };
        layout.check_disk()?;
        Ok(layout)
    }

    fn check_disk(&self) -> Result<()> {
        let home = &self.settings.home;
        let disk = nix::sys::statvfs::statvfs(home.as_path()).map_err(|error| {
            Error::caused(format!("could not measure the disk of {}", home.display()), error)
        })?;
        let free = disk.blocks_available() * disk.fragment_size() / (1 << 30);
        if free < LEAST_FREE_GIB {
            return Err(Error::new(format!(
                "only {free} GiB are free for {}, and the stack wants {LEAST_FREE_GIB}: free some, or set LAKEPULSE_HOME to \
                 a folder on another disk",
                home.display()
            )));
        }
        Ok(())
    }

    /// The address that servers listen on and that clients use: this machine alone.
    #[allow(clippy::unused_self, reason = "one day a stack may listen elsewhere")]
    pub(crate) fn host(&self) -> &'static str {
        "127.0.0.1"
    }

    /// A server's data folder; for an empty name the folder of all.
    pub(crate) fn data(&self, service: &str) -> PathBuf {
        let path = self.settings.home.join("data").join(service);
        // Whoever needs it and finds it missing says so.
        let _ = std::fs::create_dir_all(&path);
        path
    }

    pub(crate) fn log(&self, service: &str) -> PathBuf {
        self.settings.home.join("log").join(format!("{service}.log"))
    }

    /// Where Java servers unpack what they need while they run.
    fn temporary(&self) -> PathBuf {
        self.settings.home.join("tmp")
    }

    /// The JVM option for it.
    pub(crate) fn temporary_option(&self) -> String {
        format!("-Djava.io.tmpdir={}", self.temporary().display())
    }

    /// Removes what servers that were killed have left there.
    ///
    /// # Errors
    /// When a file cannot be removed.
    pub(crate) fn clear_temporary(&self) -> Result<()> {
        let path = self.temporary();
        std::fs::remove_dir_all(&path).map_err(|error| Error::io("clear", &path, error))?;
        std::fs::create_dir(&path).map_err(|error| Error::io("create", &path, error))
    }

    /// The socket that the supervisor of this stack listens on.
    pub fn control(&self) -> PathBuf {
        self.settings.home.join("run/control.sock")
    }

    /// The binaries of this workspace, as `make build` puts them.
    pub fn binaries(&self) -> PathBuf {
        match self.settings.get("BIN") {
            "" => self.settings.root.join("bin"),
            folder => PathBuf::from(folder),
        }
    }

    /// A folder with nothing in it for Spark, which puts its configuration's folder before its jars: the JVM archives no
    /// classes when there is a file in it, or when it is another folder than the time before.
    pub(crate) fn empty_folder(&self) -> PathBuf {
        self.settings.root.join(EMPTY)
    }

    /// JVM options by which a Java server keeps the classes that it has loaded and checked, and starts faster with
    /// them the next time. The JVM writes the file at its end. It does not replace one that other jars were in, so that
    /// the file is named by the folders that `native/install` linked for the `components`. All stacks of a checkout
    /// share it.
    pub(crate) fn class_archive(&self, service: &str, components: &[&str]) -> [String; 3] {
        let mut name = service.to_owned();
        for component in components.iter().chain(&["jdk"]) {
            let folder = std::fs::canonicalize(self.settings.dist(component)).unwrap_or_default();
            name.push('-');
            name.push_str(&folder.file_name().unwrap_or_default().to_string_lossy());
        }
        let file = self.settings.root.join(CLASSES).join(format!("{name}.jsa"));
        [
            "-XX:+AutoCreateSharedArchive".to_owned(),
            format!("-XX:SharedArchiveFile={}", file.display()),
            // It names each of the thousands of classes that cannot be kept.
            "-Xlog:cds*=off".to_owned(),
        ]
    }

    /// A Java program on the stack's JDK.
    pub(crate) fn java(&self, arguments: &[&str]) -> Program {
        let java = self.settings.dist("jdk").join("bin/java").display().to_string();
        let mut command = vec![java, self.temporary_option()];
        command.extend(arguments.iter().map(|argument| (*argument).to_owned()));
        Program { command, env: Vec::new(), account: None, folder: self.data("") }
    }

    /// A Java server on the stack's JDK, with its class archive.
    pub(crate) fn java_server(&self, service: &str, arguments: &[&str]) -> Program {
        let mut program = self.java(arguments);
        program.command.splice(1..1, self.class_archive(service, &[service]));
        program
    }

    /// An identifier as Kafka wants it: 16 bytes in 22 characters of base64, the last of them without spare bits.
    pub(crate) fn cluster_id() -> String {
        let mut id: String = rand::rng().sample_iter(Alphanumeric).take(21).map(char::from).collect();
        id.push('A');
        id
    }

    /// Where the rendered configuration of a service is.
    pub(crate) fn conf(&self, service: &str) -> PathBuf {
        self.settings.home.join("conf").join(service)
    }

    /// Writes `docker/<service>/` with all names expanded to `conf/<service>/`, and gives that folder.
    pub(crate) fn render(&self, service: &str, account: Option<&Account>) -> Result<PathBuf> {
        let source = self.settings.root.join("docker").join(service);
        let target = self.conf(service);
        let mut values = self.values();
        values.set("CONF", target.display().to_string());
        values.render_folder(&source, &target)?;
        if let Some(account) = account {
            hand_over(&target, account)?;
            hand_over(&self.data(service), account)?;
        }
        Ok(target)
    }

    fn values(&self) -> Values {
        let mut values = Values::default();
        for (name, value) in self.settings.variables().chain(self.credentials.iter()) {
            values.set(name, value);
        }
        for host in ["LISTEN", "POSTGRES_HOST", "KAFKA_HOST", "METASTORE_HOST", "SPARK_HOST", "TRINO_HOST"] {
            values.set(host, self.host());
        }
        values.set("POSTGRES_SHARED_BUFFERS", "256MB");
        values.set("DATA", self.settings.home.join("data").display().to_string());
        let driver_classes = self.class_archive("spark-connect", &SPARK);
        values.set("DRIVER_CLASSES", driver_classes.join(" "));
        // The driver's, whose class path is the same: an executor is killed before it could write its own.
        let [_, archive, quiet] = driver_classes;
        values.set("EXECUTOR_CLASSES", format!("-Xshare:auto {archive} {quiet}"));
        values.set("TEMPORARY", self.temporary().display().to_string());
        values.set("SPARK_JARS", self.settings.dist("spark-jars").display().to_string());
        values.set("S3_ENDPOINT", format!("http://{}:{}", self.host(), self.settings.get("S3_PORT")));
        values.set("S3_REGION", REGION);
        values.set("WAREHOUSE", warehouse());
        for (name, value) in self.endpoints() {
            values.set(&name, value);
        }
        values
    }

    /// The environment in which every program of this workspace finds the servers: addresses and, by name, secrets.
    pub fn endpoints(&self) -> Vec<(String, String)> {
        let host = self.host();
        let port = |name| self.settings.get(name);
        let secret = |name| self.credentials.get(name).to_owned();
        let pairs: [(&str, String); 19] = [
            ("LAKEPULSE_ROOT", self.settings.root.display().to_string()),
            ("LAKEPULSE_HOME", self.settings.home.display().to_string()),
            ("LAKEPULSE_SOURCE_URL", format!("postgresql://wwi@{host}:{}/wwi", port("POSTGRES_PORT"))),
            ("LAKEPULSE_SOURCE_PASSWORD", secret("WWI_PASSWORD")),
            ("LAKEPULSE_CAPTURE_PASSWORD", secret("CAPTURE_PASSWORD")),
            ("LAKEPULSE_KAFKA", format!("{host}:{}", port("KAFKA_PORT"))),
            ("LAKEPULSE_REGISTRY", format!("http://{host}:{}/apis/ccompat/v7", port("REGISTRY_PORT"))),
            ("LAKEPULSE_TRINO", format!("http://{host}:{}", port("TRINO_PORT"))),
            ("LAKEPULSE_WAREHOUSE", warehouse()),
            ("LAKEPULSE_STATE", format!("s3a://{BUCKET}/state")),
            ("LAKEPULSE_CAPTURE_METRICS", format!("{host}:{}", port("CAPTURE_METRICS_PORT"))),
            ("LAKEPULSE_BRONZE_METRICS", format!("{host}:{}", port("BRONZE_METRICS_PORT"))),
            ("LAKEPULSE_SILVER_METRICS", format!("{host}:{}", port("SILVER_METRICS_PORT"))),
            ("SPARK_REMOTE", format!("sc://{host}:{}", port("SPARK_CONNECT_PORT"))),
            // What live tests need beyond that: the administrator of PostgreSQL.
            ("LAKEPULSE_TEST_PG_URL", format!("postgresql://postgres@{host}:{}", port("POSTGRES_PORT"))),
            ("PGPASSWORD", secret("POSTGRES_PASSWORD")),
            ("LAKEPULSE_TEST_KAFKA", format!("{host}:{}", port("KAFKA_PORT"))),
            ("LAKEPULSE_TEST_REGISTRY", format!("http://{host}:{}/apis/ccompat/v7", port("REGISTRY_PORT"))),
            ("LAKEPULSE_PORT_BASE", self.settings.get("PORT_BASE").to_owned()),
        ];
        pairs
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value))
            .collect()
    }
}

fn warehouse() -> String {
    format!("s3a://{BUCKET}/warehouse")
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .map_err(|error| Error::io("set the mode of", path, error))
}

/// Gives a folder and the files directly in it to the account of a server.
fn hand_over(folder: &Path, account: &Account) -> Result<()> {
    let give = |path: &Path| {
        chown(path, Some(account.uid), Some(account.gid))
            .map_err(|error| Error::io("change the owner of", path, error))
    };
    give(folder)?;
    for entry in std::fs::read_dir(folder).map_err(|error| Error::io("list", folder, error))?.flatten() {
        if entry.path().is_file() {
            give(&entry.path())?;
        }
    }
    Ok(())
}
