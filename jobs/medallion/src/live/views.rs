//! The live views that there are.

use std::collections::{BTreeMap, HashMap, HashSet};

use spark_client::SparkSession;

use super::engine::Engine;
use super::reach::{Reach, has_images};
use super::trino::{Trino, TrinoOptions};
use super::view::View;
use super::{pin, spark_database, trino_schema};
use crate::control::{Position, SourceTable};
use crate::error::{Doing, Error, Result};
use crate::job::own_session;
use crate::lake::{Lake, quoted, text_literal};
use crate::typed::{Merged, Standing};

/// Makes, replaces and drops live views.
#[derive(Debug)]
pub struct Views {
    lake: Lake,
    spark: SparkSession,
    trino: Option<Trino>,
    /// By view, as made or found in Spark.
    in_spark: HashMap<String, Text>,
    /// The same in Trino; none while it was not looked at.
    in_trino: Option<HashMap<String, Text>>,
}

/// What a view was made of; both empty of views that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Text {
    query: String,
    comment: String,
}

impl Views {
    /// Makes the database of Spark's views where it is missing. Trino is first asked by [`Views::refresh`].
    pub async fn open(spark: &SparkSession, lake: &Lake, options: &TrinoOptions) -> Result<Self> {
        let spark = own_session(spark).await?;
        lake.create_database(&spark, "live_spark").await?;
        let found = pin::views(&spark, lake).await?;
        let in_spark = found.into_iter().map(|name| (name, Text::default())).collect();
        Ok(Self { lake: lake.clone(), spark, trino: Trino::new(options)?, in_spark, in_trino: None })
    }

    /// Brings the views to what is merged and to what was told of the tables up to an LSN, which is to be that of a cut before it is
    /// published: a view that does not know an event's shape stands still before that event.
    ///
    /// Gives the views that could not be made or dropped, and why; they are tried again the next time. An error is one that concerns all of
    /// them.
    pub async fn refresh(
        &mut self,
        tables: &BTreeMap<String, SourceTable>,
        merged: &Merged,
        lsn: i64,
    ) -> Result<Vec<(String, Error)>> {
        let has_images = has_images(tables);
        let mut wanted = Vec::new();
        for (topic, table) in tables {
            let is_gone = table.gone.is_some_and(|gone| gone <= Position::end_of(lsn));
            let standing = merged.standings.get(topic).filter(|standing| standing.version >= 0 && !is_gone);
            let Some(standing) = standing else { continue };
            let Some(reach) = Reach::of(table, standing, has_images, lsn) else { continue };
            wanted.push((standing, view(&self.lake, standing, &reach), comment(table, standing, lsn)));
        }
        let names: HashSet<&str> =
            wanted.iter().map(|(standing, ..)| standing.silver_table.as_str()).collect();
        let mut failed = Vec::new();
        for (standing, view, comment) in &wanted {
            let text = Text { query: view.query(Engine::Spark), comment: comment.clone() };
            if let Err(error) = self.make_in_spark(&standing.silver_table, text).await {
                failed.push((standing.source_table.clone(), error));
            }
        }
        let left = self.in_spark.keys().filter(|name| !names.contains(name.as_str())).cloned();
        for name in left.collect::<Vec<_>>() {
            if let Err(error) = self.drop_in_spark(&name).await {
                failed.push((name, error));
            }
        }
        if let Some(trino) = self.trino.clone() {
            match self.refresh_trino(&trino, &wanted, &names).await {
                Ok(more) => failed.extend(more),
                Err(error) => failed.push((trino_schema(&self.lake), error)),
            }
        }
        for (table, error) in &failed {
            tracing::warn!(table, error = error.chain(), "live view not refreshed");
        }
        Ok(failed)
    }

