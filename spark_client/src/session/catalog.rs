//! Databases, tables and views.

use super::SparkSession;
use crate::{
    DataFrame, Error,
    proto::{self, catalog::CatType, relation::RelType},
};
use serde::{Deserialize, de::DeserializeOwned};

/// Databases, tables and views: `spark.catalog()`. Names may be qualified: `database.table`.
#[derive(Clone, Copy)]
pub struct Catalog<'a> {
    session: &'a SparkSession,
}

/// A table or view, as [`Catalog::list_tables`] gives it.
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
    pub(super) fn new(session: &'a SparkSession) -> Self {
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

    async fn one<T: DeserializeOwned>(&self, question: CatType) -> Result<T, Error> {
        let rows: Vec<(T,)> = self.rows(question).await?;
        rows.into_iter().next().map(|row| row.0).ok_or_else(|| Error::protocol("the catalog gave no answer"))
    }
}
