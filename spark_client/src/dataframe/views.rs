//! Temporary views, and results kept by the server.

use super::DataFrame;
use crate::{
    Error,
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
    /// The server keeps them as long as the session lives.
    pub async fn local_checkpoint(&self) -> Result<DataFrame, Error> {
        self.checkpointed(true).await
    }

    /// Computes the rows now and writes them to the server's checkpoint folder, which it must have
    /// (`spark.checkpoint.dir`): the result's plan is cut off from this one's, and outlives executors.
    pub async fn checkpoint(&self) -> Result<DataFrame, Error> {
        self.checkpointed(false).await
    }

    async fn checkpointed(&self, local: bool) -> Result<DataFrame, Error> {
        let command = proto::CheckpointCommand {
            relation: Some(self.plan.to_relation()),
            local,
            eager: true,
            storage_level: None,
        };
        let outcome = self.session.command(CommandType::CheckpointCommand(command)).await?;
        let kept = outcome.checkpoint.ok_or_else(|| Error::protocol("a checkpoint gave no relation"))?;
        Ok(self.with_plan(Plan::new(move || RelType::CachedRemoteRelation(kept.clone()))))
    }
}
