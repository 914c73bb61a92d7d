//! Business transactions at a given rate, over several connections.
//!
//! What a connection decides (kinds, customers, items, quantities) follows from the seed and its
//! number alone; keys come from sequences and times from the server, so those differ between runs.

mod cancel;
mod catalog;
mod customer;
mod invoice;
mod kind;
mod order;
mod payment;
mod pick;
mod price;
mod session;
mod summary;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use self::catalog::Catalog;
use self::kind::Kind;
use self::session::Session;
pub use self::summary::Summary;
use crate::error::{Error, ErrorKind};
use crate::source::Source;

/// How often a transaction that lost against another one is tried again.
const RETRIES: u32 = 20;

/// What load to make.
#[derive(Debug, Clone, Copy)]
pub struct WorkloadOptions {
    /// Transactions a second, over all connections together.
    pub rate: f64,
    /// How long new transactions begin.
    pub duration: Duration,
    /// Connections, each working one transaction at a time.
    pub connections: u32,
    /// Decides what every connection does.
    pub seed: u64,
}

/// Runs the workload and returns when its last transaction has ended.
///
/// # Errors
/// The first failure that isn't a lost race (deadlock, serialization failure: those are retried and
/// counted) ends the run.
pub async fn run_workload(source: &Source, options: WorkloadOptions) -> Result<Summary, Error> {
    if !options.rate.is_finite() || options.rate <= 0.0 || options.connections == 0 {
        return Err(Error::new(ErrorKind::Configuration, "rate and connections must be above zero"));
    }
    let catalog = Arc::new(Catalog::read(source).await?);
    let interval = Duration::from_secs_f64(f64::from(options.connections) / options.rate);
    let begin = Instant::now();
    let mut tasks = tokio::task::JoinSet::new();
    for connection in 0..options.connections {
        let session = Session::open(source, Arc::clone(&catalog), options.seed, connection).await?;
        let first = begin + interval.mul_f64(f64::from(connection) / f64::from(options.connections));
        tasks.spawn(drive(session, first, interval, begin + options.duration));
    }
    let mut summary = Summary::default();
    while let Some(done) = tasks.join_next().await {
        let one = done.map_err(|cause| {
            Error::new(ErrorKind::Statement, "a connection's task ended early").caused_by(cause)
        })??;
        summary.add(one);
    }
    summary.elapsed = begin.elapsed();
    Ok(summary)
}

/// One connection: each transaction begins at its own time, or at once when that has passed.
async fn drive(
    mut session: Session,
    first: Instant,
    interval: Duration,
    end: Instant,
) -> Result<Summary, Error> {
    let mut summary = Summary::default();
    let mut due = first;
    while due < end && Instant::now() < end {
        sleep_until(due).await;
        due += interval;
        let decision = session.decide();
        let started = Instant::now();
        let mut tries = 0;
        loop {
            match session.attempt(&decision).await {
                Ok(()) => break,
                Err(error) if error.is_retryable() && tries < RETRIES => {
                    tries += 1;
                    summary.retries += 1;
                }
                Err(error) => return Err(error),
            }
        }
        summary.committed(decision.kind(), started.elapsed());
    }
    Ok(summary)
}
