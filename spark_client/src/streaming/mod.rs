//! Structured Streaming: sources, sinks, and the queries that run between them.

mod events;
mod manager;
mod progress;
mod query;
mod reader;
mod writer;

pub use events::{QueryIdle, QueryStarted, QueryTerminated, StreamingQueryEvent, StreamingQueryEvents};
pub use manager::StreamingQueryManager;
pub use progress::{SinkProgress, SourceProgress, StreamingQueryProgress};
pub use query::{StreamingQuery, StreamingQueryFailure, StreamingQueryStatus};
pub use reader::DataStreamReader;
pub use writer::{DataStreamWriter, OutputMode, Trigger};
