//! Live views: every table as of the last published cut, seconds behind its source, for Spark and for Trino.
//!
//! A view reads the typed table at the Delta version of its standing, and of `silver.changes` what is behind the standing's cut. So it
//! is exact for whatever version of `silver.changes` a query reads, whichever round it was made after.
//!
//! # Map
//! - `view`: the query; `engine`: what the two write differently; `reach`: how far a table can be followed
//! - [`Views`]: makes, replaces and drops the views; `trino`: how Trino is asked
//! - [`pin()`]: all views of Spark at one cut

mod engine;
mod pin;
mod reach;
mod trino;
mod view;
mod views;

pub use pin::{Pinned, pin};
pub use trino::{Trino, TrinoOptions};
pub use views::Views;

use crate::lake::Lake;

/// Trino's schema of the live views.
pub fn trino_schema(lake: &Lake) -> String {
    format!("{}live", lake.database_prefix)
}

/// Spark's database of the live views: the engines share a metastore, and neither reads the other's views.
pub fn spark_database(lake: &Lake) -> String {
    format!("{}live_spark", lake.database_prefix)
}
