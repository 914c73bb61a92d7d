//! `silver.changes`: every event of every table, decoded; the commit that appends a slice publishes its cut.

mod cut;
mod envelope;
mod kafka;
mod slice;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Deserialize;
use spark_client::delta::IdempotentWrite;
use spark_client::{SaveMode, SparkSession};

pub use cut::Cut;
pub(crate) use envelope::Envelope;

use self::kafka::Records;
use self::slice::{Activity, Branch, Source};
use crate::control::{Control, Noted, Position};
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::job::own_session;
use crate::kafka::KafkaOptions;
use crate::lake::{Lake, quoted_table, text_literal};
use crate::registry::Registry;

/// How large slices are.
#[derive(Debug, Clone, Args)]
pub struct ChangeOptions {
    /// Most events of a slice, unless one transaction of the source has more
    #[arg(long, env = "LAKEPULSE_SILVER_MAX_EVENTS", default_value_t = 250_000)]
    pub max_events: i64,
    /// How many events of a slice one task decodes; a slice of fewer is one file
    #[arg(long, env = "LAKEPULSE_SILVER_EVENTS_PER_TASK", default_value_t = 50_000)]
    pub events_per_task: i64,
}

/// The writer of `silver.changes`.
#[derive(Debug)]
pub struct ChangeLog {
    spark: SparkSession,
    lake: Lake,
    /// The folder of the table.
    location: String,
    registry: Registry,
    options: ChangeOptions,
    envelopes: HashMap<i32, Arc<Envelope>>,
    cut: Cut,
    records: Records,
    /// The last slice was not whole in Kafka's records: the next is read from bronze.
    mistrusts_records: bool,
    /// Topics and schemas that the next slice's plan is prepared for, and whether some events have texts beside them.
    recent: BTreeMap<(String, i32), bool>,
}

/// What [`ChangeLog::publish`] came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Publication {
    /// All tables stand at this cut now; so many events were appended.
    Published { cut: Cut, events: u64 },
    /// There was no cut to go to.
    NothingNew,
    /// Events that a checkpoint counts are not there yet: of this topic, so many are.
    Incomplete { topic: String, found: i64, expected: i64 },
}

/// Where the next slice may go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Candidates {
    /// To this cut, with what Kafka has.
    InKafka(Cut),
    /// To one of these, with what bronze has, the furthest first.
    InBronze(Vec<Cut>),
}

impl Candidates {
    /// The LSN of the furthest; none when there is none.
    pub fn furthest(&self) -> Option<i64> {
        match self {
            Self::InKafka(cut) => Some(cut.commit_lsn),
            Self::InBronze(cuts) => cuts.iter().map(|cut| cut.commit_lsn).max(),
        }
    }
}

/// How much earlier than the furthest cut the others are, in microseconds of the source's clock.
const EARLIER_US: [i64; 3] = [100_000, 500_000, 2_000_000];

/// A slice's rows are sorted by their tables: who reads one table's skips the pages of the others.
const ROWS_PER_PAGE: &str = "200";
/// In the metadata of commits that publish a cut.
const MARK: &str = "lakepulse_cut";
/// The `op` of the row that a published cut leaves in `silver.changes`.
const CUT: &str = "cut";

#[derive(Deserialize)]
struct Marked {
    lakepulse_cut: Cut,
}

