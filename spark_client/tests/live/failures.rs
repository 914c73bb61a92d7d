//! Failures of the server as typed errors, and interruption.

use crate::support::{live, same, unique, until};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    ErrorKind, SparkSession,
    functions::{col, expr},
};
use std::{error::Error as _, time::Duration};

pub fn tests() -> Vec<Trial> {
    vec![
        live("failures::an_unknown_table_is_an_analysis_error", unknown_table),
        live("failures::a_typing_error_is_a_parse_error", typing_error),
        live("failures::a_failing_row_keeps_its_class", failing_row),
        live("failures::dropping_a_result_interrupts_it", dropped_result),
        live("failures::interrupting_a_tag_stops_what_has_it", interrupted_tag),
        live("failures::a_stopped_session_is_gone", stopped_session),
        live("failures::a_wrong_type_is_a_decode_error", wrong_type),
    ]
}

async fn unknown_table(spark: SparkSession) -> Result<(), Failed> {
    let name = unique("nothing");
    let error = spark.table(&name).collect().await.err().ok_or("no error")?;
    same(error.kind(), ErrorKind::Analysis)?;
    same(error.error_class(), Some("TABLE_OR_VIEW_NOT_FOUND"))?;
    same(error.sql_state(), Some("42P01"))?;
    same(error.message_parameter("relationName"), Some(format!("`{name}`").as_str()))?;
    same((error.is_table_not_found(), error.is_retryable(), error.is_session_gone()), (true, false, false))
}

async fn typing_error(spark: SparkSession) -> Result<(), Failed> {
    let error = spark.sql("SELEC 1").await.err().ok_or("no error")?;
    same(error.kind(), ErrorKind::Parse)?;
    same(error.error_class(), Some("PARSE_SYNTAX_ERROR"))
}

async fn failing_row(spark: SparkSession) -> Result<(), Failed> {
    let divided = spark.range(0..10).select([expr("1 / (id - 7)").alias("x")]);
    let error = divided.collect().await.err().ok_or("no error")?;
    same(error.kind(), ErrorKind::Execution)?;
    same(error.error_class(), Some("DIVIDE_BY_ZERO"))?;
    let server = error.server().ok_or("no details")?;
    same(server.is_a("ArithmeticException"), true)?;
    same(server.query_contexts().is_empty(), false)?;
    // The chain of causes ends.
    let mut cause = error.source();
    while let Some(next) = cause {
        cause = next.source();
    }
    Ok(())
}

/// Rows that take about a minute each.
fn slow(spark: &SparkSession) -> spark_client::DataFrame {
    let sleep = expr("java_method('java.lang.Thread', 'sleep', 60000L + id)");
    spark.range_by(0..2, 1, Some(1)).select([sleep.alias("x")]).filter(col("x").is_not_null())
}

async fn running_operations(spark: &SparkSession, tag: &str) -> Result<usize, Failed> {
    Ok(spark.interrupt_tag(tag).await?.len())
}

async fn dropped_result(spark: SparkSession) -> Result<(), Failed> {
    spark.add_tag("dropped")?;
    let waiting = tokio::time::timeout(Duration::from_secs(2), slow(&spark).collect()).await;
    spark.remove_tag("dropped");
    same(waiting.is_err(), true)?;
    // The server lists only operations that run: none is left once the interrupt has come.
    until("the dropped operation is gone", async || Ok(running_operations(&spark, "dropped").await? == 0))
        .await
}

async fn interrupted_tag(spark: SparkSession) -> Result<(), Failed> {
    spark.add_tag("tagged")?;
    let work = tokio::spawn({
        let slow = slow(&spark);
        async move { slow.collect().await.err() }
    });
    until("the operation runs", async || Ok(running_operations(&spark, "tagged").await? == 1)).await?;
    let error = work.await?.ok_or("the operation was not interrupted")?;
    same(error.is_cancelled(), true)?;
    same(spark.add_tag("a,b").is_err(), true)
}

async fn stopped_session(spark: SparkSession) -> Result<(), Failed> {
    let other = spark.new_session().await?;
    other.stop().await?;
    let error = other.range(0..1).collect().await.err().ok_or("no error")?;
    same(error.is_session_gone(), true)
}

async fn wrong_type(spark: SparkSession) -> Result<(), Failed> {
    let error = spark.sql("SELECT 'x' AS n").await?.collect_as::<(i64,)>().await.err().ok_or("no error")?;
    same(error.kind(), ErrorKind::Decode)?;
    same(error.to_string().contains("n Utf8"), true)
}
