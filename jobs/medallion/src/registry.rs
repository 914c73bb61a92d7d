//! Reading writer schemas from the Schema Registry by their ids.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::error::{Error, ErrorKind, Result};
use crate::writer_schema::WriterSchema;

const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// Where the Schema Registry is.
#[derive(Debug, Clone, Args)]
pub struct RegistryAddress {
    /// URL of the registry's Confluent interface
    #[arg(long = "registry", env = "LAKEPULSE_REGISTRY")]
    pub url: String,
}

/// A client of the Schema Registry that asks for each id once: a schema never changes under its id.
#[derive(Debug, Clone)]
pub struct Registry {
    url: String,
    client: reqwest::Client,
    known: Arc<Mutex<HashMap<i32, Arc<WriterSchema>>>>,
}

#[derive(Deserialize)]
struct SchemaText {
    schema: String,
}

#[derive(Deserialize)]
struct SubjectVersion {
    id: i32,
}

impl Registry {
    /// A client for the registry at this address.
    pub fn new(address: &RegistryAddress) -> Result<Self> {
        let client = reqwest::Client::builder()
            .timeout(Duration::from_secs(10))
            .build()
            .map_err(|error| Error::caused(ErrorKind::Registry, "could not make an HTTP client", error))?;
        Ok(Self { url: address.url.trim_end_matches('/').to_owned(), client, known: Arc::default() })
    }

    /// The schema with this id.
    pub async fn schema(&self, id: i32) -> Result<Arc<WriterSchema>> {
        if let Some(schema) = self.known.lock().await.get(&id) {
            return Ok(schema.clone());
        }
        let schema = Arc::new(WriterSchema::parse(&self.text(id).await?)?);
        self.known.lock().await.insert(id, schema.clone());
        Ok(schema)
    }

    /// The JSON text of the schema with this id; not remembered.
    pub async fn text(&self, id: i32) -> Result<String> {
        let path = format!("schemas/ids/{id}");
        let text: SchemaText = self.get(&path).await?.ok_or_else(|| self.missing(&path))?;
        Ok(text.schema)
    }

    /// Every schema that the values of a topic were ever written with, by its id; none before the first.
    pub async fn value_schemas(&self, topic: &str) -> Result<Vec<(i32, Arc<WriterSchema>)>> {
        let subject = format!("subjects/{topic}-value/versions");
        let versions: Vec<i32> = self.get(&subject).await?.unwrap_or_default();
        let mut schemas = Vec::new();
        for version in versions {
            let path = format!("{subject}/{version}");
            let SubjectVersion { id } = self.get(&path).await?.ok_or_else(|| self.missing(&path))?;
            schemas.push((id, self.schema(id).await?));
        }
        Ok(schemas)
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
