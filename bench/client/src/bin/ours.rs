//! One measurement of spark_client: `ours first|collect|select|plans|upload|stream GIB`.

use arrow::{
    array::{Float64Array, Int64Array, RecordBatch, StringArray},
    datatypes::{DataType, Field, Schema},
};
use client_bench::{
    COLLECTED, COLUMNS, Failure, PARTITIONS, PLAN_COLUMNS, PLANS, QUERIES, UPLOADED, report,
    report_latencies, require_rows,
};
use futures::TryStreamExt as _;
use spark_client::{
    DataFrame, SparkSession,
    functions::{col, expr},
};
use std::{env, sync::Arc, time::Instant};

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let spark = SparkSession::builder().connect().await?;
    spark.range(0..1).collect().await?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["first"] => first(&spark).await?,
        ["collect"] => collect(&spark).await?,
        ["select"] => select(&spark).await?,
        ["plans"] => plans(&spark).await?,
        ["upload"] => upload(&spark).await?,
        ["stream", gib] => stream(&spark, gib.parse()?).await?,
        _ => return Err("no such measurement".into()),
    }
    // Spark refuses it for a moment when an operation was interrupted just before, as by `first`.
    let _ = spark.stop().await;
    Ok(())
}

fn collected(spark: &SparkSession) -> DataFrame {
    spark.range_by(0..COLLECTED, 1, Some(PARTITIONS)).select(COLUMNS.map(expr))
}

async fn first(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    let mut stream = collected(spark).stream().await?;
    stream.try_next().await?.ok_or("no batch")?;
    report(started.elapsed(), &[])
}

async fn collect(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    let batches = collected(spark).collect().await?;
    let elapsed = started.elapsed();
    require_rows(batches.iter().map(RecordBatch::num_rows).sum(), COLLECTED)?;
    report(elapsed, &[])
}

async fn select(spark: &SparkSession) -> Result<(), Failure> {
    let mut latencies = Vec::new();
    for _ in 0..QUERIES.0 + QUERIES.1 {
        let started = Instant::now();
        let rows: Vec<(i32,)> = spark.sql("select 1").await?.collect_as().await?;
        latencies.push(started.elapsed());
        require_rows(rows.len(), 1)?;
    }
    report_latencies(latencies.split_off(QUERIES.0))
}

async fn plans(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    for plan in 0..PLANS {
        let column = |n: i64| (col("id") + (plan * PLAN_COLUMNS + n)).cast("string").alias(&format!("c{n}"));
        let columns = spark.range(0..1).select((0..PLAN_COLUMNS).map(column)).columns().await?;
        require_rows(columns.len(), PLAN_COLUMNS)?;
    }
    report(started.elapsed(), &[])
}

async fn upload(spark: &SparkSession) -> Result<(), Failure> {
    let schema = Schema::new(vec![
        Field::new("id", DataType::Int64, false),
        Field::new("amount", DataType::Float64, false),
        Field::new("name", DataType::Utf8, false),
    ]);
    let rows = RecordBatch::try_new(
        Arc::new(schema),
        vec![
            Arc::new(Int64Array::from_iter_values(0..UPLOADED)),
            Arc::new(Float64Array::from_iter_values((0..UPLOADED).map(|id| id as f64 * 0.5))),
            Arc::new(StringArray::from_iter_values((0..UPLOADED).map(|id| format!("customer{id}")))),
        ],
    )?;
    let started = Instant::now();
    let counted = spark.create_data_frame([&rows]).await?.count().await?;
    let elapsed = started.elapsed();
    require_rows(counted as usize, UPLOADED)?;
    report(elapsed, &[])
}

/// Rows of 1 KiB, of which none is kept.
async fn stream(spark: &SparkSession, gib: i64) -> Result<(), Failure> {
    let rows = gib << 20;
    let started = Instant::now();
    let wide = spark
        .range_by(0..rows, 1, Some(i32::try_from(gib * 32)?))
        .select([col("id"), expr("lpad(id, 1012, 'x')").alias("text")]);
    let mut stream = wide.stream().await?;
    let (mut found, mut bytes) = (0, 0);
    while let Some(batch) = stream.try_next().await? {
        found += batch.num_rows();
        bytes += batch.get_array_memory_size();
    }
    let elapsed = started.elapsed();
    require_rows(found, rows)?;
    report(elapsed, &[("mib", bytes as f64 / f64::from(1 << 20))])
}
