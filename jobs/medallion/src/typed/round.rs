//! A round brings the typed tables that have events to one published cut.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Instant;

use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::delta::IdempotentWrite;

use super::merge::{self, Window};
use super::naming::{MetaColumns, silver_names};
use super::{alter, load};
use crate::changes::{Cut, Envelope};
use crate::control::{Control, Image, Position, Shape, SourceTable};
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::job::own_session;
use crate::lake::{Lake, quoted, quoted_table, text_literal};
use crate::registry::Registry;

/// Where a typed table stands, as `silver.rounds` has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Standing {
    /// `schema.table`.
    pub source_table: String,
    /// Its name in silver.
    pub silver_table: String,
    /// The LSN of the cut that it stands at.
    pub cut: i64,
    /// The Delta version that has this state.
    pub version: i64,
    /// The shape of the source that it has.
    pub shape: i32,
    /// The Delta version of its history that has this state; none when none is kept.
    pub history: Option<i64>,
    /// Where the image began that it was loaded from; none when it never was.
    pub image_lsn: Option<i64>,
    pub image_ordinal: Option<i64>,
    /// Why it stands still; none while it does not.
    pub held: Option<String>,
}

impl Standing {
    pub(crate) fn image(&self) -> Option<Position> {
        Some(Position { commit_lsn: self.image_lsn?, ordinal: self.image_ordinal? })
    }
}

/// What `silver.changes` has of a table since it was merged.
#[derive(Debug, Clone, Default, Deserialize)]
struct Activity {
    source_table: String,
    untold: Vec<String>,
    truncated_lsn: Option<i64>,
    truncated_ordinal: Option<i64>,
    /// Keys that were changed while a value out of line was not.
    moved: bool,
    /// Payloads that could not be read.
    unread: i64,
    /// Updates and deletes.
    changed: i64,
}

/// What the rounds have come to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merged {
    /// Counts the rounds.
    pub round: i64,
    /// Every table that is not held stands at the cut of this LSN, as of the last round; -1 before the first.
    pub cut: i64,
    /// By topic.
    pub standings: BTreeMap<String, Standing>,
}

/// A row of `silver.rounds`.
#[derive(Debug, Deserialize)]
struct Recorded {
    round: i64,
    cut: i64,
    topic: Option<String>,
    source_table: Option<String>,
    silver_table: Option<String>,
    version: Option<i64>,
    shape: Option<i32>,
    history: Option<i64>,
    image_lsn: Option<i64>,
    image_ordinal: Option<i64>,
    held: Option<String>,
}

/// Where every table stands, from `silver.rounds`; none when no silver has begun.
pub async fn merged(spark: &SparkSession, lake: &Lake) -> Result<Option<Merged>> {
    let rounds = lake.silver("rounds");
    let about = || format!("reading {rounds}");
    if !spark.catalog().table_exists(&rounds).await.doing(about())? {
        return Ok(None);
    }
    let newest = format!(
        "SELECT l.round, l.cut, l.topic, l.source_table, l.silver_table, l.version, l.shape, l.history, l.image_lsn, l.image_ordinal, l.held \
         FROM (SELECT max_by(struct(*), round) AS l FROM {} GROUP BY topic)",
        quoted_table(&rounds)
    );
    let rows: Vec<Recorded> = spark.sql(&newest).await.doing(about())?.collect_as().await.doing(about())?;
    let mut merged = Merged { cut: -1, ..Merged::default() };
    for row in rows {
        let Recorded {
            topic: Some(topic),
            source_table: Some(source_table),
            silver_table: Some(silver_table),
            ..
        } = row
        else {
            (merged.round, merged.cut) = (row.round, row.cut);
            continue;
        };
        let standing = Standing {
            source_table,
            silver_table,
            cut: row.cut,
            version: row.version.unwrap_or(-1),
            shape: row.shape.unwrap_or(0),
            history: row.history,
            image_lsn: row.image_lsn,
            image_ordinal: row.image_ordinal,
            held: row.held,
        };
        merged.standings.insert(topic, standing);
    }
    Ok(Some(merged))
}

