//! The wire: one channel, one server session, calls that are retried, executions that are reattached.

mod arrow_batches;
mod artifacts;
mod connection;
mod execution;
#[cfg(test)]
mod faults;
#[cfg(feature = "fuzzing")]
pub(crate) mod fuzzing;
#[cfg(feature = "plan-compression")]
mod plan_compression;
mod progress;
mod release;
mod retry;
#[cfg(any(test, feature = "fuzzing"))]
mod scripted_server;
mod transport;

pub(crate) use arrow_batches::ArrowBatches;
pub(crate) use artifacts::Artifact;
pub(crate) use connection::{Connection, Identity};
pub(crate) use execution::Execution;
#[cfg(test)]
pub(crate) use faults::mock;
pub use progress::{Progress, ProgressHandlerId, StageProgress};
pub use retry::RetryPolicy;
pub(crate) use retry::is_retryable;
pub use transport::Keepalive;
#[cfg(feature = "tls")]
pub use transport::TlsOptions;
pub(crate) use transport::{TransportOptions, open_channel};
