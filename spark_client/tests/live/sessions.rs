//! Settings and the life of sessions.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use spark_client::SparkSession;

const SETTING: &str = "spark.sql.broadcastTimeout";

pub fn tests() -> Vec<Trial> {
    vec![
        live("sessions::settings_are_set_and_unset", settings),
        live("sessions::new_sessions_share_nothing", new_session),
        live("sessions::clones_begin_alike", cloned_session),
        live("sessions::the_version_is_told", version),
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
