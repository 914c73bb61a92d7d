//! Databases, tables and views.

mod create_table;
mod listing;

pub use create_table::CreateTable;
pub use listing::{CatalogInfo, ColumnInfo, DatabaseInfo, FunctionInfo};

use super::SparkSession;
use crate::{
    DataFrame, Error, StorageLevel,
    proto::{self, catalog::CatType, relation::RelType},
};
use serde::{Deserialize, de::DeserializeOwned};
use std::collections::HashMap;

/// Databases, tables and views: `spark.catalog()`. Names may be qualified: `database.table`.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// if !spark.catalog().table_exists("silver.orders").await? {
///     spark.catalog().create_database("silver", true).await?;
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    session: &'a SparkSession,
}

/// A table or view, as [`Catalog::list_tables`] gives it.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// for table in spark.catalog().list_tables(Some("silver")).await? {
///     println!("{} {:?}", table.name, table.table_type);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TableInfo {
    /// Its name, without the database.
    pub name: String,
    /// The catalog it is in, `None` for a temporary view.
    pub catalog: Option<String>,
    /// The database it is in, outermost level first.
    pub namespace: Option<Vec<String>>,
    /// Its comment.
    pub description: Option<String>,
    /// `MANAGED`, `EXTERNAL`, `VIEW` or `TEMPORARY`.
    pub table_type: Option<String>,
    /// Whether it is a temporary view.
    pub is_temporary: bool,
}

impl<'a> Catalog<'a> {
    pub(in crate::session) fn new(session: &'a SparkSession) -> Self {
        Self { session }
    }

    /// Whether a table or view exists.
    pub async fn table_exists(&self, table: &str) -> Result<bool, Error> {
        self.one(CatType::TableExists(proto::TableExists { table_name: table.to_owned(), db_name: None }))
            .await
    }

    /// Whether a database exists.
    pub async fn database_exists(&self, database: &str) -> Result<bool, Error> {
        self.one(CatType::DatabaseExists(proto::DatabaseExists { db_name: database.to_owned() })).await
    }

    /// The tables and views of a database (`None`: the current one), temporary views included.
    pub async fn list_tables(&self, database: Option<&str>) -> Result<Vec<TableInfo>, Error> {
        let db_name = database.map(str::to_owned);
        self.rows(CatType::ListTables(proto::ListTables { db_name, pattern: None })).await
    }

    /// The current database.
    pub async fn current_database(&self) -> Result<String, Error> {
        self.one(CatType::CurrentDatabase(proto::CurrentDatabase {})).await
    }

    /// Makes a database the current one of this session.
    pub async fn set_current_database(&self, database: &str) -> Result<(), Error> {
        let db_name = database.to_owned();
        self.run(CatType::SetCurrentDatabase(proto::SetCurrentDatabase { db_name })).await
    }

    /// Forgets what is cached about a table, after something else changed its files.
    pub async fn refresh_table(&self, table: &str) -> Result<(), Error> {
        self.run(CatType::RefreshTable(proto::RefreshTable { table_name: table.to_owned() })).await
    }

    /// The current catalog.
    pub async fn current_catalog(&self) -> Result<String, Error> {
        self.one(CatType::CurrentCatalog(proto::CurrentCatalog {})).await
    }

    /// Makes a catalog the current one of this session.
    pub async fn set_current_catalog(&self, catalog: &str) -> Result<(), Error> {
        let catalog_name = catalog.to_owned();
        self.run(CatType::SetCurrentCatalog(proto::SetCurrentCatalog { catalog_name })).await
    }

    /// Whether a function exists.
    pub async fn function_exists(&self, function: &str) -> Result<bool, Error> {
        let function_name = function.to_owned();
        self.one(CatType::FunctionExists(proto::FunctionExists { function_name, db_name: None })).await
    }

    /// Makes a database; with `if_not_exists`, also one that is there is no error.
    pub async fn create_database(&self, database: &str, if_not_exists: bool) -> Result<(), Error> {
        let (db_name, properties) = (database.to_owned(), HashMap::new());
        self.run(CatType::CreateDatabase(proto::CreateDatabase { db_name, if_not_exists, properties })).await
    }

    /// Drops a database; with `cascade`, with all that is in it.
    pub async fn drop_database(&self, database: &str, if_exists: bool, cascade: bool) -> Result<(), Error> {
        let db_name = database.to_owned();
        self.run(CatType::DropDatabase(proto::DropDatabase { db_name, if_exists, cascade })).await
    }