impl ChangeLog {
    /// Makes the table where it is missing, and finds the last published cut.
    ///
    /// Columns: commit_lsn bigint and ordinal bigint (the event's place in the source's order), committed_at timestamp, source_table
    /// string (`schema.table`), op string (c, u, d, t; `cut` for a row that says that everything up to its commit_lsn is here), key
    /// string and row string (JSON objects of columns in canonical text; NULL where there is none), before string (the row before,
    /// of tables that nothing else identifies a row of), untold array<string> (columns whose value did not change and was not told: NULL
    /// in `row`), failed array<string> (names of failed expectations), shape int (the table's shape, counted from 1).
    pub async fn open(
        spark: &SparkSession,
        lake: Lake,
        registry: Registry,
        kafka: &KafkaOptions,
        options: ChangeOptions,
    ) -> Result<Self> {
        let spark = own_session(spark).await?;
        crate::bronze::prepare_session(&spark).await?;
        let about = "setting up the session of the change log";
        spark.conf().set("parquet.page.row.count.limit", ROWS_PER_PAGE).await.doing(about)?;
        lake.create_database(&spark, "silver").await?;
        lake.create_database(&spark, "bronze").await?;
        let changes = lake.changes();
        let statement = format!(
            "CREATE TABLE IF NOT EXISTS {} (commit_lsn BIGINT, ordinal BIGINT, committed_at TIMESTAMP, source_table STRING, op STRING, \
             key STRING, `row` STRING, before STRING, untold ARRAY<STRING>, failed ARRAY<STRING>, shape INT) USING DELTA \
             TBLPROPERTIES ('delta.dataSkippingStatsColumns' = 'commit_lsn,ordinal,source_table', 'delta.enableDeletionVectors' = 'false', \
             'delta.checkpointInterval' = '50')",
            quoted_table(&changes)
        );
        spark.sql(&statement).await.doing(format!("creating {changes}"))?;
        let about = || format!("looking for the folder of {changes}");
        let detail = spark.sql(&format!("DESCRIBE DETAIL {}", quoted_table(&changes))).await.doing(about())?;
        let (location,): (String,) = detail
            .select(["location"])
            .first_as()
            .await
            .doing(about())?
            .ok_or_else(|| Error::new(ErrorKind::Spark, format!("{changes} has no folder")))?;
        let cut = last_cut(&spark, &lake).await?.unwrap_or_else(Cut::start);
        let records = Records::open(kafka, &lake)?;
        Ok(Self {
            spark,
            lake,
            location,
            registry,
            options,
            envelopes: HashMap::new(),
            cut,
            records,
            mistrusts_records: false,
            recent: BTreeMap::new(),
        })
    }

    /// The cut at which all tables stand.
    pub fn cut(&self) -> &Cut {
        &self.cut
    }

    /// Where the next slice may go. It is read from Kafka, which has what the checkpoints tell of, unless rows of an image are in it: bronze has
    /// these for the typed tables.
    pub fn candidates(&self, control: &Control) -> Result<Candidates> {
        match self.cut.next(control.pending(), self.options.max_events) {
            None => Ok(Candidates::InBronze(Vec::new())),
            Some(next) if self.mistrusts_records || self.has_image(control, &next) => {
                self.candidates_in_bronze(control)
            }
            Some(next) => Ok(Candidates::InKafka(next)),
        }
    }

    /// Bronze takes what is in Kafka at one moment, but not at the same moment of all topics: events of the last checkpoints that it has may
    /// be in its next batch.
    fn candidates_in_bronze(&self, control: &Control) -> Result<Candidates> {
        let in_bronze: Vec<&Noted> = control.in_bronze()?.collect();
        let Some(furthest) = self.cut.next(in_bronze.iter().copied(), self.options.max_events) else {
            return Ok(Candidates::InBronze(Vec::new()));
        };
        let latest = furthest.committed_at_us;
        let mut candidates = vec![furthest];
        for earlier_us in EARLIER_US {
            let earlier = in_bronze
                .iter()
                .copied()
                .take_while(|noted| noted.checkpoint.committed_at_us <= latest - earlier_us);
            candidates.extend(self.cut.next(earlier, self.options.max_events));
        }
        candidates.dedup_by_key(|cut| cut.offset);
        Ok(Candidates::InBronze(candidates))
    }

