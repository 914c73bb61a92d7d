//! A logical plan with the session that runs it.

mod actions;
mod execution_info;
mod grouping;
mod joins;
mod missing;
mod observation;
mod plans;
mod rows;
mod set_operations;
mod statistics;
mod storage;
mod stream;
mod transformations;
mod views;

pub use execution_info::{ExecutionInfo, PlanMetric, PlanNode};
pub use grouping::GroupedData;
pub use joins::{JoinOn, JoinType, NearestBy, NearestSearch};
pub use observation::Observation;
pub(crate) use observation::Observations;
pub use plans::ExplainMode;
pub use storage::StorageLevel;
pub use stream::RecordBatchStream;
pub use transformations::IntoCondition;

use crate::{
    Column, DataFrameWriter, DataFrameWriterV2, DataStreamWriter, MergeInto, SparkSession,
    plan::Plan,
    proto::expression::{ExprType, UnresolvedAttribute, UnresolvedRegex},
};

/// A table that is described, not computed: a session and an immutable plan.
///
/// Transformations (`select`, `filter`, `join`, ...) are pure and immediate: they send nothing and check
/// nothing. Actions (`collect`, `count`, `stream`, ...) are `async`: they send the plan, and errors of the
/// plan come from them. Dropping the future or the stream of an action interrupts it on the server.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{col, sum};
/// let revenue = spark.table("silver.sales_orders").filter(col("cancelled").eq(false))
///     .group_by(["country"])
///     .agg([sum("amount").alias("revenue")]);
/// let batches = revenue.collect().await?;
/// # let _ = batches; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DataFrame {
    pub(crate) session: SparkSession,
    pub(crate) plan: Plan,
}

impl DataFrame {
    pub(crate) fn new(session: SparkSession, plan: Plan) -> Self {
        Self { session, plan }
    }

    pub(crate) fn with_plan(&self, plan: Plan) -> Self {
        Self::new(self.session.clone(), plan)
    }

    /// The session that runs this plan.
    pub fn session(&self) -> &SparkSession {
        &self.session
    }

    /// The same plan in another session of the same server. Temporary views are the other session's.
    pub fn in_session(&self, session: &SparkSession) -> Self {
        Self::new(session.clone(), self.plan.clone())
    }

    /// A column of this very DataFrame, to tell equal names of two sides of a join apart.
    pub fn col(&self, name: &str) -> Column {
        Column::of_plan(name, Some(self.plan.id()))
    }

    /// The columns of this DataFrame whose names match a Java regular expression in backquotes.
    pub fn col_regex(&self, pattern: &str) -> Column {
        Column::new(ExprType::UnresolvedRegex(UnresolvedRegex {
            col_name: pattern.to_owned(),
            plan_id: Some(self.plan.id()),
        }))
    }

    /// A column that the source adds to its rows, such as `_metadata`, whatever its own columns are called.
    pub fn metadata_column(&self, name: &str) -> Column {
        Column::new(ExprType::UnresolvedAttribute(UnresolvedAttribute {
            unparsed_identifier: name.to_owned(),
            plan_id: Some(self.plan.id()),
            is_metadata_column: Some(true),
        }))
    }

    /// What a function makes of this DataFrame: keeps a chain of calls readable.
    pub fn transform(&self, change: impl FnOnce(&Self) -> Self) -> Self {
        change(self)
    }

    /// Writes the rows to files or a table.
    pub fn write(&self) -> DataFrameWriter {
        DataFrameWriter::new(self.clone())
    }

    /// Writes the rows to a table of a catalog.
    pub fn write_to(&self, table: &str) -> DataFrameWriterV2 {
        DataFrameWriterV2::new(self.clone(), table)
    }

    /// Writes the rows of a streaming DataFrame as they come.
    pub fn write_stream(&self) -> DataStreamWriter {
        DataStreamWriter::new(self.clone())
    }

    /// Merges the rows into a table: `condition` says which row of the table a row belongs to.
    pub fn merge_into(&self, table: &str, condition: Column) -> MergeInto {
        MergeInto::new(self.clone(), table, condition)
    }
}