/// The worker that merges.
#[derive(Debug)]
pub struct Rounds {
    spark: SparkSession,
    lake: Lake,
    registry: Registry,
    envelopes: HashMap<i32, Arc<Envelope>>,
    merged: Merged,
}

impl Rounds {
    /// Makes `silver.rounds` where it is missing, and reads where each table stands.
    ///
    /// Columns: round bigint, merged_at timestamp, topic string, source_table string, silver_table string, cut bigint, version bigint,
    /// shape int, history bigint, image_lsn bigint, image_ordinal bigint, held string. A table's newest row says where it stands; each round
    /// has a row without a topic, whose cut all tables stand at that are not held.
    pub async fn open(spark: &SparkSession, lake: Lake, registry: Registry) -> Result<Self> {
        let spark = own_session(spark).await?;
        let rounds = lake.silver("rounds");
        let statement = format!(
            "CREATE TABLE IF NOT EXISTS {} (round BIGINT, merged_at TIMESTAMP, topic STRING, source_table STRING, silver_table STRING, \
             cut BIGINT, version BIGINT, shape INT, history BIGINT, image_lsn BIGINT, image_ordinal BIGINT, held STRING) USING DELTA",
            quoted_table(&rounds)
        );
        spark.sql(&statement).await.doing(format!("creating {rounds}"))?;
        let merged = merged(&spark, &lake).await?.unwrap_or_default();
        Ok(Self { spark, lake, registry, envelopes: HashMap::new(), merged })
    }

    /// What they have come to.
    pub fn merged(&self) -> &Merged {
        &self.merged
    }

    /// Brings every table that has events, an image or another shape to the cut; how many tables that were.
    pub async fn run(&mut self, control: &Control, cut: &Cut) -> Result<usize> {
        let names = silver_names(control.tables());
        let activities = self.activities(control, cut).await?;
        let has_images = control.tables().values().any(|table| !table.images.is_empty());
        let mut done = BTreeMap::new();
        for (topic, table) in control.tables() {
            let (Some(name), Some(shape)) = (names.get(topic), table.shape_at(cut.commit_lsn)) else {
                continue;
            };
            let before = self.merged.standings.get(topic).cloned();
            let activity = activities.get(&table.name);
            let image = table.image_at(cut.commit_lsn);
            let is_new_image = image.map(|image| image.begin) > before.as_ref().and_then(Standing::image);
            let is_as_told = before.as_ref().is_some_and(|standing| standing.shape == shape.version);
            let isolated = cut.isolated.get(&table.name).map(String::as_str);
            if activity.is_none() && !is_new_image && is_as_told && isolated.is_none()
                || table.gone.is_some_and(|gone| gone <= Position::end_of(cut.commit_lsn))
            {
                continue;
            }
            let started = Instant::now();
            let task = Task {
                topic,
                table,
                shape,
                name,
                cut: cut.commit_lsn,
                image: image.filter(|_| is_new_image),
                activity,
                before,
                isolated,
                has_images,
            };
            let standing = self.bring(&task).await?;
            tracing::info!(
                table = table.name,
                cut = cut.commit_lsn,
                ms = started.elapsed().as_millis(),
                held = standing.held,
                "merged"
            );
            if task.before.as_ref() != Some(&standing) {
                done.insert(topic.clone(), standing);
            }
        }
        let count = done.len();
        if count > 0 || cut.commit_lsn > self.merged.cut {
            self.record(done, cut.commit_lsn).await?;
        }
        Ok(count)
    }

