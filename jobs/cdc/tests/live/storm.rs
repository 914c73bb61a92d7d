//! Kills of everything under load, at random, while tables change their shapes, and the proof at the end that nothing is
//! missing or doubled: a consumer that follows the relation records has every table as the source has it.
//!
//! `LAKEPULSE_STORM_KILLS` says how many (`make test-storm`); a few without it. `LAKEPULSE_STORM_MINUTES` ends it earlier.
//! `LAKEPULSE_STORM_TRIGGER=1` has the event trigger installed. `LAKEPULSE_STORM_SEED` repeats a run's choices, though not its timing.

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
use crate::capture::{Capture, command};
use crate::follow::Followed;
use crate::ledger::Ledger;
use crate::relations::are_whole;
use crate::stage::{Result, Stage, eventually};
use crate::statements::{Dice, TABLES, change_of_shape, statement};
use crate::topics::Topics;

const FEW: u64 = 4;
/// Between two polls of the catalog, in seconds.
const DISCOVERY_S: u64 = 5;

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
        let mut load = Self { ending, done, tasks: Vec::new() };
        let rows = Arc::new(AtomicU64::new(0));
        for worker in 0..3 {
            load.add(stage, seed ^ worker, &rows, statement, |_| Duration::from_millis(10));
        }
        let shapes = Arc::new(AtomicU64::new(0));
        load.add(stage, seed, &shapes, change_of_shape, |dice| Duration::from_millis(100 + dice.below(900)));
        load
    }

    /// A worker with a session of its own.
    fn add(
        &mut self,
        stage: &Stage,
        seed: u64,
        steps: &Arc<AtomicU64>,
        statement: fn(&mut Dice, u64) -> String,
        pause: fn(&mut Dice) -> Duration,
    ) {
        let (source, ending, done, steps) =
            (stage.source.clone(), Arc::clone(&self.ending), Arc::clone(&self.done), Arc::clone(steps));
        let mut dice = Dice(seed);
        self.tasks.push(stage.runtime.spawn(async move {
            let mut client = connected(&source).await;
            while !ending.load(Ordering::Relaxed) {
                let step = steps.fetch_add(1, Ordering::Relaxed);
                match client.batch_execute(&statement(&mut dice, step)).await {
                    Ok(()) => {
                        done.fetch_add(1, Ordering::Relaxed);
                    }
                    Err(_) if client.is_closed() => client = connected(&source).await,
                    // A key that is taken, a table of another name by now, a deadlock: rolled back.
                    Err(_) => drop(client.batch_execute("ROLLBACK").await),
                }
                tokio::time::sleep(pause(&mut dice)).await;
            }
        }));
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
fn keep_alive(config: &str, capture: &mut Capture) -> Outcome {
    if capture.has_ended()? {
        let log = capture.log();
        if !is_outage(&log) {
            return Err(format!("the capture ended:\n{log}").into());
        }
        *capture = Capture::start_with(config, &[])?;
    }
    Ok(())
}

pub fn of_everything() -> Outcome {
    let kills = env::var("LAKEPULSE_STORM_KILLS").ok().map_or(Ok(FEW), |kills| kills.parse())?;
    let seed = env::var("LAKEPULSE_STORM_SEED").ok().map_or(Ok(17), |seed| seed.parse())?;
    let minutes = env::var("LAKEPULSE_STORM_MINUTES").ok().map(|minutes| minutes.parse()).transpose()?;
    let has_trigger = env::var("LAKEPULSE_STORM_TRIGGER").is_ok_and(|choice| choice == "1");
    let mut stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(TABLES)?;
    let config = stage.config() + &format!("[tables]\ndiscover_interval_s = {DISCOVERY_S}\n");
    if has_trigger {
        let installed = command(&config, &["ddl", "install"], &[])?;
        assert!(installed.status.success(), "{}", String::from_utf8_lossy(&installed.stderr));
    }
    let servers = Servers::of(&stage)?;
    let mut capture = Capture::start_with(&config, &[])?;
    capture.wait_for("streaming")?;
    let load = Load::start(&stage, seed);
    let mut dice = Dice(seed);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let begun = Instant::now();
    for number in 0..kills {
        if minutes.is_some_and(|minutes: u64| begun.elapsed() >= Duration::from_secs(60 * minutes)) {
            break;
        }
        let target = match dice.below(10) {
            0 => "kafka",
            1 => "registry",
            2 => "postgres",
            _ => "capture",
        };
        *counts.entry(target).or_default() += 1;
        if target == "capture" {
            capture.kill()?;
            capture = Capture::start_with(&config, &[])?;
        } else {
            servers.kill(target)?;
        }
        // Some work, and from time to time until it is captured again.
        let goal = load.done.load(Ordering::Relaxed) + dice.below(40);
        let streams = dice.below(3) == 0;
        eventually("the load to go on", || {
            keep_alive(&config, &mut capture)?;
            Ok(load.done.load(Ordering::Relaxed) >= goal && (!streams || capture.log().contains("streaming")))
        })
        .map_err(|error| format!("after {} kills: {error}\n{}", number + 1, capture.log()))?;
    }
    eventually("the capture to stream again", || {
        keep_alive(&config, &mut capture)?;
        Ok(capture.log().contains("streaming"))
    })
    .map_err(|error| format!("{error}\n{}", capture.log()))?;
    stage.reconnect()?;
    // The load goes on meanwhile: the capture has caught up once that takes no time any more.
    let mut took = Duration::MAX;
    while took > Duration::from_secs(2) {
        let begun = Instant::now();
        stage.catch_up().map_err(|error| format!("{error}\n{}", capture.log()))?;
        took = begun.elapsed();
    }
    // The last changes of shapes find a capture that streams, and that polls alone tell of them.
    std::thread::sleep(Duration::from_secs(2 * DISCOVERY_S));
    load.end(&stage)?;
    let last_change = Instant::now();
    println!("{counts:?} in {} s", begun.elapsed().as_secs());
    if !has_trigger {
        std::thread::sleep(Duration::from_secs(DISCOVERY_S));
    }
    stage.catch_up().map_err(|error| format!("{error}\n{}", capture.log()))?;
    let told = last_change.elapsed();
    eventually("the images to end", || Ok(are_whole(&Topics::read_relations(&stage)?)))?;
    println!(
        "the last change was told within {told:.1?}, its images had ended after {:.1?}",
        last_change.elapsed()
    );
    let log = capture.log();
    capture.stop(&stage)?;
    // Rows are applied as they come: there are more of them than fit into memory.
    let mut followed = Followed::new(&Topics::read_relations(&stage)?);
    let mut outcome = Ok(());
    let mut ledger = Ledger::default();
    let topics = Topics::read_through(&stage, |record| {
        ledger.add(&record);
        if outcome.is_ok() {
            outcome = followed.apply(&record);
        }
    })?;
    println!(
        "{} events and {} relation records in {} s",
        ledger.len(),
        topics.relations.len(),
        begun.elapsed().as_secs()
    );
    ledger.check(&topics.checkpoints)?;
    ledger.in_order()?;
    outcome.and_then(|()| followed.compare(&stage)).map_err(|error| format!("{error}\n{log}"))?;
    // The registry takes every change that the storm makes.
    match topics.beside.iter().find(|record| record.topic.ends_with(".dead_letter")) {
        Some(letter) => Err(format!("a dead letter: {letter:?}\n{log}").into()),
        None => Ok(()),
    }
}
