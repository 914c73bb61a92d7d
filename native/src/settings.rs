//! What can be set: the table of `LAKEPULSE_*` variables, read from the environment and from `.env`.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// The first of the consecutive ports that the stack listens on, unless `LAKEPULSE_PORT_BASE` says otherwise.
const DEFAULT_PORT_BASE: u16 = 21000;

/// Ports, as offsets from `LAKEPULSE_PORT_BASE`; each can be overridden by a variable of its own.
const PORTS: &[(&str, u16, &str)] = &[
    ("POSTGRES_PORT", 1, "PostgreSQL"),
    ("KAFKA_PORT", 2, "Kafka, clients"),
    ("KAFKA_CONTROLLER_PORT", 3, "Kafka, controller"),
    ("REGISTRY_PORT", 4, "Schema Registry"),
    ("REGISTRY_MANAGEMENT_PORT", 5, "Schema Registry, health and metrics"),
    ("S3_PORT", 6, "object store, S3"),
    ("S3_CONSOLE_PORT", 7, "MinIO, console"),
    ("METASTORE_PORT", 8, "Hive metastore"),
    ("SPARK_MASTER_PORT", 9, "Spark master"),
    ("SPARK_MASTER_UI_PORT", 10, "Spark master, web page"),
    ("SPARK_WORKER_PORT", 11, "Spark worker"),
    ("SPARK_WORKER_UI_PORT", 12, "Spark worker, web page"),
    ("SPARK_CONNECT_PORT", 13, "Spark Connect"),
    ("SPARK_UI_PORT", 14, "Spark application, web page"),
    ("SPARK_DRIVER_PORT", 15, "Spark driver"),
    ("SPARK_DRIVER_BLOCK_PORT", 16, "Spark driver, block manager"),
    ("SPARK_EXECUTOR_BLOCK_PORT", 17, "Spark executor, block manager"),
    ("TRINO_PORT", 18, "Trino"),
    ("SEAWEED_MASTER_PORT", 20, "SeaweedFS master"),
    ("SEAWEED_MASTER_GRPC_PORT", 21, "SeaweedFS master, gRPC"),
    ("SEAWEED_VOLUME_PORT", 22, "SeaweedFS volume server"),
    ("SEAWEED_VOLUME_GRPC_PORT", 23, "SeaweedFS volume server, gRPC"),
    ("SEAWEED_FILER_PORT", 24, "SeaweedFS filer"),
    ("SEAWEED_FILER_GRPC_PORT", 25, "SeaweedFS filer, gRPC"),
    ("SEAWEED_S3_GRPC_PORT", 26, "SeaweedFS S3, gRPC"),
    ("CAPTURE_METRICS_PORT", 30, "lakepulse-cdc, metrics"),
    ("BRONZE_METRICS_PORT", 31, "lakepulse-bronze, metrics"),
    ("SILVER_METRICS_PORT", 32, "lakepulse-silver, metrics"),
];

/// How many consecutive ports a stack takes.
pub(crate) const PORT_SPAN: u16 = 40;

/// Everything else that has a default of its own.
const OTHERS: &[(&str, &str, &str)] = &[
    ("OBJECT_STORE", "minio", "the S3 storage: minio or seaweedfs"),
    ("KAFKA_HEAP", "512m", "Kafka's heap"),
    ("REGISTRY_HEAP", "256m", "Schema Registry's heap"),
    ("METASTORE_HEAP", "384m", "Hive metastore's heap"),
    ("SPARK_DAEMON_HEAP", "256m", "heap of Spark's master and of its worker"),
    ("SPARK_DRIVER_HEAP", "2g", "heap of the Spark Connect server, which is the driver"),
    ("SPARK_EXECUTOR_HEAP", "2g", "heap of Spark's executor"),
    (
        "SPARK_JAVA_OPTIONS",
        "-XX:+UseParallelGC -XX:TieredStopAtLevel=1",
        "JVM options of the Spark Connect server and of the executor",
    ),
    ("SPARK_CORES", "2", "cores of Spark's worker; also its shuffle partitions"),
    ("SPARK_CONF", "", "further settings of the Spark Connect server: name=value name=value"),
    ("TRINO_HEAP", "1g", "Trino's heap"),
];

