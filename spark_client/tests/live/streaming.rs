//! Streaming queries.

use crate::support::{live, same, unique, until};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    ErrorKind, OutputMode, SparkSession, Trigger,
    functions::{col, lit, raise_error, when},
};
use std::time::Duration;

pub fn tests() -> Vec<Trial> {
    vec![
        live("streaming::files_reach_a_table_exactly_once", files_reach_a_table),
        live("streaming::a_rate_source_reports_progress", rate_source),
        live("streaming::a_failed_query_says_why", failed_query),
    ]
}

async fn files_reach_a_table(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (source, checkpoint) = (path("source"), path("checkpoint"));
    let table = unique("sink");
    spark.sql(&format!("CREATE TABLE {table} (id BIGINT) USING delta LOCATION '{}'", path("sink"))).await?;
    let run = async || -> Result<(), Failed> {
        let query = spark
            .read_stream()
            .format("parquet")
            .schema("id BIGINT")
            .load_path(&source)
            .write_stream()
            .format("delta")
            .option("checkpointLocation", &checkpoint)
            .output_mode(OutputMode::Append)
            .trigger(Trigger::AvailableNow)
            .to_table(&table)
            .await?;
        same(query.await_termination(Some(Duration::from_secs(60))).await?, true)?;
        same(query.exception().await?, None)
    };
    spark.range(0..100).write().parquet(&source).await?;
    run().await?;
    same(spark.table(&table).count().await?, 100)?;
    // Nothing new: the checkpoint keeps the same files from being read again.
    run().await?;
    same(spark.table(&table).count().await?, 100)?;
    spark.sql(&format!("DROP TABLE {table}")).await?;
    Ok(())
}

async fn rate_source(spark: SparkSession) -> Result<(), Failed> {
    let name = unique("rate");
    let query = spark
        .read_stream()
        .format("rate")
        .option("rowsPerSecond", 50)
        .load()
        .write_stream()
        .format("memory")
        .query_name(&name)
        .trigger(Trigger::ProcessingTime(Duration::from_millis(200)))
        .start()
        .await?;
    same(query.name(), Some(name.as_str()))?;
    until("rows in the memory table", async || Ok(spark.table(&name).count().await? > 0)).await?;
    until("progress", async || Ok(query.last_progress().await?.is_some_and(|p| p.num_input_rows() > 0)))
        .await?;
    let progress = query.recent_progress().await?;
    same(progress.iter().all(|p| p.id == query.id() && p.run_id == query.run_id()), true)?;
    same(query.is_active().await?, true)?;
    let active: Vec<_> = spark.streams().active().await?.iter().map(|q| q.id().to_owned()).collect();
    same(active, vec![query.id().to_owned()])?;
    same(spark.streams().get(query.id()).await?.is_some(), true)?;
    same(query.await_termination(Some(Duration::from_millis(50))).await?, false)?;
    query.stop().await?;
    same(query.is_active().await?, false)?;
    same(spark.streams().active().await?.len(), 0)
}

async fn failed_query(spark: SparkSession) -> Result<(), Failed> {
    let broken = when(col("value").geq(0), raise_error("no such luck")).otherwise(lit("fine"));
    let query = spark
        .read_stream()
        .format("rate")
        .option("rowsPerSecond", 50)
        .load()
        .select([broken.alias("x")])
        .write_stream()
        .format("memory")
        .query_name(&unique("broken"))
        .start()
        .await?;
    let error = query.await_termination(Some(Duration::from_secs(60))).await.err();
    let error = error.ok_or("the query did not fail")?;
    same(error.kind(), ErrorKind::StreamingQuery)?;
    let failure = query.exception().await?.ok_or("no exception")?;
    same(failure.message.contains("no such luck"), true)
}
