//! A database with a capture, bronze and silver behind it.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use clap::{Args, FromArgMatches};
use lakepulse_medallion::bronze::{self, BronzeOptions};
use lakepulse_medallion::changes::{ChangeLog, PAUSE, Publication};
use lakepulse_medallion::control::Control;
use lakepulse_medallion::job::{SparkAddress, own_session};
use lakepulse_medallion::live::{Trino, TrinoOptions, Views};
use lakepulse_medallion::metrics::Metrics;
use lakepulse_medallion::typed::Rounds;
use lakepulse_medallion::{Contracts, KafkaOptions, Lake, Registry, RegistryAddress};
use spark_client::{SparkSession, StreamingQuery};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls};

use crate::views;

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// Longer than anything takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(240);

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub struct Stage {
    pub runtime: Runtime,
    pub name: String,
    pub client: Client,
    spark: SparkSession,
    /// For queries, with the settings that silver's own have.
    pub reader: SparkSession,
    pub lake: Lake,
    admin: Config,
    capture: Child,
    directory: TempDir,
    query: StreamingQuery,
    pub silver: Silver,
    /// In tests of live views.
    pub live: Option<Live>,
}

/// Live views, and what was wrong with them.
pub struct Live {
    pub views: Views,
    pub trino: Trino,
    pub followed: Vec<views::Followed>,
    /// What was found since the source was settled for the last time, by `schema.table`.
    pub wrong: BTreeMap<String, String>,
}

/// What a process of silver consists of.
pub struct Silver {
    pub control: Control,
    pub changes: ChangeLog,
    pub rounds: Rounds,
}

impl Silver {
    /// As a process begins: from what the tables of silver say.
    pub async fn open(spark: &SparkSession, lake: &Lake, directory: &Path) -> Result<Self> {
        let contracts = Contracts::load(&directory.join("contracts"))?;
        let registry = Registry::new(&options::<RegistryAddress>(&[])?)?;
        let kafka: KafkaOptions = options(&[])?;
        let changes = ChangeLog::open(spark, lake.clone(), registry.clone(), &kafka, options(&[])?).await?;
        let control = Control::open(&kafka, lake, registry.clone(), changes.cut().offset).await?;
        let metrics = Metrics::new()?;
        let rounds = Rounds::open(spark, lake.clone(), registry, contracts, metrics, 2).await?;
        Ok(Self { control, changes, rounds })
    }

