//! Counts the words of text files that the Spark server can read.
//!
//! `SPARK_REMOTE=sc://localhost:15002 cargo run --example word_count -- /path/on/the/server`

use serde::Deserialize;
use spark_client::{
    Error, SparkSession,
    functions::{col, explode, lower, split},
};

#[derive(Deserialize)]
struct WordCount {
    word: String,
    count: i64,
}

#[tokio::main]
async fn main() -> Result<(), Error> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "README.md".to_owned());
    let spark = SparkSession::builder().connect().await?;
    let words: Vec<WordCount> = spark
        .read()
        .text(&path)
        .select([explode(split(lower("value"), "[^a-z]+")).alias("word")])
        .filter(col("word").neq(""))
        .group_by(["word"])
        .count()
        .order_by([col("count").desc(), col("word")])
        .limit(20)
        .collect_as()
        .await?;
    for WordCount { word, count } in words {
        println!("{count:>8} {word}");
    }
    spark.stop().await
}
