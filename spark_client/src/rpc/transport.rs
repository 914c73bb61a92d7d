//! The HTTP/2 channel to the server and the headers of every request on it.

use crate::{
    ConnectionString, Error, ErrorKind, proto::spark_connect_service_client::SparkConnectServiceClient,
};
use std::{fmt, sync::Arc, time::Duration};
use tonic::{
    Request, Status,
    metadata::{Ascii, MetadataKey, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};

pub(crate) type Client = SparkConnectServiceClient<InterceptedService<Channel, Headers>>;

/// Bytes. The server cuts results into batches of about 4 MiB, but one wide row is one message.
const MAX_MESSAGE: usize = 512 * 1024 * 1024;
/// Bytes in flight that nobody has consumed yet: bounds the memory of a slow consumer.
const STREAM_WINDOW: u32 = 4 * 1024 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// How a silent connection is probed, so that a dead server gives an error and not a hang.
///
/// The kernel probes the other machine by TCP every 30 s. HTTP/2 pings also find a server process that
/// hangs, but servers built on grpc-java, as Spark's is, close a connection that pings more often than
/// every five minutes: hence the default.
///
/// ```no_run
/// # async fn run() -> Result<(), spark_client::Error> {
/// use spark_client::{Keepalive, SparkSession};
/// use std::time::Duration;
/// // A gateway in front of the server that allows a ping every minute.
/// let often = Keepalive { interval: Duration::from_secs(60), ..Keepalive::default() };
/// let spark = SparkSession::builder().remote("sc://gateway").keepalive(often).connect().await?;
/// # let _ = spark;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keepalive {
    /// Time between HTTP/2 pings while a call is under way.
    pub interval: Duration,
    /// How long a ping may stay unanswered before the connection counts as lost.
    pub timeout: Duration,
}

impl Default for Keepalive {
    fn default() -> Self {
        Self { interval: Duration::from_secs(310), timeout: Duration::from_secs(20) }
    }
}

/// How an encrypted connection is checked, and what the client shows of itself. Texts are PEM.
///
/// Without roots of its own the connection is checked by those of the operating system.
///
/// ```no_run
/// # async fn run() -> Result<(), spark_client::Error> {
/// use spark_client::{SparkSession, TlsOptions};
/// let read = |file| std::fs::read_to_string(file).unwrap_or_default();
/// let options = TlsOptions::default().root(read("ca.pem")).identity(read("client.pem"), read("client.key"));
/// let spark = SparkSession::builder().remote("sc://spark.example/;use_ssl=true").tls(options).connect().await?;
/// # let _ = spark;
/// # Ok(()) }
/// ```
#[cfg(feature = "tls")]
#[derive(Clone, Default)]
pub struct TlsOptions {
    roots: Vec<Vec<u8>>,
    identity: Option<(Vec<u8>, crate::Secret)>,
    domain_name: Option<String>,
}

#[cfg(feature = "tls")]
impl TlsOptions {
    /// A certificate that server certificates may be signed by, in place of the operating system's; may be called
    /// again.
    #[must_use]
    pub fn root(mut self, certificate: impl Into<Vec<u8>>) -> Self {
        self.roots.push(certificate.into());
        self
    }

    /// The client's own certificate with its chain, and its key, for servers that ask for one.
    #[must_use]
    pub fn identity(mut self, certificates: impl Into<Vec<u8>>, key: impl Into<crate::Secret>) -> Self {
        self.identity = Some((certificates.into(), key.into()));
        self
    }

    /// The name that the server's certificate must have, in place of the host's.
    #[must_use]
    pub fn domain_name(mut self, name: &str) -> Self {
        self.domain_name = Some(name.to_owned());
        self
    }

    fn to_config(&self) -> tonic::transport::ClientTlsConfig {
        use tonic::transport::{Certificate, ClientTlsConfig, Identity};
        let mut config = ClientTlsConfig::new();
        config = if self.roots.is_empty() {
            config.with_native_roots()
        } else {
            config.ca_certificates(self.roots.iter().map(Certificate::from_pem))
        };
        if let Some((certificates, key)) = &self.identity {
            config = config.identity(Identity::from_pem(certificates, key.reveal()));
        }
        match &self.domain_name {
            Some(name) => config.domain_name(name),
            None => config,
        }
    }
}