    /// Whether rows of an image may be among the events up to the next cut.
    fn has_image(&self, control: &Control, next: &Cut) -> bool {
        let (above, to) = (Position::end_of(self.cut.commit_lsn), Position::end_of(next.commit_lsn));
        let expected = next.events_since(&self.cut, &self.lake);
        expected.keys().filter_map(|topic| control.tables().get(topic)).any(|table| {
            table.images.iter().any(|image| image.begin <= to && image.end.is_none_or(|end| end > above))
        })
    }

    /// Ends what this process has begun on the server.
    pub async fn interrupt(&self) {
        crate::job::interrupt(&self.spark).await;
    }

    /// Appends the slice that goes to the first of these cuts that there are all events of, which publishes it. A cut without events changes
    /// nothing in the table.
    pub async fn publish(&mut self, control: &mut Control, candidates: Candidates) -> Result<Publication> {
        match candidates {
            Candidates::InKafka(next) => self.publish_records(control, next).await,
            Candidates::InBronze(cuts) => self.publish_of_bronze(control, cuts).await,
        }
    }

    async fn publish_records(&mut self, control: &mut Control, next: Cut) -> Result<Publication> {
        let expected = next.events_since(&self.cut, &self.lake);
        let events: i64 = expected.values().sum();
        let Some(first) = expected.keys().next() else {
            return Ok(self.stand_at(Cut { slice: self.cut.slice, ..next }, 0, control));
        };
        let topics: Vec<&str> = expected.keys().map(String::as_str).collect();
        let (lake, tasks) = (self.lake.clone(), self.tasks(events));
        let is_there = self.records.show(&self.spark, &lake, (&self.cut, &next), &topics, tasks).await?;
        let source = Source::Kafka(&expected);
        let is_known = |topic: &String| self.recent.keys().any(|(known, _)| known == topic);
        if is_there && self.recent.len() <= slice::TABLES_PER_SCAN && expected.keys().all(is_known) {
            let branches = self.branches(control, &next).await?;
            let rows = slice::rows(&lake, source, &self.cut, &next, &branches, tasks);
            match self.append(&rows, &next).await {
                Err(error) if error.is_of_one_table() => {
                    tracing::debug!(error = error.chain(), "the slice is not as expected");
                }
                appended => return appended.map(|()| self.stand_at(next, events, control)),
            }
        }
        let found = if is_there {
            slice::look(&self.spark, &lake, source, self.cut.commit_lsn, &[next.commit_lsn]).await?.pop()
        } else {
            None
        };
        let found = found.unwrap_or_default();
        let there = |topic: &String| found.get(topic).map_or(0, |activity| activity.events);
        let wrong = expected.iter().find(|(topic, due)| there(topic) != **due).map(|(topic, _)| topic);
        let schemas: usize = found.values().map(|activity| activity.schemas.len()).sum();
        if wrong.is_none() && schemas <= slice::TABLES_PER_SCAN {
            return self.append_slice(control, source, next, found).await;
        }
        if wrong.is_some() {
            self.records.widen();
        }
        self.mistrusts_records = true;
        let topic = wrong.unwrap_or(first);
        let due = expected.get(topic).copied().unwrap_or(0);
        Ok(Publication::Incomplete { topic: topic.clone(), found: there(topic), expected: due })
    }

    async fn publish_of_bronze(
        &mut self,
        control: &mut Control,
        candidates: Vec<Cut>,
    ) -> Result<Publication> {
        let expected: Vec<BTreeMap<String, i64>> =
            candidates.iter().map(|next| next.events_since(&self.cut, &self.lake)).collect();
        let found = if expected.first().is_none_or(BTreeMap::is_empty) {
            vec![BTreeMap::new(); candidates.len()]
        } else {
            let to: Vec<i64> = candidates.iter().map(|next| next.commit_lsn).collect();
            slice::look(&self.spark, &self.lake, Source::Bronze, self.cut.commit_lsn, &to).await?
        };
        let mut incomplete = Publication::NothingNew;
        for ((next, expected), found) in candidates.into_iter().zip(&expected).zip(found) {
            match compare(expected, &found, &self.lake)? {
                Some(missing) => incomplete = missing,
                None if expected.is_empty() => {
                    let next = Cut { slice: self.cut.slice, ..next };
                    return Ok(self.stand_at(next, 0, control));
                }
                None => return self.append_slice(control, Source::Bronze, next, found).await,
            }
        }
        Ok(incomplete)
    }

