//! The result that the server has: few rows, but every kind of response that a query can bring.

use crate::{
    proto::{ExecutePlanResponse, execute_plan_response as response, execute_plan_response::ResponseType},
    rpc::scripted_server::SERVER_SESSION,
};
use arrow::{
    array::{Int64Array, RecordBatch},
    datatypes::{DataType, Field, Schema},
    error::ArrowError,
    ipc::writer::StreamWriter,
};
use std::sync::{Arc, LazyLock};

/// Rows and chunks of each Arrow batch.
const BATCHES: [(i64, usize); 6] = [(3, 1), (1, 1), (5, 3), (0, 1), (2, 2), (4, 1)];

static WITHOUT_IDS: LazyLock<Vec<ExecutePlanResponse>> = LazyLock::new(|| {
    // What is missing here is missing in every result, and the first check says so.
    build().unwrap_or_default()
});

/// The rows of the whole result.
pub(super) fn ids() -> Vec<i64> {
    (0..BATCHES.iter().map(|(rows, _)| rows).sum()).collect()
}

/// All responses of the operation, up to ResultComplete.
pub(super) fn whole(session: &str, operation: &str) -> Vec<ExecutePlanResponse> {
    let named = |response: &ExecutePlanResponse| ExecutePlanResponse {
        session_id: session.to_owned(),
        operation_id: operation.to_owned(),
        ..response.clone()
    };
    WITHOUT_IDS.iter().map(named).collect()
}

/// Where a response of this id stands in [`whole`].
pub(super) fn position(response_id: &str) -> Option<usize> {
    WITHOUT_IDS.iter().position(|response| response.response_id == response_id)
}

fn build() -> Result<Vec<ExecutePlanResponse>, ArrowError> {
    let schema =
        ExecutePlanResponse { schema: Some(crate::proto::DataType::default()), ..Default::default() };
    let metrics = ExecutePlanResponse { metrics: Some(response::Metrics::default()), ..Default::default() };
    let mut responses =
        vec![schema, of(ResponseType::ExecutionProgress(response::ExecutionProgress::default()))];
    let mut start = 0;
    for (rows, chunks) in BATCHES {
        responses.extend(messages(start, rows, chunks)?.into_iter().map(|m| of(ResponseType::ArrowBatch(m))));
        start += rows;
    }
    responses.push(metrics);
    responses.push(of(ResponseType::ResultComplete(response::ResultComplete {})));
    for (position, response) in responses.iter_mut().enumerate() {
        response.response_id = format!("response {position}");
        response.server_side_session_id = SERVER_SESSION.to_owned();
    }
    Ok(responses)
}

fn of(response_type: ResponseType) -> ExecutePlanResponse {
    ExecutePlanResponse { response_type: Some(response_type), ..Default::default() }
}

fn messages(start: i64, rows: i64, chunks: usize) -> Result<Vec<response::ArrowBatch>, ArrowError> {
    let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
    let ids = Int64Array::from_iter_values(start..start + rows);
    let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(ids)])?;
    let mut writer = StreamWriter::try_new(Vec::new(), &schema)?;
    writer.write(&batch)?;
    let data = bytes::Bytes::from(writer.into_inner()?);
    let size = data.len().div_ceil(chunks);
    let chunk = |(index, part): (usize, &[u8])| response::ArrowBatch {
        row_count: rows,
        start_offset: Some(start),
        chunk_index: (chunks > 1).then_some(index as i64),
        num_chunks_in_batch: (chunks > 1).then_some(chunks as i64),
        data: data.slice_ref(part),
    };
    Ok(data.chunks(size).enumerate().map(chunk).collect())
}