/// The settings of one stack: variables by name (without the prefix), and its folders.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The checkout.
    pub root: PathBuf,
    /// Where servers keep data, logs, rendered configuration and the credentials.
    pub home: PathBuf,
    variables: BTreeMap<String, String>,
}

impl Settings {
    /// Reads the environment, then `.env` of the checkout, then the defaults: the first that names a variable wins.
    pub fn load() -> Result<Self> {
        let root = find_root()?;
        let file = root.join(".env");
        let mut variables = match std::fs::read_to_string(&file) {
            Ok(text) => parse_env_file(&file, &text)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(Error::io("read", &file, error)),
        };
        for (name, value) in std::env::vars() {
            if let Some(name) = name.strip_prefix("LAKEPULSE_") {
                variables.insert(name.to_owned(), value);
            }
        }
        Self::new(root, variables)
    }

    fn new(root: PathBuf, mut variables: BTreeMap<String, String>) -> Result<Self> {
        for (name, value, _) in OTHERS {
            variables.entry((*name).to_owned()).or_insert_with(|| (*value).to_owned());
        }
        let base = match variables.get("PORT_BASE") {
            Some(text) => parse_port("PORT_BASE", text)?,
            None => DEFAULT_PORT_BASE,
        };
        for (name, offset, _) in PORTS {
            variables.entry((*name).to_owned()).or_insert_with(|| (base + offset).to_string());
        }
        for (name, _, _) in PORTS {
            parse_port(name, variables.get(*name).map_or("", String::as_str))?;
        }
        let home = variables.get("HOME").map_or_else(|| default_home(&root), PathBuf::from);
        Ok(Self { root, home, variables })
    }

    /// The same settings for another home and another range of ports, as tests use it.
    pub fn isolated(&self, home: &Path, port_base: u16) -> Result<Self> {
        let mut variables = self.variables.clone();
        for (name, _, _) in PORTS {
            variables.remove(*name);
        }
        variables.insert("PORT_BASE".to_owned(), port_base.to_string());
        variables.insert("HOME".to_owned(), home.display().to_string());
        Self::new(self.root.clone(), variables)
    }

    /// The value of `LAKEPULSE_<name>`; empty when nothing sets it.
    pub fn get(&self, name: &str) -> &str {
        self.variables.get(name).map_or("", String::as_str)
    }

    /// The port called `LAKEPULSE_<name>`.
    pub fn port(&self, name: &str) -> Result<u16> {
        parse_port(name, self.get(name))
    }

    /// All variables by name without the prefix, in the order of their names.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What `native/install` linked for this checkout: `var/dist/<component>`.
    pub fn dist(&self, component: &str) -> PathBuf {
        self.root.join("var/dist").join(component)
    }

    /// `SPARK_HOME` inside the installed wheel.
    pub fn spark_home(&self) -> Result<PathBuf> {
        let lib = self.dist("spark").join("lib");
        let python = std::fs::read_dir(&lib)
            .map_err(|error| Error::io("list", &lib, error))?
            .filter_map(std::result::Result::ok)
            .find(|entry| entry.file_name().to_string_lossy().starts_with("python"))
            .ok_or_else(|| {
                Error::new(format!("{} holds no python folder; run native/install", lib.display()))
            })?;
        Ok(python.path().join("site-packages/pyspark"))
    }

    /// The text of `.env.example`: every variable with its default and what it is for.
    pub fn example() -> String {
        let mut text = String::from(
            "# Copy to .env and change what you need. The environment wins over this file.\n\
             # Folder of data, logs and credentials (default: as docs/operations.md says).\n\
             #LAKEPULSE_HOME=\n\
             # Folder of what native/install downloads and builds (default: the user's cache folder).\n\
             #LAKEPULSE_CACHE=\n\
             # The first of the ports below, which follow each other; a second stack needs only another base.\n",
        );
        text.push_str(&format!("#LAKEPULSE_PORT_BASE={DEFAULT_PORT_BASE}\n"));
        for (name, offset, about) in PORTS {
            text.push_str(&format!("# {about}\n#LAKEPULSE_{name}={}\n", DEFAULT_PORT_BASE + offset));
        }
        for (name, value, about) in OTHERS {
            text.push_str(&format!("# {about}\n#LAKEPULSE_{name}={value}\n"));
        }
        text
    }
}

