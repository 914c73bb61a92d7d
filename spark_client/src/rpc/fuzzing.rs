//! What the fuzz target `reply_stream` calls: an execution is followed while a script disturbs its streams.

mod disturbance;
mod replies;

use super::{
    RetryPolicy,
    scripted_server::{self, Responses, Script},
};
use crate::{
    Error, SparkSession,
    proto::{
        ExecutePlanRequest, InterruptRequest, ReattachExecuteRequest, ReleaseExecuteRequest,
        release_execute_request::Release,
    },
};
use arrow::array::{AsArray as _, RecordBatch, types::Int64Type};
use disturbance::{Bytes, Disturbance};
use futures::StreamExt as _;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::runtime::Runtime;
use tonic::Status;

/// Longer than any release takes.
const PATIENCE: Duration = Duration::from_secs(10);

/// A session with a server in this process that disturbs its response streams as it is told.
#[derive(Debug)]
pub struct RepliesUnderTest {
    runtime: Runtime,
    server: Server,
    spark: SparkSession,
}

/// The server: it knows at most one operation, and has the responses of [`replies::whole`] for it.
#[derive(Clone, Debug, Default)]
struct Server(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    script: Bytes,
    operation: Option<String>,
    executed: usize,
    released: bool,
    /// Whether a byte was changed that nothing in the protocol protects.
    garbled: bool,
}

impl RepliesUnderTest {
    /// Starts the server.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let server = Server::default();
        let spark = runtime.block_on(async {
            let port = scripted_server::serve(server.clone())?;
            let at_once = RetryPolicy {
                max_retries: 6,
                initial_backoff: Duration::ZERO,
                max_backoff: Duration::ZERO,
                ..RetryPolicy::default()
            };
            let remote = format!("sc://127.0.0.1:{port}/;user_id=fuzz");
            SparkSession::builder()
                .remote(&remote)
                .retry_policy(at_once)
                .connect_lazily()
                .map_err(io::Error::other)
        })?;
        Ok(Self { runtime, server, spark })
    }

    /// Collects a result whose streams `script` disturbs. An error says which promise was broken: rows that
    /// are not exactly those of the result, a plan that ran twice, an operation that was never released.
    pub fn check(&self, script: &[u8]) -> Result<(), String> {
        *self.server.state() = State { script: Bytes::from(script), ..State::default() };
        let collected = self.runtime.block_on(async {
            let collected = self.spark.range(0..1).collect().await;
            self.released().await.map(|()| collected)
        })?;
        let state = self.server.state();
        if state.executed > 1 {
            return Err(format!("the plan ran {} times", state.executed));
        }
        match collected {
            Ok(batches) if !state.garbled => exact(&batches),
            Ok(_) | Err(_) => Ok(()),
        }
    }

    /// What the client does beside the consumption of a result comes to its end too.
    async fn released(&self) -> Result<(), String> {
        let released = async {
            while !self.server.state().released {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, released)
            .await
            .map_err(|_| "the operation was never released".to_owned())
    }

    /// The same result without a disturbance, as a check of the check.
    pub fn undisturbed(&self) -> Result<(), String> {
        *self.server.state() = State::default();
        let collected: Result<Vec<RecordBatch>, Error> =
            self.runtime.block_on(self.spark.range(0..1).collect());
        exact(&collected.map_err(|error| error.to_string())?)
    }
}

fn exact(batches: &[RecordBatch]) -> Result<(), String> {
    let ids = batches.iter().filter_map(|batch| batch.columns().first());
    let found: Vec<i64> = ids
        .filter_map(|column| column.as_primitive_opt::<Int64Type>())
        .flat_map(|ids| ids.values().iter().copied())
        .collect();
    if found == replies::ids() {
        Ok(())
    } else {
        Err(format!("these rows were taken for the result: {found:?}"))
    }
}

impl Server {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The stream of the responses after the first `received`, disturbed.
    fn stream(&mut self, session: &str, operation: &str, received: usize) -> Responses {
        let responses = replies::whole(session, operation).split_off(received);
        let disturbed = Disturbance::next(&mut self.script).applied_to(responses);
        self.garbled |= disturbed.garbled;
        futures::stream::iter(disturbed.stream).boxed()
    }
}

impl Script for Server {
    fn execute(&self, request: ExecutePlanRequest) -> Result<Responses, Status> {
        let mut state = self.state();
        let refusal = disturbance::refusal(&mut state.script);
        if let Some(lost) = &refusal
            && lost.before_it_arrived
        {
            return Err(lost.status.clone());
        }
        let operation = request.operation_id.unwrap_or_default();
        if state.operation.as_ref() == Some(&operation) {
            return Err(Status::internal("[INVALID_HANDLE.OPERATION_ALREADY_EXISTS] it runs"));
        }
        state.operation = Some(operation.clone());
        state.executed += 1;
        match refusal {
            Some(refusal) => Err(refusal.status),
            None => Ok(state.stream(&request.session_id, &operation, 0)),
        }
    }

    fn reattach(&self, request: ReattachExecuteRequest) -> Result<Responses, Status> {
        let mut state = self.state();
        if let Some(refusal) = disturbance::refusal(&mut state.script) {
            return Err(refusal.status);
        }
        if state.operation.as_ref() != Some(&request.operation_id) {
            return Err(Status::internal("[INVALID_HANDLE.OPERATION_NOT_FOUND] never seen"));
        }
        let received = match &request.last_response_id {
            None => 0,
            Some(id) => {
                replies::position(id).ok_or_else(|| Status::internal("[INVALID_CURSOR] no such"))? + 1
            }
        };
        Ok(state.stream(&request.session_id, &request.operation_id, received))
    }

    fn release(&self, request: ReleaseExecuteRequest) {
        if matches!(request.release, Some(Release::ReleaseAll(_))) {
            self.state().released = true;
        }
    }

    fn interrupt(&self, _: &InterruptRequest) {}
}
