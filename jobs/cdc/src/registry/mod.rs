//! The schema registry, over Confluent's HTTP interface.

mod lookup;

use std::collections::HashMap;
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;

pub(crate) use self::lookup::Standing;
use crate::config::{RegistryConfig, RegistryCredentials};
use crate::error::{Error, ErrorKind, Result};
use crate::metrics::Metrics;
use crate::retry::Backoff;

const CONTENT_TYPE: &str = "application/vnd.schemaregistry.v1+json";
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a registry that fails in mid-stream is waited for while the Kafka transaction stays open;
/// after that the session starts again from the checkpoint, and goes on waiting.
const PATIENCE: Duration = Duration::from_secs(20);

/// Requests at the same time.
const TOGETHER: usize = 16;

/// Registers and looks up schemas; what was registered once is not asked for again.
pub(crate) struct Registry {
    http: reqwest::Client,
    config: RegistryConfig,
    registered: HashMap<(String, String), u32>,
    schemas: HashMap<u32, String>,
    /// How long a registry that can't be reached is waited for. Zero at start: one that is down then is a mistake to be told
    /// at once.
    patience: Duration,
}

#[derive(Deserialize)]
struct Registered {
    id: u32,
}

#[derive(Deserialize)]
struct Stored {
    schema: String,
}

impl Registry {
    pub(crate) fn new(config: &RegistryConfig, patient: bool) -> Result<Self> {
        let http = reqwest::Client::builder().timeout(REQUEST_TIMEOUT).build().map_err(|cause| {
            Error::new(ErrorKind::Configuration, "the registry's HTTP client can't be set up")
                .caused_by(cause)
        })?;
        let patience = if patient { PATIENCE } else { Duration::ZERO };
        Ok(Self {
            http,
            config: config.clone(),
            registered: HashMap::new(),
            schemas: HashMap::new(),
            patience,
        })
    }

    /// From now on an outage is waited for.
    pub(crate) fn become_patient(&mut self) {
        self.patience = PATIENCE;
    }

    /// The id of this schema under this subject, registering it when it is new.
    ///
    /// # Errors
    /// [`ErrorKind::SchemaIncompatible`] when the subject's compatibility rule forbids it.
    pub(crate) async fn register(&mut self, subject: &str, schema: &str, metrics: &Metrics) -> Result<u32> {
        let cached = (subject.to_owned(), schema.to_owned());
        if let Some(id) = self.registered.get(&cached) {
            metrics.registry_hit();
            return Ok(*id);
        }
        let id = self.post(subject, schema, metrics).await?;
        self.registered.insert(cached, id);
        metrics.registry_schemas(self.registered.len() + self.schemas.len());
        Ok(id)
    }

    /// Registers schemas, given with their subjects, several at the same time; [`register`](Self::register) knows their
    /// ids from then on. Those that are incompatible are left for it to tell.
    pub(crate) async fn register_all(
        &mut self,
        schemas: Vec<(String, String)>,
        metrics: &Metrics,
    ) -> Result<()> {
        let this = &*self;
        let registered: Vec<_> = stream::iter(schemas)
            .filter(|schema| std::future::ready(!this.registered.contains_key(schema)))
            .map(async |(subject, schema)| match this.post(&subject, &schema, metrics).await {
                Ok(id) => Ok(Some(((subject, schema), id))),
                Err(error) if error.kind() == ErrorKind::SchemaIncompatible => Ok(None),
                Err(error) => Err(error),
            })
            .buffer_unordered(TOGETHER)
            .try_collect()
            .await?;
        self.registered.extend(registered.into_iter().flatten());
        metrics.registry_schemas(self.registered.len() + self.schemas.len());
        Ok(())
    }

    async fn post(&self, subject: &str, schema: &str, metrics: &Metrics) -> Result<u32> {
        let url = format!("{}/subjects/{subject}/versions", self.config.url);
        let body = json!({"schema": schema, "schemaType": "AVRO"}).to_string();
        let what = format!("cannot register a schema under subject {subject}");
        let response = self
            .patiently(&what, metrics, || {
                self.http.post(&url).header("content-type", CONTENT_TYPE).body(body.clone())
            })
            .await?;
        let registered: Registered = serde_json::from_str(&response).map_err(|cause| {
            Error::new(ErrorKind::RegistryRefused, format!("{what}: the answer of {url} has no id"))
                .caused_by(cause)
        })?;
        Ok(registered.id)
    }

    /// The schema of this id.
    pub(crate) async fn schema(&mut self, id: u32, metrics: &Metrics) -> Result<String> {
        if let Some(schema) = self.schemas.get(&id) {
            metrics.registry_hit();
            return Ok(schema.clone());
        }
        let url = format!("{}/schemas/ids/{id}", self.config.url);
        let what = format!("cannot read schema {id}");
        let response = self.patiently(&what, metrics, || self.http.get(&url)).await?;
        let stored: Stored = serde_json::from_str(&response).map_err(|cause| {
            Error::new(ErrorKind::RegistryRefused, format!("{what}: the answer of {url} has no schema"))
                .caused_by(cause)
        })?;
        self.schemas.insert(id, stored.schema.clone());
        metrics.registry_schemas(self.registered.len() + self.schemas.len());
        Ok(stored.schema)
    }

