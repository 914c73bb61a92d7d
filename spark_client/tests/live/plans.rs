//! Plans that refer to other plans, and what actions say besides their rows.

use crate::support::{live, same, unique, until};
use futures::StreamExt as _;
use libtest_mimic::{Failed, Trial};
use spark_client::arrow::array::RecordBatch;
use spark_client::{
    DataFrame, DataType, Field, JoinType, NearestBy, NearestSearch, Observation, Schema, SparkSession,
    StreamingQueryEvent, Trigger,
    functions::{col, count, grouping_id, lit, max, struct_, sum},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

pub fn tests() -> Vec<Trial> {
    vec![
        live("plans::subqueries", subqueries),
        live("plans::lateral_and_nearest_joins", joins),
        live("plans::grouping_sets", grouping_sets),
        live("plans::a_schema_is_taken_over", to_schema),
        live("plans::rows_are_numbered", numbered),
        live("plans::the_server_compares_plans", compared),
        live("plans::an_observation_counts_on_the_way", observed),
        live("plans::a_failed_observation_says_why", failed_observation),
        live("plans::an_action_tells_what_it_measured", measured),
        live("plans::progress_is_told", progress),
        live("plans::a_checkpoint_lives_as_long_as_its_frame", checkpoint),
        live("plans::statistics", statistics),
        live("plans::a_large_plan_is_compressed", large_plan),
        live("plans::the_events_of_queries_are_streamed", events),
    ]
}

async fn orders(spark: &SparkSession) -> Result<DataFrame, Failed> {
    let rows = "SELECT * FROM VALUES (1, 'a', 10), (2, 'a', 20), (3, 'b', 5) AS o(id, customer, amount)";
    Ok(spark.sql(rows).await?.alias("o"))
}

async fn ids(frame: DataFrame) -> Result<Vec<i32>, Failed> {
    let rows: Vec<(i32,)> = frame.select([col("id")]).order_by(["id"]).collect_as().await?;
    Ok(rows.into_iter().map(|row| row.0).collect())
}

async fn subqueries(spark: SparkSession) -> Result<(), Failed> {
    let (orders, other) = (orders(&spark).await?, orders(&spark).await?.alias("p"));
    let largest = other.select([max("amount")]).scalar();
    same(ids(orders.filter(col("amount").eq(largest.clone()))).await?, vec![2])?;
    let missing: Vec<(i32, i32)> = orders
        .select([col("id"), (largest - col("amount")).alias("missing")])
        .order_by(["id"])
        .collect_as()
        .await?;
    same(missing, vec![(1, 10), (2, 0), (3, 15)])?;
    let larger = other.filter(
        col("p.customer").eq(col("o.customer").outer()) & col("p.amount").gt(col("o.amount").outer()),
    );
    same(ids(orders.filter(larger.exists())).await?, vec![1])?;
    same(ids(orders.filter(!larger.exists())).await?, vec![2, 3])?;
    let of_a = other.filter(col("customer").eq("a"));
    same(ids(orders.filter(col("id").isin_query(&of_a.select(["id"])))).await?, vec![1, 2])?;
    let pairs = of_a.filter(col("id").gt(1)).select(["id", "amount"]);
    same(ids(orders.filter(struct_(["id", "amount"]).isin_query(&pairs))).await?, vec![2])
}

async fn joins(spark: SparkSession) -> Result<(), Failed> {
    let (orders, other) = (orders(&spark).await?, orders(&spark).await?.alias("p"));
    let smaller =
        other.filter(col("p.amount").lt(col("o.amount").outer())).agg([count(lit(1)).alias("smaller")]);
    let counted: Vec<(i32, i64)> = orders
        .lateral_join(&smaller, None, JoinType::Inner)
        .select(["id", "smaller"])
        .order_by(["id"])
        .collect_as()
        .await?;
    same(counted, vec![(1, 1), (2, 2), (3, 0)])?;
    let exploded = spark.tvf().explode(spark_client::functions::sequence(lit(1), lit(2)));
    same(orders.lateral_join(&exploded, None, JoinType::Cross).count().await?, 6)?;
    let points = spark.sql("SELECT * FROM VALUES (9), (18) AS q(at)").await?;
    let distance = spark_client::functions::abs(col("amount") - col("at"));
    let nearest: Vec<(i32, i32)> = orders
        .nearest_by_join(&points, distance, 1, NearestSearch::Exact, NearestBy::Distance, JoinType::Inner)
        .select(["id", "at"])
        .order_by(["id"])
        .collect_as()
        .await?;
    same(nearest, vec![(1, 9), (2, 18), (3, 9)])
}

async fn grouping_sets(spark: SparkSession) -> Result<(), Failed> {
    let sums: Vec<(i64, Option<String>, i64)> = orders(&spark)
        .await?
        .grouping_sets([vec!["customer"], vec![]], ["customer"])
        .agg([grouping_id(["customer"]).alias("level"), sum("amount").alias("amount")])
        .select(["level", "customer", "amount"])
        .order_by(["level", "customer"])
        .collect_as()
        .await?;
    let of = |customer: &str, amount| (0, Some(customer.to_owned()), amount);
    same(sums, vec![of("a", 30), of("b", 5), (1, None, 35)])
}

async fn to_schema(spark: SparkSession) -> Result<(), Failed> {
    let field =
        |name: &str, data_type| Field { name: name.to_owned(), data_type, nullable: true, metadata: None };
    let schema = Schema {
        fields: vec![
            field("amount", DataType::Long),
            field("note", DataType::String),
            field("id", DataType::Integer),
        ],
    };
    let shaped = orders(&spark).await?.to(&schema);
    let types = |schema: Schema| -> Vec<_> {
        schema.fields.into_iter().map(|field| (field.name, field.data_type)).collect()
    };
    same(types(shaped.schema().await?), types(schema.clone()))?;
    let first: Option<(i64, Option<String>, i32)> = shaped.first_as().await?;
    same(first, Some((10, None, 1)))?;
    let empty = spark.empty_data_frame(&schema);
    same((empty.schema().await?, empty.count().await?), (schema, 0))
}

async fn numbered(spark: SparkSession) -> Result<(), Failed> {
    let rows: Vec<(i64, i64)> =
        spark.range_by(10..16, 1, Some(3)).zip_with_index("index").order_by(["id"]).collect_as().await?;
    same(rows, (0..6).map(|i| (10 + i, i)).collect())?;
    let parts = spark
        .range(0..8)
        .repartition_by_id(4, (col("id") % 4).cast("int"))
        .select([spark_client::functions::spark_partition_id().alias("part"), col("id")]);
    let misplaced = parts.filter(col("part").neq((col("id") % 4).cast("int"))).count().await?;
    same(misplaced, 0)
}

async fn compared(spark: SparkSession) -> Result<(), Failed> {
    let (one, same_as_one) = (spark.range(0..5), spark.range(0..5));
    let other = spark.range(0..6);
    same(one.same_semantics(&same_as_one).await?, true)?;
    same(one.same_semantics(&other).await?, false)?;
    same(one.semantic_hash().await? == same_as_one.semantic_hash().await?, true)?;
    same(one.is_streaming().await?, false)?;
    let (folder, local) = (tempfile::tempdir()?, spark.sql("SHOW DATABASES").await?);
    same((local.is_local().await?, one.is_local().await?), (true, false))?;
    let path = folder.path().join("rows").display().to_string();
    one.coalesce(1).write().parquet(&path).await?;
    let files = spark.read().parquet(&path).input_files().await?;
    same(files.iter().filter(|file| file.ends_with(".parquet")).count(), 1)?;
    let tail: usize = one.tail(2).await?.iter().map(RecordBatch::num_rows).sum();
    same(tail, 2)
}

async fn observed(spark: SparkSession) -> Result<(), Failed> {
    let seen = Observation::new(&unique("seen"));
    let rows = orders(&spark).await?.observe(
        &seen,
        [count(lit(1)).alias("rows"), sum("amount").alias("amount"), max("customer").alias("last")],
    );
    same(seen.get()?, None)?;
    let folder = tempfile::tempdir()?;
    rows.write().parquet(&folder.path().join("rows").display().to_string()).await?;
    let figures = seen.get()?.ok_or("nothing was observed")?;
    let integer = |name: &str| figures.get(name).and_then(spark_client::Value::as_i64);
    same((integer("rows"), integer("amount")), (Some(3), Some(35)))?;
    same(figures.get("last").and_then(spark_client::Value::as_str), Some("b"))?;
    rows.filter(col("id").gt(100)).collect().await?;
    same(seen.get()?.is_some(), true)
}

async fn failed_observation(spark: SparkSession) -> Result<(), Failed> {
    let seen = Observation::new(&unique("failed"));
    let divided = spark_client::functions::raise_error(lit("not countable"));
    let rows = spark.range(0..3).observe(&seen, [max(divided).alias("x")]);
    let collected = rows.collect().await;
    // The server either fails the action or notes the failure: never silence.
    same(collected.is_err() || seen.get().is_err(), true)
}

async fn progress(spark: SparkSession) -> Result<(), Failed> {
    let (running, done) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = spark.register_progress_handler({
        let (running, done) = (running.clone(), done.clone());
        move |progress| {
            let counter = if progress.done { &done } else { &running };
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    let slow = "java_method('java.lang.Thread', 'sleep', 5000L + id)";
    spark.range_by(0..1, 1, Some(1)).select_expr([slow]).collect().await?;
    same(done.load(Ordering::Relaxed), 1)?;
    same(running.load(Ordering::Relaxed) > 0, true)?;
    spark.remove_progress_handler(handler);
    spark.range(0..1).collect().await?;
    same(done.load(Ordering::Relaxed), 1)
}

async fn checkpoint(spark: SparkSession) -> Result<(), Failed> {
    let kept = spark.range(0..5).select_expr(["id", "rand() AS x"]).local_checkpoint().await?;
    let (derived, first) = (kept.filter(col("id").lt(3)), kept.collect().await?);
    same(kept.collect().await? == first, true)?;
    drop(kept);
    same(derived.count().await?, 3)
}

async fn statistics(spark: SparkSession) -> Result<(), Failed> {
    let rows = spark.range(0..101).select_expr(["CAST(id AS DOUBLE) AS a", "CAST(id * 2 AS DOUBLE) AS b"]);
    same(
        rows.approx_quantile(["a", "b"], &[0.0, 0.5, 1.0], 0.0).await?,
        vec![vec![0.0, 50.0, 100.0], vec![0.0, 100.0, 200.0]],
    )?;
    same((rows.corr("a", "b").await? - 1.0).abs() < 1e-12, true)?;
    same((rows.cov("a", "b").await? - 1717.0).abs() < 1e-9, true)?;
    let mut parts = 0;
    for part in rows.random_split(&[1.0, 3.0], 7)? {
        parts += part.count().await?;
    }
    same(parts, 101)?;
    same(rows.random_split(&[1.0, -1.0], 7).is_err(), true)
}

async fn large_plan(spark: SparkSession) -> Result<(), Failed> {
    spark.conf().set("spark.connect.session.planCompression.threshold", 100_000).await?;
    let texts = (0..4000).map(|i| lit(format!("{i:0>100}")));
    let found = spark.range(0..1).select([lit("77".to_owned() + &"x".repeat(10)).isin(texts).alias("found")]);
    let rows: Vec<(bool,)> = found.collect_as().await?;
    same(rows, vec![(false,)])
}

async fn events(spark: SparkSession) -> Result<(), Failed> {
    let mut events = spark.streams().events().await?;
    let name = unique("events");
    let query = spark
        .read_stream()
        .format("rate")
        .load()
        .write_stream()
        .format("memory")
        .query_name(&name)
        .trigger(Trigger::ProcessingTime(Duration::from_millis(200)))
        .start()
        .await?;
    until("progress", async || Ok(query.last_progress().await?.is_some())).await?;
    same(query.explain(true).await?.contains("Physical Plan"), true)?;
    query.stop().await?;
    let (mut progressed, mut terminated) = (false, false);
    while !terminated {
        let next = tokio::time::timeout(Duration::from_secs(60), events.next()).await?;
        match next.ok_or("the stream of events ended")?? {
            StreamingQueryEvent::Progress(progress) if progress.id == query.id() => progressed = true,
            StreamingQueryEvent::Terminated(event) if event.id == query.id() => terminated = true,
            _ => {}
        }
    }
    same(progressed, true)
}

async fn measured(spark: SparkSession) -> Result<(), Failed> {
    let groups = spark.range(0..1000).group_by([(col("id") % 7).alias("k")]).count();
    let (batches, info) = groups.collect_with_info().await?;
    same(batches.iter().map(RecordBatch::num_rows).sum::<usize>(), 7)?;
    let output =
        info.nodes.iter().flat_map(|node| &node.metrics).filter(|m| m.name == "number of output rows");
    let rows: Vec<_> = output.map(|metric| metric.value).collect();
    same(rows.contains(&7) && rows.contains(&1000), true)?;
    let mut stream = groups.stream().await?;
    while stream.next().await.transpose()?.is_some() {}
    same(stream.execution_info().is_some_and(|info| !info.nodes.is_empty()), true)?;
    same((groups.is_empty().await?, groups.filter("k > 7").is_empty().await?), (false, true))
}
