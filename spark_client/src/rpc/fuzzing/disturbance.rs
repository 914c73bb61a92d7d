//! From the bytes of the fuzzer to what happens to one response stream.

use crate::proto::{ExecutePlanResponse, execute_plan_response::ResponseType};
use tonic::Status;

/// The bytes that are not used up yet; behind their end there are zeros, which disturb nothing.
#[derive(Debug, Default)]
pub(super) struct Bytes(std::collections::VecDeque<u8>);

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.iter().copied().collect())
    }
}

impl Bytes {
    fn next(&mut self) -> u8 {
        self.0.pop_front().unwrap_or(0)
    }

    /// A number below `limit`, or 0.
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.next()).checked_rem(limit).unwrap_or(0)
    }
}

/// A call that is answered with a failure and no stream.
pub(super) struct Refusal {
    pub(super) status: Status,
    /// Whether the server never knew of the call.
    pub(super) before_it_arrived: bool,
}

/// Whether the next call is refused.
pub(super) fn refusal(script: &mut Bytes) -> Option<Refusal> {
    let kind = script.next();
    (kind % 4 == 3).then(|| Refusal { status: failure(script), before_it_arrived: kind & 4 == 0 })
}

fn failure(script: &mut Bytes) -> Status {
    match script.below(8) {
        0 | 1 => Status::unavailable("gone for a moment"),
        2 => Status::internal("[INVALID_CURSOR.DISCONNECTED] taken over"),
        3 => Status::internal("[INVALID_HANDLE.OPERATION_ABANDONED] given up"),
        4 => Status::internal("[INVALID_HANDLE.SESSION_CHANGED] restarted"),
        5 => Status::internal("[DIVIDE_BY_ZERO] no"),
        6 => Status::cancelled("[OPERATION_CANCELED] interrupted"),
        _ => Status::unknown("who knows"),
    }
}

/// What happens to the responses that are due on one stream: first it is cut, then what is left of it is changed.
/// So ResultComplete comes only with all rows before it or, out of order, behind it: a server that calls a result
/// complete without having sent all of it cannot be told from one whose result is shorter.
pub(super) struct Disturbance {
    cut_after: Option<u8>,
    changes: Vec<Change>,
    end: Option<Status>,
}

struct Change {
    kind: u8,
    at: u8,
    by: u8,
}

pub(super) struct Disturbed {
    pub(super) stream: Vec<Result<ExecutePlanResponse, Status>>,
    pub(super) garbled: bool,
}

impl Disturbance {
    pub(super) fn next(script: &mut Bytes) -> Self {
        let kind = script.next();
        let changes = script.below(5);
        Self {
            cut_after: (kind & 1 == 1).then(|| script.next()),
            changes: (0..changes)
                .map(|_| Change { kind: script.next(), at: script.next(), by: script.next() })
                .collect(),
            end: (kind & 2 == 2).then(|| failure(script)),
        }
    }

    pub(super) fn applied_to(self, mut responses: Vec<ExecutePlanResponse>) -> Disturbed {
        if let Some(length) = self.cut_after {
            responses.truncate(usize::from(length) % (responses.len() + 1));
        }
        let mut garbled = false;
        for change in self.changes {
            garbled |= change.apply(&mut responses);
        }
        let stream = responses.into_iter().map(Ok).chain(self.end.map(Err)).collect();
        Disturbed { stream, garbled }
    }
}

impl Change {
    /// Gives whether a byte was changed that nothing in the protocol protects.
    fn apply(&self, responses: &mut Vec<ExecutePlanResponse>) -> bool {
        let (at, by) = (usize::from(self.at), usize::from(self.by));
        let Some(position) = at.checked_rem(responses.len()) else { return false };
        let other = by % responses.len();
        let Some(chosen) = responses.get(position).cloned() else { return false };
        match self.kind % 9 {
            0 => responses.swap(position, other),
            1 => responses.insert(other, chosen),
            2 => {
                let taken = responses.remove(position);
                responses.insert(other, taken);
            }
            3 => {
                let operation_id = "another".to_owned();
                responses.insert(other, ExecutePlanResponse { operation_id, ..chosen });
            }
            4 => {
                let session_id = "another".to_owned();
                responses.insert(other, ExecutePlanResponse { session_id, ..chosen });
            }
            5 => {
                let server_side_session_id = "another".to_owned();
                responses.insert(other, ExecutePlanResponse { server_side_session_id, ..chosen });
            }
            6 => cut_data(responses, position, by),
            7 => miscount(responses, position, self.by),
            _ => return garble(responses, position, self.by),
        }
        false
    }
}

/// The Arrow message of a response, if it is one.
fn message(
    responses: &mut [ExecutePlanResponse],
    position: usize,
) -> Option<&mut crate::proto::execute_plan_response::ArrowBatch> {
    match responses.get_mut(position).map(|response| &mut response.response_type) {
        Some(Some(ResponseType::ArrowBatch(message))) => Some(message),
        _ => None,
    }
}

fn cut_data(responses: &mut [ExecutePlanResponse], position: usize, by: usize) {
    if let Some(message) = message(responses, position) {
        let length = message.data.len().saturating_sub(by);
        message.data.truncate(length);
    }
}

fn miscount(responses: &mut [ExecutePlanResponse], position: usize, by: u8) {
    let Some(message) = message(responses, position) else { return };
    let off = i64::from(by >> 2) - 8;
    match by % 4 {
        0 => message.row_count += off,
        1 => message.start_offset = message.start_offset.map(|start| start + off),
        2 => message.chunk_index = Some(off),
        _ => message.num_chunks_in_batch = Some(off),
    }
}

fn garble(responses: &mut [ExecutePlanResponse], position: usize, by: u8) -> bool {
    let Some(message) = message(responses, position) else { return false };
    let mut data = message.data.to_vec();
    let length = data.len();
    // The multiplication spreads 256 places over the whole message.
    let place = (usize::from(by) * 37).checked_rem(length).unwrap_or(0);
    if let Some(byte) = data.get_mut(place) {
        *byte ^= by | 1;
    }
    message.data = data.into();
    true
}
