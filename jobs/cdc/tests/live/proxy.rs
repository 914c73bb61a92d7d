//! A TCP proxy that can be closed and opened again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;

use crate::stage::Result;

pub struct Proxy {
    pub address: SocketAddr,
    open: Arc<AtomicBool>,
}

impl Proxy {
    /// Forwards to `target`, a host:port.
    pub fn start(runtime: &Runtime, target: &str) -> Result<Self> {
        let open = Arc::new(AtomicBool::new(true));
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"))?;
        let address = listener.local_addr()?;
        let (target, gate) = (target.to_owned(), Arc::clone(&open));
        runtime.spawn(async move {
            while let Ok((mut inner, _)) = listener.accept().await {
                let (target, gate) = (target.clone(), Arc::clone(&gate));
                tokio::spawn(async move {
                    if !gate.load(Ordering::Relaxed) {
                        return;
                    }
                    let Ok(mut outer) = TcpStream::connect(&target).await else { return };
                    let closed = async {
                        while gate.load(Ordering::Relaxed) {
                            tokio::time::sleep(Duration::from_millis(20)).await;
                        }
                    };
                    tokio::select! {
                        _ = copy_bidirectional(&mut inner, &mut outer) => {}
                        () = closed => {}
                    }
                });
            }
        });
        Ok(Self { address, open })
    }

    /// Cuts every connection and refuses new ones.
    pub fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    pub fn reopen(&self) {
        self.open.store(true, Ordering::Relaxed);
    }
}
