//! Queries and their results.

use crate::support::{ids_in_order, live, same};
use futures::TryStreamExt as _;
use libtest_mimic::{Failed, Trial};
use serde::Deserialize;
use spark_client::{
    DataType, ExplainMode, JoinType, SparkSession, SqlArguments, Window, arrow,
    functions::{col, expr, lit, row_number, sum, when},
    quoted_text,
};

pub fn tests() -> Vec<Trial> {
    vec![
        live("queries::two_million_rows_are_collected_exactly", two_million_rows),
        live("queries::rows_stream_in_order", rows_stream_in_order),
        live("queries::rows_become_values", rows_become_values),
        live("queries::types_become_values", types_become_values),
        live("queries::sql_takes_arguments", sql_takes_arguments),
        live("queries::joins_groups_and_windows", joins_groups_and_windows),
        live("queries::an_empty_result_is_empty", an_empty_result),
        live("queries::schema_and_explanation", schema_and_explanation),
    ]
}

async fn two_million_rows(spark: SparkSession) -> Result<(), Failed> {
    let batches = spark.range(0..2_000_000).collect().await?;
    same(ids_in_order(&batches)?, 2_000_000)
}

async fn rows_stream_in_order(spark: SparkSession) -> Result<(), Failed> {
    let mut stream = spark.range_by(0..300_000, 1, Some(7)).stream().await?;
    let mut batches = Vec::new();
    while let Some(batch) = stream.try_next().await? {
        batches.push(batch);
    }
    same(ids_in_order(&batches)?, 300_000)
}

async fn rows_become_values(spark: SparkSession) -> Result<(), Failed> {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Item {
        id: i32,
        name: Option<String>,
        tags: Vec<String>,
    }
    let items: Vec<Item> = spark
        .sql("SELECT * FROM VALUES (1, 'pen', array('a', 'b')), (2, NULL, array()) AS t(id, name, tags) ORDER BY id")
        .await?
        .collect_as()
        .await?;
    let item = |id, name: Option<&str>, tags: &[&str]| Item {
        id,
        name: name.map(str::to_owned),
        tags: tags.iter().map(|&tag| tag.to_owned()).collect(),
    };
    same(items, vec![item(1, Some("pen"), &["a", "b"]), item(2, None, &[])])?;
    same(spark.range(0..41).count().await?, 41)?;
    same(spark.range(3..9).first_as::<(i64,)>().await?, Some((3,)))
}

async fn types_become_values(spark: SparkSession) -> Result<(), Failed> {
    #[derive(Debug, PartialEq, Deserialize)]
    struct Row {
        price: String,
        at: chrono::DateTime<chrono::Utc>,
        micros: i64,
        day: chrono::NaiveDate,
        bytes: Vec<u8>,
        nested: Nested,
        yes: bool,
        ratio: f64,
    }
    #[derive(Debug, PartialEq, Deserialize)]
    struct Nested {
        a: i64,
    }
    let rows: Vec<Row> = spark
        .sql(
            "SELECT CAST(12.50 AS DECIMAL(10,2)) price, TIMESTAMP'2026-01-02 03:04:05.678901Z' at, \
             TIMESTAMP'1970-01-01 00:00:01Z' micros, DATE'2026-01-02' day, X'00FF' bytes, \
             named_struct('a', 7L) nested, true yes, 0.5D ratio",
        )
        .await?
        .collect_as()
        .await?;
    let expected = Row {
        price: "12.50".to_owned(),
        at: "2026-01-02T03:04:05.678901Z".parse()?,
        micros: 1_000_000,
        day: "2026-01-02".parse()?,
        bytes: vec![0, 255],
        nested: Nested { a: 7 },
        yes: true,
        ratio: 0.5,
    };
    same(rows, vec![expected])
}

async fn sql_takes_arguments(spark: SparkSession) -> Result<(), Failed> {
    let hostile = r"x' OR '1'='1 \ `";
    let quoted = spark.sql(&format!("SELECT {} AS t", quoted_text(hostile))).await?;
    same(quoted.collect_as::<(String,)>().await?, vec![(hostile.to_owned(),)])?;
    match spark.sql_with("SELECT :a + 1 AS n", [("a", lit(41))]).await {
        Ok(named) => same(named.collect_as::<(i32,)>().await?, vec![(42,)])?,
        // Delta 4.4.0's parser on Spark 4.2.0 loses the arguments, those of PySpark too.
        Err(error) => return same(error.error_class(), Some("UNBOUND_SQL_PARAMETER")),
    }
    let positional = SqlArguments::positional([lit(hostile)]);
    let text = spark.sql_with("SELECT ? AS t", positional).await?;
    same(text.collect_as::<(String,)>().await?, vec![(hostile.to_owned(),)])
}

async fn joins_groups_and_windows(spark: SparkSession) -> Result<(), Failed> {
    let orders =
        spark.sql("SELECT * FROM VALUES (1, 10), (1, 20), (2, 5), (3, 1) AS t(customer, amount)").await?;
    let customers = spark.sql("SELECT * FROM VALUES (1, 'Ada'), (2, 'Bo') AS t(customer, name)").await?;
    let by_name = orders
        .join(&customers, "customer", JoinType::Inner)
        .group_by(["name"])
        .agg([sum("amount").alias("total")])
        .with_column("large", when(col("total").gt(10), true).otherwise(false))
        .order_by([col("total").desc()]);
    let rows: Vec<(String, i64, bool)> = by_name.collect_as().await?;
    same(rows, vec![("Ada".to_owned(), 30, true), ("Bo".to_owned(), 5, false)])?;

    let without =
        orders.join(&customers, orders.col("customer").eq(customers.col("customer")), JoinType::LeftAnti);
    same(without.collect_as::<(i32, i32)>().await?, vec![(3, 1)])?;

    let newest = Window::partition_by(["customer"]).order_by([col("amount").desc()]);
    let first = orders
        .with_column("rank", row_number().over(newest))
        .filter("rank = 1")
        .select([col("amount")])
        .order_by(["amount"]);
    same(first.collect_as::<(i32,)>().await?, vec![(1,), (5,), (20,)])
}

async fn an_empty_result(spark: SparkSession) -> Result<(), Failed> {
    let nothing = spark.range(0..0);
    same(nothing.collect().await?.iter().map(arrow::array::RecordBatch::num_rows).sum::<usize>(), 0)?;
    same(nothing.is_empty().await?, true)?;
    same(nothing.collect_as::<(i64,)>().await?, Vec::new())?;
    same(spark.range(0..1).is_empty().await?, false)
}

async fn schema_and_explanation(spark: SparkSession) -> Result<(), Failed> {
    let frame = spark.range(0..1).select([
        col("id"),
        expr("CAST(1 AS DECIMAL(9,3))").alias("price"),
        expr("array(named_struct('a', 'x'))").alias("many words"),
    ]);
    let schema = frame.schema().await?;
    same(schema.field("id").map(|f| f.data_type.clone()), Some(DataType::Long))?;
    same(
        schema.to_string(),
        "id bigint NOT NULL, price decimal(9,3), `many words` array<struct<a:string>> NOT NULL".to_owned(),
    )?;
    same(frame.columns().await?, vec!["id".to_owned(), "price".to_owned(), "many words".to_owned()])?;
    same(frame.explain(ExplainMode::Extended).await?.contains("Physical Plan"), true)?;
    same(frame.show_string(5, 0).await?.contains("many words"), true)
}
