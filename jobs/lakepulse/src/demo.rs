//! `lakepulse demo`: the whole way of a change, from an empty database to a report asked of Trino.

use std::process::Stdio;
use std::time::{Duration, Instant};

use clap::Args;
use lakepulse_medallion::gold::Gold;
use lakepulse_native::{Layout, Settings, control, run as stack};
use tokio::process::Command;

use crate::error::{Doing, Error, Result};
use crate::freshness;
use crate::lakehouse::Lakehouse;
use crate::progress::Progress;
use crate::report::Report;
use crate::scrape::Scrape;
use crate::source::SourceAddress;
use crate::told::ToldAddress;
use crate::verify;

/// What the demonstration does.
#[derive(Debug, Clone, Args)]
pub struct DemoOptions {
    /// Rows to load before the workload, about
    #[arg(long, default_value_t = 200_000)]
    rows: u32,
    /// Business transactions per second
    #[arg(long, default_value_t = 200)]
    rate: u32,
    /// Seconds of workload
    #[arg(long, default_value_t = 60)]
    seconds: u32,
    /// Seed of the data and of the workload
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop the servers at the end
    #[arg(long)]
    stop: bool,
}

/// How long the initial snapshot, and later the last commit, may take to be published and merged.
const LIMIT: Duration = Duration::from_secs(600);

const REVENUE: &str = "SELECT d.calendar_month_label AS month, count(DISTINCT s.wwi_invoice_id) AS invoices, \
    sum(s.total_including_tax) AS revenue, sum(s.profit) AS profit \
    FROM lakehouse.gold.fact_sale s JOIN lakehouse.gold.dim_date d ON d.date = s.invoice_date_key \
    GROUP BY d.calendar_month_label, d.year_month_key ORDER BY d.year_month_key DESC LIMIT 6";

const CUSTOMERS: &str = "SELECT c.customer, c.category, sum(s.total_including_tax) AS revenue \
    FROM lakehouse.gold.fact_sale s JOIN lakehouse.gold.dim_customer c ON c.customer_key = s.customer_key \
    GROUP BY c.customer, c.category ORDER BY revenue DESC LIMIT 5";

/// Runs the demonstration; Ctrl-C at any moment stops the servers.
pub async fn run(options: &DemoOptions) -> Result<bool> {
    let settings = Settings::load().doing("reading the settings")?;
    let layout = Layout::prepare(settings).doing("preparing the stack")?;
    let outcome = tokio::select! {
        outcome = perform(options, &layout) => outcome,
        _ = tokio::signal::ctrl_c() => Err(Error::new("interrupted")),
    };
    if options.stop || outcome.is_err() {
        stack::down(&layout).await.doing("stopping the servers")?;
    }
    outcome
}

async fn perform(options: &DemoOptions, layout: &Layout) -> Result<bool> {
    let started = Instant::now();
    let progress = Progress::new();
    progress.step("starting PostgreSQL, Kafka, Schema Registry, object store, Spark, metastore, Trino");
    up(layout, &["servers"]).await?;
    progress.step(&format!("loading Wide World Importers, about {} rows", options.rows));
    let wwi = |arguments: &[&str]| own_binary(layout, "lakepulse-wwi", arguments);
    finish(wwi(&["schema"]), "creating the source's schema").await?;
    let (rows, seed) = (options.rows.to_string(), options.seed.to_string());
    // A demonstration after another one, or after an interrupted one, goes on with the rows that are there.
    finish(wwi(&["load", "--if-empty", "--rows", &rows, "--seed", &seed]), "loading the source").await?;
    progress.step("starting capture, bronze and silver");
    up(layout, &["all"]).await?;

    let source = SourceAddress {
        url: endpoint(layout, "LAKEPULSE_SOURCE_URL")?,
        password: Some(endpoint(layout, "LAKEPULSE_SOURCE_PASSWORD")?.into()),
    };
    let told = ToldAddress::new(
        endpoint(layout, "LAKEPULSE_KAFKA")?,
        endpoint(layout, "LAKEPULSE_REGISTRY")?,
        endpoint(layout, "LAKEPULSE_SILVER_METRICS")?,
    );
    let lakehouse = Lakehouse::of_stack(&layout.endpoints()).await?;
    let client = source.connect().await?;
    progress.step("waiting until the initial snapshot is published");
    until(layout, PUBLISHED, crate::source::head(&client).await?).await?;

    progress.step(&format!("{} transactions/s for {} s", options.rate, options.seconds));
    let began_us = lakepulse_medallion::job::now_us();
    let (rate, seconds) = (options.rate.to_string(), format!("{}s", options.seconds));
    let workload = wwi(&["workload", "--rate", &rate, "--duration", &seconds, "--seed", &seed]);
    progress.with_bar(u64::from(options.seconds), finish(workload, "running the workload")).await?;

    progress.step("waiting until the last commit is published");
    let waiting = Instant::now();
    let head = crate::source::head(&client).await?;
    until(layout, PUBLISHED, head).await?;
    progress.note(&format!("published {:.1} s after the workload's end", waiting.elapsed().as_secs_f64()));
    progress.step("waiting until all tables are merged");
    Scrape::ask_to_merge(&endpoint(layout, "LAKEPULSE_SILVER_METRICS")?).await;
    until(layout, MERGED, head).await?;
    progress.note(&format!("merged {:.1} s after the workload's end", waiting.elapsed().as_secs_f64()));
    progress.step("refreshing gold");
    let gold = Gold::new(lakehouse.spark.clone(), lakehouse.lake.clone()).await.doing("opening gold")?;
    gold.refresh().await.doing("refreshing gold")?;
    progress.step("comparing every row of silver with the source");
    let report = verify::run(&lakehouse, &source, &told, LIMIT).await?;
    report.print();

    let freshness = freshness::since(&lakehouse, began_us).await?;
    println!(
        "freshness, commit to published, over {} transactions: p50 {:.1} s, p95 {:.1} s",
        freshness.transactions, freshness.p50_seconds, freshness.p95_seconds
    );
    report_from_trino(layout, "revenue of the last months", REVENUE).await?;
    report_from_trino(layout, "customers with the highest revenue", CUSTOMERS).await?;
    print_end(layout, &report, started.elapsed(), options.stop).await?;
    Ok(report.is_clean())
}

