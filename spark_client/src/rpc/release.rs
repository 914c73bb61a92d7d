//! Tells the server, beside the consumption of a result, what it need not keep any longer.

use super::Connection;
use crate::proto::{
    self, InterruptRequest, ReleaseExecuteRequest, interrupt_request, release_execute_request as release,
};
use tokio::sync::watch;

/// Received bytes between two releases. The server keeps 10 MiB for reattachment by itself, so releasing
/// every response would only cost round trips.
const RELEASE_EVERY: usize = 1024 * 1024;

/// How far a result was consumed. Dropped before [`Releaser::finish`], it interrupts the operation.
pub(super) struct Releaser {
    progress: watch::Sender<Progress>,
    unreleased: usize,
}

enum Progress {
    Started,
    Received(String),
    Finished,
}

impl Releaser {
    pub(super) fn new(connection: Connection, operation_id: String) -> Self {
        let (progress, receiver) = watch::channel(Progress::Started);
        tokio::spawn(follow(connection, operation_id, receiver));
        Self { progress, unreleased: 0 }
    }

    /// A response was taken over: `bytes` long, and the last one so far.
    pub(super) fn received(&mut self, response_id: &str, bytes: usize) {
        self.unreleased += bytes;
        if self.unreleased >= RELEASE_EVERY {
            self.unreleased = 0;
            self.progress.send_replace(Progress::Received(response_id.to_owned()));
        }
    }

    /// The whole result was taken over, or the operation failed: the server can forget it.
    pub(super) fn finish(&mut self) {
        self.progress.send_replace(Progress::Finished);
    }
}

/// Best effort: a server that gets no release gives the operation up by itself after some minutes.
async fn follow(connection: Connection, operation_id: String, mut progress: watch::Receiver<Progress>) {
    let release = |what| async {
        let request = ReleaseExecuteRequest {
            session_id: connection.session_id(),
            client_observed_server_side_session_id: connection.server_session_id(),
            user_context: connection.user_context(),
            operation_id: operation_id.clone(),
            client_type: connection.client_type(),
            release: Some(what),
        };
        if let Err(status) = connection.client().release_execute(request).await {
            tracing::debug!(operation_id, error = status.message(), "the server did not take a release");
        }
    };
    while progress.changed().await.is_ok() {
        let until = match &*progress.borrow_and_update() {
            Progress::Started => continue,
            Progress::Received(response_id) => Some(response_id.clone()),
            Progress::Finished => None,
        };
        let Some(response_id) = until else {
            return release(release::Release::ReleaseAll(release::ReleaseAll {})).await;
        };
        release(release::Release::ReleaseUntil(release::ReleaseUntil { response_id })).await;
    }
    tracing::debug!(operation_id, "nobody waits for the result any longer, interrupting");
    let request = InterruptRequest {
        session_id: connection.session_id(),
        client_observed_server_side_session_id: connection.server_session_id(),
        user_context: connection.user_context(),
        client_type: connection.client_type(),
        interrupt_type: interrupt_request::InterruptType::OperationId as i32,
        interrupt: Some(proto::interrupt_request::Interrupt::OperationId(operation_id.clone())),
    };
    if let Err(status) = connection.client().interrupt(request).await {
        tracing::debug!(operation_id, error = status.message(), "the server did not take an interrupt");
    }
    release(release::Release::ReleaseAll(release::ReleaseAll {})).await;
}
