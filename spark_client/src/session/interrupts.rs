//! Stopping what runs.

use super::SparkSession;
use crate::{
    Error,
    proto::{
        InterruptRequest,
        interrupt_request::{Interrupt, InterruptType},
    },
};

impl SparkSession {
    /// Interrupts everything that runs in this session; gives the ids of the operations.
    pub async fn interrupt_all(&self) -> Result<Vec<String>, Error> {
        self.interrupt(InterruptType::All, None).await
    }

    /// Interrupts what was started while the session had this tag.
    pub async fn interrupt_tag(&self, tag: &str) -> Result<Vec<String>, Error> {
        self.interrupt(InterruptType::Tag, Some(Interrupt::OperationTag(tag.to_owned()))).await
    }

    /// Interrupts one operation.
    pub async fn interrupt_operation(&self, operation_id: &str) -> Result<Vec<String>, Error> {
        let operation = Interrupt::OperationId(operation_id.to_owned());
        self.interrupt(InterruptType::OperationId, Some(operation)).await
    }

    /// Marks everything that is started from now on, on any clone of this session. A tag is not empty and
    /// has no comma.
    pub fn add_tag(&self, tag: &str) -> Result<(), Error> {
        if tag.is_empty() || tag.contains(',') {
            return Err(Error::invalid_input(format!(
                "`{tag}` is no tag: it must not be empty or have a comma"
            )));
        }
        self.connection().lock_tags().insert(tag.to_owned());
        Ok(())
    }

    /// Ends [`SparkSession::add_tag`].
    pub fn remove_tag(&self, tag: &str) {
        self.connection().lock_tags().remove(tag);
    }

    /// Ends [`SparkSession::add_tag`] for all tags.
    pub fn clear_tags(&self) {
        self.connection().lock_tags().clear();
    }

    /// The tags of what is started now.
    pub fn tags(&self) -> Vec<String> {
        self.connection().tags().into_iter().collect()
    }

    async fn interrupt(&self, kind: InterruptType, what: Option<Interrupt>) -> Result<Vec<String>, Error> {
        let connection = self.connection();
        let request = InterruptRequest {
            session_id: connection.session_id(),
            client_observed_server_side_session_id: connection.server_session_id(),
            user_context: connection.user_context(),
            client_type: connection.client_type(),
            interrupt_type: kind as i32,
            interrupt: what,
        };
        let response = connection
            .call("interrupting", |mut c| {
                let request = request.clone();
                async move { c.interrupt(request).await }
            })
            .await?;
        connection.verify(&response)?;
        Ok(response.interrupted_ids)
    }
}
