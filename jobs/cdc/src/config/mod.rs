//! The configuration: a TOML file whose text values may hold `${VARIABLE}`, checked once at start.

mod expand;
mod file;
mod tables;
mod topic_template;

use std::collections::BTreeMap;
use std::env;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use globset::GlobSet;
use serde::Deserialize;

pub(crate) use self::tables::{Partitions, RowOptions, TableFilter, set};
pub(crate) use self::topic_template::TopicTemplate;
use crate::avro::Operation;
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::table::TableName;

/// A checked configuration.
#[derive(Debug, Clone)]
pub struct Config {
    pub(crate) source: SourceConfig,
    pub(crate) slot: String,
    pub(crate) publication: String,
    pub(crate) topic_prefix: String,
    pub(crate) topic_name: TopicTemplate,
    pub(crate) tables: TableFilter,
    /// How often new tables are looked for; none when they are not.
    pub(crate) discover_interval: Option<Duration>,
    pub(crate) partitions: Partitions,
    pub(crate) rows: RowOptions,
    pub(crate) events: EventConfig,
    pub(crate) kafka: KafkaConfig,
    pub(crate) registry: RegistryConfig,
    pub(crate) snapshot: SnapshotConfig,
    pub(crate) signals: SignalConfig,
    pub(crate) commit: CommitConfig,
    pub(crate) metrics_listen: Option<SocketAddr>,
}

#[derive(Debug, Clone)]
pub(crate) struct SourceConfig {
    /// Where it stands in the file, to name its settings in messages.
    pub(crate) section: &'static str,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) password: Option<Secret>,
    /// The variable that the password was looked for in, to name it in messages.
    pub(crate) password_env: String,
    pub(crate) tls: Tls,
    /// Whether the slot is one that standbys have too, where the server can make such.
    pub(crate) failover_slot: bool,
    /// Chunks of up to 256 KiB received and not yet encoded.
    pub(crate) receive_chunks: usize,
}

/// How the connections to PostgreSQL are encrypted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Tls {
    Disable,
    /// Encrypted, the server's certificate unchecked.
    Require,
    /// Certificate and host name checked, against this file or the system's certificates.
    VerifyFull(Option<PathBuf>),
}

/// Which events there are.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventConfig {
    pub(crate) skip: SkippedOperations,
    /// Whether there is a topic of where transactions begin and end, and each event tells its place in its own.
    pub(crate) transactions: bool,
    /// Prefixes of the logical messages that go to a topic of their own; none when there are none.
    pub(crate) messages: GlobSet,
    /// Whether an event that has no encoding goes to a topic of its own; else it stops the capture.
    pub(crate) dead_letters: bool,
}

/// Operations that are left out.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct SkippedOperations {
    pub(crate) create: bool,
    pub(crate) update: bool,
    pub(crate) delete: bool,
    pub(crate) truncate: bool,
}

impl SkippedOperations {
    pub(crate) fn contains(self, operation: Operation) -> bool {
        match operation {
            Operation::Create => self.create,
            Operation::Update => self.update,
            Operation::Delete => self.delete,
            Operation::Truncate => self.truncate,
            Operation::Read => false,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct KafkaConfig {
    pub(crate) bootstrap: String,
    pub(crate) partitions: i32,
    pub(crate) replication_factor: i32,
    pub(crate) cleanup_policy: String,
    pub(crate) tombstones: bool,
    /// Whether Kafka transactions hold events and checkpoints together; else a crash repeats some events.
    pub(crate) exactly_once: bool,
    /// The largest record, of the producer and of the topics that are created.
    pub(crate) max_record_bytes: u32,
    /// Limit of the producer's queue.
    pub(crate) queue_kbytes: u32,
    /// Further properties of librdkafka, such as those of security.
    pub(crate) properties: BTreeMap<String, Secret>,
}

#[derive(Debug, Clone)]
pub(crate) struct RegistryConfig {
    pub(crate) url: String,
    /// Whether a table whose schema is refused is left alone, while the others go on; else it stops the capture.
    pub(crate) isolates: bool,
    pub(crate) credentials: RegistryCredentials,
}

#[derive(Debug, Clone)]
pub(crate) enum RegistryCredentials {
    None,
    Basic { user: String, password: Secret },
    Bearer(Secret),
}

#[derive(Debug, Clone)]
pub(crate) struct SnapshotConfig {
    pub(crate) mode: SnapshotMode,
    /// A physical standby of the source, from which all tables are read while the stream goes on.
    pub(crate) replica: Option<SourceConfig>,
    pub(crate) connections: usize,
    pub(crate) rows_per_range: u32,
    /// Rows of a range of an incremental snapshot.
    pub(crate) incremental_rows: u32,
}

/// Whether the rows that are there already are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SnapshotMode {
    /// Once, when the slot is new; of a table that is added later when it is added.
    #[default]
    Initial,
    /// Not at all.
    Never,
    /// Once, and the capture ends then.
    Only,
    /// As `initial`, and again when events were lost.
    WhenNeeded,
}

/// Where signals come from beside the source's logical messages.
#[derive(Debug, Clone, Default)]
pub(crate) struct SignalConfig {
    pub(crate) table: Option<TableName>,
    pub(crate) topic: Option<String>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct CommitConfig {
    pub(crate) max_events: usize,
    pub(crate) interval: Duration,
    pub(crate) min_interval: Duration,
}

impl Config {
    /// Reads and checks a configuration file; secrets come from the environment variables it names.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] with the file and the setting that is wrong.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path).map_err(|cause| {
            Error::new(
                ErrorKind::Configuration,
                format!("cannot read the configuration file {}", path.display()),
            )
            .caused_by(cause)
        })?;
        Self::from_toml(&text, |name| env::var(name).ok()).map_err(|cause| {
            Error::new(ErrorKind::Configuration, path.display().to_string()).caused_by(cause)
        })
    }