    /// Asks whether the registry answers.
    pub(crate) async fn ping(&self, metrics: &Metrics) -> Result<()> {
        let url = format!("{}/subjects?subjectPrefix=lakepulse-ping", self.config.url);
        self.patiently("cannot list subjects", metrics, || self.http.get(&url)).await.map(drop)
    }

    async fn patiently(
        &self,
        what: &str,
        metrics: &Metrics,
        request: impl Fn() -> reqwest::RequestBuilder,
    ) -> Result<String> {
        let begun = Instant::now();
        let mut backoff = Backoff::new();
        loop {
            let result = self.once(what, request()).await;
            metrics.registry_asked(result.is_ok());
            match result {
                Err(error) if begun.elapsed() < self.patience_with(error.kind()) => {
                    let pause = backoff.pause();
                    metrics.retried("registry");
                    tracing::warn!(pause_ms = pause.as_millis(), "{}; trying again", error.chain());
                    tokio::time::sleep(pause).await;
                }
                result => return result,
            }
        }
    }

    /// How long to go on asking after such a failure. A registry that answers is no mistake, also at the start.
    fn patience_with(&self, kind: ErrorKind) -> Duration {
        match kind {
            ErrorKind::RegistryUnreachable => self.patience,
            ErrorKind::RegistryFailing => PATIENCE,
            _ => Duration::ZERO,
        }
    }

    async fn once(&self, what: &str, request: reqwest::RequestBuilder) -> Result<String> {
        let (status, body) = self.send(what, request).await?;
        if status.is_success() { Ok(body) } else { Err(self.refused(what, status, &body)) }
    }

    async fn send(&self, what: &str, request: reqwest::RequestBuilder) -> Result<(StatusCode, String)> {
        let url = &self.config.url;
        let request = match &self.config.credentials {
            RegistryCredentials::None => request,
            RegistryCredentials::Basic { user, password } => {
                request.basic_auth(user, Some(password.expose()))
            }
            RegistryCredentials::Bearer(token) => request.bearer_auth(token.expose()),
        };
        let unreachable = |cause: reqwest::Error| {
            Error::new(
                ErrorKind::RegistryUnreachable,
                format!(
                    "{what}: cannot reach the schema registry at {url}: check that it runs, and registry.url"
                ),
            )
            .caused_by(cause.without_url())
        };
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        Ok((status, response.text().await.map_err(unreachable)?))
    }

    fn refused(&self, what: &str, status: StatusCode, body: &str) -> Error {
        let url = &self.config.url;
        let answer: String = body.chars().take(500).collect::<String>().replace('\n', " ");
        match status {
            StatusCode::CONFLICT | StatusCode::UNPROCESSABLE_ENTITY => Error::new(
                ErrorKind::SchemaIncompatible,
                format!(
                    "{what}: the registry refuses it as incompatible with the subject's earlier versions ({answer}); set the \
                     subject's compatibility to NONE for this change, or undo the change of the table"
                ),
            ),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Error::new(
                ErrorKind::RegistryRefused,
                format!(
                    "{what}: the schema registry at {url} refuses the login ({status}): check registry.user and its secrets"
                ),
            ),
            status if status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS => Error::new(
                ErrorKind::RegistryFailing,
                format!("{what}: the schema registry at {url} answers {status}: {answer}; look into its log"),
            ),
            status => Error::new(
                ErrorKind::RegistryRefused,
                format!(
                    "{what}: the schema registry at {url} answers {status}: {answer}; check that registry.url ends in its Confluent API"
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    /// A connection of the registry to its own database broke: the next request succeeds.
    #[tokio::test]
    async fn one_that_fails_inside_is_asked_again_at_the_start_too() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            for answer in ["500 Internal Server Error", "429 Too Many Requests", "200 OK"] {
                let (mut socket, _) = listener.accept().await.unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"}") {
                    assert!(socket.read_buf(&mut request).await.unwrap() > 0);
                }
                let answer = format!(
                    "HTTP/1.1 {answer}\r\ncontent-length: 8\r\nconnection: close\r\n\r\n{{\"id\":7}}"
                );
                socket.write_all(answer.as_bytes()).await.unwrap();
            }
        });
        let config = RegistryConfig { url, isolates: true, credentials: RegistryCredentials::None };
        let mut registry = Registry::new(&config, false).unwrap();
        let metrics = Metrics::new().unwrap();
        assert_eq!(registry.register("t-value", "{}", &metrics).await.unwrap(), 7);
        server.await.unwrap();
    }
}