    /// Drops a table; with `purge`, without a way back where the catalog has one.
    pub async fn drop_table(&self, table: &str, if_exists: bool, purge: bool) -> Result<(), Error> {
        let table_name = table.to_owned();
        self.run(CatType::DropTable(proto::DropTable { table_name, if_exists, purge })).await
    }

    /// Drops a view that is not temporary.
    pub async fn drop_view(&self, view: &str, if_exists: bool) -> Result<(), Error> {
        let view_name = view.to_owned();
        self.run(CatType::DropView(proto::DropView { view_name, if_exists })).await
    }

    /// Removes all rows of a table.
    pub async fn truncate_table(&self, table: &str) -> Result<(), Error> {
        self.run(CatType::TruncateTable(proto::TruncateTable { table_name: table.to_owned() })).await
    }

    /// Computes the statistics of a table: rows and bytes, or with `no_scan` only bytes.
    pub async fn analyze_table(&self, table: &str, no_scan: bool) -> Result<(), Error> {
        let table_name = table.to_owned();
        self.run(CatType::AnalyzeTable(proto::AnalyzeTable { table_name, no_scan })).await
    }

    /// The SQL that makes a table like this one; with `as_serde`, in Hive's words.
    pub async fn get_create_table_string(&self, table: &str, as_serde: bool) -> Result<String, Error> {
        let table_name = table.to_owned();
        self.one(CatType::GetCreateTableString(proto::GetCreateTableString { table_name, as_serde })).await
    }

    /// Finds the partitions of a table in its folders.
    pub async fn recover_partitions(&self, table: &str) -> Result<(), Error> {
        self.run(CatType::RecoverPartitions(proto::RecoverPartitions { table_name: table.to_owned() })).await
    }

    /// Whether a table is kept in memory.
    pub async fn is_cached(&self, table: &str) -> Result<bool, Error> {
        self.one(CatType::IsCached(proto::IsCached { table_name: table.to_owned() })).await
    }

    /// Keeps a table at the executors once it has been read; `None` is [`StorageLevel::MEMORY_AND_DISK_DESER`].
    pub async fn cache_table(&self, table: &str, level: Option<StorageLevel>) -> Result<(), Error> {
        let (table_name, storage_level) = (table.to_owned(), level.map(StorageLevel::to_proto));
        self.run(CatType::CacheTable(proto::CacheTable { table_name, storage_level })).await
    }

    /// Forgets the kept rows of a table.
    pub async fn uncache_table(&self, table: &str) -> Result<(), Error> {
        self.run(CatType::UncacheTable(proto::UncacheTable { table_name: table.to_owned() })).await
    }

    /// Forgets the kept rows of all tables.
    pub async fn clear_cache(&self) -> Result<(), Error> {
        self.run(CatType::ClearCache(proto::ClearCache {})).await
    }

    /// Forgets what is cached about the files under a path.
    pub async fn refresh_by_path(&self, path: &str) -> Result<(), Error> {
        self.run(CatType::RefreshByPath(proto::RefreshByPath { path: path.to_owned() })).await
    }

    /// Drops a temporary view of all sessions; whether there was one.
    pub async fn drop_global_temp_view(&self, view: &str) -> Result<bool, Error> {
        self.one(CatType::DropGlobalTempView(proto::DropGlobalTempView { view_name: view.to_owned() })).await
    }

    /// Drops a temporary view; whether there was one.
    pub async fn drop_temp_view(&self, view: &str) -> Result<bool, Error> {
        self.one(CatType::DropTempView(proto::DropTempView { view_name: view.to_owned() })).await
    }

    fn ask(self, question: CatType) -> DataFrame {
        self.session.data_frame(move || RelType::Catalog(proto::Catalog { cat_type: Some(question.clone()) }))
    }

    async fn run(&self, question: CatType) -> Result<(), Error> {
        self.ask(question).collect().await.map(|_| ())
    }

    async fn rows<T: DeserializeOwned>(&self, question: CatType) -> Result<Vec<T>, Error> {
        self.ask(question).collect_as().await
    }

    async fn row<T: DeserializeOwned>(&self, question: CatType) -> Result<T, Error> {
        let rows = self.rows(question).await?;
        rows.into_iter().next().ok_or_else(|| Error::protocol("the catalog gave no answer"))
    }

    async fn one<T: DeserializeOwned>(&self, question: CatType) -> Result<T, Error> {
        self.row::<(T,)>(question).await.map(|row| row.0)
    }
}
