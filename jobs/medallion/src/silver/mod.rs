//! The service: publishes cut after cut, and merges in the background.

mod demand;
mod live_views;
mod pace;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use clap::Args;
use spark_client::SparkSession;
use tokio::sync::watch;

pub use demand::Demand;
pub use pace::Pace;
pub use upkeep::{Upkeep, UpkeepOptions};

use crate::changes::{Candidates, ChangeLog, ChangeOptions, Cut, PAUSE, Publication};
use crate::contract::Contracts;
use crate::control::{Control, SourceTable};
use crate::error::{Error, ErrorKind, Result};
use crate::job::now_us;
use crate::kafka::KafkaOptions;
use crate::lake::Lake;
use crate::live::{TrinoOptions, Views};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::typed::Rounds;

use live_views::LiveViews;

/// How silver works.
#[derive(Debug, Clone, Args)]
pub struct SilverOptions {
    #[command(flatten)]
    pub kafka: KafkaOptions,
    #[command(flatten)]
    pub changes: ChangeOptions,
    #[command(flatten)]
    pub pace: Pace,
    #[command(flatten)]
    pub upkeep: UpkeepOptions,
    #[command(flatten)]
    pub trino: TrinoOptions,
    /// How many tables are loaded at the same time; merges of changes follow each other
    #[arg(long, env = "LAKEPULSE_SILVER_CONCURRENCY", default_value_t = 2)]
    pub concurrency: usize,
}

/// How long to wait for a checkpoint before looking after other things.
const PATIENCE: Duration = Duration::from_secs(1);

/// Silver as it stands in the lake, and who moves it on.
#[derive(Debug)]
pub struct Silver {
    control: Control,
    changes: ChangeLog,
    rounds: Rounds,
    live: LiveViews,
    upkeep: Upkeep,
    pace: Pace,
    metrics: Metrics,
}

/// What was published last: the cut, and what was told of the tables up to it.
type Published = (Cut, Arc<BTreeMap<String, SourceTable>>);

impl Silver {
    /// Makes silver's own tables where they are missing, and finds where it stands.
    pub async fn open(
        spark: &SparkSession,
        lake: &Lake,
        contracts: Contracts,
        registry: Registry,
        options: &SilverOptions,
        metrics: Metrics,
    ) -> Result<Self> {
        let changes =
            ChangeLog::open(spark, lake.clone(), registry.clone(), &options.kafka, options.changes.clone())
                .await?;
        let control = Control::open(&options.kafka, lake, registry.clone(), changes.cut().offset).await?;
        let rounds =
            Rounds::open(spark, lake.clone(), registry, contracts, metrics.clone(), options.concurrency)
                .await?;
        let views = Views::open(spark, lake, &options.trino).await?;
        let live = LiveViews::new(
            views,
            control.tables().clone(),
            rounds.merged().clone(),
            changes.cut().commit_lsn,
        );
        let upkeep = Upkeep::open(spark, lake, &options.upkeep).await?;
        let silver = Self { control, changes, rounds, live, upkeep, pace: options.pace.clone(), metrics };
        show_cut(&silver.metrics, silver.changes.cut());
        silver.metrics.silver_merged_lsn.set(silver.rounds.merged().cut);
        Ok(silver)
    }

    /// Publishes and merges until `stop` ends, and then ends what runs on the server; else it ends with an error only. Each process may
    /// do so, but of two at once one ends with [`ErrorKind::Fenced`].
    pub async fn run(self, demand: &Demand, stop: impl Future<Output = Result<()>>) -> Result<()> {
        let Self { control, mut changes, mut rounds, live, mut upkeep, pace, metrics } = self;
        let published: Published = (changes.cut().clone(), control.tables().clone());
        let (sender, receiver) = watch::channel(published);
        let ended = {
            let publisher = Publisher {
                control,
                changes: &mut changes,
                live: &live,
                pace: &pace,
                metrics: &metrics,
                sender,
            };
            tokio::select! {
                ended = publisher.run() => ended,
                ended = merge((&mut rounds, &mut upkeep), receiver, &live, &pace, demand, &metrics) => ended,
                stopped = stop => stopped,
            }
        };
        changes.interrupt().await;
        rounds.interrupt().await;
        upkeep.interrupt().await;
        ended
    }

