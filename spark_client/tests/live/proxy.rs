//! A TCP proxy in front of the server that cuts each connection after a while.

use spark_client::ConnectionString;
use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// Small beside a message, so that a cut comes within one when rows flow.
const PIECE: usize = 1000;
/// How long a cut waits for bytes of which it lets only half pass.
const FOR_HALF: Duration = Duration::from_millis(20);

/// Ends with its value.
pub struct CuttingProxy {
    port: u16,
    cuts: Arc<Cuts>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Cuts {
    all: AtomicUsize,
    in_the_middle: AtomicUsize,
}

impl CuttingProxy {
    /// Each connection to `server` lasts so long.
    pub async fn start(server: &ConnectionString, lifetime: Duration) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let port = listener.local_addr()?.port();
        let cuts = Arc::<Cuts>::default();
        let (server, counted) = ((server.host().to_owned(), server.port()), cuts.clone());
        let serving = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, server.clone(), lifetime, counted.clone()));
            }
        });
        Ok(Self { port, cuts, serving })
    }

    /// The connection string of the proxy.
    pub fn remote(&self) -> String {
        format!("sc://127.0.0.1:{}", self.port)
    }

    /// How many connections were cut, and how many of them while the server was sending.
    pub fn cuts(&self) -> (usize, usize) {
        (self.cuts.all.load(Ordering::Relaxed), self.cuts.in_the_middle.load(Ordering::Relaxed))
    }
}

impl Drop for CuttingProxy {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn carry(client: TcpStream, server: (String, u16), lifetime: Duration, cuts: Arc<Cuts>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_client, mut to_client) = client.into_split();
    let mut piece = [0; PIECE];
    let carried = tokio::time::timeout(lifetime, async {
        let upwards = tokio::io::copy(&mut from_client, &mut to_server);
        let downwards = async {
            loop {
                let read = from_server.read(&mut piece).await?;
                if read == 0 {
                    return Ok::<_, io::Error>(());
                }
                to_client.write_all(piece.get(..read).unwrap_or_default()).await?;
            }
        };
        tokio::select! { _ = upwards => {}, _ = downwards => {} }
    });
    if carried.await.is_ok() {
        return;
    }
    cuts.all.fetch_add(1, Ordering::Relaxed);
    // Both sockets close when this returns.
    if let Ok(Ok(read @ 2..)) = tokio::time::timeout(FOR_HALF, from_server.read(&mut piece)).await
        && to_client.write_all(piece.get(..read / 2).unwrap_or_default()).await.is_ok()
    {
        cuts.in_the_middle.fetch_add(1, Ordering::Relaxed);
    }
}
