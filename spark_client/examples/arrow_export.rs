//! Streams a query's rows into an Arrow file, which Polars, DataFusion, DuckDB and pandas read as it is. In a program
//! that uses one of them, the batches need no file: they are `arrow::array::RecordBatch`.
//!
//! ```text
//! SPARK_REMOTE=sc://localhost:15002 cargo run --example arrow_export -- "SELECT * FROM range(1000000)" rows.arrow
//! ```

use futures::TryStreamExt as _;
use spark_client::{SparkSession, arrow::ipc::writer::FileWriter};
use std::{fs::File, io::BufWriter};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [query, path] = arguments.as_slice() else { return Err("usage: arrow_export QUERY FILE".into()) };
    let spark = SparkSession::builder().connect().await?;
    let mut batches = spark.sql(query).await?.stream().await?;
    let mut writer = None;
    let mut rows = 0;
    while let Some(batch) = batches.try_next().await? {
        let writer = match &mut writer {
            Some(writer) => writer,
            none => {
                let file = BufWriter::new(File::create(path)?);
                none.insert(FileWriter::try_new(file, batch.schema_ref())?)
            }
        };
        writer.write(&batch)?;
        rows += batch.num_rows();
    }
    if let Some(mut writer) = writer {
        writer.finish()?;
    }
    println!("{rows} rows in {path}");
    spark.stop().await?;
    Ok(())
}
