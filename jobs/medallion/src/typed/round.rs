//! A round brings the typed tables that have events to one published cut.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use futures::{StreamExt, TryStreamExt};
use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::delta::IdempotentWrite;

use super::load;
use super::naming::silver_names;
use super::standing::{Merged, Standing, merged};
use super::task::{Activity, Task, Worker};
use crate::changes::Cut;
use crate::contract::{Contracts, Scd};
use crate::control::{Image, SourceTable};
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::job::own_session;
use crate::lake::{Lake, quoted_table, text_literal};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::sessions::Sessions;

/// How often a table is tried again that Spark refused something of.
const FIRST_REST: Duration = Duration::from_secs(30);
const LONGEST_REST: Duration = Duration::from_secs(3600);

/// The worker that merges.
#[derive(Debug)]
pub struct Rounds {
    spark: SparkSession,
    sessions: Sessions,
    lake: Lake,
    registry: Registry,
    contracts: Contracts,
    metrics: Metrics,
    merged: Merged,
    /// By topic: until when a table is left alone that failed, and how long that is.
    resting: HashMap<String, (Instant, Duration)>,
}

/// The last image that is whole at the cut, if the table is not of it yet.
fn new_image(table: &SourceTable, before: Option<&Standing>, cut: &Cut) -> Option<Image> {
    table.image_at(cut.commit_lsn).filter(|image| Some(image.begin) > before.and_then(Standing::image))
}

#[derive(Deserialize)]
struct ActivityRow {
    source_table: String,
    untold: Vec<String>,
    truncates: String,
    moved: bool,
    unread: i64,
    changed: i64,
}

impl Rounds {
    /// Makes `silver.rounds` where it is missing, and reads where each table stands. `concurrency`: how many tables are merged at a time.
    ///
    /// Columns: round bigint, merged_at timestamp, topic string, source_table string, silver_table string, cut bigint, version bigint,
    /// shape int, history bigint, image_lsn bigint, image_ordinal bigint, held string. A table's newest row says where it stands; each round
    /// has a row without a topic, whose cut all tables stand at that are not held.
    pub async fn open(
        spark: &SparkSession,
        lake: Lake,
        registry: Registry,
        contracts: Contracts,
        metrics: Metrics,
        concurrency: usize,
    ) -> Result<Self> {
        let spark = own_session(spark).await?;
        let sessions = Sessions::open(&spark, concurrency).await?;
        lake.create_database(&spark, "silver").await?;
        let rounds = lake.silver("rounds");
        let statement = format!(
            "CREATE TABLE IF NOT EXISTS {} (round BIGINT, merged_at TIMESTAMP, topic STRING, source_table STRING, silver_table STRING, \
             cut BIGINT, version BIGINT, shape INT, history BIGINT, image_lsn BIGINT, image_ordinal BIGINT, held STRING) USING DELTA",
            quoted_table(&rounds)
        );
        spark.sql(&statement).await.doing(format!("creating {rounds}"))?;
        let merged = merged(&spark, &lake).await?.unwrap_or_else(Merged::nothing);
        let resting = HashMap::new();
        Ok(Self { spark, sessions, lake, registry, contracts, metrics, merged, resting })
    }

    /// What they have come to.
    pub fn merged(&self) -> &Merged {
        &self.merged
    }

    /// Ends what this process has begun on the server.
    pub async fn interrupt(&self) {
        self.sessions.interrupt().await;
    }