    /// Publishes what is complete now, and brings the typed tables there.
    pub async fn once(mut self) -> Result<()> {
        self.control.advance(PATIENCE).await?;
        loop {
            let candidates = self.changes.candidates(&self.control)?;
            prepare(&self.live, &self.control, &candidates).await?;
            let is_of_kafka = matches!(candidates, Candidates::InKafka(_));
            match self.changes.publish(&mut self.control, candidates).await? {
                Publication::Published { .. } => self.control.advance(Duration::ZERO).await?,
                // Bronze may have what was not found there.
                Publication::Incomplete { .. } if is_of_kafka => {}
                _ => break,
            }
        }
        self.rounds.run(self.control.tables(), self.changes.cut()).await?;
        self.live.follow(self.rounds.merged()).await
    }
}

/// Before one of these cuts is published.
async fn prepare(live: &LiveViews, control: &Control, candidates: &Candidates) -> Result<()> {
    match candidates.furthest() {
        Some(furthest) => live.prepare(control.tables(), furthest).await,
        None => Ok(()),
    }
}

/// How often silver begins anew after failures that may pass, and how long it waits before.
const ATTEMPTS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// A silver that was killed may have left an append on the server that is done after its successor has read where silver stands.
const LEFTOVERS: Duration = Duration::from_secs(60);
const MOST_LEFTOVERS: u32 = 2;
/// Who has run for so long has overcome what was before.
const WELL_AFTER: Duration = Duration::from_secs(120);

/// Runs silver until `stop` ends, and opens it anew when a server was away or has forgotten the sessions: where it stands is in the lake.
/// What fails at the first opening is an error at once.
pub async fn keep_running(
    open: impl AsyncFn() -> Result<Silver>,
    demand: &Demand,
    stop: impl Future<Output = Result<()>>,
) -> Result<()> {
    let mut stop = std::pin::pin!(stop);
    let mut silver = open().await?;
    let (mut failures, mut leftovers) = (0, 0);
    loop {
        let started = Instant::now();
        let Err(mut error) = Box::pin(silver.run(demand, stop.as_mut())).await else { return Ok(()) };
        let is_leftover =
            error.kind() == ErrorKind::Fenced && started.elapsed() < LEFTOVERS && leftovers < MOST_LEFTOVERS;
        leftovers += u32::from(is_leftover);
        let mut may_go_on = is_leftover || error.may_pass();
        if started.elapsed() > WELL_AFTER {
            failures = 0;
        }
        silver = loop {
            failures += 1;
            if failures > ATTEMPTS || !may_go_on {
                return Err(error);
            }
            tracing::warn!(error = error.chain(), "silver begins anew");
            tokio::select! {
                () = tokio::time::sleep(FIRST_PAUSE * 2_u32.pow(failures)) => {}
                stopped = stop.as_mut() => return stopped,
            }
            match open().await {
                Ok(silver) => break silver,
                Err(failed) => {
                    may_go_on = failed.may_pass();
                    error = failed;
                }
            }
        };
    }
}

/// The half that appends to `silver.changes`.
struct Publisher<'a> {
    control: Control,
    changes: &'a mut ChangeLog,
    live: &'a LiveViews,
    pace: &'a Pace,
    metrics: &'a Metrics,
    sender: watch::Sender<Published>,
}

