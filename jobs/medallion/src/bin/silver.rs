//! `lakepulse-silver`: moves silver from cut to cut.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};
use lakepulse_medallion::job::{self, SparkAddress};
use lakepulse_medallion::metrics::Metrics;
use lakepulse_medallion::silver::{Demand, Silver, SilverOptions, keep_running};
use lakepulse_medallion::{Contracts, Lake, Registry, RegistryAddress, Result};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Publish cut after cut, and merge in the background, until stopped
    Run {
        #[command(flatten)]
        settings: Settings,
        /// Where to serve /metrics and /healthz, and to take POST /merge, which asks for a merge round soon
        #[arg(long, env = "LAKEPULSE_SILVER_METRICS", default_value = "127.0.0.1:21032")]
        metrics_listen: String,
    },
    /// Publish what is complete now, merge it, and end
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
    /// Folder of the contracts [default: contracts, if there is one]; tables without one are taken as the source has them
    #[arg(long, env = "LAKEPULSE_CONTRACTS")]
    contracts: Option<PathBuf>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    job::start_logging();
    job::exit_code(match command {
        Command::Run { settings, metrics_listen } => run(&settings, &metrics_listen).await,
        Command::Once { settings } => once(&settings).await,
    })
}

async fn open(settings: &Settings, metrics: &Metrics) -> Result<Silver> {
    let usual = || Some(Path::new("contracts")).filter(|folder| folder.exists());
    let contracts =
        settings.contracts.as_deref().or_else(usual).map(Contracts::load).transpose()?.unwrap_or_default();
    let registry = Registry::new(&settings.registry)?;
    let spark = settings.spark.connect().await?;
    Silver::open(&spark, &settings.lake, contracts, registry, &settings.options, metrics.clone()).await
}

async fn run(settings: &Settings, listen: &str) -> Result<()> {
    let metrics = Metrics::new()?;
    let demand = Demand::default();
    metrics.serve(listen, demand.router()).await?;
    keep_running(async || open(settings, &metrics).await, &demand, job::until_stopped()).await
}

async fn once(settings: &Settings) -> Result<()> {
    open(settings, &Metrics::new()?).await?.once().await
}