    /// How many tasks decode so many events.
    fn tasks(&self, events: i64) -> i64 {
        events / self.options.events_per_task.max(1) + 1
    }

    /// Appends a slice of which is known what is in it.
    async fn append_slice(
        &mut self,
        control: &mut Control,
        source: Source<'_>,
        next: Cut,
        found: BTreeMap<String, Activity>,
    ) -> Result<Publication> {
        self.remember(&found);
        let mut branches = self.branches(control, &next).await?;
        let events: i64 = found.values().map(|activity| activity.events - activity.read).sum();
        let tasks = self.tasks(events);
        let rows = |branches: &[Branch]| slice::rows(&self.lake, source, &self.cut, &next, branches, tasks);
        match self.append(&rows(&branches), &next).await {
            Err(error) if error.is_of_one_table() => {
                self.find_undecodable(source, &mut branches, &next).await?;
                self.append(&rows(&branches), &next).await?;
            }
            appended => appended?,
        }
        Ok(self.stand_at(next, events, control))
    }

    /// A branch for each of the last slices' tables and schemas.
    async fn branches(&mut self, control: &Control, next: &Cut) -> Result<Vec<Branch>> {
        let mut branches = Vec::new();
        for ((topic, id), has_texts) in self.recent.clone() {
            let Some(table) = control.tables().get(&topic) else { continue };
            let shapes = table.shapes_between(self.cut.commit_lsn, next.commit_lsn);
            if !shapes.is_empty() {
                let envelope = self.envelope(id).await?;
                branches.push(Branch {
                    topic,
                    table: table.name.clone(),
                    schema_id: id,
                    envelope,
                    shapes: shapes.to_vec(),
                    has_texts,
                    is_undecodable: false,
                });
            }
        }
        Ok(branches)
    }

    /// Keeps the tables and schemas of the last slices together, as far as one scan decodes them: a plan that stays the same is compiled once.
    fn remember(&mut self, found: &BTreeMap<String, Activity>) {
        let mut next: BTreeMap<(String, i32), bool> = BTreeMap::new();
        for (topic, activity) in found {
            for (id, has_texts) in &activity.schemas {
                let key = (topic.clone(), *id);
                let had_texts = self.recent.get(&key).is_some_and(|had| *had);
                next.insert(key, had_texts || *has_texts);
            }
        }
        let others = self.recent.keys().filter(|key| !next.contains_key(*key)).count();
        if next.len() + others <= slice::TABLES_PER_SCAN {
            self.recent.extend(next);
        } else {
            self.recent = next;
        }
    }

    /// Marks the branches that Spark can't decode the events of, by trying each alone; their events are appended as unread, which holds
    /// their tables.
    async fn find_undecodable(&self, source: Source<'_>, branches: &mut [Branch], next: &Cut) -> Result<()> {
        for branch in branches {
            let query = slice::trial(&self.lake, source, &self.cut, next, branch);
            let tried = async { self.spark.sql(&query).await?.collect().await };
            match tried.await.doing(format!("decoding the events of {}", branch.table)) {
                Err(error) if error.is_of_one_table() => {
                    tracing::warn!(
                        table = branch.table,
                        error = error.chain(),
                        "its events can't be decoded"
                    );
                    branch.is_undecodable = true;
                }
                tried => tried.map(|_| ())?,
            }
        }
        Ok(())
    }

