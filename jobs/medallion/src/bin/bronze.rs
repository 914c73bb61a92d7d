//! `lakepulse-bronze`: keeps the streaming query from Kafka into `bronze.events` running.

use std::process::ExitCode;

use axum::Router;
use clap::{Parser, Subcommand};
use lakepulse_medallion::bronze::{self, BronzeOptions};
use lakepulse_medallion::job::{self, SparkAddress};
use lakepulse_medallion::metrics::Metrics;
use lakepulse_medallion::{Lake, Result};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Append events until stopped
    Run {
        #[command(flatten)]
        spark: SparkAddress,
        #[command(flatten)]
        lake: Lake,
        #[command(flatten)]
        options: BronzeOptions,
        /// Where to serve /metrics and /healthz
        #[arg(long, env = "LAKEPULSE_BRONZE_METRICS", default_value = "127.0.0.1:21031")]
        metrics_listen: String,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let Command::Run { spark, lake, options, metrics_listen } = Arguments::parse().command;
    job::start_logging();
    job::exit_code(run(&spark, &lake, &options, &metrics_listen).await)
}

async fn run(spark: &SparkAddress, lake: &Lake, options: &BronzeOptions, listen: &str) -> Result<()> {
    let metrics = Metrics::new()?;
    let query = bronze::start(&spark.connect().await?, lake, options).await?;
    tracing::info!(table = lake.events(), query = query.id(), "appending events");
    metrics.serve(listen, Router::new()).await?;
    tokio::select! {
        ended = bronze::watch(&query, lake, options, &metrics) => ended,
        stopped = job::until_stopped() => {
            stopped?;
            bronze::stop(&query).await
        }
    }
}
