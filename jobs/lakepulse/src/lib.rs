//! The LakePulse command: what people type to see, check and try the lakehouse.
//!
//! ```text
//! lakepulse demo               # from an empty database to a report asked of Trino
//! lakepulse status             # the ladder of lag, live
//! lakepulse verify             # silver equals the source, row for row
//! lakepulse contracts init     # a contract for every table of a PostgreSQL database
//! ```
//!
//! # Map
//! - [`demo`], [`status`], [`verify`], [`contracts`]: one file per subcommand
//! - Verify: `snapshot` of the source, `told` (what its tables look like), `source_rows` as texts, `compared` with silver's by
//!   `comparison` and `orphans`; [`report`]
//! - [`freshness`]: from commit to published; [`progress`]: bars and lines; [`scrape`]: metrics of the jobs
//! - [`source`]: the PostgreSQL database, and its `catalog`; [`lakehouse`]: Spark and the names of its tables

mod catalog;
mod compared;
mod comparison;
pub mod contracts;
pub mod demo;
mod error;
pub mod freshness;
pub mod lakehouse;
mod orphans;
pub mod progress;
pub mod report;
pub mod scrape;
mod snapshot;
pub mod source;
mod source_rows;
pub mod status;
pub mod told;
pub mod verify;

pub use error::{Error, Result};
