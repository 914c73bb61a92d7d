//! Readers of several live views, while amounts move between their tables and everything else goes on: their sum is always the same.

use std::error::Error;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::ScopedJoinHandle;
use std::time::{Duration, Instant};

use clap::Parser;
use lakepulse::scrape::Scrape;
use lakepulse_medallion::job::{SparkAddress, own_session};
use lakepulse_medallion::live::{Trino, TrinoOptions, pin};
use lakepulse_medallion::{Lake, typed};
use tokio::runtime::Runtime;

use super::Outcome;
use super::pipeline::Pipeline;

/// Amounts are in rows with a key, with a key of two columns beside values out of line, in partitions, and in rows that are only added.
const TABLES: &str = "
    CREATE TABLE warehouse.bank_cash (id int PRIMARY KEY, amount bigint NOT NULL);
    CREATE TABLE warehouse.bank_loans (branch int, number int, amount bigint NOT NULL, terms text, PRIMARY KEY (branch, number));
    ALTER TABLE warehouse.bank_loans ALTER terms SET STORAGE EXTERNAL;
    CREATE TABLE warehouse.bank_entries (at bigserial PRIMARY KEY, amount bigint NOT NULL);
    CREATE TABLE warehouse.bank_vaults (LIKE warehouse.bank_cash) PARTITION BY RANGE (id);
    ALTER TABLE warehouse.bank_vaults ADD PRIMARY KEY (id);
    CREATE TABLE warehouse.bank_vaults_low PARTITION OF warehouse.bank_vaults FOR VALUES FROM (0) TO (25);
    CREATE TABLE warehouse.bank_vaults_high PARTITION OF warehouse.bank_vaults FOR VALUES FROM (25) TO (100);
    INSERT INTO warehouse.bank_cash SELECT n, 1000 FROM generate_series(0, 49) AS n;
    INSERT INTO warehouse.bank_vaults SELECT n, 1000 FROM generate_series(0, 49) AS n;
    INSERT INTO warehouse.bank_loans SELECT n % 5, n, 1000, repeat(md5(n::text), 100) FROM generate_series(0, 49) AS n;
    INSERT INTO warehouse.bank_entries (amount) VALUES (0);";

const VIEWS: [&str; 4] =
    ["warehouse_bank_cash", "warehouse_bank_loans", "warehouse_bank_entries", "warehouse_bank_vaults"];
const TOTAL: i64 = 150_000;

/// One transaction each, about the rows $n and $m.
const MOVES: [&str; 5] = [
    "WITH taken AS (UPDATE warehouse.bank_cash SET amount = amount - 7 WHERE id = $n RETURNING id)
     UPDATE warehouse.bank_loans SET amount = amount + 7 WHERE number = $m AND EXISTS (SELECT FROM taken);",
    "UPDATE warehouse.bank_loans SET amount = amount - 3 WHERE number = $n; INSERT INTO warehouse.bank_entries (amount) VALUES (3);",
    "INSERT INTO warehouse.bank_entries (amount) VALUES (-5); UPDATE warehouse.bank_vaults SET amount = amount + 5 WHERE id = $n;",
    "UPDATE warehouse.bank_vaults SET amount = bank_vaults.amount + bank_cash.amount FROM warehouse.bank_cash WHERE bank_vaults.id = $m AND bank_cash.id = $n;
     DELETE FROM warehouse.bank_cash WHERE id = $n;",
    "INSERT INTO warehouse.bank_cash VALUES ($n, 11) ON CONFLICT (id) DO UPDATE SET amount = bank_cash.amount + 11;
     UPDATE warehouse.bank_vaults SET amount = amount - 11 WHERE id = $n;",
];

/// About a hundred transactions a second until it is told to stop; how many there were.
fn moves(pipeline: &Pipeline, stop: &AtomicBool) -> Result<usize, String> {
    let mut rounds = 0;
    while !stop.load(Ordering::Relaxed) {
        let n = rounds * 7 % 50;
        let transactions = MOVES.map(|statements| {
            let (n, m) = (n.to_string(), (49 - n).to_string());
            format!("BEGIN; {} COMMIT;", statements.replace("$n", &n).replace("$m", &m))
        });
        pipeline.source(&transactions.concat()).map_err(|error| error.to_string())?;
        rounds += 1;
        std::thread::sleep(Duration::from_millis(30));
    }
    Ok(rounds * MOVES.len())
}

/// `SELECT` of the sum over all tables, each with its address as `named` gives it.
fn sum(named: impl Fn(&str) -> String) -> String {
    let sums: Vec<String> =
        VIEWS.iter().map(|view| format!("(SELECT coalesce(sum(amount), 0) FROM {})", named(view))).collect();
    format!("SELECT CAST({} AS bigint) AS total", sums.join(" + "))
}

#[derive(Parser)]
struct Servers {
    #[command(flatten)]
    spark: SparkAddress,
    #[command(flatten)]
    lake: Lake,
    #[command(flatten)]
    trino: TrinoOptions,
}

/// How many queries each engine answers: few in `make test`.
fn queries() -> usize {
    std::env::var("LAKEPULSE_CONSISTENCY_QUERIES").ok().and_then(|text| text.parse().ok()).unwrap_or(5)
}

