//! `lakepulse`: demo, status, verify, contracts.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use console::Term;
use lakepulse::demo::DemoOptions;
use lakepulse::lakehouse::LakehouseAddress;
use lakepulse::source::SourceAddress;
use lakepulse::told::ToldAddress;
use lakepulse::{Error, contracts, demo, status, verify};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start everything, load, change, publish, compare, report
    Demo(DemoOptions),
    /// Show how far each step is behind the source and which tables are held, again and again until Ctrl-C
    Status {
        #[command(flatten)]
        lakehouse: LakehouseAddress,
        #[command(flatten)]
        source: SourceAddress,
        /// Where capture serves its metrics
        #[arg(long, env = "LAKEPULSE_CAPTURE_METRICS")]
        capture_metrics: String,
        /// Show once and end
        #[arg(long)]
        once: bool,
        /// One JSON document a line
        #[arg(long)]
        json: bool,
    },
    /// Compare silver with the source, row for row; exit code 1 when anything differs or a table is held
    Verify {
        #[command(flatten)]
        lakehouse: LakehouseAddress,
        #[command(flatten)]
        source: SourceAddress,
        #[command(flatten)]
        told: ToldAddress,
        /// Seconds to wait until silver has merged what the source's snapshot has
        #[arg(long, default_value_t = 300)]
        wait: u64,
        #[arg(long)]
        json: bool,
    },
    /// Work on contracts
    Contracts {
        #[command(subcommand)]
        command: ContractsCommand,
    },
}

#[derive(Subcommand)]
enum ContractsCommand {
    /// Write a contract for every table of the source that has none
    Init {
        #[command(flatten)]
        source: SourceAddress,
        /// Folder of the contracts
        #[arg(long, env = "LAKEPULSE_CONTRACTS", default_value = "contracts")]
        contracts: PathBuf,
    },
}

/// Between two looks: each costs Spark some queries, which the jobs wait for.
const STATUS_PAUSE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    match dispatch(Arguments::parse().command).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {}", lakepulse_native::chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Result<bool, Error> {
    match command {
        Command::Demo(options) => Box::pin(demo::run(&options)).await,
        Command::Status { lakehouse, source, capture_metrics, once, json } => {
            let lakehouse = lakehouse.connect().await?;
            let terminal = Term::stdout();
            loop {
                let status = status::now(&lakehouse, &source, &capture_metrics).await?;
                let shown =
                    if json { serde_json::to_string(&status).unwrap_or_default() } else { status.table() };
                println!("{shown}");
                if once {
                    return Ok(true);
                }
                tokio::time::sleep(STATUS_PAUSE).await;
                if terminal.is_term() && !json {
                    // When the table cannot be drawn over, the next one comes below it.
                    let _ = terminal.clear_last_lines(shown.lines().count());
                }
            }
        }
        Command::Verify { lakehouse, source, told, wait, json } => {
            let lakehouse = lakehouse.connect().await?;
            let report = Box::pin(verify::run(&lakehouse, &source, &told, Duration::from_secs(wait))).await?;
            if json {
                println!("{}", serde_json::to_string(&report).unwrap_or_default());
            } else {
                report.print();
            }
            Ok(report.is_clean())
        }
        Command::Contracts { command: ContractsCommand::Init { source, contracts: folder } } => {
            for file in contracts::init(&source, &folder).await? {
                println!("wrote {file}");
            }
            Ok(true)
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Arguments;

    #[test]
    fn no_two_options_have_one_name() {
        Arguments::command().debug_assert();
    }
}
