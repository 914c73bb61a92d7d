//! Rows and files that go to the server.

use crate::support::{live, same};
use libtest_mimic::{Failed, Trial};
use serde::{Deserialize, Serialize};
use spark_client::{
    ArtifactKind, SparkSession,
    arrow::{
        array::{Int64Array, RecordBatch, StringArray},
        datatypes::{DataType, Field, Schema},
    },
    functions::{col, count, lit, max, min, sum},
};
use std::{io::Write as _, sync::Arc};

pub fn tests() -> Vec<Trial> {
    vec![
        live("uploads::many_rows_arrive_in_chunks", many_rows),
        live("uploads::several_batches_are_one_frame", several_batches),
        live("uploads::values_become_rows", values),
        live("uploads::files_reach_the_session", files),
        live("uploads::a_file_is_copied_to_the_server", copied),
    ]
}

fn batch(rows: std::ops::Range<i64>) -> Result<RecordBatch, Failed> {
    let schema =
        Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("text", DataType::Utf8, true)]);
    let texts: StringArray = rows.clone().map(|id| (id % 7 != 0).then(|| format!("row {id}"))).collect();
    let columns: Vec<spark_client::arrow::array::ArrayRef> =
        vec![Arc::new(Int64Array::from_iter_values(rows)), Arc::new(texts)];
    Ok(RecordBatch::try_new(Arc::new(schema), columns)?)
}

async fn many_rows(spark: SparkSession) -> Result<(), Failed> {
    // More than one chunk of rows, and above the size from which on rows are uploaded.
    let rows = 100_000;
    let frame = spark.create_data_frame([&batch(0..rows)?]).await?;
    let figures: Vec<(i64, i64, i64, i64, i64)> =
        frame.agg([count(lit(1)), count("text"), min("id"), max("id"), sum("id")]).collect_as().await?;
    let nulls = (rows + 6) / 7;
    same(figures, vec![(rows, rows - nulls, 0, rows - 1, rows * (rows - 1) / 2)])?;
    let wrong = frame
        .filter(col("text").neq(spark_client::functions::concat([lit("row "), col("id").cast("string")])));
    same(wrong.count().await?, 0)?;
    // The server has the chunks already.
    same(spark.create_data_frame([&batch(0..rows)?]).await?.count().await?, rows)
}

async fn several_batches(spark: SparkSession) -> Result<(), Failed> {
    let batches = [batch(0..10)?, batch(10..10)?, batch(10..25)?];
    same(spark.create_data_frame(&batches).await?.count().await?, 25)?;
    let other = batch(0..3)?.project(&[0])?;
    same(spark.create_data_frame([&batches[0], &other]).await.is_err(), true)?;
    same(spark.create_data_frame([]).await.is_err(), true)
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Sale {
    id: u32,
    country: String,
    amount: Option<f64>,
    tags: Vec<String>,
}

async fn values(spark: SparkSession) -> Result<(), Failed> {
    let sale = |id, country: &str, amount, tags: &[&str]| Sale {
        id,
        country: country.to_owned(),
        amount,
        tags: tags.iter().map(ToString::to_string).collect(),
    };
    let sales = vec![sale(1, "FR", Some(2.5), &["a", "b"]), sale(u32::MAX, "ES", None, &[])];
    let frame = spark.create_data_frame_of(&sales).await?;
    let types: Vec<_> =
        frame.schema().await?.fields.iter().map(|field| field.data_type.to_string()).collect();
    same(types, ["bigint", "string", "double", "array<string>"].map(str::to_owned).to_vec())?;
    same(frame.order_by(["id"]).collect_as::<Sale>().await?, sales)
}

async fn files(spark: SparkSession) -> Result<(), Failed> {
    let mut file = tempfile::Builder::new().prefix("lines").suffix(".txt").tempfile()?;
    for line in 0..60_000 {
        writeln!(file, "line {line}")?;
    }
    file.flush()?;
    spark.add_artifact(file.path(), ArtifactKind::File).await?;
    let jar =
        spark.add_artifact(file.path(), ArtifactKind::Jar).await.err().ok_or("a text was taken for a jar")?;
    same(jar.to_string().contains(".jar"), true)?;
    let missing =
        spark.add_artifact("/nowhere/a.txt", ArtifactKind::File).await.err().ok_or("no file, no error")?;
    same(missing.to_string().contains("/nowhere/a.txt"), true)
}

async fn copied(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let (here, there) = (folder.path().join("here.txt"), folder.path().join("there.txt"));
    // More than one piece of an upload, so that pieces are put together again.
    let text: String = (0..20_000).map(|line| format!("line {line}\n")).collect();
    std::fs::write(&here, &text)?;
    let destination = there.display().to_string();
    let refused = spark.copy_from_local_to_fs(&here, &destination).await;
    same(refused.is_err(), true)?;
    spark.conf().set("spark.sql.artifact.copyFromLocalToFs.allowDestLocal", true).await?;
    spark.copy_from_local_to_fs(&here, &destination).await?;
    same(std::fs::read_to_string(&there)? == text, true)?;
    same(spark.copy_from_local_to_fs(&here, "there.txt").await.is_err(), true)
}
