//! Bringing one typed table, and its history, to a published cut.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::delta::IdempotentWrite;

use super::merge::{self, Window};
use super::naming::{MetaColumns, history_name};
use super::standing::Standing;
use super::{alter, history, load};
use crate::changes::{Cut, Envelope};
use crate::control::{Image, Position, Shape, SourceTable};
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::{Lake, quoted, quoted_table};
use crate::registry::Registry;

/// What `silver.changes` has of a table since it was merged.
#[derive(Debug, Clone, Default)]
pub(super) struct Activity {
    pub(super) untold: Vec<String>,
    pub(super) truncates: Vec<Truncate>,
    /// Keys that were changed while a value out of line was not.
    pub(super) moved: bool,
    /// Payloads that could not be read.
    pub(super) unread: i64,
    /// Updates and deletes.
    pub(super) changed: i64,
}

/// A TRUNCATE.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Truncate {
    commit_lsn: i64,
    ordinal: i64,
    at_us: i64,
}

impl Truncate {
    fn position(&self) -> Position {
        Position { commit_lsn: self.commit_lsn, ordinal: self.ordinal }
    }
}

/// A table that is to be brought to a cut.
pub(super) struct Task<'a> {
    pub(super) topic: &'a str,
    pub(super) table: &'a SourceTable,
    pub(super) shape: &'a Shape,
    pub(super) name: &'a str,
    pub(super) cut: &'a Cut,
    /// A new one.
    pub(super) image: Option<Image>,
    /// Of the schemas that the image's rows were written with.
    pub(super) schema_ids: &'a [i32],
    pub(super) activity: Option<&'a Activity>,
    pub(super) before: Option<&'a Standing>,
    /// Whether every version of its rows is kept.
    pub(super) keeps_history: bool,
    /// Whether capture reads tables as a whole: it does not with `snapshot.mode = "never"`.
    pub(super) has_images: bool,
}

/// Why a payload was not decoded.
const MISFIT: &str = "a value has no place in its column's type, such as an array of two dimensions among arrays of one, or a payload \
    is not of its schema";

/// More than keys of one row that change again and again within a round.
const MOST_STEPS: usize = 100;
const MANY_MOVES: &str = "keys of rows with values out of line that were not told were changed too often at once; \
    ALTER TABLE … REPLICA IDENTITY FULL tells such values";

impl Task<'_> {
    /// Whether there is anything to do: not for a table that is gone, which stays as it is.
    pub(super) fn has_work(&self) -> bool {
        let is_gone = self.table.gone.is_some_and(|gone| gone <= self.cut_end());
        let is_as_told =
            self.before.is_some_and(|before| before.shape == self.shape.version && before.held.is_none());
        !is_gone
            && (self.activity.is_some()
                || self.image.is_some()
                || !is_as_told
                || self.cut.isolated.contains_key(&self.table.name))
    }

    fn cut_end(&self) -> Position {
        Position::end_of(self.cut.commit_lsn)
    }

    /// The shapes that the table takes on, and up to where it is merged in each. What identifies a row must not change within a merge;
    /// else the last shape does for all events. An image ends a step, since a history has no events of what happened while it was read.
    fn steps(&self, after: Position, standing: i32) -> Vec<(&Shape, Position)> {
        let shapes = self.table.shapes_between(after.commit_lsn - 1, self.cut.commit_lsn);
        let mut steps: Vec<(&Shape, Position)> = Vec::new();
        for (shape, later) in shapes.iter().zip(shapes.iter().skip(1)) {
            if !later.has_key_of(shape) && shape.version >= standing && later.from > after {
                steps.push((shape, Position { ordinal: later.from.ordinal - 1, ..later.from }));
            }
        }
        steps.push((self.shape, self.cut_end()));
        let image_end = self.image.and_then(|image| image.end).filter(|_| self.keeps_history);
        if let Some(end) = image_end
            && let Some(place) = steps.iter().position(|(_, to)| *to > end)
            && let Some((shape, _)) = steps.get(place)
        {
            steps.insert(place, (shape, end));
        }
        steps
    }

    /// Why the table can't be brought there, in words for a person.
    fn unmergeable(&self) -> Option<String> {
        if let Some(reason) = self.cut.isolated.get(&self.table.name) {
            return Some(format!("capture buries its events as dead letters: {reason}"));
        }
        if let Some((_, reason)) = self.table.unreadable.as_ref().filter(|(from, _)| *from <= self.cut_end())
        {
            return Some(format!("its shape can't be followed: {reason}"));
        }
        if self.has_images && self.table.waits_for_image(self.cut.commit_lsn) {
            return Some("capture reads the table as a whole; it goes on when that is done".to_owned());
        }
        let activity = self.activity?;
        if activity.unread > 0 {
            return Some(MISFIT.to_owned());
        }
        if self.shape.key.is_empty() && !self.shape.is_identity_full && activity.changed > 0 {
            return Some(
                "rows were changed and nothing identifies them; give the table a primary key, or ALTER TABLE … REPLICA IDENTITY FULL"
                    .to_owned(),
            );
        }
        None
    }
}

