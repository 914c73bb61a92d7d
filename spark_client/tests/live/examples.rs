//! The programs in `examples/`, run as anybody would.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use spark_client::{SparkSession, arrow::ipc::reader::FileReader};
use std::{fs::File, path::PathBuf};
use tokio::process::Command;

pub fn tests() -> Vec<Trial> {
    vec![
        live("examples::word_count", word_count),
        live("examples::arrow_export", arrow_export),
        live("examples::delta_merge", delta_merge),
        live("examples::streaming", streaming),
    ]
}

/// What an example prints. `scripts/live` builds the examples beside the tests.
async fn run(example: &str, arguments: &[&str]) -> Result<String, Failed> {
    let tests: PathBuf = std::env::current_exe()?;
    let built = tests.ancestors().nth(2).ok_or("tests lie in a folder of a folder")?;
    let output = Command::new(built.join("examples").join(example)).args(arguments).output().await?;
    if !output.status.success() {
        return Err(format!("{example}: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

async fn word_count(_: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("text.txt");
    std::fs::write(&file, "the quick fox\nThe lazy dog: the end\n")?;
    let printed = run("word_count", &[&file.display().to_string()]).await?;
    same(printed.lines().next().map(str::trim), Some("3 the"))
}

async fn arrow_export(_: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("rows.arrow");
    run("arrow_export", &["SELECT id, id * 2 AS twice FROM range(100000)", &file.display().to_string()])
        .await?;
    let batches = FileReader::try_new(File::open(file)?, None)?.collect::<Result<Vec<_>, _>>()?;
    same(
        batches
            .iter()
            .map(|batch| (batch.num_rows(), batch.num_columns()))
            .fold((0, 0), |(n, _), (m, c)| (n + m, c)),
        (100_000, 2),
    )
}

async fn delta_merge(spark: SparkSession) -> Result<(), Failed> {
    let table = unique("merged");
    let first = run("delta_merge", &[&table, "1"]).await?;
    let again = run("delta_merge", &[&table, "1"]).await?;
    let rows: Vec<(i64, String)> = spark.table(&table).order_by(["id"]).collect_as().await?;
    spark.sql(&format!("DROP TABLE {table}")).await?;
    same((first.contains("is at version"), again.contains("was merged before")), (true, true))?;
    same(rows, vec![(1, "Ada".to_owned()), (2, "Grace".to_owned())])
}

async fn streaming(spark: SparkSession) -> Result<(), Failed> {
    let (table, folder) = (unique("counted"), tempfile::tempdir()?);
    let checkpoint = folder.path().join("checkpoint").display().to_string();
    let printed = run("streaming", &[&table, &checkpoint, "10"]).await?;
    spark.sql(&format!("DROP TABLE {table}")).await?;
    // How many windows are complete after ten seconds depends on the machine.
    same(printed.contains("start") && printed.contains("rows"), true)
}
