//! `lakepulse-silver`: moves the silver tables from cut to cut.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lakepulse_medallion::job::{self, SparkAddress};
use lakepulse_medallion::metrics::Metrics;
use lakepulse_medallion::silver::{Pace, Silver, SilverOptions};
use lakepulse_medallion::{Contracts, Lake, Registry, RegistryAddress, Result};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish cut after cut until stopped
    Run {
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        pace: Pace,
        /// Where to serve /metrics and /healthz
        #[arg(long, env = "LAKEPULSE_SILVER_METRICS", default_value = "127.0.0.1:21032")]
        metrics_listen: String,
    },
    /// Publish what is complete now, and end
    Once {
        #[command(flatten)]
        settings: Settings,
    },
}

#[derive(Args)]
struct Settings {
    #[command(flatten)]
    spark: SparkAddress,
    #[command(flatten)]
    lake: Lake,
    #[command(flatten)]
    registry: RegistryAddress,
    #[command(flatten)]
    options: SilverOptions,
    /// Folder of the contracts
    #[arg(long, env = "LAKEPULSE_CONTRACTS", default_value = "contracts")]
    contracts: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    job::start_logging();
    job::exit_code(match command {
        Command::Run { settings, pace, metrics_listen } => run(&settings, &pace, &metrics_listen).await,
        Command::Once { settings } => once(&settings).await,
    })
}

async fn silver(settings: &Settings, metrics: &Metrics) -> Result<Silver> {
    let contracts = Contracts::load(&settings.contracts)?;
    let registry = Registry::new(&settings.registry)?;
    let spark = settings.spark.connect().await?;
    Silver::new(spark, settings.lake.clone(), contracts, registry, settings.options.clone(), metrics.clone())
        .await
}

async fn run(settings: &Settings, pace: &Pace, listen: &str) -> Result<()> {
    let metrics = Metrics::new()?;
    let silver = silver(settings, &metrics).await?;
    metrics.serve(listen).await?;
    tokio::select! {
        ended = silver.keep_publishing(pace) => ended,
        stopped = job::until_stopped() => stopped,
    }
}

async fn once(settings: &Settings) -> Result<()> {
    let silver = silver(settings, &Metrics::new()?).await?;
    silver.cycle().await.map(|_| ())
}
