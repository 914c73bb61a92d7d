//! Reading writer schemas from the Schema Registry by their ids.

use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, ErrorKind, Result};

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Where the Schema Registry is.
#[derive(Debug, Clone, Args)]
pub struct RegistryAddress {
    /// URL of the registry's Confluent interface
    #[arg(long = "registry", env = "LAKEPULSE_REGISTRY")]
    pub url: String,
}

/// A client of the Schema Registry.
#[derive(Debug, Clone)]
pub struct Registry {
    url: String,
    client: reqwest::Client,
}

#[derive(Deserialize)]
struct SchemaText {
    schema: String,
}

impl Registry {
    /// A client for the registry at this address.
    pub fn new(address: &RegistryAddress) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| Error::caused(ErrorKind::Registry, "could not make an HTTP client", error))?;
        Ok(Self { url: address.url.trim_end_matches('/').to_owned(), client })
    }

    /// The JSON text of the schema with this id.
    pub async fn text(&self, id: i32) -> Result<String> {
        let path = format!("schemas/ids/{id}");
        let text: SchemaText = self.get(&path).await?.ok_or_else(|| self.missing(&path))?;
        Ok(text.schema)
    }

    fn missing(&self, path: &str) -> Error {
        let message = format!("the Schema Registry at {} has no {path}; was it deleted?", self.url);
        Error::new(ErrorKind::Registry, message)
    }

    /// Asks, and tries again for a while when the registry cannot be reached; none when it has no such thing.
    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>> {
        let mut pause = FIRST_PAUSE;
        let mut attempt = 1;
        loop {
            match self.fetch(path).await {
                Ok(answer) => return Ok(answer),
                Err((error, true)) if attempt < ATTEMPTS => {
                    tracing::warn!(
                        path,
                        error = error.chain(),
                        "the Schema Registry did not answer; trying again"
                    );
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                    attempt += 1;
                }
                Err((error, _)) => return Err(error),
            }
        }
    }

    /// Asks once; an error comes with whether trying again may help.
    async fn fetch<T: DeserializeOwned>(&self, path: &str) -> std::result::Result<Option<T>, (Error, bool)> {
        let url = format!("{}/{path}", self.url);
        let failed = |error: reqwest::Error| {
            let message = format!("could not ask the Schema Registry for {url}; is it up?");
            (Error::caused(ErrorKind::Registry, message, error), true)
        };
        let answer = self.client.get(&url).send().await.map_err(failed)?;
        let status = answer.status();
        if status == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        if !status.is_success() {
            let message = format!("the Schema Registry answered {status} for {url}");
            return Err((Error::new(ErrorKind::Registry, message), status.is_server_error()));
        }
        answer.json().await.map(Some).map_err(failed)
    }
}
