//! What a test stands on: servers from the environment, and a database, slot and prefix of its own.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls};

/// Longer than anything takes on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(120);

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

pub struct Stage {
    pub runtime: Runtime,
    /// Database, slot, publication and topic prefix in one.
    pub name: String,
    pub source: Config,
    pub source_url: String,
    pub kafka: String,
    pub registry: String,
    pub client: Client,
}

fn setting(name: &str) -> Result<String> {
    env::var(name).map_err(|_| format!("{name} is not set: run through make test").into())
}

async fn open(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Stage {
    pub fn new() -> Result<Self> {
        Self::with("")
    }

    /// With a database that is created with these options.
    pub fn with(options: &str) -> Result<Self> {
        let url = setting("LAKEPULSE_TEST_PG_URL")?;
        let (kafka, registry) = (setting("LAKEPULSE_TEST_KAFKA")?, setting("LAKEPULSE_TEST_REGISTRY")?);
        let runtime = Runtime::new()?;
        let name = format!("t{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let base = url.trim_end_matches('/').to_owned();
        let mut admin: Config = format!("{base}/postgres").parse()?;
        let mut source: Config = format!("{base}/{name}").parse()?;
        if let Ok(password) = env::var("PGPASSWORD") {
            admin.password(&password);
            source.password(&password);
        }
        let client = runtime.block_on(async {
            open(&admin)
                .await?
                .batch_execute(&format!("CREATE DATABASE {name} {options} TEMPLATE template0"))
                .await?;
            open(&source).await
        })?;
        let source_url = format!("{base}/{name}");
        Ok(Self { runtime, name, source, source_url, kafka, registry, client })
    }

    /// Connects anew, after the server was killed.
    pub fn reconnect(&mut self) -> Result<()> {
        self.client = self.runtime.block_on(open(&self.source))?;
        Ok(())
    }

    /// Runs statements.
    pub fn sql(&self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// The first column of the first row, as text.
    pub fn value(&self, sql: &str) -> Result<Option<String>> {
        for message in self.runtime.block_on(self.client.simple_query(sql))? {
            if let tokio_postgres::SimpleQueryMessage::Row(row) = message {
                return Ok(row.get(0).map(str::to_owned));
            }
        }
        Ok(None)
    }

    /// The configuration of a capture of everything but `exclude`.
    pub fn config(&self) -> String {
        let name = &self.name;
        let host = match self.source.get_hosts().first() {
            Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        };
        let port = self.source.get_ports().first().copied().unwrap_or(5432);
        let user = self.source.get_user().unwrap_or("postgres");
        format!(
            "slot = \"{name}\"\npublication = \"{name}\"\ntopic_prefix = \"{name}\"\n\
             [source]\nhost = \"{host}\"\nport = {port}\ndatabase = \"{name}\"\nuser = \"{user}\"\npassword_env = \"PGPASSWORD\"\n\
             [kafka]\nbootstrap = \"{}\"\n[registry]\nurl = \"{}\"\n[snapshot]\nrows_per_range = 2000\n",
            self.kafka, self.registry
        )
    }

    /// Waits until everything committed before now is in Kafka: the slot's confirmed position has passed it. However
    /// much that is, the position must move.
    pub fn catch_up(&self) -> Result<()> {
        let target = self.value("SELECT pg_current_wal_insert_lsn()")?.unwrap_or_default();
        let mut position = None;
        loop {
            let mut passed = false;
            eventually("the slot's position to move", || {
                self.sql(
                    "INSERT INTO touched VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET n = touched.n + 1",
                )?;
                let slot = format!("FROM pg_replication_slots WHERE slot_name = '{}'", self.name);
                let now = self.value(&format!("SELECT confirmed_flush_lsn {slot}"))?;
                let query = format!("SELECT confirmed_flush_lsn >= '{target}' {slot}");
                passed = self.value(&query)?.as_deref() == Some("t");
                let moved = now != position;
                position = now;
                Ok(passed || moved)
            })?;
            if passed {
                return Ok(());
            }
        }
    }

    /// The table that `catch_up` writes to.
    pub fn create_touched(&self) -> Result<()> {
        self.sql("CREATE TABLE touched (id integer PRIMARY KEY, n integer NOT NULL)")
    }

    fn kafka_client(&self) -> rdkafka::ClientConfig {
        let mut client = rdkafka::ClientConfig::new();
        client.set("bootstrap.servers", &self.kafka);
        client
    }

    /// The names of all topics.
    pub fn topics(&self) -> Result<Vec<String>> {
        let consumer: BaseConsumer = self.kafka_client().create()?;
        let metadata = consumer.fetch_metadata(None, Duration::from_secs(10))?;
        Ok(metadata.topics().iter().map(|topic| topic.name().to_owned()).collect())
    }

    /// Drops the slot once the session that read from it has ended, which may be after its capture.
    pub fn drop_slot(&self) -> Result<()> {
        let drop = format!("SELECT pg_drop_replication_slot('{}')", self.name);
        eventually("the slot to be free", || Ok(self.sql(&drop).is_ok()))
    }

    /// Deletes a topic, and waits until it is gone.
    pub fn delete_topic(&self, name: &str) -> Result<()> {
        let admin: AdminClient<DefaultClientContext> = self.kafka_client().create()?;
        self.runtime.block_on(admin.delete_topics(&[name], &AdminOptions::new()))?;
        eventually("the topic to be gone", || Ok(!self.topics()?.iter().any(|topic| topic == name)))
    }

    fn clean(&self) -> Result<()> {
        let name = &self.name;
        self.runtime.block_on(async {
            let mut admin = self.source.clone();
            let admin = open(admin.dbname("postgres")).await?;
            let drop_slots = format!("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{name}'");
            let end_sessions = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}' AND pid <> pg_backend_pid()");
            admin.batch_execute(&end_sessions).await?;
            let begun = Instant::now();
            while admin.batch_execute(&drop_slots).await.is_err() && begun.elapsed() < Duration::from_secs(20) {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            admin.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")).await?;
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
        })?;
        let mut topics = self.topics()?;
        topics.retain(|topic| topic.starts_with(&format!("{name}.")));
        let names: Vec<&str> = topics.iter().map(String::as_str).collect();
        let admin: AdminClient<DefaultClientContext> = self.kafka_client().create()?;
        self.runtime.block_on(async {
            if !names.is_empty() {
                admin.delete_topics(&names, &AdminOptions::new()).await?;
            }
            let http = reqwest::Client::new();
            for topic in names {
                for part in ["key", "value"] {
                    let url = format!("{}/subjects/{topic}-{part}", self.registry);
                    http.delete(&url).send().await?;
                    http.delete(format!("{url}?permanent=true")).send().await?;
                }
            }
            Ok(())
        })
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Err(error) = self.clean() {
            eprintln!("{}: cannot clean up: {error}", self.name);
        }
    }
}

/// Polls until the condition holds.
pub fn eventually(what: &str, mut condition: impl FnMut() -> Result<bool>) -> Result<()> {
    let begun = Instant::now();
    while begun.elapsed() < DEADLINE {
        if condition()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(format!("waited {} s in vain for {what}", DEADLINE.as_secs()).into())
}
