//! Delta tables.

use crate::support::{live, same, unique};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    DataFrame, Error, SaveMode, SparkSession,
    delta::IdempotentWrite,
    functions::{col, expr, lit},
};
use tempfile::TempDir;

pub fn tests() -> Vec<Trial> {
    vec![
        live("delta::merge_updates_deletes_and_inserts", merge_all_clauses),
        live("delta::merge_adds_columns", merge_adds_columns),
        live("delta::a_write_of_one_version_happens_once", write_happens_once),
        live("delta::the_identity_of_a_write_leaves_the_session", identity_leaves),
    ]
}

/// A Delta table of (id, name) with version 0 empty and the rows in version 1, in a folder that goes with the test.
pub async fn table(spark: &SparkSession, rows: &str) -> Result<(String, TempDir), Failed> {
    let (name, folder) = (unique("delta"), tempfile::tempdir()?);
    let at = folder.path().display();
    spark.sql(&format!("CREATE TABLE {name} (id INT, name STRING) USING delta LOCATION '{at}'")).await?;
    spark.sql(&format!("INSERT INTO {name} VALUES {rows}")).await?;
    Ok((name, folder))
}

pub async fn rows(spark: &SparkSession, table: &str) -> Result<Vec<(i32, String)>, Error> {
    spark.table(table).select(["id", "name"]).order_by(["id"]).collect_as().await
}

pub async fn changes(spark: &SparkSession) -> Result<DataFrame, Error> {
    let values = "(1, 'one again', 'u'), (2, '', 'd'), (4, 'four', 'u'), (5, 'five', 'd')";
    Ok(spark.sql(&format!("SELECT * FROM VALUES {values} AS t(id, name, op)")).await?.alias("c"))
}

async fn merge_all_clauses(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one'), (2, 'two'), (3, 'three')").await?;
    let merge = changes(&spark)
        .await?
        .merge_into(&name, expr(&format!("{name}.id = c.id")))
        .when_matched(col("c.op").eq("d"))
        .delete()
        .when_matched(None)
        .update([("name", col("c.name"))])
        .when_not_matched(col("c.op").neq("d"))
        .insert([("id", col("c.id")), ("name", col("c.name"))])
        .when_not_matched_by_source(None)
        .update([("name", lit("gone"))]);
    merge.merge().await?;
    let found = rows(&spark, &name).await?;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same(found, vec![(1, "one again".to_owned()), (3, "gone".to_owned()), (4, "four".to_owned())])
}

async fn merge_adds_columns(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one')").await?;
    changes(&spark)
        .await?
        .merge_into(&name, expr(&format!("{name}.id = c.id")))
        .when_matched(None)
        .update_all()
        .when_not_matched(None)
        .insert_all()
        .with_schema_evolution()
        .merge()
        .await?;
    let columns = spark.table(&name).columns().await?;
    let count = spark.table(&name).count().await?;
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same(columns, vec!["id".to_owned(), "name".to_owned(), "op".to_owned()])?;
    same(count, 4)
}

async fn write_happens_once(spark: SparkSession) -> Result<(), Failed> {
    let (name, _folder) = table(&spark, "(1, 'one')").await?;
    let addition = spark.sql("SELECT 2 AS id, 'two' AS name").await?;
    let append = || addition.write().format("delta").mode(SaveMode::Append).save_as_table(&name);
    for _ in 0..3 {
        IdempotentWrite::new("spark_client.tests", 7).run(&spark, append()).await?;
    }
    let once = rows(&spark, &name).await?.len();
    IdempotentWrite::new("spark_client.tests", 6).run(&spark, append()).await?;
    let older = rows(&spark, &name).await?.len();
    IdempotentWrite::new("spark_client.tests", 8).run(&spark, append()).await?;
    let newer = rows(&spark, &name).await?.len();
    append().await?;
    let without = rows(&spark, &name).await?.len();
    spark.sql(&format!("DROP TABLE {name}")).await?;
    same((once, older, newer, without), (2, 2, 3, 4))
}

async fn identity_leaves(spark: SparkSession) -> Result<(), Failed> {
    let setting = async || spark.conf().get("spark.databricks.delta.write.txnAppId").await;
    let write = IdempotentWrite::new("spark_client.tests", 1);
    let inside = write.run(&spark, setting()).await?;
    same(inside, Some("spark_client.tests".to_owned()))?;
    same(setting().await?, None)?;
    let failed = write.run(&spark, spark.sql("SELECT * FROM no_such_table")).await;
    same(failed.is_err_and(|e| e.is_table_not_found()), true)?;
    same(setting().await?, None)?;
    // Dropped in the middle, the scope still ends before the next one begins.
    let endless = write.run(&spark, std::future::pending::<Result<(), Error>>());
    let stopped = tokio::time::timeout(std::time::Duration::from_millis(300), endless).await;
    same(stopped.is_err(), true)?;
    write.run(&spark, async { Ok::<_, Error>(()) }).await?;
    same(setting().await?, None)
}
