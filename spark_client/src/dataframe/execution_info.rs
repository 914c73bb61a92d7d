//! What an action says about its own run.

use super::{DataFrame, RecordBatchStream};
use crate::{Error, proto::execute_plan_response::Metrics};
use arrow::array::RecordBatch;
use futures::TryStreamExt as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The nodes of the physical plan that ran, with what each of them measured.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// let (batches, info) = orders.collect_with_info().await?;
/// for node in &info.nodes {
///     println!("{}: {:?}", node.name, node.metrics);
/// }
/// # let _ = batches; Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExecutionInfo {
    /// The nodes, a parent before its children.
    pub nodes: Vec<PlanNode>,
}

/// A node of a physical plan that ran.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// let (_, info) = orders.collect_with_info().await?;
/// let root = info.nodes.iter().find(|node| node.parent == 0).map(|node| &node.name);
/// # let _ = root;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanNode {
    /// Spark's name of it, such as `HashAggregate`.
    pub name: String,
    /// Its number in this plan.
    pub id: i64,
    /// The number of the node that it gives its rows to; 0 at the root.
    pub parent: i64,
    /// What it measured, by the server's keys in their order.
    pub metrics: Vec<PlanMetric>,
}

/// One figure of a node.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// let (_, info) = orders.collect_with_info().await?;
/// for metric in info.nodes.iter().flat_map(|node| &node.metrics) {
///     println!("{}: {} ({})", metric.name, metric.value, metric.kind);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlanMetric {
    /// What was measured, such as `number of output rows`.
    pub name: String,
    /// The figure, in the unit that `kind` implies.
    pub value: i64,
    /// Spark's type of metric: `sum`, `size` (bytes), `timing` (ms), `nsTiming` (ns) or `average` (tenths).
    pub kind: String,
}

impl ExecutionInfo {
    fn from_proto(metrics: Metrics) -> Self {
        let node = |object: crate::proto::execute_plan_response::metrics::MetricObject| {
            let mut metrics: Vec<_> = object.execution_metrics.into_iter().collect();
            metrics.sort_by(|left, right| left.0.cmp(&right.0));
            let metric = |(_, value): (String, crate::proto::execute_plan_response::metrics::MetricValue)| {
                PlanMetric { name: value.name, value: value.value, kind: value.metric_type }
            };
            PlanNode {
                name: object.name,
                id: object.plan_id,
                parent: object.parent,
                metrics: metrics.into_iter().map(metric).collect(),
            }
        };
        Self { nodes: metrics.metrics.into_iter().map(node).collect() }
    }
}

/// Where a stream leaves what the server said, for whoever holds the stream.
#[derive(Clone, Default)]
pub(super) struct LatestInfo(Arc<Mutex<Option<ExecutionInfo>>>);

impl LatestInfo {
    pub(super) fn set(&self, metrics: Metrics) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(ExecutionInfo::from_proto(metrics));
    }

    fn get(&self) -> Option<ExecutionInfo> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl RecordBatchStream {
    /// What the server measured; there once the stream has ended.
    pub fn execution_info(&self) -> Option<ExecutionInfo> {
        self.info.get()
    }
}

impl DataFrame {
    /// [`DataFrame::collect`], with what the server measured while it ran the plan: no nodes when it measured nothing.
    pub async fn collect_with_info(&self) -> Result<(Vec<RecordBatch>, ExecutionInfo), Error> {
        let mut stream = self.stream().await?;
        let mut batches = Vec::new();
        while let Some(batch) = stream.try_next().await? {
            batches.push(batch);
        }
        Ok((batches, stream.execution_info().unwrap_or_default()))
    }
}