    fn stand_at(&mut self, next: Cut, events: i64, control: &mut Control) -> Publication {
        self.mistrusts_records = false;
        if let Some(offset) = next.offset {
            control.passed(offset);
        }
        self.cut = next.clone();
        Publication::Published { cut: next, events: u64::try_from(events).unwrap_or(0) }
    }

    /// Appends the rows of a query, unless another silver has appended this slice.
    async fn append(&self, rows: &str, next: &Cut) -> Result<()> {
        let changes = self.lake.changes();
        // By its path: Spark plans what is inserted into a table of Delta's twice.
        let write = self
            .spark
            .sql_unchecked(rows)
            .write()
            .format("delta")
            .mode(SaveMode::Append)
            .option("userMetadata", serde_json::json!({ MARK: next }))
            .save(&self.location);
        let identity = IdempotentWrite::new("lakepulse.silver", next.slice);
        let committed = Box::pin(identity.commit(&self.spark, write)).await;
        committed.doing(format!("publishing cut {} in {changes}", next.commit_lsn))?.map(|_| ()).ok_or_else(
            || {
                let slice = next.slice;
                let what = format!(
                    "slice {slice} of {changes} was published by another silver; stop one of the two"
                );
                Error::new(ErrorKind::Fenced, what)
            },
        )
    }

    /// The envelope of a schema of the registry.
    async fn envelope(&mut self, id: i32) -> Result<Arc<Envelope>> {
        if let Some(envelope) = self.envelopes.get(&id) {
            return Ok(envelope.clone());
        }
        let envelope = Arc::new(Envelope::parse(&self.registry.text(id).await?)?);
        self.envelopes.insert(id, envelope.clone());
        Ok(envelope)
    }
}

/// What is missing in bronze, if anything is; events too many are an error.
fn compare(
    expected: &BTreeMap<String, i64>,
    found: &BTreeMap<String, Activity>,
    lake: &Lake,
) -> Result<Option<Publication>> {
    let found_of = |topic: &String| found.get(topic).map_or(0, |activity| activity.events);
    for topic in expected.keys().chain(found.keys()) {
        let (found, expected) = (found_of(topic), expected.get(topic).copied().unwrap_or(0));
        if found > expected {
            return Err(Error::new(
                ErrorKind::Incomplete,
                format!(
                    "{} holds {found} events of {topic} where capture has written {expected}: events are doubled, or the slot was \
                     started over without emptying bronze; see \"Counts that do not fit\" in docs/operations.md",
                    lake.events(),
                ),
            ));
        }
        if found < expected {
            return Ok(Some(Publication::Incomplete { topic: topic.clone(), found, expected }));
        }
    }
    Ok(None)
}

/// The last published cut: of the newest commit that says so.
pub async fn last_cut(spark: &SparkSession, lake: &Lake) -> Result<Option<Cut>> {
    let about = || format!("reading the last cut of {}", lake.changes());
    // Between two cuts lie few commits of others, such as those that tidy the table up.
    for commits in [20, 100_000] {
        let statement = format!("DESCRIBE HISTORY {} LIMIT {commits}", quoted_table(&lake.changes()));
        let history = spark.sql(&statement).await.doing(about())?;
        let marked = history.filter(spark_client::functions::expr(&format!(
            "userMetadata LIKE {}",
            text_literal(&format!("%{MARK}%"))
        )));
        let newest =
            marked.order_by([spark_client::functions::col("version").desc()]).select(["userMetadata"]);
        let newest: Option<(String,)> = newest.first_as().await.doing(about())?;
        if let Some((metadata,)) = newest {
            let marked: Marked = serde_json::from_str(&metadata).map_err(|error| {
                Error::caused(
                    ErrorKind::Incomplete,
                    format!("{}: its last cut can't be read", lake.changes()),
                    error,
                )
            })?;
            return Ok(Some(marked.lakepulse_cut));
        }
    }
    Ok(None)
}

/// How long to wait for events that Kafka has and bronze has not.
pub const PAUSE: Duration = Duration::from_millis(250);
