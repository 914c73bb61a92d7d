//! Connections to servers: TCP, with or without TLS on it.

use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// What can be read from and written to.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Unpin + Send + Sync {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Duplex for T {}

/// A connection, whatever it runs over.
pub(crate) type Socket = Box<dyn Duplex>;

/// Connects by TCP; small messages leave at once.
pub(crate) async fn connect_tcp(host: &str, port: u16, limit: Duration) -> std::io::Result<TcpStream> {
    let connected = tokio::time::timeout(limit, TcpStream::connect((host, port))).await;
    let stream = connected.map_err(|_| std::io::Error::from(std::io::ErrorKind::TimedOut))??;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Puts TLS on a connection.
pub(crate) async fn encrypt(stream: TcpStream, host: &str, config: ClientConfig) -> std::io::Result<Socket> {
    let name = ServerName::try_from(host.to_owned()).map_err(std::io::Error::other)?;
    Ok(Box::new(TlsConnector::from(Arc::new(config)).connect(name, stream).await?))
}
