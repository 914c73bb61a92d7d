//! The server ends its streams early, connections are cut, the server is killed: results are exact or an error.
//!
//! Needs a server that ends each stream after one response or one second, and the supervisor of the stack:
//! `make stress-client`. With `LAKEPULSE_STRESS=full` everything is longer.

use crate::{
    proxy::CuttingProxy,
    support::{ids_in_order, live, same, unique},
};
use futures::TryStreamExt as _;
use libtest_mimic::{Failed, Trial};
use spark_client::{
    ConnectionString, ErrorKind, RecordBatchStream, RetryPolicy, SparkSession,
    functions::{col, expr, lit},
};
use std::{
    env,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

/// How long a connection lasts.
const CUT_EVERY: Duration = Duration::from_millis(200);
const ROWS_A_COLLECT: i64 = 300_000;
const ROWS_AN_APPEND: i64 = 100;

pub fn tests() -> Vec<Trial> {
    let tests = vec![
        live("stress::rows_are_exact_over_hundreds_of_streams", hundreds_of_streams),
        live("stress::a_long_query_returns_its_rows", long_query),
        live("stress::collects_are_exact_over_connections_that_are_cut", cut_collects),
        live("stress::appends_happen_once_over_connections_that_are_cut", cut_appends),
        live("stress::a_killed_server_is_an_error_and_not_a_hang", killed_server),
    ];
    tests.into_iter().map(|test| test.with_ignored_flag(true)).collect()
}

fn full() -> bool {
    env::var("LAKEPULSE_STRESS").is_ok_and(|value| value == "full")
}

fn runs() -> i32 {
    if full() { 200 } else { 20 }
}

async fn hundreds_of_streams(spark: SparkSession) -> Result<(), Failed> {
    let stream_setting = async |name: &str| {
        spark.conf().get(&format!("spark.connect.execute.reattachable.senderMaxStream{name}")).await
    };
    same(stream_setting("Duration").await?.as_deref(), Some("1s"))?;
    same(stream_setting("Size").await?.as_deref(), Some("123"))?;
    let started = Instant::now();
    let batches = spark.range(0..2_000_000).collect().await?;
    println!("2,000,000 rows in {} batches, {:.1?}", batches.len(), started.elapsed());
    same(ids_in_order(&batches)?, 2_000_000)
}

/// Nothing comes before a partition is whole, and each of the two takes all the time.
async fn long_query(spark: SparkSession) -> Result<(), Failed> {
    let seconds = if full() { 300 } else { 15 };
    let sleep = expr("java_method('java.lang.Thread', 'sleep', least(1000L, 1000L + id))");
    let slow = spark.range_by(0..2 * seconds, 1, Some(2)).select([col("id"), sleep.alias("slept")]);
    let started = Instant::now();
    let batches = slow.collect().await?;
    println!("a query of {:.1?}", started.elapsed());
    same(started.elapsed() >= Duration::from_secs(seconds as u64), true)?;
    same(ids_in_order(&batches)?, 2 * seconds)
}

/// A session over connections that last [`CUT_EVERY`], with waits that are short beside that.
async fn cut_session() -> Result<(CuttingProxy, SparkSession), Failed> {
    let server: ConnectionString = env::var("SPARK_REMOTE")?.parse()?;
    let proxy = CuttingProxy::start(&server, CUT_EVERY).await?;
    let patient = RetryPolicy {
        max_retries: 200,
        initial_backoff: Duration::from_millis(10),
        max_backoff: Duration::from_millis(100),
        ..RetryPolicy::default()
    };
    let spark = SparkSession::builder().remote(&proxy.remote()).retry_policy(patient).connect().await?;
    Ok((proxy, spark))
}

/// Fewer cuts would mean that the proxy did nothing: as many as there were runs, and this many in the middle of an answer.
fn report(
    what: &str,
    started: Instant,
    proxy: &CuttingProxy,
    least_in_the_middle: usize,
) -> Result<(), Failed> {
    let (all, in_the_middle) = proxy.cuts();
    println!("{} {what} in {:.1?}: {all} cuts, {in_the_middle} in the middle", runs(), started.elapsed());
    same(all >= runs() as usize && in_the_middle >= least_in_the_middle, true)
}

async fn cut_collects(_: SparkSession) -> Result<(), Failed> {
    let (proxy, spark) = cut_session().await?;
    let started = Instant::now();
    for run in 0..runs() {
        let collected = spark.range_by(0..ROWS_A_COLLECT, 1, Some(3)).collect().await;
        let batches = collected.map_err(|error| format!("run {run}: {error:?}"))?;
        same(ids_in_order(&batches)?, ROWS_A_COLLECT)?;
    }
    report("collects", started, &proxy, 1)?;
    Ok(spark.stop().await?)
}

async fn cut_appends(spark: SparkSession) -> Result<(), Failed> {
    let (table, folder) = (unique("appended"), tempfile::tempdir()?);
    let location = folder.path().display();
    spark
        .sql(&format!("CREATE TABLE {table} (run INT, id BIGINT) USING delta LOCATION '{location}'"))
        .await?;
    let (proxy, cut) = cut_session().await?;
    let started = Instant::now();
    for run in 0..runs() {
        let rows = cut.range(0..ROWS_AN_APPEND).select([lit(run).alias("run"), col("id")]);
        let appended = rows.write().insert_into(&table).await;
        appended.map_err(|error| format!("run {run}: {error:?}"))?;
    }
    // An append has few answers, of a few bytes each: that one is met in its middle is chance.
    report("appends", started, &proxy, 0)?;
    let counted = format!("SELECT run, count(*), count(DISTINCT id) FROM {table} GROUP BY run ORDER BY run");
    let found: Vec<(i32, i64, i64)> = spark.sql(&counted).await?.collect_as().await?;
    let expected = (0..runs()).map(|run| (run, ROWS_AN_APPEND, ROWS_AN_APPEND)).collect();
    same(found, expected)?;
    let commits = spark.sql(&format!("DESCRIBE HISTORY {table}")).await?.filter("operation = 'WRITE'");
    same(commits.count().await?, i64::from(runs()))?;
    spark.sql(&format!("DROP TABLE {table}")).await?;
    Ok(cut.stop().await?)
}

async fn killed_server(_: SparkSession) -> Result<(), Failed> {
    let session = async |policy| SparkSession::builder().retry_policy(policy).connect().await;
    let impatient = session(RetryPolicy::never()).await?;
    let patient = session(RetryPolicy {
        max_retries: 150,
        max_backoff: Duration::from_secs(1),
        ..RetryPolicy::default()
    })
    .await?;
    // Many small partitions: the server keeps what it has computed and the client has not taken.
    let rows = |spark: &SparkSession| spark.range_by(0..20_000_000, 1, Some(200));
    let mut broken = rows(&impatient).stream().await?;
    let mut retried = rows(&patient).stream().await?;
    same(broken.try_next().await?.is_some() && retried.try_next().await?.is_some(), true)?;

    let killed = Instant::now();
    kill("spark-connect")?;
    let kind = failure_within(Duration::from_secs(30), broken).await?;
    println!("without retries: {kind:?} {:.1?} after the server was killed", killed.elapsed());
    same(kind, ErrorKind::Unreachable)?;
    // The supervisor starts the server again, which knows nothing of the session.
    let kind = failure_within(Duration::from_secs(150), retried).await?;
    println!("with retries: {kind:?} {:.1?} after the server was killed", killed.elapsed());
    same(kind, ErrorKind::SessionGone)?;

    let next = SparkSession::builder().connect_deadline(Duration::from_secs(120)).connect().await?;
    same(next.range(0..3).count().await?, 3)?;
    Ok(next.stop().await?)
}

/// What the rest of a stream fails with.
async fn failure_within(limit: Duration, stream: RecordBatchStream) -> Result<ErrorKind, Failed> {
    let rest = tokio::time::timeout(limit, stream.try_for_each(async |_| Ok(())));
    let outcome = rest.await.map_err(|_| format!("no error within {limit:?}: a hang"))?;
    Ok(outcome.err().ok_or("the result is taken for whole")?.kind())
}

/// SIGKILL for a service of the stack whose environment this is; its supervisor knows the process.
fn kill(service: &str) -> Result<(), Failed> {
    let stack = Path::new(&env::var("LAKEPULSE_ROOT")?).join("bin/lakepulse-stack");
    let killed = Command::new(stack).args(["kill", service]).output()?;
    same(killed.status.success(), true)
}
