//! Trino's client protocol, as far as statements without large results need it
//! (<https://trino.io/docs/476/develop/client-protocol.html>).

use std::time::Duration;

use clap::Args;
use reqwest::{RequestBuilder, StatusCode};
use serde::Deserialize;
use serde_json::Value;

use crate::error::{Error, ErrorKind, Result};

/// How Trino is reached, where there is one.
#[derive(Clone, Args)]
pub struct TrinoOptions {
    /// Address of Trino, such as http://localhost:8080; without one, Trino gets no live views
    #[arg(long, env = "LAKEPULSE_TRINO")]
    pub trino: Option<String>,
    /// Catalog of Trino that has the lakehouse's tables
    #[arg(long, env = "LAKEPULSE_TRINO_CATALOG", default_value = "lakehouse")]
    pub trino_catalog: String,
    /// User who owns the live views
    #[arg(long, env = "LAKEPULSE_TRINO_USER", default_value = "lakepulse")]
    pub trino_user: String,
    /// That user's password, of which Trino takes notice over https alone; none for the environment's `LAKEPULSE_TRINO_PASSWORD`.
    #[arg(skip)]
    pub trino_password: Option<String>,
}

impl std::fmt::Debug for TrinoOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("TrinoOptions")
            .field("trino", &self.trino)
            .field("trino_catalog", &self.trino_catalog)
            .field("trino_user", &self.trino_user)
            .field("trino_password", &self.trino_password.as_ref().map(|_| "***"))
            .finish()
    }
}

/// A Trino server.
#[derive(Debug, Clone)]
pub struct Trino {
    http: reqwest::Client,
    address: String,
    options: TrinoOptions,
}

/// One page of an answer.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    next_uri: Option<String>,
    #[serde(default)]
    data: Vec<Vec<Value>>,
    error: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    message: String,
    error_name: String,
}

/// Longer than Trino keeps a request waiting, which is a second.
const PATIENCE: Duration = Duration::from_secs(60);
/// A server or proxy that is busy says so; what is asked again then is the same page.
const ATTEMPTS: u32 = 10;
const BUSY_PAUSE: Duration = Duration::from_millis(100);

impl Trino {
    /// None without an address.
    pub fn new(options: &TrinoOptions) -> Result<Option<Self>> {
        let Some(address) = options.trino.as_ref().filter(|address| !address.is_empty()) else {
            return Ok(None);
        };
        let http = reqwest::Client::builder().timeout(PATIENCE).build().map_err(|error| {
            Error::caused(ErrorKind::Configuration, "could not set up a client for Trino", error)
        })?;
        let address = address.trim_end_matches('/').to_owned();
        let mut options = options.clone();
        options.trino_password =
            options.trino_password.or_else(|| std::env::var("LAKEPULSE_TRINO_PASSWORD").ok());
        Ok(Some(Self { http, address, options }))
    }

    pub(super) fn catalog(&self) -> &str {
        &self.options.trino_catalog
    }

    /// Runs a statement to its end; its rows, a JSON value a column as the protocol writes them.
    pub async fn run(&self, statement: &str) -> Result<Vec<Vec<Value>>> {
        let start = self.http.post(format!("{}/v1/statement", self.address)).body(statement.to_owned());
        let mut page = self.page(start).await?;
        let mut rows = Vec::new();
        loop {
            rows.append(&mut page.data);
            if let Some(Failure { message, error_name }) = page.error {
                return Err(Error::new(
                    ErrorKind::Trino,
                    format!("Trino at {} says {error_name}: {message}", self.address),
                ));
            }
            match page.next_uri {
                Some(next) => page = self.page(self.http.get(next)).await?,
                None => return Ok(rows),
            }
        }
    }

    async fn page(&self, request: RequestBuilder) -> Result<Page> {
        let failed = |error| {
            Error::caused(
                ErrorKind::Trino,
                format!("could not ask Trino at {}; is it up?", self.address),
                error,
            )
        };
        let mut request =
            request.header("X-Trino-User", &self.options.trino_user).header("X-Trino-Source", "lakepulse");
        if let Some(password) = &self.options.trino_password {
            request = request.basic_auth(&self.options.trino_user, Some(password));
        }
        for attempt in 1.. {
            let Some(again) = request.try_clone() else { break };
            let response = again.send().await.map_err(failed)?;
            if is_busy(response.status()) && attempt < ATTEMPTS {
                tokio::time::sleep(BUSY_PAUSE * attempt).await;
                continue;
            }
            return response.error_for_status().map_err(failed)?.json().await.map_err(failed);
        }
        Err(Error::new(ErrorKind::Trino, "a request to Trino can't be repeated"))
    }
}

fn is_busy(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
    )
}
