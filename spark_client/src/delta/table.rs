//! A Delta table, by name or by path.

use super::{
    backend::{Backend, extension, lazily},
    target::Target,
};
use crate::{
    DataFrame, Error, SparkSession,
    proto::{
        self,
        delta::connect::{self as messages, delta_relation::RelationType},
        relation::RelType,
    },
};

/// A Delta table: `DeltaTable::for_name(&spark, "db.table")`. Nothing is sent until a method that is `async` is
/// called, or an action on the DataFrame that [`DeltaTable::history`] and the like give.
///
/// ```no_run
/// # use spark_client::{DataFrame, Error, SparkSession};
/// # async fn run(spark: SparkSession, changes: DataFrame) -> Result<(), Error> {
/// use spark_client::{delta::DeltaTable, functions::{col, lit}};
/// let customers = DeltaTable::for_name(&spark, "silver.customers");
/// customers.alias("t").merge(&changes.alias("c"), "t.id = c.id")
///     .when_matched_delete(col("c.op").eq("d"))
///     .when_matched_update_all(None)
///     .when_not_matched_insert_all(col("c.op").neq("d"))
///     .execute().await?;
/// customers.update(col("country").is_null(), [("country", lit("unknown"))]).await?;
/// customers.delete("closed_at < current_date() - INTERVAL 10 YEARS").await?;
/// customers.optimize().execute_z_order_by(["country"]).await?;
/// customers.history(3).show(3).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct DeltaTable {
    pub(super) session: SparkSession,
    pub(super) target: Target,
    pub(super) alias: Option<String>,
    pub(super) backend: Backend,
    /// One plan for all uses, so that its columns are known wherever they are met.
    pub(super) frame: DataFrame,
}

impl DeltaTable {
    /// The table of a catalog with this name, which may be qualified: ``db.`odd.name` ``. Nothing of the name
    /// is ever read as SQL.
    pub fn for_name(session: &SparkSession, name: &str) -> Self {
        Self::new(session, Target::Name(name.to_owned()), Backend::default())
    }

    /// The table in a folder, by its absolute path or URI.
    pub fn for_path(session: &SparkSession, path: &str) -> Self {
        Self::new(session, Target::Path(path.to_owned()), Backend::default())
    }

    pub(super) fn new(session: &SparkSession, target: Target, backend: Backend) -> Self {
        let frame = match backend {
            Backend::Native => session.table(&target.sql()),
            Backend::Extension => {
                let scan = messages::Scan { table: target.message() };
                lazily(session, extension(RelationType::Scan(scan)))
            }
        };
        Self { session: session.clone(), target, alias: None, backend, frame }
    }

    /// The same table, its operations sent in another way.
    pub fn with_backend(&self, backend: Backend) -> Self {
        let table = Self::new(&self.session, self.target.clone(), backend);
        match &self.alias {
            Some(alias) => table.alias(alias),
            None => table,
        }
    }

    /// The same table under another name in conditions and values: `alias.column`.
    ///
    /// Spark's MERGE message has no place for an alias. With [`Backend::Native`] this crate puts the table's
    /// name in its place, in columns as in SQL texts; in a text, that is wherever the alias stands before a dot
    /// and not after one.
    pub fn alias(&self, alias: &str) -> Self {
        let whole = Self::new(&self.session, self.target.clone(), self.backend);
        Self { alias: Some(alias.to_owned()), frame: whole.frame.alias(alias), ..whole }
    }

    /// The rows of the table.
    pub fn to_df(&self) -> DataFrame {
        self.frame.clone()
    }

    /// The commits of the table, the newest first, at most `limit` of them (`None`: all that are kept): a row each
    /// with `version`, `timestamp`, `operation`, `operationParameters`, `operationMetrics` and more.
    pub fn history(&self, limit: impl Into<Option<i32>>) -> DataFrame {
        let limit = limit.into();
        match self.backend {
            Backend::Native => {
                let limit = limit.map(|rows| format!(" LIMIT {rows}")).unwrap_or_default();
                self.query(format!("DESCRIBE HISTORY {}{limit}", self.target.sql()))
            }
            Backend::Extension => {
                let history = messages::DescribeHistory { table: self.target.message() };
                let history = lazily(&self.session, extension(RelationType::DescribeHistory(history)));
                limit.map_or_else(|| history.clone(), |rows| history.limit(rows))
            }
        }
    }

    /// What the table is, as one row: `format`, `id`, `name`, `location`, `partitionColumns`, `clusteringColumns`,
    /// `numFiles`, `sizeInBytes`, `properties`, `minReaderVersion`, `minWriterVersion`, `tableFeatures` and more.
    pub fn detail(&self) -> DataFrame {
        match self.backend {
            Backend::Native => self.query(format!("DESCRIBE DETAIL {}", self.target.sql())),
            Backend::Extension => {
                let detail = messages::DescribeDetail { table: self.target.message() };
                lazily(&self.session, extension(RelationType::DescribeDetail(detail)))
            }
        }
    }

    fn query(&self, query: String) -> DataFrame {
        lazily(&self.session, RelType::Sql(proto::Sql { query, ..Default::default() }))
    }

    /// Whether there is a Delta table in a folder.
    pub async fn is_delta_table(session: &SparkSession, path: &str) -> Result<bool, Error> {
        Self::is_delta_table_with(session, path, Backend::default()).await
    }

    /// [`DeltaTable::is_delta_table`], asked in another way.
    pub async fn is_delta_table_with(
        session: &SparkSession,
        path: &str,
        backend: Backend,
    ) -> Result<bool, Error> {
        match backend {
            Backend::Native => exists(&Self::for_path(session, path)).await,
            Backend::Extension => {
                let asked = Self::is_delta_table_relation(path);
                let rows: Vec<(bool,)> = lazily(session, asked).collect_as().await?;
                let answer = rows.first().map(|row| row.0);
                answer.ok_or_else(|| Error::protocol("whether there is a Delta table got no answer"))
            }
        }
    }

    pub(crate) fn is_delta_table_relation(path: &str) -> RelType {
        extension(RelationType::IsDeltaTable(messages::IsDeltaTable { path: path.to_owned() }))
    }
}

/// A table that can be resolved is there. No job runs.
async fn exists(table: &DeltaTable) -> Result<bool, Error> {
    match table.to_df().schema().await {
        Ok(_) => Ok(true),
        Err(error) if error.is_table_not_found() => Ok(false),
        Err(error) => match error.error_class() {
            Some("PATH_NOT_FOUND" | "DELTA_PATH_DOES_NOT_EXIST" | "DELTA_NOT_A_DELTA_TABLE") => Ok(false),
            Some("DELTA_READ_TABLE_WITHOUT_COLUMNS") => Ok(true),
            _ => Err(error),
        },
    }
}
