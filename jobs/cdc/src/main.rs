//! Command line of `lakepulse-cdc`.

use std::fmt::Display;
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lakepulse_cdc::{
    Config, Error, Shutdown, Verdict, check, ddl_trigger_statements, dry_run, install_ddl_trigger,
    remove_ddl_trigger, request_snapshot, run, status, teardown,
};
use tracing_subscriber::EnvFilter;

/// `PostgreSQL` change data capture into Kafka, exactly once.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// The configuration file; see config.example.toml.
    #[arg(long, short, env = "LAKEPULSE_CDC_CONFIG", global = true, default_value = "lakepulse-cdc.toml")]
    config: PathBuf,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Capture until SIGTERM or SIGINT.
    Run {
        /// Serve /metrics, /healthz and /readyz at this address, such as 127.0.0.1:9187.
        #[arg(long)]
        metrics_listen: Option<SocketAddr>,
        /// Say what would be done, and do nothing of it.
        #[arg(long)]
        dry_run: bool,
    },
    /// Look at the source, the registry and Kafka, and say what to fix.
    Check,
    /// Read tables from their beginning while the stream goes on.
    Snapshot {
        /// Names or globs of schema.table.
        #[arg(required = true)]
        tables: Vec<String>,
    },
    /// Say how the capture stands; a running one is not disturbed.
    Status {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// The event trigger that lets the source tell changes of tables at their exact place in its log.
    Ddl {
        #[command(subcommand)]
        action: DdlAction,
    },
    /// Drop the slot and the publication.
    Drop {
        /// Delete every topic under the prefix too, the checkpoints among them.
        #[arg(long)]
        topics: bool,
    },
}

#[derive(Subcommand)]
enum DdlAction {
    /// Install it in the source's database, or bring it up to date; needs a superuser there.
    Install,
    /// Remove it.
    Remove,
    /// Print the statements that install it.
    Print,
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = EnvFilter::try_from_env("LAKEPULSE_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false)
        .init();
    match execute(Arguments::parse()).await {
        Ok(code) => code,
        Err(error) => {
            tracing::error!("{}", error.chain());
            ExitCode::FAILURE
        }
    }
}

async fn execute(arguments: Arguments) -> Result<ExitCode, Error> {
    let mut config = Config::from_file(&arguments.config)?;
    match arguments.command {
        Command::Run { dry_run: true, .. } => print_lines(&dry_run(&config).await?),
        Command::Run { metrics_listen, .. } => {
            if let Some(address) = metrics_listen {
                config.listen_for_metrics(address);
            }
            run(&config, Shutdown::on_signals()?).await?;
        }
        Command::Check => {
            let findings = check(&config).await;
            print_lines(&findings);
            if findings.iter().any(|finding| finding.verdict == Verdict::Fix) {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Status { json } => {
            let status = status(&config).await;
            if json {
                print_lines(&[serde_json::json!(status)]);
            } else {
                print!("{status}");
            }
            if !status.is_whole() {
                return Ok(ExitCode::FAILURE);
            }
        }
        Command::Snapshot { tables } => print_lines(&request_snapshot(&config, &tables).await?),
        Command::Ddl { action: DdlAction::Install } => print_lines(&install_ddl_trigger(&config).await?),
        Command::Ddl { action: DdlAction::Remove } => print_lines(&remove_ddl_trigger(&config).await?),
        Command::Ddl { action: DdlAction::Print } => print!("{}", ddl_trigger_statements()),
        Command::Drop { topics } => print_lines(&teardown(&config, topics).await?),
    }
    Ok(ExitCode::SUCCESS)
}

fn print_lines(lines: &[impl Display]) {
    for line in lines {
        println!("{line}");
    }
}