    async fn make_in_spark(&mut self, name: &str, text: Text) -> Result<()> {
        let before = self.in_spark.get(name);
        if before == Some(&text) {
            return Ok(());
        }
        let view = self.spark_view(name);
        let comment = text_literal(&text.comment);
        let mut statements = Vec::new();
        match before {
            // A view that is created in another's place is away for a moment.
            Some(before) => {
                if before.query != text.query {
                    statements.push(format!("ALTER VIEW {view} AS {}", text.query));
                }
                if before.comment != text.comment {
                    statements.push(format!("ALTER VIEW {view} SET TBLPROPERTIES ('comment' = {comment})"));
                }
            }
            None => {
                statements.push(format!("CREATE OR REPLACE VIEW {view} COMMENT {comment} AS {}", text.query));
            }
        }
        for statement in statements {
            self.spark.sql(&statement).await.doing(format!("making view {view} in Spark"))?;
        }
        self.in_spark.insert(name.to_owned(), text);
        Ok(())
    }

    async fn drop_in_spark(&mut self, name: &str) -> Result<()> {
        let view = self.spark_view(name);
        self.spark
            .sql(&format!("DROP VIEW IF EXISTS {view}"))
            .await
            .doing(format!("dropping view {view} in Spark"))?;
        self.in_spark.remove(name);
        Ok(())
    }

    fn spark_view(&self, name: &str) -> String {
        format!("{}.{}", quoted(&spark_database(&self.lake)), quoted(name))
    }

    async fn refresh_trino(
        &mut self,
        trino: &Trino,
        wanted: &[(&Standing, View<'_>, String)],
        names: &HashSet<&str>,
    ) -> Result<Vec<(String, Error)>> {
        let engine = Engine::Trino(trino.catalog());
        let schema = trino_schema(&self.lake);
        let mut made = match self.in_trino.take() {
            Some(made) => made,
            None => found_in_trino(trino, &schema).await?,
        };
        let mut failed = Vec::new();
        for (standing, view, comment) in wanted {
            let text = Text { query: view.query(engine), comment: comment.clone() };
            if made.get(&standing.silver_table) == Some(&text) {
                continue;
            }
            let statement = format!(
                "CREATE OR REPLACE VIEW {} COMMENT {} SECURITY INVOKER AS {}",
                engine.table(&format!("{schema}.{}", standing.silver_table)),
                engine.text(comment),
                text.query
            );
            match trino.run(&statement).await {
                Ok(_) => {
                    made.insert(standing.silver_table.clone(), text);
                }
                Err(error) => failed.push((standing.source_table.clone(), error)),
            }
        }
        let left = made.keys().filter(|name| !names.contains(name.as_str())).cloned();
        for name in left.collect::<Vec<_>>() {
            let view = engine.table(&format!("{schema}.{name}"));
            match trino.run(&format!("DROP VIEW IF EXISTS {view}")).await {
                Ok(_) => {
                    made.remove(&name);
                }
                Err(error) => failed.push((name, error)),
            }
        }
        self.in_trino = Some(made);
        Ok(failed)
    }
}

/// The views that a schema of Trino has, which is made where it is missing.
async fn found_in_trino(trino: &Trino, schema: &str) -> Result<HashMap<String, Text>> {
    let engine = Engine::Trino(trino.catalog());
    let quoted = format!("{}.{}", engine.name(trino.catalog()), engine.name(schema));
    trino.run(&format!("CREATE SCHEMA IF NOT EXISTS {quoted}")).await?;
    let found = trino
        .run(&format!(
            "SELECT table_name FROM {}.information_schema.views WHERE table_schema = {}",
            engine.name(trino.catalog()),
            engine.text(schema)
        ))
        .await?;
    let names = found.iter().filter_map(|row| row.first()?.as_str());
    Ok(names.map(|name| (name.to_owned(), Text::default())).collect())
}

fn view<'a>(lake: &Lake, standing: &'a Standing, reach: &Reach<'a>) -> View<'a> {
    View {
        source_table: &standing.source_table,
        typed: lake.silver(&standing.silver_table),
        changes: lake.changes(),
        version: standing.version,
        cut: standing.cut,
        until: reach.until,
        from: reach.from,
        shapes: reach.shapes,
        shape: reach.shape,
    }
}

/// What a reader is told of a view.
fn comment(table: &SourceTable, standing: &Standing, lsn: i64) -> String {
    let waits = || {
        table
            .waits_for_image(lsn)
            .then(|| "capture reads the table as a whole; it goes on when that is done".to_owned())
    };
    match standing.held.clone().or_else(waits) {
        Some(reason) => format!("held: {reason}"),
        None => format!("{} as of the last published cut", table.name),
    }
}
