//! PostgreSQL: the source database, and the store of the registry and of the metastore.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::error::{Error, Result};
use crate::layout::Layout;
use crate::service::{Account, Program, Readiness, Service, Step};

/// Where Debian keeps the servers of all versions.
const DEBIAN: &str = "/usr/lib/postgresql";

pub(super) fn service(layout: &Layout) -> Result<Service> {
    let port = layout.settings.port("POSTGRES_PORT")?;
    let account = Account::for_postgres()?;
    let binaries = binaries()?;
    let data = layout.data("postgres");
    let program = |command: Vec<String>| Program {
        command,
        env: vec![("LC_ALL".to_owned(), "C.UTF-8".to_owned())],
        account: account.clone(),
        folder: layout.data(""),
    };
    let binary = |name: &str| binaries.join(name).display().to_string();
    let conf = layout.render("postgres", account.as_ref())?;
    // A small launcher, because only a file or a terminal can give initdb a password.
    let initialise = format!(
        "umask 077; file=$(mktemp); trap 'rm -f \"$file\"' EXIT; cat > \"$file\"; {} -D {} -U postgres -A scram-sha-256 \
         --pwfile=\"$file\" -E UTF8 --locale=C.UTF-8 --data-checksums",
        quoted(&binary("initdb")),
        quoted(&data.display().to_string()),
    );
    let mut service = Service::new(
        "postgres",
        &[],
        program(vec![
            binary("postgres"),
            "-D".to_owned(),
            data.display().to_string(),
            "-c".to_owned(),
            format!("config_file={}", conf.join("postgresql.conf").display()),
        ]),
    );
    let mut psql = program(
        [
            "-X",
            "-q",
            "-v",
            "ON_ERROR_STOP=1",
            "-h",
            layout.host(),
            "-p",
            &port.to_string(),
            "-U",
            "postgres",
            "-f",
            "-",
        ]
        .iter()
        .map(|argument| (*argument).to_owned())
        .collect(),
    );
    psql.command.insert(0, binary("psql"));
    psql.env.push(("PGPASSWORD".to_owned(), layout.credentials.get("POSTGRES_PASSWORD").to_owned()));
    psql.env.push(("PGDATABASE".to_owned(), "postgres".to_owned()));
    service.before = vec![Step {
        about: "create the PostgreSQL cluster",
        program: program(vec!["/bin/sh".to_owned(), "-c".to_owned(), initialise]),
        stdin: layout.credentials.get("POSTGRES_PASSWORD").to_owned(),
        unless: Some(data.join("PG_VERSION")),
        marker: None,
    }];
    service.after = vec![Step {
        about: "create the roles and databases in PostgreSQL",
        program: psql,
        stdin: init_sql(layout)?,
        unless: None,
        marker: None,
    }];
    service.ports = vec![("POSTGRES_PORT", port)];
    service.readiness = Readiness::Command(program(vec![
        binary("pg_isready"),
        "-q".to_owned(),
        "-h".to_owned(),
        layout.host().to_owned(),
        "-p".to_owned(),
        port.to_string(),
    ]));
    // Fast shutdown: sessions are ended, data is flushed. The postmaster tells its children itself.
    service.stop_signal = Signal::SIGINT;
    service.stop_group = false;
    service.stop_limit = Duration::from_secs(60);
    Ok(service)
}

/// The statements of `docker/postgres/init.sql`, preceded by the passwords as psql variables.
fn init_sql(layout: &Layout) -> Result<String> {
    let file = layout.settings.root.join("docker/postgres/init.sql");
    let statements = std::fs::read_to_string(&file).map_err(|error| Error::io("read", &file, error))?;
    let variables: String = [
        ("wwi_password", "WWI_PASSWORD"),
        ("capture_password", "CAPTURE_PASSWORD"),
        ("registry_password", "REGISTRY_DB_PASSWORD"),
        ("metastore_password", "METASTORE_DB_PASSWORD"),
    ]
    .iter()
    .map(|(variable, secret)| format!("\\set {variable} {}\n", layout.credentials.get(secret)))
    .collect();
    Ok(variables + &statements)
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The folder of the newest PostgreSQL that is installed.
fn binaries() -> Result<PathBuf> {
    let mut versions: Vec<u32> = std::fs::read_dir(DEBIAN)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok())
        .filter(|version| Path::new(DEBIAN).join(version.to_string()).join("bin/postgres").exists())
        .collect();
    versions.sort_unstable();
    let newest = versions
        .last()
        .ok_or_else(|| Error::new(format!("no PostgreSQL server below {DEBIAN}; run native/install")))?;
    Ok(Path::new(DEBIAN).join(newest.to_string()).join("bin"))
}