    async fn bring(&mut self, task: &Task<'_>) -> Result<Standing> {
        let table = self.lake.silver(task.name);
        let mut standing = task.before.clone().unwrap_or_else(|| Standing {
            source_table: task.table.name.clone(),
            silver_table: task.name.to_owned(),
            cut: -1,
            version: -1,
            shape: 0,
            history: None,
            image_lsn: None,
            image_ordinal: None,
            held: None,
        });
        standing.held = task.unmergeable();
        if standing.held.is_some() {
            return Ok(standing);
        }
        let mut after = Position::end_of(standing.cut);
        if let Some(image) = task.image {
            let envelopes = self.envelopes_of(task.topic, image.begin, task.cut).await?;
            let image = load::Image {
                topic: task.topic,
                begin: image.begin,
                to_lsn: task.cut,
                shapes: task.table.shapes_between(image.begin.commit_lsn - 1, task.cut),
                envelopes: &envelopes,
            };
            if let Some(query) = image.misfit(&self.lake) {
                let about = || format!("looking at the image of {}", task.table.name);
                let found: Option<(i64,)> =
                    self.spark.sql(&query).await.doing(about())?.first_as().await.doing(about())?;
                if found.is_some() {
                    standing.held = Some(MISFIT.to_owned());
                    return Ok(standing);
                }
            }
            self.make(&table, task, &image.rows(&self.lake, task.shape), &mut standing).await?;
            (standing.image_lsn, standing.image_ordinal) =
                (Some(image.begin.commit_lsn), Some(image.begin.ordinal));
            after = Position { ordinal: image.begin.ordinal - 1, ..image.begin };
        } else if standing.version < 0 {
            self.make(&table, task, &load::nothing(task.shape), &mut standing).await?;
        }
        for (shape, to) in task.steps(after, standing.shape) {
            self.reshape(task, &table, &mut standing, shape).await?;
            self.merge(task, &table, &mut standing, shape, after, to).await?;
            after = to;
        }
        standing.cut = task.cut;
        Ok(standing)
    }

    /// Makes the table, or puts another in its place, of the rows of a query.
    async fn make(&self, table: &str, task: &Task<'_>, rows: &str, standing: &mut Standing) -> Result<()> {
        let statement = load::replace(table, task.shape, rows);
        standing.version = self.write(table, &format!("{table}.load"), task.cut, &statement).await?;
        standing.shape = task.shape.version;
        Ok(())
    }

    /// Gives the table the columns of a shape.
    async fn reshape(
        &self,
        task: &Task<'_>,
        table: &str,
        standing: &mut Standing,
        shape: &Shape,
    ) -> Result<()> {
        if standing.shape == shape.version {
            return Ok(());
        }
        // A round that was not recorded may have done it.
        if self.shape_of(table).await? != Some(shape.version) {
            let from =
                task.table.shapes.iter().find(|from| from.version == standing.shape).ok_or_else(|| {
                    Error::new(ErrorKind::Incomplete, format!("{table} has a shape that was never told"))
                })?;
            let present =
                self.spark.table(table).columns().await.doing(format!("reading the columns of {table}"))?;
            for statement in alter::statements(table, from, shape, &present) {
                self.spark
                    .sql(&statement)
                    .await
                    .doing(format!("giving {table} the columns of its source"))?;
            }
        }
        standing.version = self.version(table).await?;
        standing.shape = shape.version;
        Ok(())
    }

    /// The shape that the table says it has.
    async fn shape_of(&self, table: &str) -> Result<Option<i32>> {
        let about = || format!("reading the properties of {table}");
        let statement = format!("SHOW TBLPROPERTIES {}", quoted_table(table));
        let shown = self.spark.sql(&statement).await.doing(about())?;
        let properties: Vec<(String, String)> =
            shown.select(["key", "value"]).collect_as().await.doing(about())?;
        let shape = properties.into_iter().find(|(key, _)| key == load::SHAPE);
        Ok(shape.and_then(|(_, value)| value.parse().ok()))
    }

