//! One server session on a channel: who asks, and the calls that have one answer.

use super::{RetryPolicy, progress::ProgressHandlers, transport::Client};
use crate::{Error, ErrorKind, dataframe::Observations, proto};
use proto::{analyze_plan_request::Analyze, analyze_plan_response::Result as Analyzed};
use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};
use tonic::{Response, Status};

/// Cheap to clone: every clone is the same server session.
#[derive(Clone)]
pub(crate) struct Connection(Arc<Inner>);

struct Inner {
    client: Client,
    identity: Identity,
    retry: RetryPolicy,
    server_session_id: OnceLock<String>,
    tags: Mutex<BTreeSet<String>>,
    write_turns: Arc<tokio::sync::Mutex<()>>,
    stopped: AtomicBool,
    observations: Observations,
    progress: ProgressHandlers,
    #[cfg(feature = "plan-compression")]
    plan_compression: tokio::sync::OnceCell<super::plan_compression::Threshold>,
}

/// What every request says about who sends it.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// The server's address, for messages: `sc://host:port`.
    pub(crate) target: String,
    pub(crate) session_id: String,
    pub(crate) user_id: String,
    pub(crate) client_type: String,
}

/// Answers name the session they belong to.
pub(crate) trait Answer {
    fn sessions(&self) -> (&str, &str);
}

macro_rules! answers {
    ($($message:ident),*) => {$(
        impl Answer for proto::$message {
            fn sessions(&self) -> (&str, &str) {
                (&self.session_id, &self.server_side_session_id)
            }
        }
    )*};
}
answers!(
    AddArtifactsResponse,
    AnalyzePlanResponse,
    ArtifactStatusesResponse,
    CloneSessionResponse,
    ConfigResponse,
    ExecutePlanResponse,
    GetStatusResponse,
    InterruptResponse
);

impl Connection {
    pub(crate) fn new(client: Client, identity: Identity, retry: RetryPolicy) -> Self {
        Self(Arc::new(Inner {
            client,
            identity,
            retry,
            server_session_id: OnceLock::new(),
            tags: Mutex::default(),
            write_turns: Arc::default(),
            stopped: AtomicBool::new(false),
            observations: Observations::default(),
            progress: ProgressHandlers::default(),
            #[cfg(feature = "plan-compression")]
            plan_compression: tokio::sync::OnceCell::new(),
        }))
    }

    /// Another server session on the same channel, with the same user, retry policy and tags.
    pub(crate) fn with_session(&self, session_id: String) -> Self {
        let identity = Identity { session_id, ..self.0.identity.clone() };
        let other = Self::new(self.client(), identity, self.0.retry.clone());
        *other.lock_tags() = self.tags();
        other
    }

    pub(crate) fn client(&self) -> Client {
        self.0.client.clone()
    }

    pub(crate) fn retry(&self) -> &RetryPolicy {
        &self.0.retry
    }

    pub(crate) fn session_id(&self) -> String {
        self.0.identity.session_id.clone()
    }

    #[allow(clippy::unnecessary_wraps, reason = "the messages have it so")]
    pub(crate) fn client_type(&self) -> Option<String> {
        Some(self.0.identity.client_type.clone())
    }

    #[allow(clippy::unnecessary_wraps, reason = "the messages have it so")]
    pub(crate) fn user_context(&self) -> Option<proto::UserContext> {
        let user_id = self.0.identity.user_id.clone();
        Some(proto::UserContext { user_id, ..Default::default() })
    }

    /// The server's own id of this session, once an answer has told it. A server that was restarted
    /// refuses requests which carry the id of the session before.
    pub(crate) fn server_session_id(&self) -> Option<String> {
        self.0.server_session_id.get().cloned()
    }

    pub(crate) fn tags(&self) -> BTreeSet<String> {
        self.lock_tags().clone()
    }