    /// Brings every table that has events, an image or another shape to the cut; how many tables that were. A table that Spark refuses
    /// something of is held, and the others go on.
    pub async fn run(&mut self, tables: &BTreeMap<String, SourceTable>, cut: &Cut) -> Result<usize> {
        let names = silver_names(tables);
        let activities = self.activities(tables, cut).await?;
        let schema_ids = self.schema_ids(tables, cut).await?;
        let has_images = tables.values().any(|table| !table.images.is_empty());
        let tasks: Vec<Task<'_>> = tables
            .iter()
            .filter_map(|(topic, table)| {
                let before = self.merged.standings.get(topic);
                let task = Task {
                    topic,
                    table,
                    shape: table.shape_at(cut.commit_lsn)?,
                    name: names.get(topic)?,
                    cut,
                    image: new_image(table, before, cut),
                    schema_ids: schema_ids.get(topic).map(Vec::as_slice).unwrap_or_default(),
                    activity: activities.get(&table.name),
                    before,
                    keeps_history: self.contracts.get(&table.name).is_some_and(|it| it.scd == Scd::Type2),
                    has_images,
                };
                (task.has_work() && !self.rests(topic)).then_some(task)
            })
            .collect();
        self.metrics.silver_round_tables_done.set(0);
        self.metrics.silver_round_tables.set(tasks.len() as i64);
        // Images are waited for; else the cuts that are published meanwhile are more urgent.
        let loads = tasks.iter().any(|task| task.image.is_some());
        let at_once = if loads { self.sessions.count() } else { 1 };
        let brought = futures::stream::iter(&tasks)
            .map(|task| self.bring(task))
            .buffer_unordered(at_once)
            .try_collect::<Vec<_>>()
            .await;
        self.metrics.silver_round_tables.set(0);
        let mut done = BTreeMap::new();
        for (topic, standing, failed) in brought? {
            if failed {
                let rest =
                    self.resting.get(&topic).map_or(FIRST_REST, |(_, rest)| LONGEST_REST.min(*rest * 2));
                self.resting.insert(topic.clone(), (Instant::now() + rest, rest));
            } else {
                self.resting.remove(&topic);
            }
            if self.merged.standings.get(&topic) != Some(&standing) {
                done.insert(topic, standing);
            }
        }
        let count = done.len();
        if count > 0 || cut.commit_lsn > self.merged.cut {
            self.record(done, cut.commit_lsn).await?;
        }
        Ok(count)
    }

    /// Whether a table that failed is to be tried again.
    pub(crate) fn has_rested(&self) -> bool {
        self.resting.values().any(|(until, _)| Instant::now() >= *until)
    }

    fn rests(&self, topic: &str) -> bool {
        self.resting.get(topic).is_some_and(|(until, _)| Instant::now() < *until)
    }

    /// The topic of a task, where its table stands then, and whether that is because Spark refused something.
    async fn bring(&self, task: &Task<'_>) -> Result<(String, Standing, bool)> {
        let started = Instant::now();
        let brought = self
            .sessions
            .lend(async |spark| {
                Worker { spark, lake: &self.lake, registry: &self.registry, task }.bring().await
            })
            .await;
        let failed = brought.is_err();
        let standing = match brought {
            Ok(standing) => standing,
            Err(error) if error.is_of_one_table() => {
                let before = task.before.cloned();
                let held = Some(error.chain());
                Standing { held, ..before.unwrap_or_else(|| Standing::none(&task.table.name, task.name)) }
            }
            Err(error) => return Err(error),
        };
        self.metrics.silver_round_tables_done.inc();
        let (table, ms) = (&task.table.name, started.elapsed().as_millis());
        match &standing.held {
            None => tracing::debug!(table, cut = task.cut.commit_lsn, ms, "merged"),
            Some(reason) if task.before.and_then(|before| before.held.as_ref()) == Some(reason) => {}
            Some(reason) => tracing::warn!(table, cut = standing.cut, reason, "held"),
        }
        Ok((task.topic.to_owned(), standing, failed))
    }

    /// The schemas that the rows of new images were written with, by topic.
    async fn schema_ids(
        &self,
        tables: &BTreeMap<String, SourceTable>,
        cut: &Cut,
    ) -> Result<BTreeMap<String, Vec<i32>>> {
        let images = tables.iter().filter_map(|(topic, table)| {
            Some((topic, new_image(table, self.merged.standings.get(topic), cut)?.begin))
        });
        let conditions: Vec<String> = images
            .map(|(topic, begin)| {
                format!("topic = {} AND {}", text_literal(topic), load::rows_of(begin, cut.commit_lsn))
            })
            .collect();
        let mut ids: BTreeMap<String, Vec<i32>> = BTreeMap::new();
        if conditions.is_empty() {
            return Ok(ids);
        }
        let events = self.lake.events();
        let query = format!(
            "SELECT DISTINCT topic, schema_id FROM {} WHERE {}",
            quoted_table(&events),
            conditions.join(" OR ")
        );
        let about = || format!("reading the schemas of images in {events}");
        let rows: Vec<(String, i32)> =
            self.spark.sql(&query).await.doing(about())?.collect_as().await.doing(about())?;
        for (topic, id) in rows {
            ids.entry(topic).or_default().push(id);
        }
        Ok(ids)
    }

