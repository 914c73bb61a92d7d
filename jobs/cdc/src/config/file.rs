use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use lakepulse_types::TypeOptions;
use serde::Deserialize;

use super::expand::expand;
use super::tables::{pattern, set};
use super::{
    CommitConfig, Config, EventConfig, KafkaConfig, Partitions, RegistryConfig, RegistryCredentials,
    RowOptions, SignalConfig, SkippedOperations, SnapshotConfig, SnapshotMode, SourceConfig, TableFilter,
    Tls, TopicTemplate, inserts_publication,
};
use crate::error::{Error, ErrorKind, Result};
use crate::secret::Secret;
use crate::table::{Mask, TableName};

/// The file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    slot: String,
    publication: String,
    topic_prefix: String,
    topic_name: Option<String>,
    source: Source,
    #[serde(default)]
    tables: Tables,
    #[serde(default)]
    columns: Columns,
    #[serde(default)]
    types: TypeOptions,
    #[serde(default)]
    events: Events,
    kafka: Kafka,
    registry: Registry,
    #[serde(default)]
    snapshot: Snapshot,
    #[serde(default)]
    signals: Signals,
    #[serde(default)]
    commit: Commit,
    #[serde(default)]
    metrics: Metrics,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    host: String,
    #[serde(default = "postgres_port")]
    port: Port,
    database: String,
    user: String,
    #[serde(default = "password_env")]
    password_env: String,
    #[serde(default)]
    ssl_mode: Option<String>,
    ca_file: Option<PathBuf>,
    #[serde(default = "yes")]
    failover_slot: bool,
    #[serde(default = "receive_kbytes")]
    receive_kbytes: usize,
}

