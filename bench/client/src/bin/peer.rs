//! One measurement of crate apache-spark-connect: `peer first|collect|select|plans|upload|stream GIB`.

use client_bench::{
    COLLECTED, COLUMNS, Failure, PARTITIONS, PLAN_COLUMNS, PLANS, QUERIES, UPLOADED, report,
    report_latencies, require_rows,
};
use spark_connect::{
    DataFrame, DataType, SparkSession, col,
    functions::expr,
    lit,
    row::{Row, Value},
};
use std::{env, time::Instant};

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let spark = SparkSession::builder().remote(&env::var("SPARK_REMOTE")?).get_or_create()?;
    spark.range(1)?.collect_record_batches()?;
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["first"] => first(&spark)?,
        ["collect"] => collect(&spark)?,
        ["select"] => select(&spark)?,
        ["plans"] => plans(&spark)?,
        ["upload"] => upload(&spark)?,
        ["stream", gib] => stream(&spark, gib.parse()?)?,
        _ => return Err("no such measurement".into()),
    }
    Ok(spark.stop()?)
}

fn collected(spark: &SparkSession) -> Result<DataFrame, Failure> {
    Ok(spark.range_full(0, COLLECTED, 1, Some(PARTITIONS))?.select_expr(COLUMNS.to_vec()))
}

/// The crate gives rows where the others give batches: it makes rows of the first batch here.
fn first(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    collected(spark)?.to_local_iterator(false)?.next().ok_or("no row")??;
    report(started.elapsed(), &[])
}

fn collect(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    let batches = collected(spark)?.collect_record_batches()?;
    let elapsed = started.elapsed();
    require_rows(batches.iter().map(|batch| batch.num_rows()).sum(), COLLECTED)?;
    report(elapsed, &[])
}

fn select(spark: &SparkSession) -> Result<(), Failure> {
    let mut latencies = Vec::new();
    for _ in 0..QUERIES.0 + QUERIES.1 {
        let started = Instant::now();
        let rows = spark.sql("select 1")?.collect()?;
        latencies.push(started.elapsed());
        require_rows(rows.len(), 1)?;
    }
    report_latencies(latencies.split_off(QUERIES.0))
}

fn plans(spark: &SparkSession) -> Result<(), Failure> {
    let started = Instant::now();
    for plan in 0..PLANS {
        let column =
            |n: i64| (col("id") + lit(plan * PLAN_COLUMNS + n)).cast_str("string").alias(&format!("c{n}"));
        let schema = spark.range(1)?.select((0..PLAN_COLUMNS).map(column)).schema()?;
        let DataType::Struct { fields } = schema else { return Err("no columns".into()) };
        require_rows(fields.len(), PLAN_COLUMNS)?;
    }
    report(started.elapsed(), &[])
}

fn upload(spark: &SparkSession) -> Result<(), Failure> {
    let schema = DataType::from_ddl("id bigint, amount double, name string")?;
    let names = ["id", "amount", "name"].map(str::to_owned).to_vec();
    let row = |id: i64| {
        let values =
            vec![Value::Long(id), Value::Double(id as f64 * 0.5), Value::String(format!("customer{id}"))];
        Row::new(names.clone(), values)
    };
    let rows = (0..UPLOADED).map(row).collect();
    let started = Instant::now();
    let counted = spark.create_dataframe(rows, schema)?.count()?;
    let elapsed = started.elapsed();
    require_rows(counted as usize, UPLOADED)?;
    report(elapsed, &[])
}

fn stream(spark: &SparkSession, gib: i64) -> Result<(), Failure> {
    let rows = gib << 20;
    let started = Instant::now();
    let wide = spark
        .range_full(0, rows, 1, Some(i32::try_from(gib * 32)?))?
        .select([col("id"), expr("lpad(id, 1012, 'x')").alias("text")]);
    let mut found = 0;
    for row in wide.to_local_iterator(false)? {
        row?;
        found += 1;
    }
    let elapsed = started.elapsed();
    require_rows(found, rows)?;
    report(elapsed, &[])
}
