//! What stands in front of the server: ends of encrypted connections, Unix domain sockets and HTTP proxies, which pass
//! every byte on to it.

use hyper_util::rt::TokioIo;
use libtest_mimic::Failed;
use rcgen::{BasicConstraints, CertificateParams, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair};
use spark_client::{ConnectionString, tonic::transport::Uri};
use std::{io, path::Path, sync::Arc};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixListener},
    task::JoinHandle,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        RootCertStore, ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
        server::WebPkiClientVerifier,
    },
};
use tower::{Service, service_fn};

/// Signs certificates; a new one each time.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    root: String,
}

impl Authority {
    pub fn new() -> Result<Self, Failed> {
        let mut params = CertificateParams::new(Vec::<String>::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate()?;
        let root = params.self_signed(&key)?.pem();
        Ok(Self { issuer: Issuer::new(params, key), root })
    }

    /// Its own certificate, PEM.
    pub fn root(&self) -> String {
        self.root.clone()
    }

    /// A certificate for a name, and its key, PEM.
    pub fn certificate(&self, name: &str) -> Result<(String, String), Failed> {
        let mut params = CertificateParams::new(vec![name.to_owned()])?;
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate()?;
        Ok((params.signed_by(&key, &self.issuer)?.pem(), key.serialize_pem()))
    }

    fn roots(&self) -> Result<RootCertStore, Failed> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.root.as_bytes())?)?;
        Ok(roots)
    }
}

/// Ends with its value.
pub struct Door {
    /// Where it listens, on `localhost`; 0 for a socket of the file system.
    pub port: u16,
    serving: JoinHandle<()>,
}

impl Drop for Door {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Door {
    /// The end of encrypted connections to a server of this name, which asks for a certificate of `clients`.
    pub async fn encrypted(
        authority: &Authority,
        name: &str,
        clients: Option<&Authority>,
    ) -> Result<Self, Failed> {
        let (certificate, key) = authority.certificate(name)?;
        let provider = Arc::new(ring::default_provider());
        let config =
            ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let config = match clients {
            None => config.with_no_client_auth(),
            Some(clients) => config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(clients.roots()?.into(), provider).build()?,
            ),
        };
        let mut config = config.with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate.as_bytes())?],
            PrivateKeyDer::from_pem_slice(key.as_bytes())?,
        )?;
        config.alpn_protocols = vec![b"h2".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(config));
        Self::open(move |client| {
            let acceptor = acceptor.clone();
            async move { pass_on(acceptor.accept(client).await?).await }
        })
        .await
    }

    /// A proxy that connects to the server whatever host it is asked for.
    pub async fn http_proxy() -> Result<Self, Failed> {
        Self::open(|client| async move {
            let mut client = BufReader::new(client);
            let mut line = String::new();
            client.read_line(&mut line).await?;
            if !line.starts_with("CONNECT spark.example:15002 ") {
                return client.write_all(b"HTTP/1.1 405 Method Not Allowed\r\n\r\n").await;
            }
            while !line.trim().is_empty() {
                line.clear();
                client.read_line(&mut line).await?;
            }
            client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
            pass_on(client).await
        })
        .await
    }

    /// A Unix domain socket.
    pub fn on_unix_socket(path: &Path) -> Result<Self, Failed> {
        let listener = UnixListener::bind(path)?;
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass_on(client));
            }
        });
        Ok(Self { port: 0, serving })
    }

    async fn open<A>(serve: impl Fn(TcpStream) -> A + Send + 'static) -> Result<Self, Failed>
    where
        A: Future<Output = io::Result<()>> + Send + 'static,
    {
        let listener = TcpListener::bind(("localhost", 0)).await?;
        let port = listener.local_addr()?.port();
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(serve(client));
            }
        });
        Ok(Self { port, serving })
    }
}

async fn pass_on(mut client: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let remote = std::env::var("SPARK_REMOTE").map_err(io::Error::other)?;
    let server: ConnectionString = remote.parse().map_err(io::Error::other)?;
    let mut server = TcpStream::connect((server.host(), server.port())).await?;
    copy_bidirectional(&mut client, &mut server).await.map(|_| ())
}

/// A connector that asks an HTTP proxy for a tunnel.
pub fn tunnelled(
    proxy_port: u16,
    host: &'static str,
) -> impl Service<
    Uri,
    Response = TokioIo<BufReader<TcpStream>>,
    Error = io::Error,
    Future = impl Future<Output = io::Result<TokioIo<BufReader<TcpStream>>>> + Send,
> + Send
+ 'static {
    service_fn(move |_: Uri| async move {
        let mut proxy = BufReader::new(TcpStream::connect(("localhost", proxy_port)).await?);
        proxy.write_all(format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes()).await?;
        let mut line = String::new();
        proxy.read_line(&mut line).await?;
        if !line.starts_with("HTTP/1.1 200") {
            return Err(io::Error::other(format!("the proxy says {line}")));
        }
        proxy.read_line(&mut line).await?;
        Ok(TokioIo::new(proxy))
    })
}
