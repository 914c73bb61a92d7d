//! One execution of a plan, followed to its end over as many connections as that takes.

use super::{Connection, release::Releaser, retry::Retries};
use crate::{Error, ErrorKind, proto};
use prost::Message as _;
use proto::{
    ExecutePlanRequest, ExecutePlanResponse, ReattachExecuteRequest, ReattachOptions, ResultChunkingOptions,
    execute_plan_request::{RequestOption, request_option},
    execute_plan_response::ResponseType,
};
use std::time::{Duration, Instant};
use tonic::{Status, Streaming};

/// A response stream that ends this soon without a new response counts as a failure.
const TOO_SHORT: Duration = Duration::from_millis(100);
/// How long to look for responses after ResultComplete, where none may be: a server ends the stream at once.
const AFTER_COMPLETE: Duration = Duration::from_secs(1);

/// The responses of one operation, each exactly once and in order, up to ResultComplete.
///
/// A stream that breaks, or ends before ResultComplete, is reattached after the last response. The plan
/// itself is sent again only when the server, in the very same session, says that it never saw the
/// operation and no response of it ever came: a command is never executed twice.
pub(crate) struct Execution {
    connection: Connection,
    request: ExecutePlanRequest,
    operation_id: String,
    stream: Option<Attached>,
    attach: Attach,
    last_response_id: Option<String>,
    retries: Retries,
    releaser: Releaser,
    finished: bool,
}

/// One of the streams over which the responses come.
struct Attached {
    responses: Streaming<ExecutePlanResponse>,
    opened: Instant,
    brought_something: bool,
}

/// How the next stream is to be opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Attach {
    Execute,
    Reattach,
}

impl Execution {
    /// Prepares it; the plan is sent by the first [`Self::next`].
    pub(crate) async fn new(connection: &Connection, plan: proto::Plan) -> Result<Self, Error> {
        connection.ensure_session().await?;
        #[cfg(feature = "plan-compression")]
        let plan = connection.compressed(plan).await?;
        let operation_id = uuid::Uuid::new_v4().to_string();
        let request = ExecutePlanRequest {
            session_id: connection.session_id(),
            client_observed_server_side_session_id: connection.server_session_id(),
            user_context: connection.user_context(),
            operation_id: Some(operation_id.clone()),
            plan: Some(plan),
            client_type: connection.client_type(),
            request_options: [
                request_option::RequestOption::ReattachOptions(ReattachOptions { reattachable: true }),
                request_option::RequestOption::ResultChunkingOptions(ResultChunkingOptions {
                    allow_arrow_batch_chunking: true,
                    preferred_arrow_chunk_size: None,
                }),
            ]
            .map(|option| RequestOption { request_option: Some(option) })
            .to_vec(),
            tags: connection.tags().into_iter().collect(),
        };
        Ok(Self {
            connection: connection.clone(),
            releaser: Releaser::new(connection.clone(), operation_id.clone()),
            request,
            operation_id,
            stream: None,
            attach: Attach::Execute,
            last_response_id: None,
            retries: connection.retry().start(),
            finished: false,
        })
    }

    /// The next response, or `None` after ResultComplete. After an error it gives `None`.
    pub(crate) async fn next(&mut self) -> Result<Option<ExecutePlanResponse>, Error> {
        while !self.finished {
            let taken = match self.receive().await {
                Ok(Some(response)) => self.accept(response).await,
                Ok(None) => self.stream_ended().await,
                Err(status) => self.recover(status).await.map(|()| None),
            };
            match taken {
                Ok(Some(response)) => return Ok(Some(response)),
                Ok(None) => {}
                Err(error) => {
                    self.finish();
                    return Err(error);
                }
            }
        }
        Ok(None)
    }

    async fn receive(&mut self) -> Result<Option<ExecutePlanResponse>, Status> {
        if self.stream.is_none() {
            let mut client = self.connection.client();
            let opened = match self.attach {
                Attach::Execute => Box::pin(client.execute_plan(self.request.clone())).await?,
                Attach::Reattach => Box::pin(client.reattach_execute(self.reattach_request())).await?,
            };
            // From here on the server knows the operation, or says that it does not.
            self.attach = Attach::Reattach;
            let responses = opened.into_inner();
            self.stream = Some(Attached { responses, opened: Instant::now(), brought_something: false });
        }
        match &mut self.stream {
            Some(stream) => stream.responses.message().await,
            None => Ok(None),
        }
    }