type Answer = Result<(), Box<dyn Error + Send + Sync>>;

fn expect(reader: &str, number: usize, found: Option<i64>) -> Answer {
    if found == Some(TOTAL) {
        return Ok(());
    }
    Err(format!("{reader}, query {number}: the sum is {found:?} and not {TOTAL}").into())
}

async fn ask_trino(trino: &Trino) -> Result<Option<i64>, Box<dyn Error + Send + Sync>> {
    let rows = trino.run(&sum(|view| format!("lakehouse.live.{view}"))).await?;
    Ok(rows.first().and_then(|row| row.first()?.as_i64()))
}

fn read_by_trino(servers: &Servers, answered: &AtomicUsize) -> Answer {
    Runtime::new()?.block_on(async {
        let trino = Trino::new(&servers.trino)?.ok_or("no Trino")?;
        for number in 1..=queries() {
            expect("Trino", number, ask_trino(&trino).await?)?;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
}

fn read_by_spark(servers: &Servers, answered: &AtomicUsize) -> Answer {
    Runtime::new()?.block_on(async {
        let session = own_session(&servers.spark.connect().await?).await?;
        for number in 1..=queries() {
            pin(&session, &servers.lake, &VIEWS).await?;
            let found: Option<(i64,)> = session.sql(&sum(str::to_owned)).await?.first_as().await?;
            expect("Spark", number, found.map(|(total,)| total))?;
            answered.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    })
}

/// Every round left the typed tables at one moment.
fn at_merged_cuts(servers: &Servers, from: i64) -> Result<i64, Box<dyn Error + Send + Sync>> {
    Runtime::new()?.block_on(async {
        let spark = own_session(&servers.spark.connect().await?).await?;
        let last = typed::merged(&spark, &servers.lake).await?.ok_or("no round")?.round;
        for round in from..=last {
            let merged = typed::merged_at(&spark, &servers.lake, round).await?.ok_or("no round")?;
            let version = |view: &str| {
                let standing = merged.standings.values().find(|standing| standing.silver_table == view);
                standing.map_or(-1, |standing| standing.version)
            };
            let query = sum(|view| format!("silver.{view} VERSION AS OF {}", version(view)));
            let found: Option<(i64,)> = spark.sql(&query).await?.first_as().await?;
            expect("typed tables", usize::try_from(round)?, found.map(|(total,)| total))?;
        }
        Ok(last - from + 1)
    })
}

/// Silver is killed and asked for rounds, and its tables are rewritten, until both engines have answered all their queries.
pub fn of_live_views_under_fire(pipeline: &Pipeline) -> Outcome {
    let servers = Servers::try_parse_from(["consistency"])?;
    pipeline.up(&["capture", "bronze", "silver"])?;
    pipeline.source(TABLES)?;
    let runtime = Runtime::new()?;
    let trino = Trino::new(&servers.trino)?.ok_or("no Trino")?;
    pipeline.until("live views of the tables", Duration::from_secs(300), || {
        Ok(runtime.block_on(ask_trino(&trino)).is_ok_and(|total| total == Some(TOTAL)))
    })?;
    let spark = runtime.block_on(servers.spark.connect())?;
    let first = runtime.block_on(typed::merged(&spark, &servers.lake))?.ok_or("no round")?.round;
    let (stop, by_trino, by_spark) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| -> Outcome {
        let readers = [
            scope.spawn(|| read_by_trino(&servers, &by_trino)),
            scope.spawn(|| read_by_spark(&servers, &by_spark)),
        ];
        let writer = scope.spawn(|| {
            let client = Pipeline::beside().map_err(|error| error.to_string())?;
            moves(&client, &stop)
        });
        let disturbed = disturb(pipeline, || readers.iter().all(ScopedJoinHandle::is_finished));
        stop.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().expect("a reader").map_err(|error| error.to_string())?;
        }
        let moved = writer.join().expect("the writer")?;
        println!("{moved} transactions moved amounts");
        disturbed
    })?;
    let rounds = at_merged_cuts(&servers, first).map_err(|error| error.to_string())?;
    println!(
        "the sum held in {} queries of Trino, {} of Spark, and after each of {rounds} rounds",
        by_trino.into_inner(),
        by_spark.into_inner()
    );
    pipeline.verify()
}

const KILL_AFTER: Duration = Duration::from_secs(45);

fn disturb(pipeline: &Pipeline, is_over: impl Fn() -> bool) -> Outcome {
    let silver = std::env::var("LAKEPULSE_SILVER_METRICS")?;
    let runtime = Runtime::new()?;
    let mut killed = Instant::now();
    while !is_over() {
        runtime.block_on(Scrape::ask_to_merge(&silver));
        std::thread::sleep(Duration::from_secs(10));
        for table in ["changes", "warehouse_bank_cash", "warehouse_bank_loans", "warehouse_bank_vaults"] {
            // A round that writes the same table may come first; then there is nothing to do here.
            let _ = pipeline.sql(&format!("OPTIMIZE silver.{table}"));
        }
        if killed.elapsed() > KILL_AFTER {
            pipeline.kill("silver")?;
            pipeline.up(&["silver"])?;
            killed = Instant::now();
        }
    }
    Ok(())
}