impl Publisher<'_> {
    async fn run(mut self) -> Result<()> {
        let mut missing: Option<(String, Instant)> = None;
        let mut next_slice = Instant::now();
        loop {
            tokio::time::sleep_until(next_slice.into()).await;
            let waits = self.control.pending().next().is_some();
            self.control.advance(if waits { PAUSE } else { PATIENCE }).await?;
            let candidates = self.changes.candidates(&self.control)?;
            prepare(self.live, &self.control, &candidates).await?;
            let started = Instant::now();
            match self.changes.publish(&mut self.control, candidates).await? {
                Publication::NothingNew => {}
                Publication::Published { cut, events } => {
                    missing = None;
                    self.metrics.silver_incomplete.set(0);
                    if events > 0 {
                        next_slice = started + Duration::from_millis(self.pace.slice_ms);
                        self.metrics.silver_slices.inc();
                        self.metrics.silver_events.inc_by(events);
                        self.metrics.silver_slice_ms.set(milliseconds(started));
                        let behind_ms = (now_us() - cut.committed_at_us) / 1000;
                        tracing::debug!(
                            cut = cut.commit_lsn,
                            events,
                            ms = milliseconds(started),
                            behind_ms,
                            "published"
                        );
                    }
                    show_cut(self.metrics, &cut);
                    self.sender.send_replace((cut, self.control.tables().clone()));
                }
                Publication::Incomplete { topic, found, expected } => {
                    self.metrics.silver_incomplete.set(1);
                    tracing::debug!(topic, found, expected, ms = milliseconds(started), "events are missing");
                    let (at, since) = missing.get_or_insert_with(|| (topic.clone(), Instant::now()));
                    let limit = Duration::from_secs(self.pace.missing_limit_seconds);
                    if *at != topic {
                        missing = Some((topic, Instant::now()));
                    } else if since.elapsed() > limit {
                        return Err(Error::new(
                            ErrorKind::Incomplete,
                            format!(
                                "bronze has {found} of {expected} events of {topic} after {} s; see \"Counts that do not fit\" in \
                                 docs/operations.md",
                                limit.as_secs()
                            ),
                        ));
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }
}

/// The half that brings typed tables to published cuts. After a round it rests, unless somebody asks for the next, so that it takes a part of
/// the machine's time only.
async fn merge(
    (rounds, upkeep): (&mut Rounds, &mut Upkeep),
    mut published: watch::Receiver<Published>,
    live: &LiveViews,
    pace: &Pace,
    demand: &Demand,
    metrics: &Metrics,
) -> Result<()> {
    let mut last: Option<Published> = None;
    loop {
        let (cut, tables) = published.borrow_and_update().clone();
        let started = Instant::now();
        // Cuts without events come from an idle source too.
        let is_new = last.as_ref().is_none_or(|(before, known)| {
            before.slice != cut.slice || before.isolated != cut.isolated || !Arc::ptr_eq(known, &tables)
        });
        if is_new || rounds.has_rested() {
            let count = rounds.run(&tables, &cut).await?;
            metrics.silver_round_ms.set(milliseconds(started));
            metrics.silver_rounds.inc();
            show_held(metrics, rounds);
            tracing::info!(cut = cut.commit_lsn, tables = count, ms = milliseconds(started), "merged");
        }
        live.follow(rounds.merged()).await?;
        metrics.silver_merged_lsn.set(cut.commit_lsn);
        metrics.silver_merged_committed_ms.set(cut.committed_at_us / 1000);
        last = Some((cut, tables));
        upkeep.after_round(rounds.merged()).await?;
        tokio::select! {
            () = tokio::time::sleep(pace.rest_after(started.elapsed())) => {}
            () = demand.came() => {}
        }
        if tokio::time::timeout(PATIENCE, published.changed()).await.is_ok_and(|changed| changed.is_err()) {
            return Ok(());
        }
    }
}

fn show_held(metrics: &Metrics, rounds: &Rounds) {
    metrics.silver_held.reset();
    for standing in rounds.merged().standings.values().filter(|standing| standing.held.is_some()) {
        metrics.silver_held.with_label_values(&[&standing.source_table]).set(standing.cut);
    }
}

fn show_cut(metrics: &Metrics, cut: &Cut) {
    metrics.silver_cut_lsn.set(cut.commit_lsn);
    metrics.silver_committed_ms.set(cut.committed_at_us / 1000);
}

fn milliseconds(since: Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}
