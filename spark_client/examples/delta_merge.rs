//! Merges changes into a Delta table, at most once however often it is run with the same number.
//!
//! ```text
//! SPARK_REMOTE=sc://localhost:15002 cargo run --example delta_merge -- TABLE NUMBER
//! ```

use serde::Serialize;
use spark_client::{SparkSession, delta::IdempotentWrite, functions::col};

#[derive(Serialize)]
struct Change {
    id: i64,
    name: Option<&'static str>,
    op: &'static str,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [table, number] = arguments.as_slice() else { return Err("usage: delta_merge TABLE NUMBER".into()) };
    let spark = SparkSession::builder().connect().await?;
    spark.sql(&format!("CREATE TABLE IF NOT EXISTS {table} (id BIGINT, name STRING) USING delta")).await?;
    let changes = [
        Change { id: 1, name: Some("Ada"), op: "c" },
        Change { id: 2, name: Some("Grace"), op: "c" },
        Change { id: 3, name: None, op: "d" },
    ];
    let target = |column: &str| col(&format!("{table}.{column}"));
    let merge = spark
        .create_data_frame_of(&changes)
        .await?
        .alias("c")
        .merge_into(table, target("id").eq(col("c.id")))
        .when_matched(col("c.op").eq("d"))
        .delete()
        .when_matched(None)
        .update([("name", col("c.name"))])
        .when_not_matched(col("c.op").neq("d"))
        .insert([("id", col("c.id")), ("name", col("c.name"))]);
    match IdempotentWrite::new("example", number.parse()?).commit(&spark, merge.merge()).await? {
        Some(version) => println!("{table} is at version {version} now"),
        None => println!("number {number} was merged before, or changes nothing"),
    }
    spark.table(table).order_by(["id"]).show(20).await?;
    spark.stop().await?;
    Ok(())
}
