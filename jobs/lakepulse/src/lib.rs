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
//! - [`freshness`]: from commit to published; [`progress`]: bars and lines
//! - [`source`]: the PostgreSQL database; [`lakehouse`]: Spark and the names of its tables

mod comparison;
pub mod contracts;
pub mod demo;
mod error;
pub mod freshness;
pub mod lakehouse;
pub mod progress;
pub mod scrape;
pub mod source;
pub mod status;
pub mod verify;

pub use error::{Error, Result};
