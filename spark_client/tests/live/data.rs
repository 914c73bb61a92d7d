//! Tables, files, views and rows of this process.

use crate::support::{live, same, unique};
use arrow::{
    array::{Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use libtest_mimic::{Failed, Trial};
use spark_client::{
    SaveMode, SparkSession, arrow,
    functions::{col, from_avro, struct_, to_avro_with_schema, transform},
};
use std::sync::Arc;

pub fn tests() -> Vec<Trial> {
    vec![
        live("data::a_temp_view_is_seen_by_sql", temp_view),
        live("data::parquet_files_are_appended_and_overwritten", parquet_files),
        live("data::a_table_is_made_and_listed", table_is_listed),
        live("data::sql_commands_run_once", sql_commands_run_once),
        live("data::rows_of_this_process", local_rows),
        live("data::avro_round_trip", avro_round_trip),
        live("data::lambdas_run", lambdas_run),
    ]
}

async fn temp_view(spark: SparkSession) -> Result<(), Failed> {
    let view = unique("view");
    spark.range(0..5).create_or_replace_temp_view(&view).await?;
    let total = spark.sql(&format!("SELECT sum(id) FROM {view}")).await?;
    same(total.collect_as::<(i64,)>().await?, vec![(10,)])?;
    same(spark.catalog().drop_temp_view(&view).await?, true)?;
    same(spark.catalog().drop_temp_view(&view).await?, false)
}

async fn parquet_files(spark: SparkSession) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("numbers").display().to_string();
    let count = async || spark.read().parquet(&path).count().await;
    spark.range(0..10).write().parquet(&path).await?;
    same(count().await?, 10)?;
    spark.range(0..5).write().format("parquet").mode(SaveMode::Append).save(&path).await?;
    same(count().await?, 15)?;
    spark.range(0..3).write().format("parquet").mode(SaveMode::Overwrite).save(&path).await?;
    same(count().await?, 3)?;
    let refused = spark.range(0..1).write().parquet(&path).await;
    same(
        refused.err().and_then(|e| e.error_class().map(str::to_owned)),
        Some("PATH_ALREADY_EXISTS".to_owned()),
    )
}

async fn table_is_listed(spark: SparkSession) -> Result<(), Failed> {
    let (database, folder) = (unique("db"), tempfile::tempdir()?);
    spark.sql(&format!("CREATE DATABASE {database} LOCATION '{}'", folder.path().display())).await?;
    same(spark.catalog().database_exists(&database).await?, true)?;
    let table = format!("{database}.numbers");
    same(spark.catalog().table_exists(&table).await?, false)?;
    spark.range(0..4).write().format("parquet").save_as_table(&table).await?;
    same(spark.catalog().table_exists(&table).await?, true)?;
    spark.range(4..6).write().insert_into(&table).await?;
    spark.catalog().refresh_table(&table).await?;
    same(spark.table(&table).count().await?, 6)?;
    let names: Vec<_> =
        spark.catalog().list_tables(Some(&database)).await?.into_iter().map(|table| table.name).collect();
    same(names, vec!["numbers".to_owned()])?;
    spark.sql(&format!("DROP DATABASE {database} CASCADE")).await?;
    same(spark.catalog().database_exists(&database).await?, false)
}

async fn sql_commands_run_once(spark: SparkSession) -> Result<(), Failed> {
    let (table, folder) = (unique("once"), tempfile::tempdir()?);
    spark
        .sql(&format!("CREATE TABLE {table} (n INT) USING parquet LOCATION '{}'", folder.path().display()))
        .await?;
    let inserted = spark.sql(&format!("INSERT INTO {table} VALUES (1)")).await?;
    // Looking at what the command answered must not run it again.
    inserted.collect().await?;
    inserted.collect().await?;
    let rows = spark.table(&table).collect_as::<(i32,)>().await?;
    spark.sql(&format!("DROP TABLE {table}")).await?;
    same(rows, vec![(1,)])
}

async fn local_rows(spark: SparkSession) -> Result<(), Failed> {
    let schema =
        Schema::new(vec![Field::new("id", DataType::Int64, false), Field::new("name", DataType::Utf8, true)]);
    let batch = RecordBatch::try_new(
        Arc::new(schema),
        vec![Arc::new(Int64Array::from(vec![1, 2])), Arc::new(StringArray::from(vec![Some("a"), None]))],
    )?;
    let rows = spark.create_data_frame([&batch]).await?.order_by([col("id").desc()]);
    same(rows.collect_as::<(i64, Option<String>)>().await?, vec![(2, None), (1, Some("a".to_owned()))])
}

async fn avro_round_trip(spark: SparkSession) -> Result<(), Failed> {
    let schema = r#"{"type": "record", "name": "r", "fields": [
        {"name": "id", "type": "long"}, {"name": "name", "type": ["null", "string"]}]}"#;
    let decoded = spark
        .sql("SELECT 7L AS id, 'pen' AS name")
        .await?
        .select([to_avro_with_schema(struct_(["id", "name"]), schema).alias("payload")])
        .select([from_avro("payload", schema).alias("event")])
        .select([col("event.id"), col("event.name")]);
    same(decoded.collect_as::<(i64, Option<String>)>().await?, vec![(7, Some("pen".to_owned()))])
}

async fn lambdas_run(spark: SparkSession) -> Result<(), Failed> {
    let numbers = spark.sql("SELECT array(1, 2, 3) AS numbers").await?;
    let doubled = numbers.select([transform("numbers", |x| x * 2).alias("doubled")]);
    same(doubled.collect_as::<(Vec<i32>,)>().await?, vec![(vec![2, 4, 6],)])
}
