//! Settings and the life of sessions.

use crate::support::{live, same, unique, until};
use futures::TryStreamExt as _;
use libtest_mimic::{Failed, Trial};
use spark_client::{OperationState, SparkSession, functions::expr};

const SETTING: &str = "spark.sql.broadcastTimeout";

pub fn tests() -> Vec<Trial> {
    vec![
        live("sessions::settings_are_set_and_unset", settings),
        live("sessions::new_sessions_share_nothing", new_session),
        live("sessions::clones_begin_alike", cloned_session),
        live("sessions::the_version_is_told", version),
        live("sessions::operations_are_followed", operations),
        live("sessions::a_session_ends_right_after_a_dropped_stream", ended_after_drop),
    ]
}

async fn settings(spark: SparkSession) -> Result<(), Failed> {
    let conf = spark.conf();
    let default = conf.get(SETTING).await?;
    conf.set(SETTING, 17).await?;
    same(conf.get(SETTING).await?, Some("17".to_owned()))?;
    same(conf.get_all("spark.sql.broadcast").await?.get(SETTING).cloned(), Some("17".to_owned()))?;
    conf.unset(SETTING).await?;
    same(conf.get(SETTING).await?, default)?;
    same(conf.get(&unique("spark.nothing")).await?, None)?;
    same(conf.is_modifiable(SETTING).await?, true)?;
    let configured = SparkSession::builder().config(SETTING, 3).connect().await?;
    let value = configured.conf().get(SETTING).await?;
    configured.stop().await?;
    same(value, Some("3".to_owned()))
}

async fn new_session(spark: SparkSession) -> Result<(), Failed> {
    let view = unique("view");
    spark.range(0..1).create_or_replace_temp_view(&view).await?;
    let other = spark.new_session().await?;
    let seen = other.catalog().table_exists(&view).await?;
    let moved = spark.range(0..3).in_session(&other).count().await?;
    other.stop().await?;
    same((seen, moved), (false, 3))
}

async fn cloned_session(spark: SparkSession) -> Result<(), Failed> {
    let view = unique("view");
    spark.range(0..1).create_or_replace_temp_view(&view).await?;
    spark.conf().set(SETTING, 19).await?;
    let clone = spark.clone_session().await?;
    let seen = clone.catalog().table_exists(&view).await?;
    let value = clone.conf().get(SETTING).await?;
    clone.stop().await?;
    same((seen, value), (true, Some("19".to_owned())))
}

async fn version(spark: SparkSession) -> Result<(), Failed> {
    same(spark.version().await?.split('.').count() >= 3, true)
}

async fn operations(spark: SparkSession) -> Result<(), Failed> {
    let sleep = expr("java_method('java.lang.Thread', 'sleep', 60000L + id)");
    let slow = spark.range_by(0..1, 1, Some(1)).select([sleep.alias("x")]);
    let work = tokio::spawn(async move { slow.collect().await.err() });
    let all = async || spark.operation_statuses([] as [&str; 0]).await;
    let running = async || {
        let all = all().await?;
        Ok::<_, Failed>(all.into_iter().find(|operation| operation.state == OperationState::Running))
    };
    until("the operation runs", async || Ok(running().await?.is_some())).await?;
    let id = running().await?.ok_or("it is gone")?.operation_id;
    same(spark.interrupt_operation(&id).await?, vec![id.clone()])?;
    same(work.await?.is_some_and(|error| error.is_cancelled()), true)?;
    let ended = spark.operation_statuses([id.as_str(), "00000000-0000-0000-0000-000000000000"]).await?;
    same(ended.len(), 2)?;
    same(ended.iter().any(|operation| operation.state == OperationState::Running), false)
}

/// The server is interrupting the operation while its session ends.
async fn ended_after_drop(_: SparkSession) -> Result<(), Failed> {
    for _ in 0..20 {
        let spark = SparkSession::builder().connect().await?;
        let mut stream = spark.range_by(0..2_000_000, 1, Some(20)).stream().await?;
        same(stream.try_next().await?.is_some(), true)?;
        drop(stream);
        spark.stop().await?;
    }
    Ok(())
}