    pub(crate) fn from_toml(text: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        file::parse(text, &variable)?.check(&variable)
    }

    /// Overrides the address that metrics are served at.
    pub fn listen_for_metrics(&mut self, address: SocketAddr) {
        self.metrics_listen = Some(address);
    }

    /// The prefix of the logical messages that are signals to this capture.
    pub(crate) fn signal_prefix(&self) -> String {
        format!("lakepulse.signal.{}", self.slot)
    }

    /// The publication of the tables whose inserts alone can be told.
    pub(crate) fn inserts_publication(&self) -> String {
        inserts_publication(&self.publication)
    }

    /// The topic of the checkpoint records.
    pub(crate) fn checkpoint_topic(&self) -> String {
        self.side_topic("checkpoint")
    }

    /// Whether there is a topic of dead letters.
    pub(crate) fn has_dead_letters(&self) -> bool {
        self.events.dead_letters || self.registry.isolates
    }

    /// A topic that is not of a table.
    pub(crate) fn side_topic(&self, name: &str) -> String {
        format!("{}.{name}", self.topic_prefix)
    }
}

fn inserts_publication(publication: &str) -> String {
    // PostgreSQL cuts names after 63 bytes.
    format!("{publication:.55}_inserts")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALLEST: &str = r#"
        slot = "lakepulse"
        publication = "lakepulse"
        topic_prefix = "wwi"
        [source]
        host = "${HOST}"
        database = "wwi"
        user = "postgres"
        [kafka]
        bootstrap = "127.0.0.1:9092"
        [registry]
        url = "http://127.0.0.1:8081"
    "#;

    fn variable(name: &str) -> Option<String> {
        [("HOST", "db.example"), ("LAKEPULSE_SOURCE_PASSWORD", "hunter2")]
            .iter()
            .find_map(|(known, value)| (*known == name).then(|| (*value).to_owned()))
    }

    #[test]
    fn the_smallest_file_has_defaults_for_the_rest() {
        let config = Config::from_toml(SMALLEST, variable).unwrap();
        assert_eq!(config.source.host, "db.example");
        assert_eq!(config.source.port, 5432);
        assert_eq!(config.commit.max_events, 10_000);
        assert!(config.kafka.exactly_once);
        assert_eq!(config.checkpoint_topic(), "wwi.checkpoint");
        assert!(!format!("{config:?}").contains("hunter2"));
    }

    #[test]
    fn mistakes_are_named() {
        let table = [
            ("slot = \"lakepulse\"", "slot = \"Lake-Pulse\"", "slot"),
            ("topic_prefix = \"wwi\"", "topic_prefix = \"w w i\"", "topic_prefix"),
            ("topic_prefix = \"wwi\"", "topic_prefix = \"wwi\"\ntopic_name = \"{schema}\"", "topic_name"),
            ("${HOST}", "${NOWHERE}", "NOWHERE"),
            ("user = ", "usr = ", "usr"),
            ("[registry]", "[commit]\nmax_events = 0\n[registry]", "max_events"),
            ("[registry]", "[tables]\ninclude = [\"sales.[\"]\n[registry]", "sales.["),
            ("[registry]", "[columns]\ninclude = [\"a.[\"]\n[registry]", "a.["),
            ("[registry]", "[[columns.mask]]\ncolumns = \"a.b.c\"\n[registry]", "a.b.c"),
            (
                "[registry]",
                "[[columns.mask]]\ncolumns = \"a.b.c\"\nhash_salt_env = \"SALT\"\n[registry]",
                "SALT",
            ),
            ("[registry]", "[types]\ndecimal = \"roughly\"\n[registry]", "roughly"),
            ("[registry]", "[events]\nskip = [\"x\"]\n[registry]", "\"x\""),
            ("[registry]", "[events]\non_encoding_error = \"drop\"\n[registry]", "drop"),
            ("[registry]", "[registry]\non_incompatible = \"ignore\"", "ignore"),
            ("[registry]", "[tables]\npartitions = \"both\"\n[registry]", "both"),
            ("[registry]", "[snapshot]\nmode = \"sometimes\"\n[registry]", "sometimes"),
            ("[registry]", "[signals]\ntable = \"signals\"\n[registry]", "signals.table"),
            ("user = \"postgres\"", "user = \"postgres\"\nssl_mode = \"maybe\"", "ssl_mode"),
        ];
        for (from, to, named) in table {
            let error = Config::from_toml(&SMALLEST.replace(from, to), variable).unwrap_err().chain();
            assert!(error.contains(named), "{to}: {error}");
        }
    }
}
