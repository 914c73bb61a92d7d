//! The HTTP/2 channel to the server and the headers of every request on it.

use crate::{
    ConnectionString, Error, ErrorKind, proto::spark_connect_service_client::SparkConnectServiceClient,
};
use std::time::Duration;
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

/// What the builder decides about the channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct TransportOptions {
    pub(crate) keepalive: Keepalive,
}

/// Adds the token and the headers of the connection string to each request.
#[derive(Clone)]
pub(crate) struct Headers(Vec<(MetadataKey<Ascii>, MetadataValue<Ascii>)>);

impl Headers {
    fn new(target: &ConnectionString) -> Result<Self, Error> {
        let mut headers = Vec::new();
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
            headers.push((key, value));
        }
        Ok(Self(headers))
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (key, value) in &self.0 {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        Ok(request)
    }
}

/// Prepares the channel; the connection itself is made by the first call, and made anew when lost.
pub(crate) fn open_channel(target: &ConnectionString, options: &TransportOptions) -> Result<Client, Error> {
    let scheme = if target.is_encrypted() { "https" } else { "http" };
    let mut endpoint = Endpoint::from_shared(format!("{scheme}://{}:{}", target.host, target.port))
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
    if target.is_encrypted() {
        endpoint = encrypted(endpoint)?;
    }
    Ok(SparkConnectServiceClient::with_interceptor(endpoint.connect_lazy(), Headers::new(target)?)
        .max_decoding_message_size(MAX_MESSAGE)
        .max_encoding_message_size(MAX_MESSAGE))
}

#[cfg(feature = "tls")]
fn encrypted(endpoint: Endpoint) -> Result<Endpoint, Error> {
    let roots = tonic::transport::ClientTlsConfig::new().with_native_roots();
    endpoint.tls_config(roots).map_err(|e| {
        Error::new(ErrorKind::InvalidInput, "the system's root certificates cannot be used").with_source(e)
    })
}

#[cfg(not(feature = "tls"))]
fn encrypted(_: Endpoint) -> Result<Endpoint, Error> {
    Err(Error::new(
        ErrorKind::InvalidInput,
        "an encrypted connection was asked for, but spark_client was built without its feature `tls`",
    ))
}