/// Events behind `after` up to `to`, of which the rows have this shape then.
#[derive(Clone, Copy)]
struct Step<'a> {
    shape: &'a Shape,
    after: Position,
    to: Position,
}

/// Who brings a table to a cut, in a session of its own.
pub(super) struct Worker<'a> {
    pub(super) spark: SparkSession,
    pub(super) lake: &'a Lake,
    pub(super) registry: &'a Registry,
    pub(super) task: &'a Task<'a>,
}

impl Worker<'_> {
    /// Where the table stands then.
    pub(super) async fn bring(&self) -> Result<Standing> {
        let task = self.task;
        let mut standing = match task.before {
            Some(before) => before.clone(),
            None => Standing::none(&task.table.name, task.name),
        };
        standing.held = task.unmergeable();
        if standing.held.is_some() {
            return Ok(standing);
        }
        let table = self.lake.silver(task.name);
        let mut after = Position::end_of(standing.cut);
        if let Some(image) = task.image {
            let Some(rows) = self.rows_of(image).await? else {
                standing.held = Some(MISFIT.to_owned());
                return Ok(standing);
            };
            self.make(&table, &rows, &mut standing).await?;
            (standing.image_lsn, standing.image_ordinal) =
                (Some(image.begin.commit_lsn), Some(image.begin.ordinal));
            after = Position { ordinal: image.begin.ordinal - 1, ..image.begin };
        } else if standing.version < 0 {
            self.make(&table, &load::nothing(task.shape), &mut standing).await?;
        }
        let mut image_end = task.image.and_then(|image| image.end);
        let keeps_history = task.keeps_history && !task.shape.key.is_empty();
        if keeps_history && image_end.is_none() && standing.history.is_none() {
            self.begin_history(&mut standing).await?;
        }
        for (shape, to) in self.steps(after, standing.shape).await? {
            let step = Step { shape, after, to };
            self.reshape(&mut standing, shape).await?;
            self.merge(&mut standing, step).await?;
            if keeps_history && image_end.is_none() {
                self.merge_history(&mut standing, step).await?;
            }
            if image_end.is_some_and(|end| end <= to) {
                image_end = None;
                if keeps_history && standing.history.is_some() {
                    self.follow(&mut standing, shape).await?;
                } else if keeps_history {
                    self.begin_history(&mut standing).await?;
                }
            }
            after = to;
        }
        standing.cut = task.cut.commit_lsn;
        Ok(standing)
    }

    /// [`Task::steps`], of which each ends before a move whose keys it has events of.
    async fn steps(&self, after: Position, standing: i32) -> Result<Vec<(&Shape, Position)>> {
        let mut steps = Vec::new();
        let mut begin = after;
        for (shape, to) in self.task.steps(after, standing) {
            if let Some(activity) = self.task.activity.filter(|activity| activity.moved) {
                let query = self.window(activity, begin, to).ends_before_moves(self.lake, shape);
                let about = || format!("looking for keys that were changed in {}", self.task.table.name);
                let ends: Vec<(i64, i64)> =
                    self.spark.sql(&query).await.doing(about())?.collect_as().await.doing(about())?;
                if ends.len() > MOST_STEPS {
                    return Err(Error::new(ErrorKind::Data, MANY_MOVES));
                }
                let ends = ends
                    .into_iter()
                    .map(|(commit_lsn, ordinal)| Position { commit_lsn, ordinal: ordinal - 1 });
                steps.extend(ends.map(|end| (shape, end)));
            }
            steps.push((shape, to));
            begin = to;
        }
        Ok(steps)
    }

    /// The query for an image's rows; none when one of them has a value that has no place in its column.
    async fn rows_of(&self, image: Image) -> Result<Option<String>> {
        let task = self.task;
        let mut envelopes = BTreeMap::new();
        for id in task.schema_ids {
            envelopes.insert(*id, Arc::new(Envelope::parse(&self.registry.text(*id).await?)?));
        }
        let image = load::Image {
            topic: task.topic,
            begin: image.begin,
            to_lsn: task.cut.commit_lsn,
            shapes: task.table.shapes_between(image.begin.commit_lsn - 1, task.cut.commit_lsn),
            envelopes: &envelopes,
        };
        if let Some(query) = image.misfit(self.lake) {
            let about = || format!("looking at the image of {}", task.table.name);
            let found: Option<(i64,)> =
                self.spark.sql(&query).await.doing(about())?.first_as().await.doing(about())?;
            if found.is_some() {
                return Ok(None);
            }
        }
        Ok(Some(image.rows(self.lake, task.shape)))
    }

    /// Makes the table, or puts another in its place, of the rows of a query.
    async fn make(&self, table: &str, rows: &str, standing: &mut Standing) -> Result<()> {
        let shape = self.task.shape;
        let statement = load::replace(table, shape, rows, &MetaColumns::of(shape));
        standing.version =
            self.write(table, &format!("{table}.load"), self.task.cut.commit_lsn, &statement).await?;
        standing.shape = shape.version;
        Ok(())
    }

    fn history_table(&self) -> String {
        self.lake.silver(&history_name(self.task.name))
    }

    /// Makes a history whose first versions are the table's rows.
    async fn begin_history(&self, standing: &mut Standing) -> Result<()> {
        let (table, shape, history) =
            (self.lake.silver(self.task.name), self.task.shape, self.history_table());
        let statement =
            load::replace(&history, shape, &history::first(&table, shape), &MetaColumns::of_history(shape));
        let writer = format!("{history}.load");
        standing.history = Some(self.write(&history, &writer, self.task.cut.commit_lsn, &statement).await?);
        Ok(())
    }

    /// Gives a history the rows of an image.
    async fn follow(&self, standing: &mut Standing, shape: &Shape) -> Result<()> {
        let (table, history) = (self.lake.silver(self.task.name), self.history_table());
        let statement = history::follow(&history, &table, shape, self.task.cut.committed_at_us);
        let writer = format!("{history}.follow");
        standing.history = Some(self.write(&history, &writer, self.task.cut.commit_lsn, &statement).await?);
        Ok(())
    }

    /// Gives the table, and its history, the columns of a shape.
    async fn reshape(&self, standing: &mut Standing, shape: &Shape) -> Result<()> {
        // An image has given the table its shape, and not the history.
        if standing.history.is_some() && (standing.shape != shape.version || self.task.image.is_some()) {
            let history = self.history_table();
            if self.alter(&history, shape, MetaColumns::of_history).await? {
                standing.history = Some(self.version(&history).await?);
            }
        }
        if standing.shape != shape.version {
            let table = self.lake.silver(self.task.name);
            self.alter(&table, shape, MetaColumns::of).await?;
            standing.version = self.version(&table).await?;
            standing.shape = shape.version;
        }
        Ok(())
    }

    /// Whether the table had to be altered.
    async fn alter(&self, table: &str, shape: &Shape, meta: fn(&Shape) -> MetaColumns) -> Result<bool> {
        // A round that was not recorded may have done it.
        let has = self.shape_of(table).await?;
        if has == Some(shape.version) {
            return Ok(false);
        }
        let known = self.task.table.shapes.iter().find(|from| Some(from.version) == has);
        let from = known
            .ok_or_else(|| Error::new(ErrorKind::Data, format!("{table} has a shape that was never told")))?;
        let present =
            self.spark.table(table).columns().await.doing(format!("reading the columns of {table}"))?;
        for statement in alter::statements(table, from, shape, &present, meta) {
            self.spark.sql(&statement).await.doing(format!("giving {table} the columns of its source"))?;
        }
        Ok(true)
    }

    /// The shape that a table says it has.
    async fn shape_of(&self, table: &str) -> Result<Option<i32>> {
        let shape = crate::lake::property(&self.spark, table, load::SHAPE).await?;
        Ok(shape.and_then(|shape| shape.parse().ok()))
    }

    /// Merges the events of a step into the table.
    async fn merge(&self, standing: &mut Standing, step: Step<'_>) -> Result<()> {
        let Step { shape, after, to } = step;
        let table = self.lake.silver(self.task.name);
        if let Some(activity) = self.task.activity {
            let counts = shape.key.is_empty() && activity.changed > 0;
            if counts {
                self.restore(&table, standing.version).await?;
            }
            let truncated = self.truncates_in(step).last().map(Truncate::position);
            if let Some(truncated) = truncated {
                self.empty(&table, shape, truncated).await?;
            }
            let window = self.window(activity, truncated.unwrap_or(after), to);
            if counts {
                let statement = merge::keyless_changes(self.lake, &table, &window, shape);
                self.spark.sql(&statement).await.doing(format!("writing {table}"))?;
                standing.version = self.version(&table).await?;
            } else {
                let statement = if shape.key.is_empty() {
                    merge::keyless(self.lake, &table, &window, shape)
                } else {
                    // An image's rows may be older than the events.
                    let only_inserts =
                        activity.changed == 0 && activity.truncates.is_empty() && self.task.image.is_none();
                    merge::keyed(self.lake, &table, &window, shape, only_inserts)
                };
                standing.version =
                    self.write(&table, &self.writer(&table, step), to.commit_lsn, &statement).await?;
            }
        }
        let labels =
            merge::renamed_labels(&table, shape, &self.task.table.shapes, after, &MetaColumns::of(shape));
        if self.carry_out(&table, &labels).await? {
            standing.version = self.version(&table).await?;
        }
        Ok(())
    }

    /// Merges the events of a step into the history.
    async fn merge_history(&self, standing: &mut Standing, step: Step<'_>) -> Result<()> {
        let Step { shape, after, to } = step;
        let history = self.history_table();
        let mut after_merge = Vec::new();
        if let Some(activity) = self.task.activity {
            let truncated = self.truncates_in(step).next();
            let window = self.window(activity, after, to);
            let statement = history::merge(self.lake, &history, &window, shape, truncated.is_some());
            let writer = self.writer(&history, step);
            standing.history = Some(self.write(&history, &writer, to.commit_lsn, &statement).await?);
            after_merge.extend(
                truncated
                    .map(|truncated| history::empty(&history, shape, truncated.position(), truncated.at_us)),
            );
        }
        let meta = MetaColumns::of_history(shape);
        after_merge.extend(merge::renamed_labels(&history, shape, &self.task.table.shapes, after, &meta));
        if self.carry_out(&history, &after_merge).await? {
            standing.history = Some(self.version(&history).await?);
        }
        Ok(())
    }

    /// Several merges may end within one transaction.
    fn writer(&self, table: &str, step: Step<'_>) -> String {
        if step.to == self.task.cut_end() {
            table.to_owned()
        } else {
            format!("{table}.{}.{}", step.shape.version, step.to.ordinal)
        }
    }

    fn window<'w>(&'w self, activity: &'w Activity, after: Position, to: Position) -> Window<'w> {
        Window {
            source_table: &self.task.table.name,
            after,
            to,
            shapes: self.task.table.shapes_between(after.commit_lsn - 1, to.commit_lsn),
            untold: &activity.untold,
            has_moves: activity.moved,
        }
    }

    fn truncates_in(&self, step: Step<'_>) -> impl DoubleEndedIterator<Item = &Truncate> {
        let all = self.task.activity.map(|activity| activity.truncates.as_slice()).unwrap_or_default();
        all.iter().filter(move |truncate| step.after < truncate.position() && truncate.position() <= step.to)
    }

    /// Runs statements that change nothing when they are run again; whether there were any.
    async fn carry_out(&self, table: &str, statements: &[String]) -> Result<bool> {
        for statement in statements {
            self.spark.sql(statement).await.doing(format!("updating {table}"))?;
        }
        Ok(!statements.is_empty())
    }

    /// Takes back what a round did that was not recorded: equal rows are counted, so that doing it once more would count twice.
    async fn restore(&self, table: &str, version: i64) -> Result<()> {
        if self.version(table).await? == version {
            return Ok(());
        }
        let statement = format!("RESTORE TABLE {} TO VERSION AS OF {version}", quoted_table(table));
        self.spark
            .sql(&statement)
            .await
            .doing(format!("taking back what is not recorded of {table}"))
            .map(|_| ())
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
        crate::lake::version(&self.spark, table).await
    }
}
