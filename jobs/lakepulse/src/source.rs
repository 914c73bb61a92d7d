//! The source database: its address, connections, its last LSN.

use clap::Args;
use spark_client::Secret;
use tokio_postgres::{Client, NoTls};

use crate::error::{Doing, Result};

/// Where the source database is.
#[derive(Clone, Args)]
pub struct SourceAddress {
    /// postgresql://user@host:port/database of the source; the password comes from LAKEPULSE_SOURCE_PASSWORD
    #[arg(id = "source", long = "source", value_name = "URL", env = "LAKEPULSE_SOURCE_URL")]
    pub url: String,
    /// Taken from the environment when it is not given here.
    #[arg(skip)]
    pub password: Option<Secret>,
}

impl SourceAddress {
    /// The address with the password of the environment.
    pub fn config(&self) -> Result<tokio_postgres::Config> {
        let mut config: tokio_postgres::Config =
            self.url.parse().doing(format!("reading the address {}", self.url))?;
        if let Some(password) = &self.password {
            config.password(password.reveal());
        } else if let Ok(password) = std::env::var("LAKEPULSE_SOURCE_PASSWORD") {
            config.password(password);
        }
        Ok(config)
    }

    /// Opens a connection, which ends when the client is dropped.
    pub async fn connect(&self) -> Result<Client> {
        let (client, connection) = self.config()?.connect(NoTls).await.doing(format!(
            "connecting to {} (is PostgreSQL up, and LAKEPULSE_SOURCE_PASSWORD right?)",
            self.url
        ))?;
        tokio::spawn(connection);
        Ok(client)
    }
}

/// The LSN of the last byte that the source has written: no commit so far is above it, and capture's checkpoint of an
/// idle source is at it.
pub async fn head(client: &Client) -> Result<i64> {
    let question = "select (pg_current_wal_lsn() - '0/0'::pg_lsn)::bigint - 1";
    Ok(client.query_one(question, &[]).await.doing("asking the source for its last LSN")?.get(0))
}
