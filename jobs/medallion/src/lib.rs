//! The lakehouse jobs of LakePulse: bronze, silver and gold as plans that Rust builds and Spark runs.
//!
//! ```no_run
//! use lakepulse_medallion::{Contracts, Lake, Registry, RegistryAddress, job, metrics::Metrics, silver::{Demand, Silver, SilverOptions}};
//! use spark_client::SparkSession;
//!
//! # async fn run(lake: Lake, address: RegistryAddress, options: SilverOptions) -> lakepulse_medallion::Result<()> {
//! # let spark = SparkSession::builder().remote("sc://localhost:15002").connect_lazily().unwrap();
//! let registry = Registry::new(&address)?;
//! let silver = Silver::open(&spark, &lake, Contracts::default(), registry, &options, Metrics::new()?).await?;
//! silver.run(&Demand::default(), job::until_stopped()).await
//! # }
//! ```
//!
//! # Map
//! - [`bronze`]: one streaming query appends every event of every topic to `bronze.events`
//! - [`silver`]: the service that publishes and merges, out of [`control`]: checkpoints and relation records, read from Kafka;
//!   [`changes`]: the decoded change log, each commit of which publishes a cut; [`typed`]: tables, and their histories, that rounds bring to
//!   a published cut; [`live`]: views of every table as of the last published cut
//! - [`gold`]: the star schema, refreshed from what changed in silver between two merged cuts
//! - [`contract`]: what people decide about a source table; `registry`: what its payloads look like
//! - [`lake`]: names of databases and tables; [`job`]: what the binaries share; [`metrics`]: what they report;
//!   `sessions`: one for each write at a time

pub mod bronze;
pub mod changes;
pub mod contract;
pub mod control;
mod error;
pub mod gold;
pub mod job;
mod kafka;
pub mod lake;
pub mod live;
pub mod metrics;
mod registry;
mod sessions;
pub mod silver;
pub mod typed;

pub use contract::{Contract, Contracts};
pub use error::{Error, ErrorKind, Result};
pub use kafka::KafkaOptions;
pub use lake::Lake;
pub use registry::{Registry, RegistryAddress};
