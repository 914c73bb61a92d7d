//! `lakepulse-gold`: brings the star schema to the last merged cut, or checks it against a full rebuild.

use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use lakepulse_medallion::gold::Gold;
use lakepulse_medallion::job::{self, SparkAddress};
use lakepulse_medallion::{Lake, Result};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Bring every table to the last merged cut
    Refresh(Settings),
    /// Do so again and again until stopped
    Run {
        #[command(flatten)]
        settings: Settings,
        /// Seconds between two looks at silver
        #[arg(long, env = "LAKEPULSE_GOLD_PAUSE", default_value_t = 60)]
        pause: u64,
    },
    /// Compare every table with its full rebuild; exit code 1 when a row differs
    Check(Settings),
}

#[derive(Args)]
struct Settings {
    #[command(flatten)]
    spark: SparkAddress,
    #[command(flatten)]
    lake: Lake,
}

#[tokio::main]
async fn main() -> ExitCode {
    let command = Arguments::parse().command;
    job::start_logging();
    match command {
        Command::Refresh(settings) => job::exit_code(refresh(&settings).await),
        Command::Run { settings, pause } => job::exit_code(run(&settings, Duration::from_secs(pause)).await),
        Command::Check(settings) => match check(&settings).await {
            Ok(true) => ExitCode::SUCCESS,
            Ok(false) => ExitCode::FAILURE,
            Err(error) => job::exit_code(Err(error)),
        },
    }
}

async fn refresh(settings: &Settings) -> Result<()> {
    let gold = Gold::new(settings.spark.connect().await?, settings.lake.clone()).await?;
    match gold.refresh().await? {
        Some(refreshed) => println!("gold stands at {}", refreshed.cut),
        None => println!("gold stands at the last merged cut already"),
    }
    Ok(())
}

async fn run(settings: &Settings, pause: Duration) -> Result<()> {
    let gold = Gold::new(settings.spark.connect().await?, settings.lake.clone()).await?;
    gold.run(pause, job::until_stopped()).await
}

async fn check(settings: &Settings) -> Result<bool> {
    let gold = Gold::new(settings.spark.connect().await?, settings.lake.clone()).await?;
    let comparisons = gold.check().await?;
    println!("{:20} {:>10} {:>8} {:>8}", "table", "rows", "missing", "extra");
    for table in &comparisons {
        println!("{:20} {:>10} {:>8} {:>8}", table.table, table.rows, table.missing, table.extra);
    }
    Ok(comparisons.iter().all(|table| table.missing == 0 && table.extra == 0))
}