    /// What has happened to each source table above the cut that its typed table stands at.
    async fn activities(
        &self,
        tables: &BTreeMap<String, SourceTable>,
        cut: &Cut,
    ) -> Result<BTreeMap<String, Activity>> {
        let changes = self.lake.changes();
        let standings = &self.merged.standings;
        let lowest = tables
            .keys()
            .map(|topic| standings.get(topic).map_or(-1, |standing| standing.cut))
            .min()
            .unwrap_or(-1);
        let merged: Vec<String> = standings
            .values()
            .map(|standing| format!("{}, BIGINT({})", text_literal(&standing.source_table), standing.cut))
            .collect();
        let above = if merged.is_empty() {
            "-1".to_owned()
        } else {
            format!("coalesce(try_element_at(map({}), source_table), -1)", merged.join(", "))
        };
        let query = format!(
            "SELECT source_table, array_sort(array_distinct(flatten(untold_sets))) AS untold, to_json(array_sort(truncates)) AS truncates, \
             moved, unread, changed FROM (SELECT source_table, collect_set(untold) AS untold_sets, \
             collect_list(struct(commit_lsn, ordinal, unix_micros(committed_at) AS at_us)) FILTER (WHERE op = 't') AS truncates, \
             coalesce(bool_or(op = 'c' AND size(untold) > 0), false) AS moved, \
             count_if(op = '?') AS unread, count_if(op IN ('u', 'd')) AS changed FROM {} \
             WHERE commit_lsn > {lowest} AND commit_lsn <= {} AND op <> 'cut' AND commit_lsn > {above} GROUP BY source_table)",
            quoted_table(&changes),
            cut.commit_lsn,
        );
        let about = || format!("counting {changes}");
        let rows: Vec<ActivityRow> =
            self.spark.sql(&query).await.doing(about())?.collect_as().await.doing(about())?;
        let activity = |row: ActivityRow| {
            let ActivityRow { source_table, untold, truncates, moved, unread, changed } = row;
            let truncates = serde_json::from_str(&truncates)
                .map_err(|error| Error::caused(ErrorKind::Incomplete, about(), error))?;
            Ok((source_table, Activity { untold, truncates, moved, unread, changed }))
        };
        rows.into_iter().map(activity).collect()
    }

    /// Appends where tables stand now.
    async fn record(&mut self, done: BTreeMap<String, Standing>, cut: i64) -> Result<()> {
        let rounds = self.lake.silver("rounds");
        let round = self.merged.round + 1;
        let text = |text: Option<&str>| text.map_or_else(|| "NULL".to_owned(), text_literal);
        let number =
            |number: Option<i64>| number.map_or_else(|| "NULL".to_owned(), |number| number.to_string());
        let mut rows: Vec<String> = done
            .iter()
            .map(|(topic, standing)| {
                format!(
                    "({round}, current_timestamp(), {}, {}, {}, {}, {}, {}, {}, {}, {}, {})",
                    text_literal(topic),
                    text_literal(&standing.source_table),
                    text_literal(&standing.silver_table),
                    standing.cut,
                    standing.version,
                    standing.shape,
                    number(standing.history),
                    number(standing.image_lsn),
                    number(standing.image_ordinal),
                    text(standing.held.as_deref()),
                )
            })
            .collect();
        rows.push(format!(
            "({round}, current_timestamp(), NULL, NULL, NULL, {cut}, NULL, NULL, NULL, NULL, NULL, NULL)"
        ));
        let statement = format!("INSERT INTO {} VALUES {}", quoted_table(&rounds), rows.join(", "));
        let write = async { self.spark.sql(&statement).await };
        let committed = IdempotentWrite::new("lakepulse.rounds", round).commit(&self.spark, write).await;
        if committed.doing(format!("recording round {round} in {rounds}"))?.is_none() {
            return Err(Error::new(
                ErrorKind::Fenced,
                format!("round {round} of {rounds} was recorded by another silver; stop one of the two"),
            ));
        }
        (self.merged.round, self.merged.cut) = (round, cut);
        self.merged.standings.extend(done);
        Ok(())
    }
}
