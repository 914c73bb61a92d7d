//! The session: where plans begin and where they are run.

mod artifacts;
mod builder;
mod catalog;
mod commands;
mod conf;
mod interrupts;
mod java_functions;
mod lifecycle;
mod local_data;
mod operations;
mod sql;

pub use artifacts::ArtifactKind;
pub use builder::SparkSessionBuilder;
pub use catalog::{Catalog, CatalogInfo, ColumnInfo, CreateTable, DatabaseInfo, FunctionInfo, TableInfo};
pub use conf::RuntimeConf;
pub use operations::{OperationState, OperationStatus};
pub use sql::SqlArguments;

use crate::{
    DataFrame, DataFrameReader, DataStreamReader, Error, Progress, ProgressHandlerId, StreamingQueryManager,
    TableValuedFunctions,
    plan::Plan,
    proto::{self, read, relation::RelType},
    rpc::Connection,
};
use std::fmt;

/// A session of a Spark server. Cheap to clone: every clone is the same server session, with the same
/// settings and temporary views, and can be used from any task.
///
/// ```no_run
/// # async fn run() -> Result<(), spark_client::Error> {
/// use spark_client::SparkSession;
/// let spark = SparkSession::builder().remote("sc://localhost:15002")
///     .config("spark.sql.session.timeZone", "UTC")
///     .connect().await?;
/// println!("Spark {}", spark.version().await?);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SparkSession {
    connection: Connection,
}

impl SparkSession {
    /// Begins with where to connect to.
    pub fn builder() -> SparkSessionBuilder {
        SparkSessionBuilder::default()
    }

    pub(crate) fn new(connection: Connection) -> Self {
        Self { connection }
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// This session's id, a UUID.
    pub fn session_id(&self) -> String {
        self.connection.session_id()
    }

    /// The version of the server, for example `4.2.0`.
    pub async fn version(&self) -> Result<String, Error> {
        self.connection.spark_version().await
    }

    /// The settings of this session.
    pub fn conf(&self) -> RuntimeConf<'_> {
        RuntimeConf::new(&self.connection)
    }

    /// Calls a function with the progress of the operations of this session, until it is removed: about every two
    /// seconds while one runs, and once when it has ended. It should return soon, since the result waits for it.
    pub fn register_progress_handler(
        &self,
        handler: impl Fn(&Progress) + Send + Sync + 'static,
    ) -> ProgressHandlerId {
        self.connection.progress_handlers().add(handler)
    }

    /// Calls that function no more.
    pub fn remove_progress_handler(&self, id: ProgressHandlerId) {
        self.connection.progress_handlers().remove(id);
    }

    /// Calls none of the functions any more.
    pub fn clear_progress_handlers(&self) {
        self.connection.progress_handlers().clear();
    }

    /// Functions that give a table.
    pub fn tvf(&self) -> TableValuedFunctions<'_> {
        TableValuedFunctions::new(self)
    }

    /// Databases, tables and views.
    pub fn catalog(&self) -> Catalog<'_> {
        Catalog::new(self)
    }

    /// The streaming queries of this session.
    pub fn streams(&self) -> StreamingQueryManager {
        StreamingQueryManager::new(self.clone())
    }

    /// Reads files or tables.
    pub fn read(&self) -> DataFrameReader {
        DataFrameReader::new(self.clone())
    }

    /// Reads a stream.
    pub fn read_stream(&self) -> DataStreamReader {
        DataStreamReader::new(self.clone())
    }

    /// The rows of a table or view.
    pub fn table(&self, name: &str) -> DataFrame {
        let name = name.to_owned();
        self.data_frame(move || {
            let table = read::NamedTable { unparsed_identifier: name.clone(), ..Default::default() };
            let read_type = Some(read::ReadType::NamedTable(table));
            RelType::Read(proto::Read { read_type, is_streaming: false })
        })
    }

    /// The numbers from `range.start` up to but not including `range.end`, as column `id`.
    pub fn range(&self, range: std::ops::Range<i64>) -> DataFrame {
        self.range_by(range, 1, None)
    }

    /// [`SparkSession::range`] by steps, over a number of partitions.
    pub fn range_by(&self, range: std::ops::Range<i64>, step: i64, partitions: Option<i32>) -> DataFrame {
        self.data_frame(move || {
            RelType::Range(proto::Range {
                start: Some(range.start),
                end: range.end,
                step,
                num_partitions: partitions,
            })
        })
    }

    pub(crate) fn data_frame(&self, relation: impl Fn() -> RelType + Send + Sync + 'static) -> DataFrame {
        DataFrame::new(self.clone(), Plan::new(relation))
    }
}

impl fmt::Debug for SparkSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SparkSession").field("session_id", &self.session_id()).finish_non_exhaustive()
    }
}