#[cfg(feature = "tls")]
impl fmt::Debug for TlsOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsOptions")
            .field("roots", &self.roots.len())
            .field("identity", &self.identity.is_some())
            .field("domain_name", &self.domain_name)
            .finish()
    }
}

type Intercept = Arc<dyn Fn(Request<()>) -> Result<Request<()>, Status> + Send + Sync>;

/// What the builder decides about the channel.
#[derive(Clone, Default)]
pub(crate) struct TransportOptions {
    pub(crate) keepalive: Keepalive,
    #[cfg(feature = "tls")]
    pub(crate) tls: Option<TlsOptions>,
    /// Made by the caller, in place of one to the connection string's server.
    pub(crate) channel: Option<Channel>,
    pub(crate) intercept: Option<Intercept>,
}

impl fmt::Debug for TransportOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportOptions").field("keepalive", &self.keepalive).finish_non_exhaustive()
    }
}

/// Adds the token and the headers of the connection string to each request.
#[derive(Clone)]
pub(crate) struct Headers {
    fixed: Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>,
    intercept: Option<Intercept>,
}

impl Headers {
    fn new(target: &ConnectionString, intercept: Option<Intercept>) -> Result<Self, Error> {
        let mut fixed = Vec::new();
        let bearer = target.token.iter().map(|token| ("authorization", format!("Bearer {}", token.reveal())));
        let named = target.headers.iter().map(|(name, value)| (name.as_str(), value.reveal().to_owned()));
        for (name, value) in bearer.chain(named) {
            let key = MetadataKey::from_bytes(name.as_bytes())
                .map_err(|_| Error::invalid_input(format!("`{name}` cannot be the name of a header")))?;
            let mut value = MetadataValue::try_from(value).map_err(|_| {
                Error::invalid_input(format!(
                    "the value of header `{name}` has a character no header may have"
                ))
            })?;
            value.set_sensitive(true);
            fixed.push((key, value));
        }
        Ok(Self { fixed, intercept })
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (key, value) in &self.fixed {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        match &self.intercept {
            Some(intercept) => intercept(request),
            None => Ok(request),
        }
    }
}

/// Prepares the channel; the connection itself is made by the first call, and made anew when lost.
pub(crate) fn open_channel(target: &ConnectionString, options: &TransportOptions) -> Result<Client, Error> {
    let channel = match &options.channel {
        Some(channel) => channel.clone(),
        None => endpoint(target, options)?.connect_lazy(),
    };
    let headers = Headers::new(target, options.intercept.clone())?;
    Ok(SparkConnectServiceClient::with_interceptor(channel, headers)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE))
}

fn endpoint(target: &ConnectionString, options: &TransportOptions) -> Result<Endpoint, Error> {
    let scheme = if target.is_encrypted() { "https" } else { "http" };
    let address = match target.unix_socket() {
        Some(path) => format!("unix:{path}"),
        None => format!("{scheme}://{}:{}", target.host, target.port),
    };
    let endpoint = Endpoint::from_shared(address)
        .map_err(|e| Error::invalid_input(format!("{target} is not an address")).with_source(e))?
        .connect_timeout(Duration::from_secs(20))
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(30)))
        .tcp_keepalive_interval(Some(Duration::from_secs(10)))
        .tcp_keepalive_retries(Some(3))
        .http2_keep_alive_interval(options.keepalive.interval)
        .keep_alive_timeout(options.keepalive.timeout)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    if target.is_encrypted() { encrypted(endpoint, options) } else { Ok(endpoint) }
}

#[cfg(feature = "tls")]
fn encrypted(endpoint: Endpoint, options: &TransportOptions) -> Result<Endpoint, Error> {
    let config = options.tls.clone().unwrap_or_default().to_config();
    endpoint.tls_config(config).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, "the certificates for the connection cannot be used")
            .with_source(e)
    })
}

#[cfg(not(feature = "tls"))]
fn encrypted(_: Endpoint, _: &TransportOptions) -> Result<Endpoint, Error> {
    Err(Error::new(
        ErrorKind::InvalidInput,
        "an encrypted connection was asked for, but spark_client was built without its feature `tls`",
    ))
}