    /// Publishes one slice if there is one.
    pub async fn publish(&mut self) -> Result<()> {
        self.control.advance(Duration::from_millis(200)).await?;
        let candidates = self.changes.candidates(&self.control)?;
        let published = self.changes.publish(&mut self.control, candidates).await?;
        if !matches!(published, Publication::Published { .. }) {
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }
}

fn setting(name: &str) -> Result<String> {
    std::env::var(name).map_err(|_| format!("{name} is not set: run through make test").into())
}

/// Options as the binaries read them from the environment.
pub fn options<T: Args + FromArgMatches>(more: &[String]) -> Result<T> {
    let arguments = std::iter::once("test".to_owned()).chain(more.iter().cloned());
    let matches = T::augment_args(clap::Command::new("test")).try_get_matches_from(arguments)?;
    Ok(T::from_arg_matches(&matches)?)
}

async fn open(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Stage {
    /// A source with these tables, of which all is captured.
    pub fn new(ddl: &str) -> Result<Self> {
        Self::with(ddl, "")
    }

    /// The same, with these lines more in capture's configuration.
    pub fn with(ddl: &str, more: &str) -> Result<Self> {
        Self::start(ddl, more, &[])
    }

    /// A source of which silver keeps the histories of some tables.
    pub fn with_histories(ddl: &str, tables: &[&str]) -> Result<Self> {
        Self::start(ddl, "", tables)
    }

    fn start(ddl: &str, more: &str, histories: &[&str]) -> Result<Self> {
        let runtime = Runtime::new()?;
        let name = format!("s{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let url = setting("LAKEPULSE_TEST_PG_URL")?;
        let mut admin: Config = format!("{url}/postgres").parse()?;
        let mut source: Config = format!("{url}/{name}").parse()?;
        if let Ok(password) = std::env::var("PGPASSWORD") {
            admin.password(&password);
            source.password(&password);
        }
        source.options("-c timezone=UTC -c extra_float_digits=1");
        let client = runtime.block_on(async {
            open(&admin).await?.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
            open(&source).await
        })?;
        runtime.block_on(client.batch_execute("CREATE TABLE touched (id int PRIMARY KEY, n int)"))?;
        runtime.block_on(client.batch_execute(ddl))?;
        let directory = tempfile::tempdir()?;
        let contracts = directory.path().join("contracts");
        std::fs::create_dir(&contracts)?;
        for table in histories {
            std::fs::write(contracts.join(format!("{table}.yaml")), format!("table: {table}\nscd: type2\n"))?;
        }
        let (capture, lake) = start_capture(&name, &source, more, &directory)?;
        let (spark, reader, query, silver) = runtime.block_on(async {
            let spark = options::<SparkAddress>(&[])?.connect().await?;
            let bronze_options: BronzeOptions = options(&["--trigger-ms=500".to_owned()])?;
            let query = bronze::start(&spark, &lake, &bronze_options).await?;
            let silver = Silver::open(&spark, &lake, directory.path()).await?;
            let reader = own_session(&spark).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>((spark, reader, query, silver))
        })?;
        let mut stage = Self {
            runtime,
            name,
            client,
            spark,
            reader,
            lake,
            admin,
            capture,
            directory,
            query,
            silver,
            live: None,
        };
        if views::are_tested() {
            let trino_options: TrinoOptions = options(&[])?;
            let views = stage.runtime.block_on(Views::open(&stage.spark, &stage.lake, &trino_options))?;
            let trino = Trino::new(&trino_options)?.ok_or("no Trino")?;
            stage.live = Some(Live { views, trino, followed: Vec::new(), wrong: BTreeMap::new() });
        }
        Ok(stage)
    }

    /// Runs statements.
    pub fn sql(&self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// Publishes and merges all that the source has committed so far.
    pub fn settle(&mut self) -> Result<()> {
        self.publish()?;
        if let Some(live) = &mut self.live {
            live.wrong.clear();
        }
        views::check(self, "published")?;
        let Self { runtime, silver, .. } = self;
        runtime.block_on(silver.rounds.run(silver.control.tables(), silver.changes.cut()))?;
        views::check_again(self, "merged, and the views as they were")?;
        self.refresh_views()?;
        views::check(self, "merged")
    }

    /// Gives the live views what was told so far.
    pub fn refresh_views(&mut self) -> Result<()> {
        let Self { runtime, silver, live: Some(live), .. } = self else { return Ok(()) };
        let told = silver.control.pending().map(|noted| noted.checkpoint.commit_lsn).max();
        let lsn = told.unwrap_or_default().max(silver.changes.cut().commit_lsn);
        let failed =
            runtime.block_on(live.views.refresh(silver.control.tables(), silver.rounds.merged(), lsn))?;
        match failed.first() {
            Some((table, error)) => Err(format!("{table}: {}", error.chain()).into()),
            None => Ok(()),
        }
    }

    /// Settles again and again until something holds, such as for a table that capture has to read first.
    pub fn settle_until(&mut self, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let begun = Instant::now();
        self.settle()?;
        while !holds(self) {
            if begun.elapsed() > DEADLINE {
                return Err(format!("it never came; capture says:\n{}", self.log()).into());
            }
            std::thread::sleep(Duration::from_millis(500));
            self.settle()?;
        }
        Ok(())
    }

    /// Publishes all that the source has committed so far.
    pub fn publish(&mut self) -> Result<()> {
        let head = self.head()?;
        let begun = Instant::now();
        while self.silver.changes.cut().commit_lsn < head {
            if begun.elapsed() > DEADLINE {
                let cut = self.silver.changes.cut().commit_lsn;
                return Err(format!("cut {cut} has not passed {head}; capture says:\n{}", self.log()).into());
            }
            self.runtime.block_on(self.silver.control.advance(Duration::from_millis(200)))?;
            self.refresh_views()?;
            self.runtime.block_on(self.silver.publish())?;
        }
        Ok(())
    }

    /// The last byte of the log so far, of which the end is an event, so that a checkpoint of capture passes it.
    pub fn head(&self) -> Result<i64> {
        self.sql("INSERT INTO touched VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = touched.n + 1")?;
        let head =
            self.client.query_one("SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint - 1", &[]);
        Ok(self.runtime.block_on(head)?.get(0))
    }

    /// Another process of silver on the same lake.
    pub fn another_silver(&self) -> Result<Silver> {
        self.runtime.block_on(Silver::open(&self.spark, &self.lake, self.directory.path()))
    }

    pub fn log(&self) -> String {
        log_of(&self.directory)
    }

    /// What capture has told of a table.
    pub fn told(&self, table: &str) -> String {
        let told: Vec<String> = self
            .silver
            .control
            .tables()
            .values()
            .filter(|told| told.name == table)
            .map(|told| format!("{told:#?}"))
            .collect();
        told.join("\n")
    }

    /// Where each typed table stands, by the source table's name.
    pub fn standing(&self, table: &str) -> Option<&lakepulse_medallion::typed::Standing> {
        self.silver.rounds.merged().standings.values().find(|standing| standing.source_table == table)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let pid = nix::unistd::Pid::from_raw(self.capture.id() as i32);
        let _ = nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGTERM);
        let _ = self.capture.wait();
        let (name, lake) = (self.name.clone(), self.lake.clone());
        let tidied = self.runtime.block_on(async {
            bronze::stop(&self.query).await?;
            for layer in ["live", "live_spark", "silver", "bronze"] {
                self.spark
                    .sql(&format!("DROP DATABASE IF EXISTS {}{layer} CASCADE", lake.database_prefix))
                    .await?;
            }
            let admin = open(&self.admin).await?;
            admin.batch_execute(&format!("SELECT pg_drop_replication_slot('{name}')")).await?;
            admin.batch_execute(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        });
        if let Err(error) = tidied {
            eprintln!("{name}: not tidied up: {error}");
        }
    }
}

fn log_of(directory: &TempDir) -> String {
    std::fs::read_to_string(directory.path().join("log")).unwrap_or_default()
}

fn start_capture(name: &str, source: &Config, more: &str, directory: &TempDir) -> Result<(Child, Lake)> {
    let host = match source.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        _ => "127.0.0.1".to_owned(),
    };
    let port = source.get_ports().first().copied().unwrap_or(5432);
    let config = format!(
        "slot = \"{name}\"\npublication = \"{name}\"\ntopic_prefix = \"{name}\"\n[source]\nhost = \"{host}\"\nport = {port}\n\
         database = \"{name}\"\nuser = \"postgres\"\npassword_env = \"PGPASSWORD\"\n[kafka]\nbootstrap = \"{}\"\n[registry]\nurl = \"{}\"\n\
         [tables]\ndiscover_interval_s = 1\n{more}",
        setting("LAKEPULSE_TEST_KAFKA")?,
        setting("LAKEPULSE_TEST_REGISTRY")?
    );
    let path = directory.path().join("cdc.toml");
    std::fs::write(&path, config)?;
    let binary = std::path::Path::new(&setting("LAKEPULSE_ROOT")?).join("bin/lakepulse-cdc");
    let capture = Command::new(binary)
        .arg("--config")
        .arg(&path)
        .arg("run")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(File::create(directory.path().join("log"))?)
        .spawn()?;
    let lake = Lake {
        topic_prefix: name.to_owned(),
        database_prefix: format!("{name}_"),
        state: setting("LAKEPULSE_STATE")?,
    };
    Ok((capture, lake))
}
