//! SIGKILLs, each followed by the proof that every event is there exactly once.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lakepulse_wwi::{LoadOptions, Source, WorkloadOptions, create_schema, load, run_workload};

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::Capture;
use crate::compare::all_tables;
use crate::stage::{Result, Stage, eventually};
use crate::topics::{Topics, field};

fn wide_world_importers(rows: u32) -> Result<(Stage, Source)> {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let source: Source = stage.source_url.parse()?;
    stage.runtime.block_on(async {
        create_schema(&source).await?;
        load(&source, LoadOptions { seed: 3, rows }).await
    })?;
    Ok((stage, source))
}

/// Business transactions that go on until they are told to end, however slow the machine is.
struct Workload {
    ending: Arc<AtomicBool>,
    transactions: tokio::task::JoinHandle<Result<u64>>,
}

impl Workload {
    fn start(stage: &Stage, source: &Source, mut seed: u64) -> Self {
        let (source, ending) = (source.clone(), Arc::new(AtomicBool::new(false)));
        let told = ending.clone();
        let transactions = stage.runtime.spawn(async move {
            let mut transactions = 0;
            while !told.load(Ordering::Relaxed) {
                let options =
                    WorkloadOptions { rate: 100.0, duration: Duration::from_secs(1), connections: 2, seed };
                transactions += run_workload(&source, options).await?.transactions();
                seed += 1;
            }
            Ok(transactions)
        });
        Self { ending, transactions }
    }

    fn end(self, stage: &Stage) -> Outcome {
        self.ending.store(true, Ordering::Relaxed);
        assert!(stage.runtime.block_on(self.transactions)?? > 0);
        Ok(())
    }
}

fn verify(stage: &Stage, capture: Capture) -> Outcome {
    let topics = capture.finish(stage)?;
    all_tables(stage, &topics)
}

/// What a capture logs its Kafka transactions with.
pub const DEBUG: [(&str, &str); 1] =
    [("LAKEPULSE_LOG", "debug,rdkafka=off,hyper=off,reqwest=off,tokio_postgres=off")];

/// How many Kafka transactions a capture with [`DEBUG`] has committed.
pub fn commits(capture: &Capture) -> usize {
    capture.log().lines().filter(|line| line.contains("Kafka transaction committed")).count()
}

pub fn during_snapshot() -> Outcome {
    let (stage, source) = wide_world_importers(30_000)?;
    let config = stage.config().replace("rows_per_range = 2000", "rows_per_range = 200\nconnections = 2");
    let load = Workload::start(&stage, &source, 5);
    for waves in [1, 2, 5, 9, 3] {
        let capture = Capture::start_with(&config, &DEBUG)?;
        eventually("some waves of the snapshot", || Ok(commits(&capture) >= waves))
            .map_err(|error| format!("{error}\n{}", capture.log()))?;
        assert!(!capture.log().contains("the snapshot is out"), "killed too late: {waves}");
        capture.kill()?;
    }
    let capture = Capture::streaming_with(&config, &[])?;
    load.end(&stage)?;
    verify(&stage, capture)
}

pub fn during_streaming() -> Outcome {
    let (stage, source) = wide_world_importers(6_000)?;
    let mut capture = Capture::streaming(&stage)?;
    let load = Workload::start(&stage, &source, 7);
    for number in 0..6 {
        // Some changes further on, wherever that is.
        let before = stage.value("SELECT count(*) FROM sales.orders")?;
        stage.sql(&format!(
            "UPDATE sales.order_lines SET quantity = quantity + 1 WHERE order_line_id % 7 = {number}"
        ))?;
        eventually("the workload to go on", || {
            Ok(stage.value("SELECT count(*) FROM sales.orders")? != before)
        })?;
        capture.kill()?;
        capture = Capture::streaming(&stage)?;
    }
    load.end(&stage)?;
    verify(&stage, capture)
}