fn parse_port(name: &str, text: &str) -> Result<u16> {
    match text.parse::<u16>() {
        Ok(port) if (1024..32768).contains(&port) => Ok(port),
        _ => Err(Error::new(format!(
            "LAKEPULSE_{name}={text} is not a port between 1024 and 32767 (higher ones can be taken by outgoing connections)"
        ))),
    }
}

fn parse_env_file(file: &Path, text: &str) -> Result<BTreeMap<String, String>> {
    let mut variables = BTreeMap::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (name, value) =
            line.strip_prefix("LAKEPULSE_").and_then(|rest| rest.split_once('=')).ok_or_else(|| {
                Error::new(format!("{}:{}: expected LAKEPULSE_NAME=value", file.display(), index + 1))
            })?;
        variables.insert(name.trim().to_owned(), value.trim().trim_matches('"').to_owned());
    }
    Ok(variables)
}

/// The checkout: `LAKEPULSE_ROOT`, or the nearest folder above this one that holds `native/install`.
fn find_root() -> Result<PathBuf> {
    if let Some(root) = std::env::var_os("LAKEPULSE_ROOT") {
        return Ok(PathBuf::from(root));
    }
    let here = std::env::current_dir().map_err(|error| Error::io("find", Path::new("."), error))?;
    here.ancestors()
        .find(|folder| folder.join("native/install").exists())
        .map(Path::to_path_buf)
        .ok_or_else(|| Error::new("not inside a LakePulse checkout; change into one or set LAKEPULSE_ROOT"))
}

/// Root cannot run PostgreSQL, and the account that can may not enter the checkout: so root keeps state where
/// services keep it, and everybody else in the user's state folder.
fn default_home(root: &Path) -> PathBuf {
    let mut hasher = DefaultHasher::new();
    root.hash(&mut hasher);
    let name = format!("{:08x}", hasher.finish() as u32);
    if nix::unistd::geteuid().is_root() {
        return Path::new("/var/lib/lakepulse").join(name);
    }
    let state = std::env::var_os("XDG_STATE_HOME").map_or_else(
        || PathBuf::from(std::env::var_os("HOME").unwrap_or_default()).join(".local/state"),
        PathBuf::from,
    );
    state.join("lakepulse").join(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings> {
        let variables = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Settings::new(PathBuf::from("/checkout"), variables)
    }

    #[test]
    fn ports_follow_the_base_unless_named() {
        let settings = settings(&[("PORT_BASE", "25000"), ("KAFKA_PORT", "9092")]).unwrap();
        assert_eq!(settings.port("POSTGRES_PORT").unwrap(), 25001);
        assert_eq!(settings.port("KAFKA_PORT").unwrap(), 9092);
    }

    #[test]
    fn a_port_in_the_ephemeral_range_is_refused() {
        let error = settings(&[("TRINO_PORT", "40000")]).unwrap_err().to_string();
        assert!(error.contains("LAKEPULSE_TRINO_PORT=40000"), "{error}");
    }

    #[test]
    fn a_line_of_the_env_file_that_is_no_assignment_is_named() {
        let error = parse_env_file(Path::new(".env"), "# fine\nKAFKA_PORT=1\n").unwrap_err().to_string();
        assert!(error.starts_with(".env:2:"), "{error}");
    }

    #[test]
    fn the_committed_example_is_current() {
        // Tests run in the folder of their package, wherever it was compiled.
        let committed = std::fs::read_to_string("../.env.example").unwrap();
        assert_eq!(committed, Settings::example(), "write it anew: lakepulse-stack example > .env.example");
    }
}
