//! New sessions from old ones, and the end of a session.

use super::SparkSession;
use crate::{
    Error,
    proto::{CloneSessionRequest, ReleaseSessionRequest},
};

impl SparkSession {
    /// A fresh server session on the same channel, as the same user: the server's default settings, no
    /// temporary views.
    pub async fn new_session(&self) -> Result<SparkSession, Error> {
        let connection = self.connection().with_session(uuid::Uuid::new_v4().to_string());
        connection.ensure_session().await?;
        Ok(SparkSession::new(connection))
    }

    /// A server session that begins with this one's settings and temporary views; later changes of one do
    /// not reach the other.
    pub async fn clone_session(&self) -> Result<SparkSession, Error> {
        let connection = self.connection();
        let new_session_id = uuid::Uuid::new_v4().to_string();
        let request = CloneSessionRequest {
            session_id: connection.session_id(),
            client_observed_server_side_session_id: connection.server_session_id(),
            user_context: connection.user_context(),
            client_type: connection.client_type(),
            new_session_id: Some(new_session_id.clone()),
        };
        let response = connection
            .call("cloning a session", |mut c| {
                let request = request.clone();
                async move { c.clone_session(request).await }
            })
            .await?;
        connection.verify(&response)?;
        if response.new_session_id != new_session_id {
            return Err(Error::protocol("the server cloned the session under another id"));
        }
        let cloned = connection.with_session(new_session_id);
        cloned.ensure_session().await?;
        Ok(SparkSession::new(cloned))
    }

    /// Whether this process has stopped the session.
    pub fn is_stopped(&self) -> bool {
        self.connection().is_stopped()
    }

    /// Ends the server session: what runs in it is interrupted, its settings and temporary views are gone.
    /// Every clone of this value is of no use afterwards.
    pub async fn stop(&self) -> Result<(), Error> {
        let connection = self.connection();
        let request = ReleaseSessionRequest {
            session_id: connection.session_id(),
            user_context: connection.user_context(),
            client_type: connection.client_type(),
            allow_reconnect: false,
        };
        let released = connection.call("releasing the session", |mut c| {
            let request = request.clone();
            async move { c.release_session(request).await }
        });
        connection.set_stopped();
        released.await.map(|_| ())
    }
}
