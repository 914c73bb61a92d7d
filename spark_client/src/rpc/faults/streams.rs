//! Response streams that break.

use super::{
    all_ids, collect_ids,
    mock::{BATCHES, Call, Fault, Mock},
    session_at,
};
use crate::{ErrorKind, RetryPolicy, SparkSession};
use std::time::{Duration, Instant};
use tonic::Status;

/// The rows are exact and the plan ran once, whatever these faults do to the streams.
async fn survives(faults: impl IntoIterator<Item = Fault>) -> Vec<Call> {
    let (mock, port) = Mock::start(faults);
    assert_eq!(collect_ids(&session_at(port)).await.unwrap(), all_ids());
    assert_eq!(mock.executed(), 1, "the plan ran more than once");
    mock.calls()
}

/// The collect fails with this kind of error, and the plan ran so often.
async fn fails(faults: impl IntoIterator<Item = Fault>, kind: ErrorKind, executed: usize) -> crate::Error {
    let (mock, port) = Mock::start(faults);
    let error = collect_ids(&session_at(port)).await.unwrap_err();
    assert_eq!(error.kind(), kind, "{error:?}");
    assert_eq!(mock.executed(), executed);
    error
}

fn unavailable() -> Status {
    Status::unavailable("gone for a moment")
}

#[tokio::test]
async fn a_stream_without_a_fault_is_not_reattached() {
    let calls = survives([]).await;
    assert!(!calls.iter().any(|call| matches!(call, Call::Reattach(_))), "{calls:?}");
}

#[tokio::test]
async fn an_end_without_result_complete_is_reattached_after_the_last_response() {
    let calls =
        survives([Fault::EndAfter(3), Fault::EndAfter(0), Fault::EndAfter(4), Fault::EndAfter(1)]).await;
    let reattached: Vec<_> = calls
        .into_iter()
        .filter_map(|call| if let Call::Reattach(last) = call { last } else { None })
        .collect();
    assert_eq!(reattached, ["2", "2", "6", "7"]);
}

#[tokio::test]
async fn streams_that_brought_something_cost_no_retry() {
    let (mock, port) = Mock::start(vec![Fault::EndAfter(1); BATCHES]);
    let remote = format!("sc://127.0.0.1:{port}");
    let builder = SparkSession::builder().remote(&remote).retry_policy(RetryPolicy::never());
    assert_eq!(collect_ids(&builder.connect_lazily().unwrap()).await.unwrap(), all_ids());
    assert_eq!(mock.executed(), 1);
}

#[tokio::test]
async fn a_failure_in_mid_stream_is_reattached() {
    let disconnected = Status::internal("[INVALID_CURSOR.DISCONNECTED] taken over");
    survives([Fault::FailAfter(2, unavailable()), Fault::FailAfter(1, disconnected)]).await;
}

#[tokio::test]
async fn a_failure_before_the_first_response_does_not_run_the_plan_twice() {
    let calls = survives([Fault::FailAfter(0, unavailable()), Fault::EndAfter(0)]).await;
    assert_eq!(calls[..3], [Call::Execute, Call::Reattach(None), Call::Reattach(None)]);
}

#[tokio::test]
async fn a_request_that_never_arrived_is_sent_again() {
    let calls = survives([Fault::LostRequest, Fault::LostRequest]).await;
    let again = [Call::Execute, Call::Reattach(None), Call::Execute, Call::Reattach(None), Call::Execute];
    assert_eq!(calls[..5], again);
}

#[tokio::test]
async fn a_response_that_comes_twice_counts_once() {
    survives([Fault::EndAfter(3), Fault::Repeat]).await;
}

#[tokio::test]
async fn an_operation_that_was_forgotten_in_the_middle_is_an_error() {
    let forgotten = || Status::internal("[INVALID_HANDLE.OPERATION_NOT_FOUND] gone");
    fails([Fault::FailAfter(3, forgotten())], ErrorKind::OperationLost, 1).await;
}

#[tokio::test]
async fn a_lost_session_is_an_error_and_not_a_second_run() {
    for reason in ["SESSION_NOT_FOUND", "SESSION_CHANGED", "SESSION_CLOSED"] {
        let lost = Status::internal(format!("[INVALID_HANDLE.{reason}] gone"));
        let error = fails([Fault::FailAfter(0, lost)], ErrorKind::SessionGone, 1).await;
        assert!(error.is_session_gone());
    }
    fails([Fault::EndAfter(2), Fault::OtherServer], ErrorKind::SessionGone, 1).await;
}

#[tokio::test]
async fn missing_and_foreign_responses_are_errors() {
    fails([Fault::EndAfter(2), Fault::Skip], ErrorKind::Protocol, 1).await;
    fails([Fault::Foreign], ErrorKind::Protocol, 1).await;
    fails([Fault::LateRows], ErrorKind::Protocol, 1).await;
}

#[tokio::test]
async fn patience_ends() {
    let error = fails(vec![Fault::FailAfter(0, unavailable()); 12], ErrorKind::Unreachable, 1).await;
    assert!(error.is_retryable());
    fails(vec![Fault::EndAfter(0); 12], ErrorKind::Unreachable, 1).await;
}

#[tokio::test]
async fn progress_renews_patience() {
    let mut faults = Vec::new();
    for _ in 0..4 {
        faults.extend(vec![Fault::FailAfter(0, unavailable()); 8]);
        faults.push(Fault::FailAfter(1, unavailable()));
    }
    survives(faults).await;
}

#[tokio::test]
async fn a_failure_of_the_plan_is_not_tried_again() {
    let refused = Status::internal("[DIVIDE_BY_ZERO] no");
    let error = fails([Fault::FailAfter(1, refused)], ErrorKind::Execution, 1).await;
    assert!(!error.is_retryable());
}

/// Polls until the mock has seen these calls after the first.
async fn seen(mock: &Mock, expected: &[Call]) {
    let deadline = Instant::now() + Duration::from_secs(10);
    while mock.calls()[1..] != *expected {
        assert!(Instant::now() < deadline, "expected {expected:?} after the first of {:?}", mock.calls());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_whole_result_is_released() {
    let (mock, port) = Mock::start([]);
    collect_ids(&session_at(port)).await.unwrap();
    seen(&mock, &[Call::ReleaseAll]).await;
}

#[tokio::test]
async fn a_dropped_result_is_interrupted_and_released() {
    let (mock, port) = Mock::start([Fault::HangAfter(2)]);
    let spark = session_at(port);
    let dropped = tokio::time::timeout(Duration::from_millis(500), collect_ids(&spark)).await;
    assert!(dropped.is_err());
    seen(&mock, &[Call::Interrupt, Call::ReleaseAll]).await;
}
