//! A Spark Connect server of one table that breaks its streams as it is told.

use crate::{
    proto::{
        AnalyzePlanRequest, ExecutePlanRequest, ExecutePlanResponse, InterruptRequest, Plan,
        ReattachExecuteRequest, ReleaseExecuteRequest, execute_plan_response as response,
        release_execute_request::Release,
    },
    rpc::scripted_server::{self, Responses, SERVER_SESSION, Script},
};
use arrow::{
    array::{Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
    ipc::writer::StreamWriter,
};
use futures::StreamExt as _;
use std::{
    collections::{HashSet, VecDeque},
    sync::{Arc, Mutex},
};
use tonic::{Status, metadata::MetadataMap};

pub const BATCHES: usize = 8;
pub const ROWS_A_BATCH: usize = 1000;

/// What happens to one response stream. A stream without a fault ends after ResultComplete.
#[derive(Clone, Debug)]
pub enum Fault {
    /// The request never becomes known to the server.
    LostRequest,
    /// The stream ends after so many responses.
    EndAfter(usize),
    /// The stream fails after so many responses.
    FailAfter(usize, Status),
    /// The stream stays open after so many responses, and silent.
    HangAfter(usize),
    /// The response that was last received comes once more, then the rest.
    Repeat,
    /// The next response is left out.
    Skip,
    /// The last response that has rows comes after ResultComplete.
    LateRows,
    /// Responses of another operation.
    Foreign,
    /// Responses of a server that was restarted.
    OtherServer,
}

/// What the mock saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    Execute,
    Reattach(Option<String>),
    ReleaseUntil(String),
    ReleaseAll,
    Interrupt,
}

/// The last request that carried a plan.
#[derive(Clone, Debug)]
pub enum Received {
    Plan(Box<Plan>),
    Analyze(Box<AnalyzePlanRequest>),
}

#[derive(Clone, Default)]
pub struct Mock(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    faults: VecDeque<Fault>,
    calls: Vec<Call>,
    operations: HashSet<String>,
    executed: usize,
    received: Option<Received>,
    headers: MetadataMap,
}

impl Mock {
    /// Starts a server whose streams have these faults, one each; those after them have none.
    pub fn start(faults: impl IntoIterator<Item = Fault>) -> (Self, u16) {
        let mock = Self::default();
        mock.0.lock().unwrap().faults = faults.into_iter().collect();
        let port = scripted_server::serve(mock.clone()).unwrap();
        (mock, port)
    }

    pub fn calls(&self) -> Vec<Call> {
        self.0.lock().unwrap().calls.clone()
    }

    /// Takes the last plan or question.
    pub fn received(&self) -> Option<Received> {
        self.0.lock().unwrap().received.take()
    }