    fn reattach_request(&self) -> ReattachExecuteRequest {
        ReattachExecuteRequest {
            session_id: self.request.session_id.clone(),
            client_observed_server_side_session_id: self.connection.server_session_id(),
            user_context: self.request.user_context.clone(),
            operation_id: self.operation_id.clone(),
            client_type: self.request.client_type.clone(),
            last_response_id: self.last_response_id.clone(),
        }
    }

    /// Takes a response over, or gives `None` for one that is here already and for ResultComplete.
    async fn accept(&mut self, response: ExecutePlanResponse) -> Result<Option<ExecutePlanResponse>, Error> {
        self.connection.verify(&response)?;
        if response.operation_id != self.operation_id {
            return Err(Error::protocol(format!(
                "a response of operation {} came on the stream of operation {}",
                response.operation_id, self.operation_id
            )));
        }
        if self.last_response_id.as_ref() == Some(&response.response_id) {
            return Ok(None);
        }
        self.retries.reset();
        if let Some(stream) = &mut self.stream {
            stream.brought_something = true;
        }
        // The plan is never sent again from here on.
        self.request.plan = None;
        self.connection.observations().observed(&response.observed_metrics);
        match &response.response_type {
            Some(ResponseType::ResultComplete(_)) => {
                self.nothing_may_follow().await?;
                self.finish();
                self.connection.progress_handlers().done(&self.operation_id);
                return Ok(None);
            }
            Some(ResponseType::ExecutionProgress(progress)) => {
                self.connection.progress_handlers().running(&self.operation_id, progress);
            }
            _ => {}
        }
        self.releaser.received(&response.response_id, response.encoded_len());
        self.last_response_id = Some(response.response_id.clone());
        Ok(Some(response))
    }

    /// Responses behind ResultComplete would be rows that came too late: then the order is not the server's.
    async fn nothing_may_follow(&mut self) -> Result<(), Error> {
        let Some(stream) = &mut self.stream else { return Ok(()) };
        match tokio::time::timeout(AFTER_COMPLETE, stream.responses.message()).await {
            Ok(Ok(Some(_))) => Err(Error::protocol("a response came after the result was complete")),
            // A stream that ends, breaks or stays silent here has brought all that there is.
            Ok(Ok(None) | Err(_)) | Err(_) => Ok(()),
        }
    }

    /// The server ends long streams on purpose: without ResultComplete there is more to come.
    async fn stream_ended(&mut self) -> Result<Option<ExecutePlanResponse>, Error> {
        let ended = self.stream.take();
        if ended.is_none_or(|stream| !stream.brought_something && stream.opened.elapsed() < TOO_SHORT) {
            self.recover(Status::unavailable("the response stream ended before the result was complete"))
                .await?;
        }
        Ok(None)
    }

    async fn recover(&mut self, status: Status) -> Result<(), Error> {
        self.stream = None;
        let says = |reason: &str| status.message().contains(reason) || error_class(&status) == reason;
        let wait = if says("INVALID_HANDLE.OPERATION_NOT_FOUND") {
            if self.request.plan.is_none() {
                return Err(Error::new(
                    ErrorKind::OperationLost,
                    "the server gave the operation up while its result was being read: run it again if it is \
                     a query; whether a command took effect is unknown",
                ));
            }
            // Same session, nothing received: the request got lost on its way there.
            self.attach = Attach::Execute;
            self.retries.after_lost_request()
        } else if says("INVALID_HANDLE.OPERATION_ALREADY_EXISTS") {
            // A request believed lost arrived after all.
            self.attach = Attach::Reattach;
            self.retries.after_lost_request()
        } else {
            self.attach = Attach::Reattach;
            self.retries.after(&status)
        };
        let Some(wait) = wait else {
            return Err(Box::pin(self.connection.explain("executing a plan", status)).await);
        };
        tracing::warn!(
            operation_id = self.operation_id,
            error = status.message(),
            ?wait,
            "the response stream broke, trying again"
        );
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn finish(&mut self) {
        self.finished = true;
        self.stream = None;
        self.releaser.finish();
    }
}

fn error_class(status: &Status) -> String {
    use tonic_types::StatusExt as _;
    let info = status.get_details_error_info();
    info.and_then(|mut info| info.metadata.remove("errorClass")).unwrap_or_default()
}