/// Large transactions, each split over many Kafka transactions, and a capture that is killed again and again.
pub fn transactions_are_told_once() -> Outcome {
    const TRANSACTIONS: usize = 12;
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE many (id integer PRIMARY KEY, v text)")?;
    let config = stage.config() + "[commit]\nmax_events = 200\n[events]\ntransactions = true\n";
    let mut capture = Capture::streaming_with(&config, &DEBUG)?;
    for number in 0..TRANSACTIONS {
        let first = number * 5000;
        stage.sql(&format!(
            "INSERT INTO many SELECT n, 'v' FROM generate_series({}, {}) AS n",
            first + 1,
            first + 5000
        ))?;
        if number % 2 == 1 {
            eventually("some of it", || Ok(commits(&capture) > number))?;
            capture.kill()?;
            capture = Capture::streaming_with(&config, &DEBUG)?;
        }
    }
    let topics = capture.finish(&stage)?;
    let of_many: Vec<(String, i64)> = topics
        .beside
        .iter()
        .filter_map(|record| {
            let value = record.value.as_ref()?;
            let Value::String(status) = field(value, "status") else { return None };
            let events = if let Value::Long(events) = field(value, "event_count") { *events } else { 0 };
            // What `catch_up` writes has one event.
            (events != 1).then(|| (status.clone(), events))
        })
        .collect();
    let ends = of_many.iter().filter(|(status, _)| status == "END").collect::<Vec<_>>();
    assert!(ends.len() == TRANSACTIONS && ends.iter().all(|(_, events)| *events == 5000), "{ends:?}");
    let begins = topics.beside.iter().filter(|record| record.ordinal == 0).count();
    assert_eq!(begins * 2, topics.beside.len(), "each beginning has its end");
    let orders: Vec<i64> = topics
        .table(&stage, "public.many")
        .iter()
        .filter_map(|record| match field(field(record.value.as_ref()?, "transaction"), "total_order") {
            Value::Long(order) => Some(*order),
            _ => None,
        })
        .collect();
    assert_eq!(orders.len(), TRANSACTIONS * 5000);
    let followed = orders.windows(2).all(|pair| pair[1] == pair[0] % 5000 + 1);
    assert!(orders[0] == 1 && followed, "an event is not the one after the one before it");
    Ok(())
}

/// Without Kafka transactions, a killed capture repeats events and loses none.
pub fn at_least_once() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE counted (id integer PRIMARY KEY, v integer NOT NULL);
         INSERT INTO counted SELECT n, 0 FROM generate_series(1, 5000) AS n",
    )?;
    let config = stage.config().replace("[kafka]\n", "[kafka]\nexactly_once = false\n")
        + "[commit]\nmax_events = 500\n";
    let mut capture = Capture::streaming_with(&config, &[])?;
    for number in 1..=4 {
        for part in 0..10 {
            stage.sql(&format!("UPDATE counted SET v = {number} WHERE id % 10 = {part}"))?;
        }
        stage.sql(&format!("DELETE FROM counted WHERE id % 100 = {number}"))?;
        capture.kill()?;
        capture = Capture::streaming_with(&config, &[])?;
    }
    stage.catch_up()?;
    let (status, _) = capture.terminate()?;
    assert!(status.success());
    let topics = Topics::read(&stage)?;
    // A transaction's end would take an offset too.
    let counted = topics.table(&stage, "public.counted");
    assert_eq!(Topics::offsets(&stage, "public.counted")?, counted.len() as u64);
    let events: HashSet<_> = counted
        .iter()
        .filter(|record| record.value.is_some())
        .map(|record| (record.commit_lsn, record.ordinal))
        .collect();
    // Of each round all rows that are there, and the fifty that are deleted.
    let expected = 5000 + (0..4).map(|round| 5000 - 50 * round + 50).sum::<usize>();
    assert_eq!(events.len(), expected);
    all_tables(&stage, &topics)
}

pub fn of_the_replication_session() -> Outcome {
    let (stage, source) = wide_world_importers(6_000)?;
    let mut capture = Capture::streaming(&stage)?;
    let load = Workload::start(&stage, &source, 9);
    for _ in 0..3 {
        let active = format!(
            "SELECT active_pid FROM pg_replication_slots WHERE slot_name = '{}' AND active",
            stage.name
        );
        eventually("the slot to be read", || Ok(stage.value(&active)?.is_some()))?;
        stage.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_replication WHERE application_name = 'lakepulse-cdc' AND pid IN (SELECT active_pid FROM pg_replication_slots WHERE database = current_database())")?;
    }
    load.end(&stage)?;
    capture.wait_for("starting again from the last checkpoint")?;
    verify(&stage, capture)
}
