//! Transformations that say how to run a plan: partitions, hints, samples, watermarks.

use super::DataFrame;
use crate::{
    Column,
    column::{IntoColumn, IntoLiteral, Subqueries},
    proto::{
        self,
        analyze_plan_request::explain,
        expression::{DirectShufflePartitionId, ExprType},
        relation::RelType,
    },
};

/// How much of a plan is explained.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::ExplainMode;
/// println!("{}", orders.explain(ExplainMode::Formatted).await?);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExplainMode {
    /// The physical plan.
    #[default]
    Simple,
    /// The logical plans and the physical plan.
    Extended,
    /// The physical plan and the generated code.
    Codegen,
    /// The optimized plan with its statistics.
    Cost,
    /// The physical plan as an outline and the details of each node.
    Formatted,
}

impl ExplainMode {
    pub(super) fn to_proto(self) -> explain::ExplainMode {
        match self {
            Self::Simple => explain::ExplainMode::Simple,
            Self::Extended => explain::ExplainMode::Extended,
            Self::Codegen => explain::ExplainMode::Codegen,
            Self::Cost => explain::ExplainMode::Cost,
            Self::Formatted => explain::ExplainMode::Formatted,
        }
    }
}

impl DataFrame {
    /// The rows spread anew over this many partitions.
    pub fn repartition(&self, partitions: i32) -> Self {
        self.repartitioned(partitions, true)
    }

    /// Fewer partitions, put together without moving rows between machines where possible.
    pub fn coalesce(&self, partitions: i32) -> Self {
        self.repartitioned(partitions, false)
    }

    fn repartitioned(&self, num_partitions: i32, shuffle: bool) -> Self {
        self.with_plan(self.plan.then(move |input| {
            let shuffle = Some(shuffle);
            RelType::Repartition(Box::new(proto::Repartition { input, num_partitions, shuffle }))
        }))
    }

    /// Rows that are equal in these columns together in one partition, out of `partitions` or as many as
    /// `spark.sql.shuffle.partitions` says.
    pub fn repartition_by(
        &self,
        partitions: Option<i32>,
        columns: impl IntoIterator<Item = impl IntoColumn>,
    ) -> Self {
        let mut used = Subqueries::default();
        let partition_exprs = used.expressions(columns);
        let plan = self.plan.then(move |input| {
            RelType::RepartitionByExpression(Box::new(proto::RepartitionByExpression {
                input,
                partition_exprs: partition_exprs.clone(),
                num_partitions: partitions,
            }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// Rows in ranges of these columns, one range a partition, out of `partitions` or as many as
    /// `spark.sql.shuffle.partitions` says.
    pub fn repartition_by_range(
        &self,
        partitions: Option<i32>,
        columns: impl IntoIterator<Item = impl IntoColumn>,
    ) -> Self {
        self.repartition_by(partitions, columns.into_iter().map(|column| column.into_column().into_order()))
    }

    /// Each row in the partition whose number, from 0, the column gives.
    pub fn repartition_by_id(&self, partitions: i32, id: impl IntoColumn) -> Self {
        let id = Column::over_parts(|used| {
            ExprType::DirectShufflePartitionId(Box::new(DirectShufflePartitionId {
                child: used.boxed(id.into_column()),
            }))
        });
        self.repartition_by(Some(partitions), [id])
    }

    /// Advice for the optimizer, for example `broadcast`.
    pub fn hint(&self, name: &str, parameters: impl IntoIterator<Item = impl IntoLiteral>) -> Self {
        let name = name.to_owned();
        let mut used = Subqueries::default();
        let parameters = used.expressions(parameters.into_iter().map(IntoLiteral::into_literal));
        let plan = self.plan.then(move |input| {
            let parameters = parameters.clone();
            RelType::Hint(Box::new(proto::Hint { input, name: name.clone(), parameters }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// Advises to send this side of a join to every executor.
    pub fn broadcast(&self) -> Self {
        self.hint("broadcast", std::iter::empty::<i32>())
    }

    /// About this fraction (0 to 1) of the rows; the same seed gives the same rows of the same plan.
    pub fn sample(&self, fraction: f64, seed: i64) -> Self {
        self.sampled(fraction, seed, false)
    }

    /// [`DataFrame::sample`] in which a row may come several times, `fraction` times on the average.
    pub fn sample_with_replacement(&self, fraction: f64, seed: i64) -> Self {
        self.sampled(fraction, seed, true)
    }

    fn sampled(&self, fraction: f64, seed: i64, with_replacement: bool) -> Self {
        self.with_plan(self.plan.then(move |input| {
            RelType::Sample(Box::new(proto::Sample {
                input,
                lower_bound: 0.0,
                upper_bound: fraction,
                with_replacement: Some(with_replacement),
                seed: Some(seed),
                deterministic_order: false,
            }))
        }))
    }

    /// Says of a stream that rows are at most `delay` (for example `"10 minutes"`) late by this column.
    pub fn with_watermark(&self, event_time: &str, delay: &str) -> Self {
        let (event_time, delay_threshold) = (event_time.to_owned(), delay.to_owned());
        self.with_plan(self.plan.then(move |input| {
            RelType::WithWatermark(Box::new(proto::WithWatermark {
                input,
                event_time: event_time.clone(),
                delay_threshold: delay_threshold.clone(),
            }))
        }))
    }
}