    /// The value of a header of the last question.
    pub fn header(&self, name: &str) -> Option<String> {
        let state = self.0.lock().unwrap();
        state.headers.get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    /// The one fault of the next stream.
    pub fn fail_next(&self, fault: Fault) {
        self.0.lock().unwrap().faults = VecDeque::from([fault]);
    }

    /// How often a plan began to run.
    pub fn executed(&self) -> usize {
        self.0.lock().unwrap().executed
    }

    fn saw(&self, call: Call) {
        self.0.lock().unwrap().calls.push(call);
    }

    fn next_fault(&self) -> Option<Fault> {
        self.0.lock().unwrap().faults.pop_front()
    }
}

/// The responses after `received` ones, with the fault.
fn stream(session: &str, operation: &str, received: usize, fault: Option<Fault>) -> Responses {
    let first = match fault {
        Some(Fault::Repeat) => received.saturating_sub(1),
        Some(Fault::Skip) => received + 1,
        _ => received,
    };
    let mut responses: Vec<_> = (first..=BATCHES).map(|i| Ok(numbered(session, operation, i))).collect();
    let mut hangs = false;
    match fault {
        Some(Fault::EndAfter(count)) => responses.truncate(count),
        Some(Fault::FailAfter(count, status)) => {
            responses.truncate(count);
            responses.push(Err(status));
        }
        Some(Fault::HangAfter(count)) => {
            responses.truncate(count);
            hangs = true;
        }
        Some(Fault::LateRows) => {
            let last = responses.len() - 1;
            responses.swap(last - 1, last);
        }
        Some(Fault::Foreign) => responses.insert(0, Ok(numbered(session, "another", first))),
        Some(Fault::OtherServer) => {
            let other = ExecutePlanResponse {
                server_side_session_id: "restarted".to_owned(),
                ..numbered(session, operation, first)
            };
            responses.insert(0, Ok(other));
        }
        _ => {}
    }
    let whole = futures::stream::iter(responses);
    if hangs { whole.chain(futures::stream::pending()).boxed() } else { whole.boxed() }
}

fn numbered(session: &str, operation: &str, index: usize) -> ExecutePlanResponse {
    let response_type = if index == BATCHES {
        response::ResponseType::ResultComplete(response::ResultComplete {})
    } else {
        response::ResponseType::ArrowBatch(batch((index * ROWS_A_BATCH) as i64))
    };
    ExecutePlanResponse {
        session_id: session.to_owned(),
        server_side_session_id: SERVER_SESSION.to_owned(),
        operation_id: operation.to_owned(),
        response_id: index.to_string(),
        response_type: Some(response_type),
        ..Default::default()
    }
}

fn batch(start: i64) -> response::ArrowBatch {
    let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    let ids = Int64Array::from_iter_values(start..start + ROWS_A_BATCH as i64);
    let rows = RecordBatch::try_new(schema.clone(), vec![Arc::new(ids)]).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    writer.write(&rows).unwrap();
    response::ArrowBatch {
        row_count: ROWS_A_BATCH as i64,
        data: writer.into_inner().unwrap().into(),
        start_offset: Some(start),
        ..Default::default()
    }
}

impl Script for Mock {
    fn execute(&self, request: ExecutePlanRequest) -> Result<Responses, Status> {
        self.saw(Call::Execute);
        let fault = self.next_fault();
        if matches!(fault, Some(Fault::LostRequest)) {
            return Err(Status::unavailable("the request got lost"));
        }
        assert!(request.plan.is_some(), "an execution without a plan");
        let operation = request.operation_id.unwrap();
        let mut state = self.0.lock().unwrap();
        state.executed += 1;
        state.operations.insert(operation.clone());
        state.received = request.plan.map(|plan| Received::Plan(Box::new(plan)));
        Ok(stream(&request.session_id, &operation, 0, fault))
    }

    fn reattach(&self, request: ReattachExecuteRequest) -> Result<Responses, Status> {
        self.saw(Call::Reattach(request.last_response_id.clone()));
        if !self.0.lock().unwrap().operations.contains(&request.operation_id) {
            return Err(Status::internal("[INVALID_HANDLE.OPERATION_NOT_FOUND] never seen"));
        }
        let received = request.last_response_id.map_or(0, |id| id.parse::<usize>().unwrap() + 1);
        Ok(stream(&request.session_id, &request.operation_id, received, self.next_fault()))
    }

    fn release(&self, request: ReleaseExecuteRequest) {
        self.saw(match request.release {
            Some(Release::ReleaseUntil(until)) => Call::ReleaseUntil(until.response_id),
            _ => Call::ReleaseAll,
        });
    }

    fn interrupt(&self, _: &InterruptRequest) {
        self.saw(Call::Interrupt);
    }

    fn analyze(&self, request: &AnalyzePlanRequest, headers: &MetadataMap) {
        let mut state = self.0.lock().unwrap();
        state.received = Some(Received::Analyze(Box::new(request.clone())));
        state.headers = headers.clone();
    }

    /// Of every setting, that plans above 100 bytes may be compressed.
    fn settings(&self) -> Vec<(&'static str, &'static str)> {
        vec![
            ("spark.connect.session.planCompression.threshold", "100"),
            ("spark.connect.session.planCompression.defaultAlgorithm", "ZSTD"),
        ]
    }
}
