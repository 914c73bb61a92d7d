//! `lakepulse verify`: whether silver equals the source, row for row, at a published cut.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use lakepulse_medallion::contract::{Contract, Contracts};
use lakepulse_medallion::silver::{self, Published};
use serde::Serialize;
use spark_client::DataFrame;
use spark_client::functions::col;
use tokio_postgres::Client;

use crate::comparison::{Counts, Pair, count_differences, count_orphans};
use crate::error::{Doing, Error, Result};
use crate::lakehouse::Lakehouse;
use crate::source::SourceAddress;

/// Each look costs Spark a query, which whoever publishes waits for.
const POLL: Duration = Duration::from_secs(3);

/// How long to look for a moment without a transaction in progress, and how often.
const QUIET_LIMIT: Duration = Duration::from_secs(60);
const QUIET_POLL: Duration = Duration::from_millis(100);

const SNAPSHOT: &str = "select pg_export_snapshot() as id, \
    pg_snapshot_xmin(pg_current_snapshot()) = pg_snapshot_xmax(pg_current_snapshot()) as quiet";

/// How often a comparison begins anew because somebody wrote to the source in the meantime.
const ATTEMPTS: u32 = 5;

/// How the rows of a table at the source compare with silver's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TableReport {
    /// `schema.table`.
    pub table: String,
    /// Rows at the source.
    pub rows: i64,
    /// Rows that silver lacks.
    pub missing: i64,
    /// Rows that silver has and the source has not.
    pub extra: i64,
    /// Rows with the same key and other values.
    pub different: i64,
    /// Foreign keys of silver's rows that lead nowhere.
    pub orphans: i64,
}

impl TableReport {
    /// Whether nothing was found.
    pub fn is_clean(&self) -> bool {
        self.missing + self.extra + self.different + self.orphans == 0
    }
}

/// All tables at a cut.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The published cut.
    pub cut: i64,
    /// One entry per contract.
    pub tables: Vec<TableReport>,
}

/// A transaction at the source that holds a snapshot, and what bounds it in the log.
struct Snapshot {
    client: Client,
    id: String,
    /// No transaction committed at or below this LSN is missing in the snapshot...
    before: i64,
    /// ... and none committed above this one is in it.
    after: i64,
}

/// Compares every table with a contract. Takes a snapshot of the source, waits until a cut behind it is published,
/// and begins anew when there were changes in between, so that both sides show the same moment.
pub async fn run(
    lakehouse: &Lakehouse,
    source: &SourceAddress,
    contracts: &Path,
    limit: Duration,
) -> Result<Report> {
    let contracts = Contracts::load(contracts).doing("reading the contracts")?;
    for _ in 0..ATTEMPTS {
        let snapshot = take_snapshot(source).await?;
        let published = until_published(lakehouse, snapshot.after, limit).await?;
        if changes_between(lakehouse, snapshot.before, published.cut.lsn).await? > 0 {
            continue;
        }
        let tables = compare(lakehouse, source, &snapshot, &published, &contracts).await?;
        drop(snapshot.client);
        return Ok(Report { cut: published.cut.lsn, tables });
    }
    Err(Error::new(format!(
        "the source changed during each of {ATTEMPTS} attempts to compare; stop the writers and run verify again"
    )))
}

/// A transaction whose commit record is written is not at once visible: only a snapshot that sees no transaction in
/// progress holds everything below an LSN that was read before it.
async fn take_snapshot(source: &SourceAddress) -> Result<Snapshot> {
    let client = source.connect().await?;
    let failed = "taking a snapshot of the source";
    let started = Instant::now();
    loop {
        let before = crate::source::head(&client).await?;
        client.batch_execute("begin isolation level repeatable read read only").await.doing(failed)?;
        let row = client.query_one(SNAPSHOT, &[]).await.doing(failed)?;
        if row.get("quiet") {
            let after = crate::source::head(&client).await?;
            return Ok(Snapshot { id: row.get("id"), client, before, after });
        }
        client.batch_execute("rollback").await.doing(failed)?;
        if started.elapsed() > QUIET_LIMIT {
            return Err(Error::new(format!(
                "transactions were in progress at the source for {} s without a pause; stop the writers and run verify \
                 again (who they are: select * from pg_stat_activity where backend_xid is not null)",
                QUIET_LIMIT.as_secs()
            )));
        }
        tokio::time::sleep(QUIET_POLL).await;
    }
}

