//! The golden cases run on a real server, their rows compared with those that PySpark got from it.
//!
//! `scripts/live_corpus.py` has written what PySpark got to the folder that `SPARK_CORPUS` names.

use super::{Sent, by_hand, cases, members};
use crate::{DataFrame, Error, SparkSession, functions::table::samples, proto::command::CommandType};
use arrow::{array::RecordBatch, compute::concat_batches, ipc::reader::StreamReader};
use futures::StreamExt as _;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fs::File,
    path::{Path, PathBuf},
};

#[derive(Deserialize)]
struct Corpus {
    views: BTreeMap<String, String>,
    cases: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    view: Option<String>,
    rows: Option<String>,
    /// Spark's error class, empty for an error without one.
    error: Option<String>,
    unsteady: bool,
    /// Statements before a command.
    #[serde(default)]
    before: Vec<String>,
    /// The query for the rows that a command has written.
    after: Option<String>,
}

#[tokio::test]
#[ignore = "needs a Spark server and what PySpark got from it: scripts/corpus"]
async fn results_are_those_of_pyspark() {
    let folder = PathBuf::from(std::env::var("SPARK_CORPUS").unwrap());
    let corpus: Corpus = serde_json::from_reader(File::open(folder.join("cases.json")).unwrap()).unwrap();
    let one_task = SparkSession::builder().config("spark.sql.leafNodeDefaultParallelism", 1);
    let spark = one_task.connect().await.unwrap();
    for (name, query) in &corpus.views {
        spark.sql(&format!("CREATE OR REPLACE TEMPORARY VIEW {name} AS {query}")).await.unwrap();
    }
    let mut frames: BTreeMap<String, DataFrame> = BTreeMap::new();
    let mut commands = BTreeMap::new();
    let plans = [cases::all(&spark), members::all(&spark), by_hand::all(&spark)];
    for (name, sent) in plans.into_iter().flatten() {
        match sent {
            Sent::Plan(frame) => {
                frames.insert(format!("plan {name}"), frame);
            }
            Sent::Command(command) => {
                commands.insert(format!("plan {name}"), *command);
            }
        }
    }
    for (name, column) in samples::all() {
        let name = format!("function {name}");
        if let Some(view) = corpus.cases.get(&name).and_then(|case| case.view.as_deref()) {
            frames.insert(name, spark.table(view).select([column]));
        }
    }
    let count = corpus.cases.len();
    let mut different = Vec::new();
    let (writing, reading): (Vec<_>, Vec<_>) =
        corpus.cases.into_iter().partition(|(_, expected)| expected.after.is_some());
    // One after the other, since they write the same tables.
    for (name, expected) in writing {
        let command = commands.remove(&name).unwrap_or_else(|| panic!("no case {name}"));
        let found = written(&spark, command, &expected).await;
        different.extend(difference(found, &expected, &folder).map(|it| format!("{name}: {it}")));
    }
    let compared = reading.into_iter().map(|(name, expected)| {
        let (frame, folder) = (frames.remove(&name), folder.clone());
        async move {
            let frame = frame.unwrap_or_else(|| panic!("no case {name}"));
            let difference = difference(frame.collect().await, &expected, &folder);
            difference.map(|difference| format!("{name}: {difference}"))
        }
    });
    let others: Vec<String> = futures::stream::iter(compared)
        .buffer_unordered(4)
        .filter_map(|found| async { found })
        .collect()
        .await;
    different.extend(others);
    spark.stop().await.unwrap();
    assert!(different.is_empty(), "{} of {count} differ\n{}", different.len(), different.join("\n"));
    println!("{count} cases as in PySpark");
}

/// The rows of the table that a command has written.
async fn written(
    spark: &SparkSession,
    command: CommandType,
    expected: &Expected,
) -> Result<Vec<RecordBatch>, Error> {
    for statement in &expected.before {
        spark.sql(statement).await?;
    }
    spark.command(command).await?;
    spark.sql(expected.after.as_deref().unwrap_or_default()).await?.collect().await
}

fn difference(found: Result<Vec<RecordBatch>, Error>, expected: &Expected, folder: &Path) -> Option<String> {
    let Some(file) = &expected.rows else {
        let as_expected = found.as_ref().is_err_and(|error| {
            error.error_class().unwrap_or_default() == expected.error.as_deref().unwrap_or_default()
        });
        return (!as_expected).then(|| format!("expected the error {:?}, found {found:?}", expected.error));
    };
    let found = match found {
        Ok(batches) => whole(&batches),
        Err(error) => return Some(format!("failed: {error}")),
    };
    let expected_batches: Vec<_> = StreamReader::try_new(File::open(folder.join(file)).unwrap(), None)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let rows = whole(&expected_batches);
    match (found, rows) {
        (Some(found), Some(rows)) => {
            let types = |batch: &RecordBatch| -> Vec<_> {
                batch.schema().fields().iter().map(|f| (f.name().clone(), f.data_type().clone())).collect()
            };
            let same = types(&found) == types(&rows)
                && found.num_rows() == rows.num_rows()
                && (expected.unsteady || found.columns() == rows.columns());
            (!same).then(|| format!("expected {rows:?}, found {found:?}"))
        }
        (found, rows) => {
            let count = |batch: Option<RecordBatch>| batch.map_or(0, |batch| batch.num_rows());
            let (found, rows) = (count(found), count(rows));
            (found != rows).then(|| format!("expected {rows} rows, found {found}"))
        }
    }
}

fn whole(batches: &[RecordBatch]) -> Option<RecordBatch> {
    let first = batches.first()?;
    Some(concat_batches(&first.schema(), batches).unwrap())
}
