//! `lakepulse-stack`: starts, watches and stops the servers of LakePulse as plain processes.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lakepulse_native::control::{Request, ask};
use lakepulse_native::{Error, Layout, Settings, chain, run};

#[derive(Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start profiles (source, ingest, lake, sql, servers, all) or single services and wait until they are ready
    Up { names: Vec<String> },
    /// Stop everything; data stays
    Down,
    /// Show all services
    Status {
        #[arg(long)]
        json: bool,
    },
    /// Stop single services; the rest goes on
    Stop { names: Vec<String> },
    /// SIGKILL a service, to see that nothing is lost
    Kill { name: String },
    /// Run a command with the stack's addresses and secrets in its environment
    Exec {
        /// Start these profiles or services as a stack of its own, in a temporary folder, and end it with the command
        #[arg(long, value_delimiter = ',')]
        own: Option<Vec<String>>,
        /// Keep the logs of a stack of its own
        #[arg(long)]
        keep: bool,
        #[arg(last = true, required = true)]
        command: Vec<String>,
    },
    /// Print the folder that holds the stack's data, logs and credentials
    Home,
    /// Print the text of .env.example
    Example,
    #[command(hide = true)]
    Supervise,
}

// One thread: the kernel ends the servers when the thread that started them ends.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match dispatch(Arguments::parse().command).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {}", chain(&error));
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(command: Command) -> Result<ExitCode, Error> {
    if matches!(command, Command::Example) {
        print!("{}", Settings::example());
        return Ok(ExitCode::SUCCESS);
    }
    let settings = Settings::load()?;
    if let Command::Exec { own: Some(names), keep, command } = &command {
        return Ok(exit_code(run::exec_own(&settings, names, command, *keep).await?));
    }
    if matches!(command, Command::Home) {
        println!("{}", settings.home.display());
        return Ok(ExitCode::SUCCESS);
    }
    let layout = Layout::prepare(settings)?;
    match command {
        Command::Up { names } => {
            let names = if names.is_empty() { vec!["servers".to_owned()] } else { names };
            run::up(&layout, &names).await?;
        }
        Command::Down => run::down(&layout).await?,
        Command::Supervise => run::supervise(&layout).await?,
        Command::Exec { command, .. } => return Ok(exit_code(run::exec(&layout, &command).await?)),
        Command::Status { json } => return request(&layout, &Request::Status { memory: true }, json).await,
        Command::Stop { names } => return request(&layout, &Request::Stop { names }, false).await,
        Command::Kill { name } => return request(&layout, &Request::Kill { name }, false).await,
        Command::Home | Command::Example => {}
    }
    Ok(ExitCode::SUCCESS)
}

async fn request(layout: &Layout, request: &Request, json: bool) -> Result<ExitCode, Error> {
    let Some(answer) = ask(&layout.control(), request).await? else {
        println!("nothing is running; start it with: make up");
        return Ok(ExitCode::FAILURE);
    };
    if json {
        println!("{}", serde_json::to_string(&answer).unwrap_or_default());
    } else {
        run::print_table(&answer)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
