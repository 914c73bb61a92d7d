//! How far executions are, for who wants to show it.

use crate::proto::execute_plan_response::{ExecutionProgress, execution_progress::StageInfo};
use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

/// How far an operation is.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// spark.register_progress_handler(|progress| {
///     println!("{}: {} tasks run", progress.operation_id, progress.running_tasks);
/// });
/// spark.table("silver.orders").count().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// The operation's id, a UUID.
    pub operation_id: String,
    /// The stages that the server knows of; none in the last call.
    pub stages: Vec<StageProgress>,
    /// How many tasks run now.
    pub running_tasks: i64,
    /// Whether the operation has ended: this is the last call about it.
    pub done: bool,
}

/// How far one stage of an operation is.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// spark.register_progress_handler(|progress| {
///     for stage in &progress.stages {
///         println!("stage {}: {} of {} tasks", stage.stage_id, stage.completed_tasks, stage.tasks);
///     }
/// });
/// spark.table("silver.orders").count().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StageProgress {
    /// The stage's number in the server.
    pub stage_id: i64,
    /// How many tasks it has.
    pub tasks: i64,
    /// How many of them have ended.
    pub completed_tasks: i64,
    /// Bytes that its tasks have read.
    pub input_bytes: i64,
    /// Whether all of it has ended.
    pub done: bool,
}

/// A handler that is called with the progress of a session's operations until it is removed.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let id = spark.register_progress_handler(|progress| println!("{progress:?}"));
/// spark.table("silver.orders").count().await?;
/// spark.remove_progress_handler(id);
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgressHandlerId(u64);

type Handler = Arc<dyn Fn(&Progress) + Send + Sync>;

/// The handlers of a session.
#[derive(Default)]
pub(crate) struct ProgressHandlers {
    next: AtomicU64,
    handlers: Mutex<Vec<(ProgressHandlerId, Handler)>>,
}

impl ProgressHandlers {
    pub(crate) fn add(&self, handler: impl Fn(&Progress) + Send + Sync + 'static) -> ProgressHandlerId {
        let id = ProgressHandlerId(self.next.fetch_add(1, Ordering::Relaxed));
        self.locked().push((id, Arc::new(handler)));
        id
    }

    pub(crate) fn remove(&self, id: ProgressHandlerId) {
        self.locked().retain(|(known, _)| *known != id);
    }

    pub(crate) fn clear(&self) {
        self.locked().clear();
    }

    pub(crate) fn running(&self, operation_id: &str, progress: &ExecutionProgress) {
        let stages = progress.stages.iter().map(StageProgress::from_proto).collect();
        self.call(&Progress {
            operation_id: operation_id.to_owned(),
            stages,
            running_tasks: progress.num_inflight_tasks,
            done: false,
        });
    }

    pub(crate) fn done(&self, operation_id: &str) {
        let operation_id = operation_id.to_owned();
        self.call(&Progress { operation_id, stages: Vec::new(), running_tasks: 0, done: true });
    }

    /// Without the lock, so that a handler may add and remove handlers.
    fn call(&self, progress: &Progress) {
        let handlers: Vec<Handler> = self.locked().iter().map(|(_, handler)| handler.clone()).collect();
        for handler in handlers {
            handler(progress);
        }
    }

    fn locked(&self) -> MutexGuard<'_, Vec<(ProgressHandlerId, Handler)>> {
        self.handlers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StageProgress {
    fn from_proto(stage: &StageInfo) -> Self {
        Self {
            stage_id: stage.stage_id,
            tasks: stage.num_tasks,
            completed_tasks: stage.num_completed_tasks,
            input_bytes: stage.input_bytes_read,
            done: stage.done,
        }
    }
}
