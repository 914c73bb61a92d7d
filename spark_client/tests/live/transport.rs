//! The ways to a server: encryption, client certificates, Unix domain sockets, proxies.
//!
//! Doors of this process stand in front of the real server, which itself listens in the clear.

use crate::{
    doors::{Authority, Door, tunnelled},
    support::same,
};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    ErrorKind, SparkSession, SparkSessionBuilder, TlsOptions,
    arrow::array::RecordBatch,
    tonic::{Status, transport::Endpoint},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

pub fn tests() -> Vec<Trial> {
    vec![
        test("transport::tls_with_a_given_root_and_a_token", tls),
        test("transport::tls_checks_the_name_of_the_server", other_name),
        test("transport::tls_refuses_a_server_of_another_root", other_root),
        test("transport::servers_may_ask_for_a_certificate", mutual_tls),
        test("transport::a_unix_socket", unix_socket),
        test("transport::a_proxy_by_a_connector", proxy),
        test("transport::an_interceptor_sees_every_request", interceptor),
    ]
}

fn test<A>(name: &str, test: fn() -> A) -> Trial
where
    A: Future<Output = Result<(), Failed>> + 'static,
{
    Trial::test(name, move || {
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?.block_on(test())
    })
}

/// More rows than one message holds, so that messages of several windows pass the door.
async fn works(builder: SparkSessionBuilder) -> Result<(), Failed> {
    let spark = builder.connect().await?;
    let batches = spark.range_by(0..1_000_000, 1, Some(1)).collect().await?;
    same(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 1_000_000)?;
    Ok(spark.stop().await?)
}

async fn refused(builder: SparkSessionBuilder) -> Result<(), Failed> {
    let refused = builder.retry_policy(spark_client::RetryPolicy::never()).connect().await;
    let error = refused.err().ok_or("the connection was taken")?;
    same(error.kind(), ErrorKind::Unreachable)?;
    same(format!("{error} {error:?}").contains("hush"), false)
}

fn remote(port: u16) -> SparkSessionBuilder {
    let builder = SparkSession::builder().connect_deadline(Duration::from_secs(20));
    builder.remote(&format!("sc://localhost:{port}/;use_ssl=True;token=hush"))
}

async fn tls() -> Result<(), Failed> {
    let authority = Authority::new()?;
    let door = Door::encrypted(&authority, "localhost", None).await?;
    works(remote(door.port).tls(TlsOptions::default().root(authority.root()))).await
}

async fn other_name() -> Result<(), Failed> {
    let authority = Authority::new()?;
    let door = Door::encrypted(&authority, "spark.example", None).await?;
    let options = TlsOptions::default().root(authority.root());
    refused(remote(door.port).tls(options.clone())).await?;
    works(remote(door.port).tls(options.domain_name("spark.example"))).await
}

async fn other_root() -> Result<(), Failed> {
    let (authority, other) = (Authority::new()?, Authority::new()?);
    let door = Door::encrypted(&authority, "localhost", None).await?;
    refused(remote(door.port).tls(TlsOptions::default().root(other.root()))).await?;
    // The operating system's roots do not know it either.
    refused(remote(door.port)).await?;
    // A connection in the clear to an encrypted server is an error too.
    let clear = SparkSession::builder().remote(&format!("sc://localhost:{}", door.port));
    refused(clear.connect_deadline(Duration::from_secs(20))).await
}

async fn mutual_tls() -> Result<(), Failed> {
    let (authority, clients) = (Authority::new()?, Authority::new()?);
    let door = Door::encrypted(&authority, "localhost", Some(&clients)).await?;
    let options = TlsOptions::default().root(authority.root());
    let (certificate, key) = clients.certificate("ada")?;
    works(remote(door.port).tls(options.clone().identity(certificate, key.clone()))).await?;
    refused(remote(door.port).tls(options.clone())).await?;
    let (of_another, other_key) = authority.certificate("ada")?;
    let shown = format!("{:?}", options.clone().identity(of_another.clone(), other_key.clone()));
    same(shown.contains("PRIVATE KEY"), false)?;
    refused(remote(door.port).tls(options.identity(of_another, other_key))).await
}

async fn unix_socket() -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("spark connect.sock");
    let _door = Door::on_unix_socket(&path)?;
    let encoded = path.display().to_string().replace(' ', "%20");
    works(SparkSession::builder().remote(&format!("sc+unix://{encoded};token=hush"))).await
}

async fn proxy() -> Result<(), Failed> {
    let proxy = Door::http_proxy().await?;
    // The name is one that only the proxy can make something of.
    let channel = Endpoint::from_static("http://spark.example:15002")
        .connect_with_connector_lazy(tunnelled(proxy.port, "spark.example:15002"));
    works(SparkSession::builder().remote("sc://spark.example").channel(channel)).await
}

async fn interceptor() -> Result<(), Failed> {
    let seen = Arc::new(AtomicUsize::new(0));
    let counter = seen.clone();
    works(SparkSession::builder().interceptor(move |request| {
        counter.fetch_add(1, Ordering::Relaxed);
        Ok(request)
    }))
    .await?;
    // The version, the execution and the end of the session at least.
    same(seen.load(Ordering::Relaxed) >= 3, true)?;
    let refusing = SparkSession::builder().interceptor(|_| Err(Status::unauthenticated("no token yet")));
    let error = refusing.connect().await.err().ok_or("the interceptor was not heard")?;
    same(error.to_string().contains("no token yet"), true)
}
