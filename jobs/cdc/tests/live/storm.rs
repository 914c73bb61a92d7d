//! Kills of everything under load, at random, and the proof at the end that nothing is missing or doubled.
//!
//! `LAKEPULSE_STORM_KILLS` says how many (`make test-storm`); a few without it. `LAKEPULSE_STORM_SEED` repeats a run's
//! choices, though not its timing.

use std::collections::BTreeMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lakepulse_native::control::{Answer, Request, ask};
use lakepulse_native::status::State;
use tokio_postgres::{Client, Config, NoTls};

use crate::Outcome;
use crate::capture::Capture;
use crate::compare::{Rebuilt, all_rebuilt};
use crate::stage::{Result, Stage, eventually};
use crate::topics::Topics;

const FEW: u64 = 4;
const TABLES: &str = "
    CREATE TABLE plain (id bigint PRIMARY KEY, n bigint NOT NULL, note text);
    CREATE TABLE toasted (id bigint PRIMARY KEY, n bigint NOT NULL, big text NOT NULL);
    ALTER TABLE toasted ALTER big SET STORAGE EXTERNAL;
    CREATE TABLE whole (a bigint, b text, n bigint NOT NULL, big bytea, PRIMARY KEY (b, a));
    ALTER TABLE whole ALTER big SET STORAGE EXTERNAL, REPLICA IDENTITY FULL;
    INSERT INTO plain SELECT i, 0, 'first' FROM generate_series(1, 500) i;
    INSERT INTO toasted SELECT i, 0, repeat(i::text || ' ', 3000) FROM generate_series(1, 200) i;
    INSERT INTO whole SELECT i, 'b' || i, 0, decode(repeat(lpad(i::text, 4, '0'), 3000), 'hex') FROM generate_series(1, 200) i";

/// A small generator of numbers: the same choices for the same seed.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Statements after which the rows of one are deleted again, so that the tables do not outgrow what a capture that is
/// killed every few seconds can follow.
const KEPT: u64 = 1000;

/// One statement of the load; each is a transaction. `step` never comes twice.
fn statement(dice: &mut Dice, step: u64) -> String {
    let row = dice.below(500) + 1;
    let fresh = 10_000 + step;
    let old = fresh.saturating_sub(KEPT);
    match dice.below(20) {
        0..=3 => format!("INSERT INTO plain VALUES ({fresh}, {step}, 'new'), (-{fresh}, {step}, NULL)"),
        4..=6 => format!("UPDATE plain SET n = {step} WHERE id % 97 = {}", row % 97),
        7 => format!("DELETE FROM plain WHERE id % 211 = {}", row % 211),
        8 => format!(
            "UPDATE plain SET id = id + 1000000 WHERE id = (SELECT min(id) FROM plain WHERE id > {row} AND id < 1000000)"
        ),
        9..=11 => format!("UPDATE toasted SET n = {step} WHERE id % 37 = {}", row % 37),
        12 => format!(
            "BEGIN; INSERT INTO toasted VALUES ({fresh}, {step}, repeat('{step} ', 2500)); \
             DELETE FROM toasted WHERE id BETWEEN 10000 AND {old}; COMMIT"
        ),
        13 => format!("UPDATE toasted SET big = repeat('{step} ', 2200) WHERE id = {}", row % 200),
        14 => format!("UPDATE whole SET n = {step} WHERE a % 23 = {}", row % 23),
        15 => format!("UPDATE whole SET b = b || 'x' WHERE a = {}", row % 200),
        16 => format!("DELETE FROM whole WHERE a = {}", row % 200),
        17 => format!(
            "BEGIN; INSERT INTO whole VALUES ({fresh}, 'f', {step}, NULL); \
             DELETE FROM whole WHERE a BETWEEN 10000 AND {old}; COMMIT"
        ),
        18 => format!("BEGIN; INSERT INTO plain VALUES ({fresh}, 0, 'rolled back'); ROLLBACK"),
        _ => format!(
            "BEGIN; INSERT INTO plain SELECT {fresh} * 1000 + i, {step}, 'many' FROM generate_series(1, 300) i; \
             DELETE FROM plain WHERE id > {fresh} * 1000 AND id <= {fresh} * 1000 + 100 \
                OR abs(id) BETWEEN 10000 AND {old} OR id BETWEEN 1010000 AND 1000000 + {old} \
                OR id BETWEEN 10000000 AND {old} * 1000; COMMIT"
        ),
    }
}

