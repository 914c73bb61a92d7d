//! All live views of Spark at one cut.

use std::collections::BTreeMap;

use serde::Deserialize;
use spark_client::SparkSession;
use spark_client::functions::{col, lit};

use super::engine::Engine;
use super::spark_database;
use crate::error::{Doing, Error, ErrorKind, Result};
use crate::lake::{Lake, quoted, quoted_table};

/// What [`pin()`] has made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pinned {
    /// The Delta version of `silver.changes` that the views read.
    pub version: i64,
    /// The temporary views.
    pub views: Vec<String>,
}

/// So often may views be replaced while they are read.
const ATTEMPTS: usize = 10;

/// Makes a temporary view in the session of each of these live views, or of all when none is named, of the same name and columns, which all
/// show one cut for as long as the session lives and `silver.changes` keeps the version. Call it again to move on.
///
/// Spark reads the newest version of `silver.changes` for each view by itself: without it, a query over several live views may see
/// a cut published between two of them. The session needs the settings of [`own_session`](crate::job::own_session) only to read columns
/// whose names differ in case.
pub async fn pin(session: &SparkSession, lake: &Lake, views: &[&str]) -> Result<Pinned> {
    let changes = lake.changes();
    let mut queries = queries(session, lake, views).await?;
    for _ in 0..ATTEMPTS {
        // Views are replaced before a cut is published that they would not know what to do with: those that are there before and after
        // the version is read know this version.
        let version = crate::lake::version(session, &changes).await?;
        let after = self::queries(session, lake, views).await?;
        if queries == after {
            return make(session, lake, &queries, version).await;
        }
        queries = after;
    }
    Err(Error::new(
        ErrorKind::Spark,
        format!("the views of {} were replaced each time that they were read", spark_database(lake)),
    ))
}

async fn make(
    session: &SparkSession,
    lake: &Lake,
    queries: &BTreeMap<String, String>,
    version: i64,
) -> Result<Pinned> {
    let newest = Engine::Spark.changes(&lake.changes());
    let pinned = format!("{} VERSION AS OF {version}", quoted_table(&lake.changes()));
    for (name, query) in queries {
        let query = query.replace(&newest, &pinned);
        session
            .sql(&format!("CREATE OR REPLACE TEMPORARY VIEW {} AS {query}", quoted(name)))
            .await
            .doing(format!("pinning view {name}"))?;
    }
    Ok(Pinned { version, views: queries.keys().cloned().collect() })
}

#[derive(Deserialize)]
struct Described {
    view_text: Option<String>,
}

/// The queries of live views by name.
async fn queries(session: &SparkSession, lake: &Lake, names: &[&str]) -> Result<BTreeMap<String, String>> {
    let database = spark_database(lake);
    let mut queries = BTreeMap::new();
    let names = match names {
        [] => views(session, lake).await?,
        names => names.iter().map(|name| (*name).to_owned()).collect(),
    };
    for name in names {
        let view = format!("{}.{}", quoted(&database), quoted(&name));
        let about = || format!("reading view {view}");
        let shown = session.sql(&format!("DESCRIBE TABLE EXTENDED {view} AS JSON")).await.doing(about())?;
        let described: Option<(String,)> = shown.first_as().await.doing(about())?;
        let text = described.and_then(|(json,)| serde_json::from_str::<Described>(&json).ok()?.view_text);
        let text = text.ok_or_else(|| Error::new(ErrorKind::Spark, format!("view {view} has no text")))?;
        queries.insert(name, text);
    }
    Ok(queries)
}

/// The names of the live views in Spark.
pub(super) async fn views(session: &SparkSession, lake: &Lake) -> Result<Vec<String>> {
    let database = spark_database(lake);
    let about = || format!("listing the views of {database}");
    let shown = session.sql(&format!("SHOW VIEWS IN {}", quoted(&database))).await.doing(about())?;
    let own = shown.filter(col("isTemporary").eq(lit(false))).select(["viewName"]);
    let names: Vec<(String,)> = own.collect_as().await.doing(about())?;
    Ok(names.into_iter().map(|(name,)| name).collect())
}
