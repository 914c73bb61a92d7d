//! Wide World Importers on PostgreSQL: the source database of LakePulse's demonstration.
//!
//! Three things, each a subcommand of the binary `lakepulse-wwi`: the schema of the sales chain with
//! its temporal pairs, a generator that loads it (the same seed gives the same rows, byte for byte),
//! and a workload of business transactions at a given rate.
//!
//! ```no_run
//! # async fn example() -> Result<(), lakepulse_wwi::Error> {
//! use lakepulse_wwi::{LoadOptions, Source, create_schema, load};
//!
//! let source: Source = "postgresql://postgres@127.0.0.1:5432/wwi".parse()?;
//! create_schema(&source).await?;
//! let loaded = load(&source, LoadOptions { seed: 1, rows: 200_000 }).await?;
//! println!("{} rows", loaded.rows());
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | `source` | the database's URL; its password comes from the environment |
//! | `schema` | creates the tables (`sql/`), or checks that those present have the same shape |
//! | `seed` | the generator and its load by COPY; names are in `data/reference.yaml` |
//! | `workload` | business transactions, one file each, paced over several connections |
//! | `money` | amounts in cents |

mod error;
mod money;
mod schema;
mod seed;
mod source;
mod workload;

pub use error::{Error, ErrorKind};
pub use schema::{SchemaOutcome, create_schema};
pub use seed::{LoadOptions, Loaded, load};
pub use source::Source;
pub use workload::{Summary, WorkloadOptions, run_workload};