/// Silver's metrics of how far it has published and merged.
const PUBLISHED: &str = "lakepulse_silver_cut_lsn";
const MERGED: &str = "lakepulse_silver_merged_lsn";

/// Waits for an LSN by a metric of silver: to ask Spark again and again would take it the time to get there.
async fn until(layout: &Layout, metric: &str, lsn: i64) -> Result<()> {
    let address = endpoint(layout, "LAKEPULSE_SILVER_METRICS")?;
    let started = Instant::now();
    while Scrape::of(&address).await.value(metric).is_none_or(|at| (at as i64) < lsn) {
        if started.elapsed() > LIMIT {
            return Err(Error::new(format!(
                "{metric} did not come to LSN {lsn} in {} s; see: make status, make logs s=silver",
                LIMIT.as_secs()
            )));
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn up(layout: &Layout, names: &[&str]) -> Result<()> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    stack::up(layout, &names).await.doing("starting the servers")
}

fn endpoint(layout: &Layout, name: &str) -> Result<String> {
    let found = layout.endpoints().into_iter().find(|(known, _)| known == name);
    found.map(|(_, value)| value).ok_or_else(|| Error::new(format!("the stack has no {name}")))
}

fn own_binary(layout: &Layout, name: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new(layout.binaries().join(name));
    command.args(arguments).envs(layout.endpoints()).stdin(Stdio::null()).kill_on_drop(true);
    command
}

async fn finish(mut command: Command, about: &str) -> Result<()> {
    let status = command.status().await.doing(about)?;
    if status.success() { Ok(()) } else { Err(Error::new(format!("{about} failed ({status}); see above"))) }
}

async fn report_from_trino(layout: &Layout, title: &str, query: &str) -> Result<()> {
    let server = endpoint(layout, "LAKEPULSE_TRINO")?;
    let output = Command::new(layout.settings.dist("jdk").join("bin/java"))
        .arg("-jar")
        .arg(layout.settings.dist("trino").join("bin/trino"))
        .args(["--server", &server, "--output-format", "ALIGNED", "--execute", query])
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .output()
        .await
        .doing("asking Trino")?;
    if !output.status.success() {
        let printed = String::from_utf8_lossy(&output.stderr);
        return Err(Error::new(format!("Trino did not answer: {}", printed.trim())));
    }
    println!("\n{title}, asked of Trino:\n{}", String::from_utf8_lossy(&output.stdout));
    Ok(())
}

async fn print_end(layout: &Layout, report: &Report, took: Duration, stops: bool) -> Result<()> {
    let answer = control::ask(&layout.control(), &control::Request::Status { memory: false })
        .await
        .doing("asking the supervisor")?;
    let peak = answer.map_or(0, |answer| answer.peak_memory_bytes);
    let rows: i64 = report.tables.iter().map(|table| table.rows).sum();
    println!(
        "{rows} rows compared; {:.0} s in all; peak memory of all servers together {:.1} GiB",
        took.as_secs_f64(),
        peak as f64 / f64::from(1 << 30)
    );
    if stops {
        return Ok(());
    }
    println!(
        "look around:  make status   bin/lakepulse-stack exec -- bin/lakepulse status   make sql   make logs s=silver"
    );
    println!("stop:         make down      remove the data: make clean-data");
    Ok(())
}
