//! Asynchronous client for Apache Spark 4.2 Connect.
//!
//! Plans are built in Rust and run by a Spark server; results come back as Arrow record batches or as Rust
//! values. The names are PySpark's, in snake_case. A result is whole or an error: a response stream that
//! breaks is reattached, rows are counted, and a command is never executed twice.
//!
//! ```no_run
//! use serde::Deserialize;
//! use spark_client::{SparkSession, functions::{col, lit, sum}};
//!
//! #[derive(Debug, Deserialize)]
//! struct Revenue {
//!     country: String,
//!     revenue: Option<f64>,
//! }
//!
//! # async fn run() -> Result<(), spark_client::Error> {
//! let spark = SparkSession::builder().remote("sc://localhost:15002").connect().await?;
//! let rows: Vec<Revenue> = spark
//!     .sql_with("SELECT * FROM sales WHERE year = :year", [("year", lit(2026))]).await?
//!     .filter(col("cancelled").eq(false))
//!     .group_by(["country"])
//!     .agg([sum("amount").alias("revenue")])
//!     .order_by([col("revenue").desc()])
//!     .collect_as().await?;
//! println!("{rows:?}");
//! # Ok(()) }
//! ```
//!
//! # Map of the modules
//! - `session`: [`SparkSession`] and its builder, SQL, settings, catalog, interrupts, local data
//! - `dataframe`: [`DataFrame`]: transformations (pure) and actions (`async`), each in files of their own
//! - `column`, [`functions`], `tvf`: expressions and tables made of them; most functions come from one table, `functions/table/`
//! - `reader`, `writer`, `writer_v2`, `merge`: batch input and output
//! - `streaming`: sources, sinks and running queries
//! - [`delta`]: Delta tables: merge, update, delete, history, maintenance, new tables, idempotent writes
//! - `sql_text`: [`quoted_name`] and [`quoted_text`], for SQL that is put together
//! - `plan`: the immutable plan; `proto`: the messages, generated from `proto/`
//! - `rpc`: channel, retry, reattachable execution, Arrow; `error`: [`Error`] and its questions

#![warn(missing_docs)]
#![allow(clippy::doc_markdown, reason = "DataFrame and TIMESTAMP_NTZ are words of the field")]

mod column;
mod connection_string;
mod dataframe;
pub mod delta;
mod error;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing {
    pub use crate::rpc::fuzzing::RepliesUnderTest;
}
pub mod functions;
#[cfg(test)]
#[cfg(golden)]
mod golden;
mod merge;
mod plan;
mod proto;
mod reader;
mod rpc;
mod schema;
mod secret;
mod session;
mod sql_text;
mod streaming;
mod tvf;
mod value;
mod writer;
mod writer_v2;

pub use column::{
    CaseWhen, Column, IntoColumn, IntoLiteral, IntoOperand, OptionalColumn, OptionalLiteral, Window,
    WindowBound,
};
pub use connection_string::ConnectionString;
pub use dataframe::{
    DataFrame, ExecutionInfo, ExplainMode, GroupedData, IntoCondition, JoinOn, JoinType, NearestBy,
    NearestSearch, Observation, PlanMetric, PlanNode, RecordBatchStream, StorageLevel,
};
pub use error::{Cause, Error, ErrorKind, QueryContext, ServerError};
pub use merge::{MergeInto, WhenMatched, WhenNotMatched, WhenNotMatchedBySource};
pub use reader::DataFrameReader;
#[cfg(feature = "tls")]
pub use rpc::TlsOptions;
pub use rpc::{Keepalive, Progress, ProgressHandlerId, RetryPolicy, StageProgress};
pub use schema::{DataType, Field, Schema};
pub use secret::Secret;
pub use session::{
    ArtifactKind, Catalog, CatalogInfo, ColumnInfo, CreateTable, DatabaseInfo, FunctionInfo, OperationState,
    OperationStatus, RuntimeConf, SparkSession, SparkSessionBuilder, SqlArguments, TableInfo,
};
pub use sql_text::{quoted_name, quoted_text};
pub use streaming::{
    DataStreamReader, DataStreamWriter, OutputMode, QueryIdle, QueryStarted, QueryTerminated, SinkProgress,
    SourceProgress, StreamingQuery, StreamingQueryEvent, StreamingQueryEvents, StreamingQueryFailure,
    StreamingQueryManager, StreamingQueryProgress, StreamingQueryStatus, Trigger,
};
pub use tvf::TableValuedFunctions;
pub use value::Value;
pub use writer::{DataFrameWriter, SaveMode};
pub use writer_v2::DataFrameWriterV2;
pub use {arrow, chrono, tonic};