async fn connected(source: &Config) -> Client {
    loop {
        if let Ok((client, connection)) = source.connect(NoTls).await {
            tokio::spawn(connection);
            return client;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Statements that go on until they are told to end; one that fails is passed over, since whether it counts is
/// what the source says in the end.
struct Load {
    ending: Arc<AtomicBool>,
    done: Arc<AtomicU64>,
    tasks: Vec<tokio::task::JoinHandle<()>>,
}

impl Load {
    fn start(stage: &Stage, seed: u64) -> Self {
        let (ending, done) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let steps = Arc::new(AtomicU64::new(0));
        let tasks = (0..3)
            .map(|worker| {
                let (source, ending, done, steps) =
                    (stage.source.clone(), Arc::clone(&ending), Arc::clone(&done), Arc::clone(&steps));
                let mut dice = Dice(seed ^ worker);
                stage.runtime.spawn(async move {
                    let mut client = connected(&source).await;
                    while !ending.load(Ordering::Relaxed) {
                        let step = steps.fetch_add(1, Ordering::Relaxed);
                        match client.batch_execute(&statement(&mut dice, step)).await {
                            Ok(()) => {
                                done.fetch_add(1, Ordering::Relaxed);
                            }
                            Err(_) if client.is_closed() => client = connected(&source).await,
                            // A key that is taken, a deadlock: rolled back.
                            Err(_) => drop(client.batch_execute("ROLLBACK").await),
                        }
                        tokio::time::sleep(Duration::from_millis(10)).await;
                    }
                })
            })
            .collect();
        Self { ending, done, tasks }
    }

    fn end(self, stage: &Stage) -> Outcome {
        self.ending.store(true, Ordering::Relaxed);
        for task in self.tasks {
            stage.runtime.block_on(task)?;
        }
        Ok(())
    }
}

/// The servers, through the supervisor of the stack that the test runs in.
pub struct Servers<'a> {
    stage: &'a Stage,
    socket: PathBuf,
}

impl<'a> Servers<'a> {
    pub fn of(stage: &'a Stage) -> Result<Self> {
        Ok(Self { stage, socket: PathBuf::from(env::var("LAKEPULSE_HOME")?).join("run/control.sock") })
    }

    fn ask(&self, request: &Request) -> Result<Answer> {
        Ok(self
            .stage
            .runtime
            .block_on(ask(&self.socket, request))?
            .ok_or("the stack's supervisor is gone")?)
    }

    /// SIGKILL; returns when the server is ready again.
    pub fn kill(&self, name: &str) -> Outcome {
        let find = |answer: Answer| {
            answer.services.into_iter().find(|service| service.name == name).ok_or("no such service")
        };
        let before = find(self.ask(&Request::Status { memory: false })?)?.pid;
        self.ask(&Request::Kill { name: name.to_owned() })?;
        eventually(&format!("{name} to be back"), || {
            let now = find(self.ask(&Request::Status { memory: false })?)?;
            if now.state == State::Failed {
                // It was killed too often in a row for the supervisor's taste.
                self.ask(&Request::Start { names: vec![name.to_owned()] })?;
            }
            Ok(now.state == State::Ready && now.pid != before)
        })
    }
}

/// What a capture may end with when its servers are away as it starts; whoever keeps it running starts it again.
fn is_outage(log: &str) -> bool {
    let last = log.lines().rev().find(|line| line.contains("ERROR")).unwrap_or_default();
    [
        "cannot reach",
        // To PostgreSQL or a broker, as it breaks.
        "the connection to",
        "connection closed",
        "error communicating with the server",
        "is starting or stopping",
        "terminating connection",
        "is read by another session",
        "does not answer",
        // The broker that is not ready yet.
        "cannot create topics",
        "within 60 s",
        "BrokerTransportFailure",
        "OperationTimedOut",
        "COORDINATOR",
        // The registry's.
        "answers 5",
    ]
    .iter()
    .any(|text| last.contains(text))
}

/// Starts a capture again when it has ended for an outage.
fn keep_alive(stage: &Stage, capture: &mut Capture) -> Outcome {
    if capture.has_ended()? {
        let log = capture.log();
        if !is_outage(&log) {
            return Err(format!("the capture ended:\n{log}").into());
        }
        *capture = Capture::start(stage)?;
    }
    Ok(())
}

/// Within a key, later in Kafka is later at the source.
fn in_order(topics: &Topics) -> Outcome {
    let mut last: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    for record in
        topics.records.iter().filter(|record| record.value.is_some() && record.op.as_deref() != Some("r"))
    {
        let key = format!("{} {:?}", record.topic, record.key);
        let id = (record.commit_lsn, record.ordinal);
        if let Some(before) = last.insert(key.clone(), id)
            && before >= id
        {
            return Err(format!("{key}: {before:?} stands before {id:?}").into());
        }
    }
    Ok(())
}

pub fn of_everything() -> Outcome {
    let kills = env::var("LAKEPULSE_STORM_KILLS").ok().map_or(Ok(FEW), |kills| kills.parse())?;
    let seed = env::var("LAKEPULSE_STORM_SEED").ok().map_or(Ok(17), |seed| seed.parse())?;
    let mut stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(TABLES)?;
    let servers = Servers::of(&stage)?;
    let mut capture = Capture::start(&stage)?;
    capture.wait_for("streaming")?;
    let load = Load::start(&stage, seed);
    let mut dice = Dice(seed);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let begun = Instant::now();
    for number in 0..kills {
        let target = match dice.below(10) {
            0 => "kafka",
            1 => "registry",
            2 => "postgres",
            _ => "capture",
        };
        *counts.entry(target).or_default() += 1;
        if target == "capture" {
            capture.kill()?;
            capture = Capture::start(&stage)?;
        } else {
            servers.kill(target)?;
        }
        if number % 25 == 24 {
            // A new column in one of the tables, while things go on.
            let client = stage.runtime.block_on(connected(&stage.source));
            let ddl = format!("ALTER TABLE plain ADD COLUMN c{number} integer");
            drop(stage.runtime.block_on(client.batch_execute(&ddl)));
        }
        // Some work, and from time to time until it is captured again.
        let goal = load.done.load(Ordering::Relaxed) + dice.below(40);
        let streams = dice.below(3) == 0;
        eventually("the load to go on", || {
            keep_alive(&stage, &mut capture)?;
            Ok(load.done.load(Ordering::Relaxed) >= goal && (!streams || capture.log().contains("streaming")))
        })
        .map_err(|error| format!("after {} kills: {error}\n{}", number + 1, capture.log()))?;
    }
    load.end(&stage)?;
    println!("{counts:?} in {} s", begun.elapsed().as_secs());
    stage.reconnect()?;
    eventually("the capture to stream again", || {
        keep_alive(&stage, &mut capture)?;
        Ok(capture.log().contains("streaming"))
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    // Rows are rebuilt as they come: there are more of them than fit into memory.
    let mut rebuilt: BTreeMap<String, Rebuilt> = BTreeMap::new();
    let topics = capture.finish_through(&stage, |record| {
        rebuilt.entry(record.topic.clone()).or_default().apply(record);
        record.forget_row();
    })?;
    println!("{} records in {} s", topics.records.len(), begun.elapsed().as_secs());
    in_order(&topics)?;
    all_rebuilt(&stage, rebuilt)
}