/// A port as a number, or as the text that a `${VARIABLE}` becomes.
#[derive(Deserialize)]
#[serde(untagged)]
enum Port {
    Number(u16),
    Text(String),
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Tables {
    include: Vec<String>,
    exclude: Vec<String>,
    discover_interval_s: Option<u64>,
    partitions: Option<String>,
    keys: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Columns {
    include: Vec<String>,
    exclude: Vec<String>,
    mask: Vec<ColumnMask>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ColumnMask {
    columns: String,
    hash_salt_env: Option<String>,
    truncate: Option<usize>,
    stars: Option<usize>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Events {
    skip: Vec<String>,
    transactions: bool,
    messages: Vec<String>,
    on_encoding_error: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Kafka {
    bootstrap: String,
    #[serde(default = "one")]
    partitions: i32,
    #[serde(default = "one")]
    replication_factor: i32,
    #[serde(default = "cleanup_policy")]
    cleanup_policy: String,
    #[serde(default = "yes")]
    tombstones: bool,
    #[serde(default = "yes")]
    exactly_once: bool,
    #[serde(default = "max_record_bytes")]
    max_record_bytes: u32,
    #[serde(default = "queue_kbytes")]
    queue_kbytes: u32,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Registry {
    url: String,
    user: Option<String>,
    password_env: Option<String>,
    token_env: Option<String>,
    on_incompatible: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Snapshot {
    mode: SnapshotMode,
    replica: Option<Replica>,
    connections: usize,
    rows_per_range: u32,
    incremental_rows: u32,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            mode: SnapshotMode::Initial,
            replica: None,
            connections: 2,
            rows_per_range: 50_000,
            incremental_rows: 5_000,
        }
    }
}

/// What is not given is as in `[source]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Replica {
    host: String,
    #[serde(default = "postgres_port")]
    port: Port,
    user: Option<String>,
    password_env: Option<String>,
    ssl_mode: Option<String>,
    ca_file: Option<PathBuf>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Signals {
    table: Option<String>,
    topic: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Commit {
    max_events: usize,
    interval_ms: u64,
    min_interval_ms: u64,
}

impl Default for Commit {
    fn default() -> Self {
        Self { max_events: 10_000, interval_ms: 100, min_interval_ms: 0 }
    }
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct Metrics {
    listen: Option<SocketAddr>,
}

/// How often new tables are looked for.
const DISCOVER_INTERVAL: Duration = Duration::from_secs(30);

fn postgres_port() -> Port {
    Port::Number(5432)
}

fn password_env() -> String {
    "LAKEPULSE_SOURCE_PASSWORD".to_owned()
}

fn receive_kbytes() -> usize {
    4096
}

fn one() -> i32 {
    1
}

fn cleanup_policy() -> String {
    "delete".to_owned()
}

fn yes() -> bool {
    true
}

fn max_record_bytes() -> u32 {
    16 * 1024 * 1024
}

fn queue_kbytes() -> u32 {
    65_536
}

pub(crate) fn parse(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<File> {
    let value: toml::Value = toml::from_str(text)
        .map_err(|cause| Error::new(ErrorKind::Configuration, "the file is not TOML").caused_by(cause))?;
    expand(value, variable)?.try_into().map_err(|cause: toml::de::Error| {
        Error::new(ErrorKind::Configuration, "a setting is missing, unknown or of the wrong type")
            .caused_by(cause)
    })
}

impl File {
    pub(crate) fn check(self, variable: &impl Fn(&str) -> Option<String>) -> Result<Config> {
        let wrong = |what: String| Error::new(ErrorKind::Configuration, what);
        let plain = |name: &str, others: &str| {
            !name.is_empty()
                && name.len() <= 63
                && name.chars().all(|c| c.is_ascii_alphanumeric() || others.contains(c))
        };
        if !plain(&self.slot, "_") || self.slot.chars().any(|c| c.is_ascii_uppercase()) {
            return Err(wrong(format!("slot = {:?}: use up to 63 of a-z, 0-9 and _", self.slot)));
        }
        if !plain(&self.publication, "_") {
            return Err(wrong(format!(
                "publication = {:?}: use up to 63 of A-Z, a-z, 0-9 and _",
                self.publication
            )));
        }
        if !plain(&self.topic_prefix, "._-") {
            return Err(wrong(format!(
                "topic_prefix = {:?}: use up to 63 of A-Z, a-z, 0-9, '.', '_' and '-'",
                self.topic_prefix
            )));
        }
        for (setting, value) in [
            ("commit.max_events", self.commit.max_events),
            ("commit.interval_ms", self.commit.interval_ms as usize),
            ("snapshot.connections", self.snapshot.connections),
            ("snapshot.rows_per_range", self.snapshot.rows_per_range as usize),
            ("snapshot.incremental_rows", self.snapshot.incremental_rows as usize),
            ("source.receive_kbytes", self.source.receive_kbytes),
            ("kafka.partitions", self.kafka.partitions.max(0) as usize),
            ("kafka.replication_factor", self.kafka.replication_factor.max(0) as usize),
        ] {
            if value == 0 {
                return Err(wrong(format!("{setting} must be above zero")));
            }
        }
        if self.commit.min_interval_ms > self.commit.interval_ms {
            return Err(wrong(format!(
                "commit.min_interval_ms = {} is above commit.interval_ms = {}",
                self.commit.min_interval_ms, self.commit.interval_ms
            )));
        }
        let source = self.source.read(variable)?;
        let replica = self.snapshot.replica.map(|replica| replica.read(&source, variable)).transpose()?;
        if replica.is_some() && self.snapshot.mode == SnapshotMode::Only {
            return Err(wrong(
                "snapshot.mode = \"only\" reads no replica, since that needs the stream: use initial, or leave \
                 out snapshot.replica"
                    .to_owned(),
            ));
        }
        Ok(Config {
            source,
            tables: TableFilter::new(&self.tables.include, &self.tables.exclude)?,
            discover_interval: match self.tables.discover_interval_s {
                None => Some(DISCOVER_INTERVAL),
                Some(0) => None,
                Some(seconds) => Some(Duration::from_secs(seconds)),
            },
            partitions: match self.tables.partitions.as_deref() {
                None | Some("root") => Partitions::Root,
                Some("leaves") => Partitions::Leaves,
                Some(other) => {
                    return Err(wrong(format!("tables.partitions = {other:?}: use root or leaves")));
                }
            },
            rows: RowOptions {
                publications: vec![self.publication.clone(), inserts_publication(&self.publication)],
                types: self.types,
                include: set("columns.include", &self.columns.include)?,
                exclude: set("columns.exclude", &self.columns.exclude)?,
                masks: self
                    .columns
                    .mask
                    .into_iter()
                    .map(|mask| Ok((pattern("columns.mask", &mask.columns)?, mask.read(variable)?)))
                    .collect::<Result<_>>()?,
                keys: self.tables.keys,
            },
            events: EventConfig {
                skip: skipped(&self.events.skip)?,
                transactions: self.events.transactions,
                messages: set("events.messages", &self.events.messages)?,
                dead_letters: match self.events.on_encoding_error.as_deref() {
                    Some("stop") => false,
                    None | Some("dead_letter") => true,
                    Some(other) => {
                        return Err(wrong(format!(
                            "events.on_encoding_error = {other:?}: use stop or dead_letter"
                        )));
                    }
                },
            },
            kafka: KafkaConfig {
                bootstrap: self.kafka.bootstrap,
                partitions: self.kafka.partitions,
                replication_factor: self.kafka.replication_factor,
                cleanup_policy: self.kafka.cleanup_policy,
                tombstones: self.kafka.tombstones,
                exactly_once: self.kafka.exactly_once,
                max_record_bytes: self.kafka.max_record_bytes,
                queue_kbytes: self.kafka.queue_kbytes,
                properties: self
                    .kafka
                    .properties
                    .into_iter()
                    .map(|(name, value)| (name, Secret::new(value)))
                    .collect(),
            },
            registry: RegistryConfig {
                url: self.registry.url.trim_end_matches('/').to_owned(),
                isolates: match self.registry.on_incompatible.as_deref() {
                    Some("stop") => false,
                    None | Some("isolate") => true,
                    Some(other) => {
                        return Err(wrong(format!(
                            "registry.on_incompatible = {other:?}: use stop or isolate"
                        )));
                    }
                },
                credentials: credentials(
                    self.registry.user,
                    self.registry.password_env,
                    self.registry.token_env,
                    variable,
                )?,
            },
            snapshot: SnapshotConfig {
                mode: self.snapshot.mode,
                replica,
                connections: self.snapshot.connections,
                rows_per_range: self.snapshot.rows_per_range,
                incremental_rows: self.snapshot.incremental_rows,
            },
            signals: SignalConfig {
                table: self.signals.table.as_deref().map(table_name).transpose()?,
                topic: self.signals.topic,
            },
            commit: CommitConfig {
                max_events: self.commit.max_events,
                interval: Duration::from_millis(self.commit.interval_ms),
                min_interval: Duration::from_millis(self.commit.min_interval_ms),
            },
            slot: self.slot,
            publication: self.publication,
            topic_prefix: self.topic_prefix,
            topic_name: TopicTemplate::parse(self.topic_name.as_deref().unwrap_or(TopicTemplate::DEFAULT))?,
            metrics_listen: self.metrics.listen,
        })
    }
}

impl Port {
    fn read(&self, section: &str) -> Result<u16> {
        match self {
            Self::Number(port) => Ok(*port),
            Self::Text(text) => text.parse().map_err(|cause: std::num::ParseIntError| {
                let what = format!("{section}.port = {text:?} is not a port");
                Error::new(ErrorKind::Configuration, what).caused_by(cause)
            }),
        }
    }
}

fn tls(section: &str, ssl_mode: &str, ca_file: Option<PathBuf>) -> Result<Tls> {
    match ssl_mode {
        "disable" => Ok(Tls::Disable),
        "require" => Ok(Tls::Require),
        "verify-full" => Ok(Tls::VerifyFull(ca_file)),
        other => Err(Error::new(
            ErrorKind::Configuration,
            format!("{section}.ssl_mode = {other:?}: use disable, require or verify-full"),
        )),
    }
}

impl Source {
    fn read(self, variable: &impl Fn(&str) -> Option<String>) -> Result<SourceConfig> {
        const SECTION: &str = "source";
        Ok(SourceConfig {
            section: SECTION,
            port: self.port.read(SECTION)?,
            host: self.host,
            database: self.database,
            user: self.user,
            password: variable(&self.password_env).map(Secret::new),
            password_env: self.password_env,
            tls: tls(SECTION, self.ssl_mode.as_deref().unwrap_or("disable"), self.ca_file)?,
            failover_slot: self.failover_slot,
            receive_chunks: (self.receive_kbytes / 256).max(1),
        })
    }
}

impl Replica {
    fn read(self, source: &SourceConfig, variable: &impl Fn(&str) -> Option<String>) -> Result<SourceConfig> {
        const SECTION: &str = "snapshot.replica";
        let mut replica = SourceConfig {
            section: SECTION,
            port: self.port.read(SECTION)?,
            host: self.host,
            user: self.user.unwrap_or_else(|| source.user.clone()),
            ..source.clone()
        };
        if let Some(name) = self.password_env {
            replica.password = variable(&name).map(Secret::new);
            replica.password_env = name;
        }
        if let Some(mode) = &self.ssl_mode {
            replica.tls = tls(SECTION, mode, self.ca_file)?;
        }
        Ok(replica)
    }
}

impl ColumnMask {
    fn read(self, variable: &impl Fn(&str) -> Option<String>) -> Result<Mask> {
        let wrong = |what: String| Error::new(ErrorKind::Configuration, what);
        match (self.hash_salt_env, self.truncate, self.stars) {
            (Some(name), None, None) => {
                variable(&name).map(|salt| Mask::Hash(Secret::new(salt))).ok_or_else(|| {
                    wrong(format!(
                        "columns.mask of {:?}: hash_salt_env names {name}, which is not set: set it",
                        self.columns
                    ))
                })
            }
            (None, Some(characters), None) => Ok(Mask::Truncate(characters)),
            (None, None, Some(count)) => Ok(Mask::Stars(count)),
            _ => Err(wrong(format!(
                "columns.mask of {:?}: give one of hash_salt_env, truncate and stars",
                self.columns
            ))),
        }
    }
}

fn table_name(name: &str) -> Result<TableName> {
    match name.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() => {
            Ok(TableName { schema: schema.to_owned(), table: table.to_owned() })
        }
        _ => {
            Err(Error::new(ErrorKind::Configuration, format!("signals.table = {name:?}: write schema.table")))
        }
    }
}

fn skipped(letters: &[String]) -> Result<SkippedOperations> {
    let mut skipped = SkippedOperations::default();
    for letter in letters {
        match letter.as_str() {
            "c" => skipped.create = true,
            "u" => skipped.update = true,
            "d" => skipped.delete = true,
            "t" => skipped.truncate = true,
            other => {
                return Err(Error::new(
                    ErrorKind::Configuration,
                    format!("events.skip: {other:?} is no operation: use c, u, d and t"),
                ));
            }
        }
    }
    Ok(skipped)
}

fn credentials(
    user: Option<String>,
    password_env: Option<String>,
    token_env: Option<String>,
    variable: &impl Fn(&str) -> Option<String>,
) -> Result<RegistryCredentials> {
    let secret = |setting: &str, name: String| {
        variable(&name).map(Secret::new).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!("registry.{setting} names {name}, which is not set: set it"),
            )
        })
    };
    match (user, password_env, token_env) {
        (None, None, None) => Ok(RegistryCredentials::None),
        (Some(user), Some(name), None) => {
            Ok(RegistryCredentials::Basic { user, password: secret("password_env", name)? })
        }
        (None, None, Some(name)) => Ok(RegistryCredentials::Bearer(secret("token_env", name)?)),
        _ => Err(Error::new(
            ErrorKind::Configuration,
            "registry: give user and password_env, or token_env alone, or none of them",
        )),
    }
}
