//! A database of the test's own on the server from the environment.

use std::env;
use std::sync::atomic::{AtomicU32, Ordering};

use lakepulse_wwi::Source;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Config, NoTls, SimpleQueryMessage};

pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

static NUMBER: AtomicU32 = AtomicU32::new(0);

pub struct Stage {
    pub runtime: Runtime,
    pub source: Source,
    name: String,
    admin: Config,
    client: Client,
}

async fn open(config: &Config) -> Result<Client> {
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    Ok(client)
}

impl Stage {
    pub fn new() -> Result<Self> {
        let url = env::var("LAKEPULSE_TEST_PG_URL")
            .map_err(|_| "LAKEPULSE_TEST_PG_URL is not set: run through make test")?;
        let url = url.trim_end_matches('/');
        let runtime = Runtime::new()?;
        let name = format!("wwi{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let mut admin: Config = format!("{url}/postgres").parse()?;
        let mut own: Config = format!("{url}/{name}").parse()?;
        if let Ok(password) = env::var("PGPASSWORD") {
            admin.password(&password);
            own.password(&password);
        }
        let client = runtime.block_on(async {
            open(&admin).await?.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).await?;
            open(&own).await
        })?;
        let source = format!("{url}/{name}").parse()?;
        Ok(Self { runtime, source, name, admin, client })
    }

    pub fn sql(&self, sql: &str) -> Result<()> {
        Ok(self.runtime.block_on(self.client.batch_execute(sql))?)
    }

    /// The first column of the first row, as text.
    pub fn value(&self, sql: &str) -> Result<Option<String>> {
        for message in self.runtime.block_on(self.client.simple_query(sql))? {
            if let SimpleQueryMessage::Row(row) = message {
                return Ok(row.get(0).map(str::to_owned));
            }
        }
        Ok(None)
    }

    /// A digest of every row of every table, in the order in which they are stored.
    pub fn digest(&self) -> Result<String> {
        let tables = self.runtime.block_on(self.client.query(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE n.nspname IN ('application', 'purchasing', 'sales', 'warehouse') AND c.relkind = 'r' ORDER BY 1",
            &[],
        ))?;
        let mut digests = String::new();
        for row in tables {
            let table: String = row.get(0);
            let digest =
                self.value(&format!("SELECT md5(string_agg(t::text, '|' ORDER BY ctid)) FROM {table} AS t"))?;
            digests.extend([table, " ".to_owned(), digest.unwrap_or_default(), "\n".to_owned()]);
        }
        Ok(digests)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let dropped = self.runtime.block_on(async {
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(
                open(&self.admin).await?.batch_execute(&drop).await?,
            )
        });
        if let Err(error) = dropped {
            eprintln!("{}: cannot clean up: {error}", self.name);
        }
    }
}
