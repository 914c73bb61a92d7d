//! The lakehouse jobs of LakePulse: bronze, silver and gold as plans that Rust builds and Spark runs.
//!
//! ```no_run
//! use lakepulse_medallion::{Contracts, Lake, Registry, RegistryAddress, metrics::Metrics, silver};
//! use spark_client::SparkSession;
//!
//! # async fn run(lake: Lake, address: RegistryAddress, options: silver::SilverOptions) -> lakepulse_medallion::Result<()> {
//! # let spark = SparkSession::builder().remote("sc://localhost:15002").connect_lazily().unwrap();
//! let contracts = Contracts::load("contracts".as_ref())?;
//! let silver = silver::Silver::new(
//!     spark, lake, contracts, Registry::new(&address)?, options, Metrics::new()?,
//! ).await?;
//! while let silver::Cycle::Published(published) = silver.cycle().await? {
//!     println!("all tables stand at {}", published.cut.lsn);
//! }
//! # Ok(()) }
//! ```
//!
//! # Map
//! - [`bronze`]: one streaming query appends every event of every topic to `bronze.events`
//! - [`silver`]: `cut` finds how far bronze is complete, `decode` makes rows of payloads, `current` and `history`
//!   merge them, `published` tells everybody the cut
//! - [`control`]: checkpoints and relation records, read from Kafka; [`changes`]: the decoded change log, each commit of which publishes a
//!   cut; [`typed`]: rounds that bring typed tables to a published cut; [`live`]: views of every table as of the last published cut. They
//!   take the place of [`silver`], and no binary runs them yet
//! - [`gold`]: the star schema, refreshed from what changed in silver between two published cuts
//! - [`contract`]: what is agreed about each source table; `writer_schema`, `registry`: what its payloads look like
//! - [`lake`]: names of databases and tables; [`job`]: what the binaries share; [`metrics`]: what they report;
//!   `sessions`: one for each write at a time

pub mod bronze;
pub mod changes;
pub mod contract;
pub mod control;
mod error;
pub mod gold;
pub mod job;
pub mod lake;
pub mod live;
pub mod metrics;
mod registry;
mod sessions;
pub mod silver;
pub mod typed;
mod writer_schema;

pub use contract::{Contract, Contracts};
pub use error::{Error, ErrorKind, Result};
pub use lake::Lake;
pub use registry::{Registry, RegistryAddress};
pub use writer_schema::{WriterColumn, WriterSchema};
