//! Results as they arrive.

use super::{DataFrame, execution_info::LatestInfo};
use crate::{
    Error,
    proto::{Plan, execute_plan_response::ResponseType},
    rpc::{ArrowBatches, Execution},
};
use arrow::array::RecordBatch;
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream::BoxStream};
use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

/// Record batches in the order of the result, a few MiB each. Only what is in flight is in memory: the
/// server waits for a slow consumer. The stream ends without an error only after the last row of the
/// result; dropped before, it interrupts the operation.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use futures::TryStreamExt as _;
/// let mut stream = orders.stream().await?;
/// while let Some(batch) = stream.try_next().await? {
///     println!("{} rows", batch.num_rows());
/// }
/// # Ok(()) }
/// ```
pub struct RecordBatchStream {
    batches: BoxStream<'static, Result<RecordBatch, Error>>,
    pub(super) info: LatestInfo,
}

impl RecordBatchStream {
    pub(crate) fn new(execution: Execution) -> Self {
        let info = LatestInfo::default();
        let state = (execution, ArrowBatches::default(), info.clone());
        let messages = futures::stream::try_unfold(state, |(mut execution, mut batches, info)| async move {
            while let Some(response) = execution.next().await? {
                if let Some(metrics) = response.metrics {
                    info.set(metrics);
                }
                if let Some(ResponseType::ArrowBatch(message)) = response.response_type {
                    let ready = batches.push(message)?;
                    return Ok(Some((ready, (execution, batches, info))));
                }
            }
            batches.finish()?;
            Ok::<_, Error>(None)
        });
        let batches = messages.map_ok(|ready| futures::stream::iter(ready.into_iter().map(Ok))).try_flatten();
        Self { batches: batches.boxed(), info }
    }
}

impl Stream for RecordBatchStream {
    type Item = Result<RecordBatch, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.batches.poll_next_unpin(cx)
    }
}

impl fmt::Debug for RecordBatchStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordBatchStream").finish_non_exhaustive()
    }
}

impl DataFrame {
    /// Runs the plan and gives its rows batch by batch, as they arrive.
    pub async fn stream(&self) -> Result<RecordBatchStream, Error> {
        self.session.stream(self.plan.to_plan()).await
    }
}

impl crate::SparkSession {
    pub(crate) async fn stream(&self, plan: Plan) -> Result<RecordBatchStream, Error> {
        Ok(RecordBatchStream::new(Execution::new(self.connection(), plan).await?))
    }
}