    pub(crate) fn lock_tags(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.0.tags.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whose turn it is to change the settings of this session for one statement.
    pub(crate) fn write_turns(&self) -> Arc<tokio::sync::Mutex<()>> {
        self.0.write_turns.clone()
    }

    pub(crate) fn set_stopped(&self) {
        self.0.stopped.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.0.stopped.load(Ordering::Relaxed)
    }

    pub(crate) fn observations(&self) -> &Observations {
        &self.0.observations
    }

    #[cfg(feature = "plan-compression")]
    pub(super) fn plan_compression(&self) -> &tokio::sync::OnceCell<super::plan_compression::Threshold> {
        &self.0.plan_compression
    }

    pub(crate) fn progress_handlers(&self) -> &ProgressHandlers {
        &self.0.progress
    }

    /// Refuses an answer of another session, or of another server process.
    pub(crate) fn verify(&self, answer: &impl Answer) -> Result<(), Error> {
        let (session_id, server_session_id) = answer.sessions();
        if session_id != self.0.identity.session_id {
            let own = &self.0.identity.session_id;
            return Err(Error::protocol(format!("the answer is for session {session_id}, asked was {own}")));
        }
        if server_session_id.is_empty() {
            return Ok(());
        }
        let observed = self.0.server_session_id.get_or_init(|| server_session_id.to_owned());
        if observed == server_session_id {
            Ok(())
        } else {
            Err(Error::new(
                ErrorKind::SessionGone,
                format!("session {session_id} was lost with its server; open a new session"),
            ))
        }
    }

    /// Calls until it succeeds, the failure is not worth another try, or the policy is exhausted.
    /// Only for calls that may be executed twice.
    pub(crate) async fn call<T, F, A>(&self, doing: &str, mut request: F) -> Result<T, Error>
    where
        F: FnMut(Client) -> A,
        A: Future<Output = Result<Response<T>, Status>>,
    {
        let mut retries = self.0.retry.start();
        loop {
            // Boxed: tonic's futures are large, and every caller's future would contain them.
            let status = match Box::pin(request(self.client())).await {
                Ok(response) => return Ok(response.into_inner()),
                Err(status) => status,
            };
            let Some(wait) = retries.after(&status) else {
                return Err(Box::pin(self.explain(doing, status)).await);
            };
            tracing::warn!(error = status.message(), ?wait, "{doing} failed, trying again");
            tokio::time::sleep(wait).await;
        }
    }

    /// The error behind a status, with the details that the server kept of it.
    pub(crate) async fn explain(&self, doing: &str, status: Status) -> Error {
        let mut details = None;
        if let Some(error_id) = Error::details_id(&status) {
            let request = proto::FetchErrorDetailsRequest {
                session_id: self.session_id(),
                client_observed_server_side_session_id: self.server_session_id(),
                user_context: self.user_context(),
                error_id,
                client_type: self.client_type(),
            };
            // Without the details the error is shorter, not wrong.
            details =
                Box::pin(self.client().fetch_error_details(request)).await.ok().map(Response::into_inner);
        }
        Error::from_status(doing, &self.0.identity.target, status, details)
    }

    pub(crate) async fn analyze(&self, doing: &str, analyze: Analyze) -> Result<Analyzed, Error> {
        let request = proto::AnalyzePlanRequest {
            session_id: self.session_id(),
            client_observed_server_side_session_id: self.server_session_id(),
            user_context: self.user_context(),
            client_type: self.client_type(),
            analyze: Some(analyze),
        };
        let response = self
            .call(doing, |mut c| {
                let request = request.clone();
                async move { Box::pin(c.analyze_plan(request)).await }
            })
            .await?;
        self.verify(&response)?;
        response.result.ok_or_else(|| Error::protocol(format!("{doing}: the answer is empty")))
    }

    pub(crate) async fn config(
        &self,
        op_type: proto::config_request::operation::OpType,
    ) -> Result<Vec<proto::KeyValue>, Error> {
        let request = proto::ConfigRequest {
            session_id: self.session_id(),
            client_observed_server_side_session_id: self.server_session_id(),
            user_context: self.user_context(),
            operation: Some(proto::config_request::Operation { op_type: Some(op_type) }),
            client_type: self.client_type(),
        };
        let response = self
            .call("configuration", |mut c| {
                let request = request.clone();
                async move { c.config(request).await }
            })
            .await?;
        self.verify(&response)?;
        for warning in &response.warnings {
            tracing::warn!("{warning}");
        }
        Ok(response.pairs)
    }

    pub(crate) async fn spark_version(&self) -> Result<String, Error> {
        let asked = Analyze::SparkVersion(proto::analyze_plan_request::SparkVersion {});
        match self.analyze("connecting", asked).await? {
            Analyzed::SparkVersion(answer) => Ok(answer.version),
            other => Err(Error::protocol(format!("asked for the version, answered {other:?}"))),
        }
    }

    /// Makes sure that the server's id of the session is known before anything is executed: with it, a
    /// request that is repeated to a restarted server is refused and not executed a second time.
    pub(crate) async fn ensure_session(&self) -> Result<(), Error> {
        if self.0.server_session_id.get().is_none() {
            Box::pin(self.spark_version()).await?;
        }
        Ok(())
    }
}
