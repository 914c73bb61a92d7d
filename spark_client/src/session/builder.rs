//! How a session comes to be.

use super::SparkSession;
#[cfg(feature = "tls")]
use crate::TlsOptions;
use crate::{
    ConnectionString, Error, ErrorKind, Keepalive, RetryPolicy, Secret,
    rpc::{Connection, Identity, TransportOptions, open_channel},
};
use std::{env, sync::Arc, time::Duration};
use tonic::{Request, Status, transport::Channel};

/// Where to connect to, as whom, and with which settings.
///
/// ```no_run
/// # async fn run() -> Result<(), spark_client::Error> {
/// use spark_client::SparkSession;
/// let spark = SparkSession::builder()
///     .remote("sc://localhost:15002")
///     .user_id("ada")
///     .config("spark.sql.session.timeZone", "UTC")
///     .connect()
///     .await?;
/// spark.stop().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until it connects"]
pub struct SparkSessionBuilder {
    /// A secret, since it may hold a token.
    remote: Option<Secret>,
    token: Option<Secret>,
    user_id: Option<String>,
    settings: Vec<(String, String)>,
    retry: RetryPolicy,
    transport: TransportOptions,
    deadline: Duration,
}

impl Default for SparkSessionBuilder {
    fn default() -> Self {
        Self {
            remote: None,
            token: None,
            user_id: None,
            settings: Vec::new(),
            retry: RetryPolicy::default(),
            transport: TransportOptions::default(),
            deadline: Duration::from_secs(60),
        }
    }
}

impl SparkSessionBuilder {
    /// The server, as a [`ConnectionString`]. Without it the environment variable `SPARK_REMOTE` counts.
    pub fn remote(mut self, connection_string: &str) -> Self {
        self.remote = Some(Secret::new(connection_string));
        self
    }

    /// The bearer token, in place of the connection string's `token`.
    pub fn token(mut self, token: impl Into<Secret>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// Who asks, in place of the connection string's `user_id`.
    pub fn user_id(mut self, user_id: &str) -> Self {
        self.user_id = Some(user_id.to_owned());
        self
    }

    /// A setting of the new session.
    pub fn config(mut self, key: &str, value: impl ToString) -> Self {
        self.settings.push((key.to_owned(), value.to_string()));
        self
    }

    /// How calls of this session are tried again.
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.retry = policy;
        self
    }

    /// How a silent connection is probed.
    pub fn keepalive(mut self, keepalive: Keepalive) -> Self {
        self.transport.keepalive = keepalive;
        self
    }

    /// How an encrypted connection is checked. It does not make the connection encrypted: that is the connection
    /// string's `use_ssl`.
    #[cfg(feature = "tls")]
    pub fn tls(mut self, options: TlsOptions) -> Self {
        self.transport.tls = Some(options);
        self
    }

    /// A channel of one's own, for a connector of one's own: a proxy, a load balancer. The address of the connection
    /// string is then a name for messages only.
    pub fn channel(mut self, channel: Channel) -> Self {
        self.transport.channel = Some(channel);
        self
    }

    /// Called with each request before it is sent, after the headers of the connection string are in it: to add a token
    /// that changes, for example.
    pub fn interceptor(
        mut self,
        intercept: impl Fn(Request<()>) -> Result<Request<()>, Status> + Send + Sync + 'static,
    ) -> Self {
        self.transport.intercept = Some(Arc::new(intercept));
        self
    }

    /// How long [`SparkSessionBuilder::connect`] goes on trying to reach the server; 60 s by default.
    pub fn connect_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Prepares the session without asking the server anything: the first call connects. Settings are not
    /// applied. Must run within a tokio runtime.
    pub fn connect_lazily(&self) -> Result<SparkSession, Error> {
        let target = self.target()?;
        let identity = Identity {
            target: target.to_string(),
            session_id: target.session_id.clone().unwrap_or_else(|| uuid::Uuid::new_v4().to_string()),
            user_id: target.user_id.clone().or_else(user_of_process).unwrap_or_default(),
            client_type: client_type(target.user_agent.as_deref())?,
        };
        let client = open_channel(&target, &self.transport)?;
        Ok(SparkSession::new(Connection::new(client, identity, self.retry.clone())))
    }

    /// Connects, and applies the settings.
    pub async fn connect(self) -> Result<SparkSession, Error> {
        let session = self.connect_lazily()?;
        let connected = tokio::time::timeout(self.deadline, session.connection().ensure_session()).await;
        connected.unwrap_or_else(|_| Err(self.no_answer()))?;
        session.conf().set_all(self.settings).await?;
        Ok(session)
    }

    fn no_answer(&self) -> Error {
        let target = self.target().map(|target| target.to_string()).unwrap_or_default();
        let waited = self.deadline;
        let message = format!(
            "no Spark Connect server answered at {target} within {waited:?}; check that it runs there"
        );
        Error::new(ErrorKind::Unreachable, message).with_retryable(true)
    }

    fn target(&self) -> Result<ConnectionString, Error> {
        let remote = self.remote.clone().or_else(|| env::var("SPARK_REMOTE").ok().map(Secret::new));
        let remote = remote.ok_or_else(|| {
            Error::invalid_input(
                "no Spark server is named: call remote(\"sc://host:port\") or set SPARK_REMOTE",
            )
        })?;
        let mut target: ConnectionString = remote.reveal().parse()?;
        if let Some(token) = &self.token {
            target.token = Some(token.clone());
        }
        if target.token.is_none() {
            target.token = env::var("SPARK_CONNECT_AUTHENTICATE_TOKEN").ok().map(Secret::new);
        }
        if let Some(user_id) = &self.user_id {
            target.user_id = Some(user_id.clone());
        }
        Ok(target)
    }
}

fn user_of_process() -> Option<String> {
    env::var("SPARK_USER").or_else(|_| env::var("USER")).ok()
}

fn client_type(user_agent: Option<&str>) -> Result<String, Error> {
    let user_agent = user_agent.unwrap_or("_SPARK_CONNECT_RUST");
    if user_agent.len() > 2048 {
        return Err(Error::invalid_input("user_agent must not be longer than 2048 bytes"));
    }
    Ok(format!("{user_agent} spark_client/{} os/{}", env!("CARGO_PKG_VERSION"), env::consts::OS))
}
