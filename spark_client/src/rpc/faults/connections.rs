//! Connections that are cut or fall silent.

use super::{all_ids, collect_ids, mock::Mock, quick_retries, session_at};
use crate::{ErrorKind, Keepalive, SparkSession};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// What becomes of a connection once so many bytes have come from the server.
#[derive(Clone, Copy)]
enum Then {
    Cut,
    Silence,
}

/// A proxy in front of a server. The first `breaks` connections end after `bytes` bytes, wherever in a
/// message that is; the ones after them last.
async fn proxy(port: u16, bytes: usize, breaks: usize, then: Then) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let proxy_port = listener.local_addr().unwrap().port();
    let connections = Arc::new(AtomicUsize::new(0));
    let counter = connections.clone();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let number = counter.fetch_add(1, Ordering::Relaxed);
            let allowed = if number < breaks { bytes } else { usize::MAX };
            tokio::spawn(carry(client, port, allowed, then));
        }
    });
    (proxy_port, connections)
}

async fn carry(client: TcpStream, port: u16, mut allowed: usize, then: Then) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_server, mut to_server) = server.into_split();
    let (mut from_client, mut to_client) = client.into_split();
    let upwards = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut buffer = vec![0; 4096];
    while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
        let passed = read.min(allowed);
        if to_client.write_all(&buffer[..passed]).await.is_err() {
            break;
        }
        allowed -= passed;
        if allowed == 0 {
            break;
        }
    }
    upwards.abort();
    if allowed == 0 && matches!(then, Then::Silence) {
        // Neither closed nor read from: what a server that hangs looks like.
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn rows_are_exact_over_connections_that_are_cut_anywhere() {
    for bytes in [700, 5_000, 9_001, 20_000, 33_333] {
        let (mock, port) = Mock::start([]);
        let (proxy_port, connections) = proxy(port, bytes, 6, Then::Cut).await;
        assert_eq!(collect_ids(&session_at(proxy_port)).await.unwrap(), all_ids(), "cut after {bytes} bytes");
        assert_eq!(mock.executed(), 1, "cut after {bytes} bytes");
        assert!(connections.load(Ordering::Relaxed) > 1, "no connection was cut after {bytes} bytes");
    }
}

#[tokio::test]
async fn a_server_that_is_gone_is_an_error() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let error = collect_ids(&session_at(port)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.is_retryable());
    assert!(error.to_string().contains(&format!("sc://127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_server_that_falls_silent_is_an_error_and_not_a_hang() {
    let (_mock, port) = Mock::start([]);
    let (proxy_port, _) = proxy(port, 20_000, usize::MAX, Then::Silence).await;
    let keepalive = Keepalive { interval: Duration::from_millis(50), timeout: Duration::from_millis(50) };
    let spark = SparkSession::builder()
        .remote(&format!("sc://127.0.0.1:{proxy_port}"))
        .retry_policy(quick_retries(0))
        .keepalive(keepalive)
        .connect_lazily()
        .unwrap();
    let collected = tokio::time::timeout(Duration::from_secs(20), collect_ids(&spark)).await;
    assert_eq!(collected.expect("no error for 20 s").unwrap_err().kind(), ErrorKind::Unreachable);
}

#[tokio::test]
async fn connecting_to_nothing_gives_up_at_its_deadline() {
    // A listener that never accepts answers nothing.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let remote = format!("sc://127.0.0.1:{}/;token=hush", listener.local_addr().unwrap().port());
    let builder = SparkSession::builder().remote(&remote).connect_deadline(Duration::from_millis(300));
    let error = builder.connect().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(!format!("{error} {error:?}").contains("hush"));
}