    /// Merges the events behind `after` up to `to`.
    async fn merge(
        &self,
        task: &Task<'_>,
        table: &str,
        standing: &mut Standing,
        shape: &Shape,
        after: Position,
        to: Position,
    ) -> Result<()> {
        if let Some(activity) = task.activity {
            let truncated = activity.truncated().filter(|truncated| after < *truncated && *truncated <= to);
            if let Some(truncated) = truncated {
                self.empty(table, shape, truncated).await?;
            }
            let after = truncated.unwrap_or(after);
            let window = Window {
                source_table: &task.table.name,
                after,
                to,
                shapes: task.table.shapes_between(after.commit_lsn - 1, to.commit_lsn),
                untold: &activity.untold,
            };
            let statement = if shape.key.is_empty() {
                merge::keyless(&self.lake, table, &window, shape)
            } else {
                merge::keyed(&self.lake, table, &window, shape)
            };
            // Several merges may end within one transaction.
            let writer = if to == Position::end_of(task.cut) {
                table.to_owned()
            } else {
                format!("{table}.{}", shape.version)
            };
            standing.version = self.write(table, &writer, to.commit_lsn, &statement).await?;
        }
        for statement in merge::renamed_labels(table, shape, &task.table.shapes, after) {
            self.spark.sql(&statement).await.doing(format!("renaming values of {table}"))?;
            standing.version = self.version(table).await?;
        }
        Ok(())
    }

    /// Deletes the rows that a TRUNCATE found.
    async fn empty(&self, table: &str, shape: &Shape, truncated: Position) -> Result<()> {
        let meta = MetaColumns::of(shape);
        let earlier = truncated.is_behind(&quoted(&meta.commit_lsn), &quoted(&meta.ordinal));
        let statement = format!("DELETE FROM {} WHERE {earlier}", quoted_table(table));
        self.spark.sql(&statement).await.doing(format!("emptying {table}")).map(|_| ())
    }

    /// Runs a statement that a table takes once under this number of `writer`; the version that the table is at then.
    async fn write(&self, table: &str, writer: &str, number: i64, statement: &str) -> Result<i64> {
        let write = async { self.spark.sql(statement).await };
        let committed = Box::pin(IdempotentWrite::new(writer, number).commit(&self.spark, write)).await;
        match committed.doing(format!("writing {table}"))? {
            Some(version) => Ok(version),
            None => self.version(table).await,
        }
    }

    async fn version(&self, table: &str) -> Result<i64> {
        crate::silver::version(&self.spark, table).await.doing(format!("reading the version of {table}"))
    }

    /// The envelopes that an image's rows were written with.
    async fn envelopes_of(
        &mut self,
        topic: &str,
        begin: Position,
        to: i64,
    ) -> Result<BTreeMap<i32, Arc<Envelope>>> {
        let about = || format!("reading the schemas of {topic} in {}", self.lake.events());
        let query = format!(
            "SELECT DISTINCT schema_id FROM {} WHERE topic = {} AND {}",
            quoted_table(&self.lake.events()),
            text_literal(topic),
            load::rows_of(begin, to)
        );
        let ids: Vec<(i32,)> =
            self.spark.sql(&query).await.doing(about())?.collect_as().await.doing(about())?;
        let mut envelopes = BTreeMap::new();
        for (id,) in ids {
            let known = self.envelopes.get(&id).cloned();
            let envelope = match known {
                Some(envelope) => envelope,
                None => Arc::new(Envelope::parse(&self.registry.text(id).await?)?),
            };
            self.envelopes.insert(id, envelope.clone());
            envelopes.insert(id, envelope);
        }
        Ok(envelopes)
    }