/// The first published cut that is not below an LSN.
pub async fn until_published(lakehouse: &Lakehouse, lsn: i64, limit: Duration) -> Result<Published> {
    let started = Instant::now();
    loop {
        let last = silver::last_published(&lakehouse.spark, &lakehouse.lake)
            .await
            .doing("asking for the last cut")?;
        match last {
            Some(published) if published.cut.lsn >= lsn => return Ok(published),
            last if started.elapsed() > limit => {
                return Err(Error::new(format!(
                    "no cut at or above LSN {lsn} was published in {} s (the last one is {}); do capture, bronze and silver \
                     run? see: lakepulse status",
                    limit.as_secs(),
                    last.map_or_else(|| "none".to_owned(), |published| published.cut.lsn.to_string())
                )));
            }
            _ => tokio::time::sleep(POLL).await,
        }
    }
}

async fn changes_between(lakehouse: &Lakehouse, above: i64, cut: i64) -> Result<i64> {
    let lake = &lakehouse.lake;
    lakehouse
        .spark
        .table(&lake.events())
        .filter(col("commit_lsn").gt(above) & col("commit_lsn").leq(cut) & lake.is_event())
        .count()
        .await
        .doing("looking for changes since the snapshot")
}

async fn compare(
    lakehouse: &Lakehouse,
    source: &SourceAddress,
    snapshot: &Snapshot,
    published: &Published,
    contracts: &Contracts,
) -> Result<Vec<TableReport>> {
    let mut pairs = Vec::new();
    for contract in contracts.iter() {
        let source = read_source(lakehouse, source, snapshot, contract)?;
        pairs.push(Pair { contract, source, silver: read_silver(lakehouse, published, contract) });
    }
    let (counts, orphans) = futures::try_join!(count_differences(&pairs), count_orphans(contracts, &pairs))?;
    let mut reports: BTreeMap<String, TableReport> = contracts
        .iter()
        .map(|contract| {
            (contract.table.clone(), TableReport { table: contract.table.clone(), ..TableReport::default() })
        })
        .collect();
    for Counts { table, rows, missing, extra, different } in counts {
        let report = reports.entry(table).or_default();
        (report.rows, report.missing, report.extra, report.different) = (rows, missing, extra, different);
    }
    for (table, count) in orphans {
        reports.entry(table).or_default().orphans = count;
    }
    Ok(reports.into_values().collect())
}

/// The table at the source as of the snapshot, read by Spark.
fn read_source(
    lakehouse: &Lakehouse,
    source: &SourceAddress,
    snapshot: &Snapshot,
    contract: &Contract,
) -> Result<DataFrame> {
    let config = source.config()?;
    let host = match config.get_hosts().first() {
        Some(tokio_postgres::config::Host::Tcp(host)) => host.clone(),
        _ => return Err(Error::new("the source's address must name a host, for Spark to read it")),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().unwrap_or("postgres");
    let names: Vec<String> = contract.columns.iter().map(|column| sql_name(&column.name)).collect();
    let table: Vec<String> = contract.table.split('.').map(sql_name).collect();
    let password = config.get_password().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    Ok(lakehouse
        .spark
        .read()
        .format("jdbc")
        .option("driver", "org.postgresql.Driver")
        // A snapshot can be taken over by a transaction of this level only.
        .option(
            "url",
            format!(
                "jdbc:postgresql://{host}:{port}/{database}?options=-c%20default_transaction_isolation%3Drepeatable%5C%20read"
            ),
        )
        .option("user", config.get_user().unwrap_or_default())
        .option("password", password.unwrap_or_default())
        .option("sessionInitStatement", format!("SET TRANSACTION SNAPSHOT '{}'", snapshot.id))
        .option("fetchsize", 10_000)
        .option("preferTimestampNTZ", true)
        .option("query", format!("select {} from {}", names.join(", "), table.join(".")))
        .load())
}

fn sql_name(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A silver table at the cut; none when no cut has published it.
fn read_silver(lakehouse: &Lakehouse, published: &Published, contract: &Contract) -> Option<DataFrame> {
    let name = contract.silver_name();
    let version = published.tables.get(&name)?;
    Some(lakehouse.spark.read().option("versionAsOf", version).table(&lakehouse.lake.silver(&name)))
}

/// The report as a table on standard output.
pub fn print(report: &Report) {
    println!("source and silver at cut {}:", report.cut);
    println!(
        "{:32} {:>10} {:>8} {:>8} {:>10} {:>8}",
        "table", "rows", "missing", "extra", "different", "orphans"
    );
    for table in &report.tables {
        println!(
            "{:32} {:>10} {:>8} {:>8} {:>10} {:>8}",
            table.table, table.rows, table.missing, table.extra, table.different, table.orphans
        );
    }
}
