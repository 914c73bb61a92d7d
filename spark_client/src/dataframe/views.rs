//! Temporary views, and results kept by the server.

use super::{DataFrame, StorageLevel};
use crate::{
    Error, SparkSession,
    plan::Plan,
    proto::{self, CreateDataFrameViewCommand, command::CommandType, relation::RelType},
};

impl DataFrame {
    /// Gives the plan a name for SQL in this session, in place of a view that has it.
    pub async fn create_or_replace_temp_view(&self, name: &str) -> Result<(), Error> {
        self.create_view(name, false, true).await
    }

    /// Gives the plan a name for SQL in this session; an error when the name is taken.
    pub async fn create_temp_view(&self, name: &str) -> Result<(), Error> {
        self.create_view(name, false, false).await
    }

    /// Gives the plan the name `global_temp.<name>` for SQL in every session of the server.
    pub async fn create_or_replace_global_temp_view(&self, name: &str) -> Result<(), Error> {
        self.create_view(name, true, true).await
    }

    /// Gives the plan the name `global_temp.<name>` for SQL in every session of the server; an error when the name is
    /// taken.
    pub async fn create_global_temp_view(&self, name: &str) -> Result<(), Error> {
        self.create_view(name, true, false).await
    }

    async fn create_view(&self, name: &str, is_global: bool, replace: bool) -> Result<(), Error> {
        self.session.command(self.view_command(name, is_global, replace)).await.map(|_| ())
    }

    pub(crate) fn view_command(&self, name: &str, is_global: bool, replace: bool) -> CommandType {
        CommandType::CreateDataframeView(CreateDataFrameViewCommand {
            input: Some(self.plan.to_relation()),
            name: name.to_owned(),
            is_global,
            replace,
        })
    }

    /// Computes the rows now and keeps them on the executors: the result's plan is cut off from this one's.
    /// The server forgets them with the last DataFrame that is made of the result.
    pub async fn local_checkpoint(&self) -> Result<DataFrame, Error> {
        self.checkpointed(true, true, None).await
    }

    /// [`DataFrame::local_checkpoint`] whose rows are computed by the first action on the result, and kept where `level`
    /// says, or where [`DataFrame::cache`] would.
    pub async fn local_checkpoint_lazily(&self, level: Option<StorageLevel>) -> Result<DataFrame, Error> {
        self.checkpointed(true, false, level).await
    }

    /// Computes the rows now and writes them to the server's checkpoint folder, which it must have
    /// (`spark.checkpoint.dir`): the result's plan is cut off from this one's, and outlives executors. The server forgets
    /// them with the last DataFrame that is made of the result.
    pub async fn checkpoint(&self) -> Result<DataFrame, Error> {
        self.checkpointed(false, true, None).await
    }

    /// [`DataFrame::checkpoint`] whose rows are computed and written by the first action on the result.
    pub async fn checkpoint_lazily(&self) -> Result<DataFrame, Error> {
        self.checkpointed(false, false, None).await
    }

    async fn checkpointed(
        &self,
        local: bool,
        eager: bool,
        level: Option<StorageLevel>,
    ) -> Result<DataFrame, Error> {
        let command = proto::CheckpointCommand {
            relation: Some(self.plan.to_relation()),
            local,
            eager,
            storage_level: level.map(StorageLevel::to_proto),
        };
        let outcome = self.session.command(CommandType::CheckpointCommand(command)).await?;
        let kept = outcome.checkpoint.ok_or_else(|| Error::protocol("a checkpoint gave no relation"))?;
        let kept = Kept { relation: kept, session: self.session.clone() };
        Ok(self.with_plan(Plan::new(move || RelType::CachedRemoteRelation(kept.relation.clone()))))
    }
}

/// A result that the server keeps.
struct Kept {
    relation: proto::CachedRemoteRelation,
    session: SparkSession,
}

impl Drop for Kept {
    fn drop(&mut self) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        let relation = Some(self.relation.clone());
        let command =
            CommandType::RemoveCachedRemoteRelationCommand(proto::RemoveCachedRemoteRelationCommand {
                relation,
            });
        let session = self.session.clone();
        runtime.spawn(async move {
            // It goes with its session anyway.
            if let Err(error) = session.command(command).await {
                tracing::debug!(%error, "a checkpoint was not removed");
            }
        });
    }
}
