//! Delta Lake: tables by name or path, and what can be done with them.
//!
//! [`DeltaTable`] has the methods of delta-spark's class of that name, in snake_case. They run on every Spark
//! Connect server with Delta's session extension and catalog, as SQL statements (names quoted, texts escaped)
//! and as Spark's own MERGE message. The same API can send the messages of Delta Connect instead
//! ([`Backend::Extension`]), for a server with that plugin.
//!
//! ```no_run
//! # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
//! use spark_client::delta::{DeltaColumn, DeltaTable};
//! let table = DeltaTable::create_if_not_exists(&spark)
//!     .table_name("silver.customers")
//!     .add_column(DeltaColumn::new("id", "BIGINT").not_null())
//!     .add_column(("name", "STRING"))
//!     .cluster_by(["id"])
//!     .execute().await?;
//! table.detail().select(["location", "numFiles"]).show(1).await?;
//! table.optimize().execute_compaction().await?;
//! table.vacuum(None).await?;
//! # Ok(()) }
//! ```
//!
//! An operation happens at most once, however often it is run, inside an [`IdempotentWrite`]: give it the
//! future of `execute()`, `update(...)` or `delete(...)`.

mod backend;
mod builder;
mod changes;
mod cloning;
mod column;
mod condition;
mod conversion;
mod features;
mod idempotent;
mod maintenance;
mod merge;
mod optimize;
mod qualifier;
mod table;
mod target;

pub use backend::Backend;
pub use builder::DeltaTableBuilder;
pub use cloning::DeltaCloneBuilder;
pub use column::{DeltaColumn, IdentityGenerator};
pub use condition::OptionalCondition;
pub use conversion::DeltaConvertBuilder;
pub use idempotent::IdempotentWrite;
pub use maintenance::Manifest;
pub use merge::DeltaMergeBuilder;
pub use optimize::DeltaOptimizeBuilder;
pub use table::DeltaTable;

#[cfg(test)]
pub(crate) use {
    backend::{Operation, lazily},
    condition::assigned,
    target::AsOf,
};
