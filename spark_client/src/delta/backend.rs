//! The two ways to a Delta table.

use crate::{
    DataFrame, Error, SparkSession,
    proto::{
        command::CommandType,
        delta::connect::{DeltaCommand, DeltaRelation, delta_command, delta_relation},
        relation::RelType,
    },
};
use prost::Message;

/// How operations on Delta tables are sent.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::delta::{Backend, DeltaTable};
/// let table = DeltaTable::for_name(&spark, "silver.customers").with_backend(Backend::Extension);
/// table.history(5).show(5).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backend {
    /// SQL statements and Spark's own MERGE message: every Spark Connect server with Delta's session extension and
    /// catalog understands them.
    #[default]
    Native,
    /// The messages of Delta Connect, which a server with Delta's Connect plugin understands.
    ///
    /// They are compared with those that delta-spark 4.4.0 sends; this crate's tests have no server with the
    /// plugin to run them on.
    Extension,
}

/// Something that changes a table, in the words of one backend.
#[derive(Debug)]
pub(crate) enum Operation {
    Sql(String),
    Command(Box<CommandType>),
    /// A relation that is carried out when its rows are asked for.
    Relation(Box<RelType>),
}

impl Operation {
    pub(super) fn command(command: delta_command::CommandType) -> Self {
        let message = DeltaCommand { command_type: Some(command) };
        Self::Command(Box::new(CommandType::Extension(packed("DeltaCommand", &message))))
    }

    pub(super) fn relation(relation: delta_relation::RelationType) -> Self {
        Self::Relation(Box::new(extension(relation)))
    }

    /// Carries it out.
    pub(super) async fn run(self, session: &SparkSession) -> Result<(), Error> {
        match self {
            Self::Sql(text) => session.sql(&text).await.map(|_| ()),
            Self::Command(command) => session.command(*command).await.map(|_| ()),
            Self::Relation(relation) => lazily(session, *relation).collect().await.map(|_| ()),
        }
    }

    /// Carries it out, once, and gives the rows of its answer.
    pub(super) async fn answer(self, session: &SparkSession) -> Result<DataFrame, Error> {
        match self {
            Self::Sql(text) => session.sql(&text).await,
            Self::Command(_) => Err(Error::protocol("a command that changes a Delta table has no rows")),
            Self::Relation(relation) => {
                let batches = lazily(session, *relation).collect().await?;
                session.create_data_frame(&batches).await
            }
        }
    }
}

/// A DataFrame of a relation.
pub(crate) fn lazily(session: &SparkSession, relation: RelType) -> DataFrame {
    session.data_frame(move || relation.clone())
}

/// A relation of Delta Connect.
pub(super) fn extension(relation: delta_relation::RelationType) -> RelType {
    RelType::Extension(packed("DeltaRelation", &DeltaRelation { relation_type: Some(relation) }))
}

fn packed(name: &str, message: &impl Message) -> prost_types::Any {
    let type_url = format!("type.googleapis.com/delta.connect.{name}");
    prost_types::Any { type_url, value: message.encode_to_vec() }
}
