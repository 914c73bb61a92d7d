//! Command line of `lakepulse-wwi`.

use std::error::Error as _;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use lakepulse_wwi::{
    Error, ErrorKind, LoadOptions, SchemaOutcome, Source, WorkloadOptions, create_schema, load, run_workload,
};
use tracing_subscriber::EnvFilter;

/// Wide World Importers on PostgreSQL: schema, seed data and workload.
///
/// The password comes from `LAKEPULSE_SOURCE_PASSWORD` or `PGPASSWORD`.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// postgresql://user@host:port/database, without a password
    #[arg(
        long,
        env = "LAKEPULSE_SOURCE_URL",
        global = true,
        default_value = "postgresql://postgres@127.0.0.1:5432/wwi"
    )]
    source: String,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Create the tables; does nothing when they are there unaltered.
    Schema,
    /// Fill the empty tables; the same seed gives the same rows.
    Load {
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Rows in all tables together, about.
        #[arg(long, default_value_t = 200_000)]
        rows: u32,
        /// Leave tables that hold rows already as they are.
        #[arg(long)]
        if_empty: bool,
    },
    /// Run business transactions at a rate.
    Workload {
        /// Transactions a second, all connections together.
        #[arg(long, default_value_t = 200.0)]
        rate: f64,
        #[arg(long, default_value = "60s", value_parser = humantime::parse_duration)]
        duration: Duration,
        #[arg(long, default_value_t = 4)]
        connections: u32,
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// Print the summary as JSON.
        #[arg(long)]
        json: bool,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LAKEPULSE_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,tokio_postgres=warn"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    match run(Arguments::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let mut line = error.to_string();
            let mut cause = error.source();
            while let Some(inner) = cause {
                line = format!("{line}: {inner}");
                cause = inner.source();
            }
            eprintln!("lakepulse-wwi: {line}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: Arguments) -> Result<(), Error> {
    let source: Source = arguments.source.parse()?;
    match arguments.command {
        Command::Schema => match create_schema(&source).await? {
            SchemaOutcome::Created => println!("schema created"),
            SchemaOutcome::Unchanged => println!("schema is there already"),
        },
        Command::Load { seed, rows, if_empty } => {
            let loaded = match load(&source, LoadOptions { seed, rows }).await {
                Err(error) if if_empty && error.kind() == ErrorKind::Filled => {
                    println!("the tables hold rows already");
                    return Ok(());
                }
                loaded => loaded?,
            };
            for (table, rows) in loaded.tables() {
                println!("{table:<34} {rows:>9}");
            }
            println!("{:<34} {:>9}", "all", loaded.rows());
        }
        Command::Workload { rate, duration, connections, seed, json } => {
            let summary =
                run_workload(&source, WorkloadOptions { rate, duration, connections, seed }).await?;
            match serde_json::to_string(&summary) {
                Ok(text) if json => println!("{text}"),
                _ => print!("{summary}"),
            }
        }
    }
    Ok(())
}