    /// What has happened to each source table above the cut that its typed table stands at.
    async fn activities(&self, control: &Control, cut: &Cut) -> Result<BTreeMap<String, Activity>> {
        let changes = self.lake.changes();
        let lowest = control
            .tables()
            .keys()
            .map(|topic| self.merged.standings.get(topic).map_or(-1, |standing| standing.cut))
            .min()
            .unwrap_or(-1);
        let merged: Vec<String> = self
            .merged
            .standings
            .values()
            .map(|standing| format!("{}, BIGINT({})", text_literal(&standing.source_table), standing.cut))
            .collect();
        let above = if merged.is_empty() {
            "-1".to_owned()
        } else {
            format!("coalesce(try_element_at(map({}), source_table), -1)", merged.join(", "))
        };
        let query = format!(
            "SELECT source_table, array_sort(array_distinct(flatten(untold_sets))) AS untold, t.commit_lsn AS truncated_lsn, \
             t.ordinal AS truncated_ordinal, moved, unread, changed FROM (SELECT source_table, collect_set(untold) AS untold_sets, \
             max(struct(commit_lsn, ordinal)) FILTER (WHERE op = 't') AS t, coalesce(bool_or(op = 'c' AND size(untold) > 0), false) AS moved, \
             count_if(op = '?') AS unread, count_if(op IN ('u', 'd')) AS changed FROM {} \
             WHERE commit_lsn > {lowest} AND commit_lsn <= {} AND op <> 'cut' AND commit_lsn > {above} GROUP BY source_table)",
            quoted_table(&changes),
            cut.commit_lsn,
        );
        let rows: Vec<Activity> = self
            .spark
            .sql(&query)
            .await
            .doing(format!("counting {changes}"))?
            .collect_as()
            .await
            .doing(format!("counting {changes}"))?;
        Ok(rows.into_iter().map(|row| (row.source_table.clone(), row)).collect())
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

/// A table that is to be brought to a cut.
struct Task<'a> {
    topic: &'a str,
    table: &'a SourceTable,
    shape: &'a Shape,
    name: &'a str,
    cut: i64,
    /// A new one.
    image: Option<Image>,
    activity: Option<&'a Activity>,
    before: Option<Standing>,
    /// Why capture buries its events.
    isolated: Option<&'a str>,
    /// Whether capture reads tables as a whole: it does not with `snapshot.mode = "never"`.
    has_images: bool,
}

/// Why a payload was not decoded.
const MISFIT: &str = "a value has no place in its column's type, such as an array of two dimensions among arrays of one, or a payload \
    is not of its schema";

impl Task<'_> {
    /// The shapes that the table takes on, and up to where it is merged in each. What identifies a row must not change within a merge;
    /// else the last shape does for all events.
    fn steps(&self, after: Position, standing: i32) -> Vec<(&Shape, Position)> {
        let shapes = self.table.shapes_between(after.commit_lsn - 1, self.cut);
        let mut steps: Vec<(&Shape, Position)> = Vec::new();
        for (shape, later) in shapes.iter().zip(shapes.iter().skip(1)) {
            if !later.has_key_of(shape) && shape.version >= standing && later.from > after {
                steps.push((shape, Position { ordinal: later.from.ordinal - 1, ..later.from }));
            }
        }
        steps.push((self.shape, Position::end_of(self.cut)));
        steps
    }

    /// Why the table can't be brought there, in words for a person.
    fn unmergeable(&self) -> Option<String> {
        if let Some(reason) = self.isolated {
            return Some(format!("capture buries its events as dead letters: {reason}"));
        }
        let (table, cut) = (self.table, Position::end_of(self.cut));
        if let Some((_, reason)) = table.unreadable.as_ref().filter(|(from, _)| *from <= cut) {
            return Some(format!("its shape can't be followed: {reason}"));
        }
        if self.has_images && table.waits_for_image(self.cut) {
            return Some("capture reads the table as a whole; it goes on when that is done".to_owned());
        }
        let activity = self.activity?;
        if activity.unread > 0 {
            return Some(MISFIT.to_owned());
        }
        if activity.moved {
            return Some("a key was changed in a row with values out of line that were not told; ALTER TABLE … REPLICA IDENTITY FULL tells them".to_owned());
        }
        if self.shape.key.is_empty() && activity.changed > 0 {
            return Some(
                "rows were changed and nothing identifies them; give the table a primary key".to_owned(),
            );
        }
        None
    }
}

impl Activity {
    fn truncated(&self) -> Option<Position> {
        Some(Position { commit_lsn: self.truncated_lsn?, ordinal: self.truncated_ordinal? })
    }
}
