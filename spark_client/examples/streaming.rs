//! Counts what a rate source makes, window by window, into a Delta table, for twenty seconds or so many.
//!
//! ```text
//! SPARK_REMOTE=sc://localhost:15002 cargo run --example streaming -- TABLE CHECKPOINT_FOLDER [SECONDS]
//! ```

use spark_client::{
    OutputMode, SparkSession, Trigger,
    functions::{col, count, lit, window},
};
use std::time::Duration;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (table, checkpoint, seconds) = match arguments.as_slice() {
        [table, checkpoint] => (table, checkpoint, 20),
        [table, checkpoint, seconds] => (table, checkpoint, seconds.parse()?),
        _ => return Err("usage: streaming TABLE CHECKPOINT_FOLDER [SECONDS]".into()),
    };
    let spark = SparkSession::builder().connect().await?;
    let query = spark
        .read_stream()
        .format("rate")
        .option("rowsPerSecond", 100)
        .load()
        .with_watermark("timestamp", "2 seconds")
        .group_by([window("timestamp", "5 seconds").alias("at")])
        .agg([count(lit(1)).alias("rows")])
        .select([col("at.start"), col("rows")])
        .write_stream()
        .format("delta")
        .option("checkpointLocation", checkpoint)
        .output_mode(OutputMode::Append)
        .trigger(Trigger::ProcessingTime(Duration::from_secs(1)))
        .to_table(table)
        .await?;
    query.await_termination(Some(Duration::from_secs(seconds))).await?;
    query.stop().await?;
    spark.table(table).order_by(["start"]).show(20).await?;
    spark.stop().await?;
    Ok(())
}
