//! What a catalog holds, described.

use super::{Catalog, TableInfo};
use crate::{
    Error,
    proto::{self, catalog::CatType},
};
use serde::Deserialize;
use std::collections::BTreeMap;

/// A catalog.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// for catalog in spark.catalog().list_catalogs(None).await? {
///     println!("{}", catalog.name);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct CatalogInfo {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub description: Option<String>,
}

/// A database.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// println!("{:?}", spark.catalog().get_database("silver").await?.location_uri);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct DatabaseInfo {
    /// Its name.
    pub name: String,
    /// The catalog it is in.
    pub catalog: Option<String>,
    /// Its comment.
    pub description: Option<String>,
    /// Where its managed tables lie.
    pub location_uri: Option<String>,
}

/// A function.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// println!("{:?}", spark.catalog().get_function("abs").await?.class_name);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FunctionInfo {
    /// Its name.
    pub name: String,
    /// The catalog it is in, `None` for a temporary or built-in one.
    pub catalog: Option<String>,
    /// The database it is in, outermost level first.
    pub namespace: Option<Vec<String>>,
    /// What it does.
    pub description: Option<String>,
    /// Its Java class.
    pub class_name: Option<String>,
    /// Whether it is temporary or built in.
    pub is_temporary: bool,
}

/// A column of a table.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// for column in spark.catalog().list_columns("silver.orders").await? {
///     println!("{} {}", column.name, column.data_type);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ColumnInfo {
    /// Its name.
    pub name: String,
    /// Its comment.
    pub description: Option<String>,
    /// Its type in SQL.
    pub data_type: String,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Whether the table is partitioned by it.
    pub is_partition: bool,
    /// Whether the table is bucketed by it.
    pub is_bucket: bool,
    /// Whether the table is clustered by it.
    pub is_cluster: bool,
}

/// Patterns are names with `*` for any characters and `|` between alternatives; `None` is every name.
impl Catalog<'_> {
    /// The catalogs that the session has used, and those that are set up with a name.
    pub async fn list_catalogs(&self, pattern: Option<&str>) -> Result<Vec<CatalogInfo>, Error> {
        let pattern = pattern.map(str::to_owned);
        self.rows(CatType::ListCatalogs(proto::ListCatalogs { pattern })).await
    }

    /// The databases of the current catalog.
    pub async fn list_databases(&self, pattern: Option<&str>) -> Result<Vec<DatabaseInfo>, Error> {
        let pattern = pattern.map(str::to_owned);
        self.rows(CatType::ListDatabases(proto::ListDatabases { pattern })).await
    }

    /// One database; an error when there is none of that name.
    pub async fn get_database(&self, database: &str) -> Result<DatabaseInfo, Error> {
        let db_name = database.to_owned();
        self.row(CatType::GetDatabase(proto::GetDatabase { db_name })).await
    }

    /// The tables and views of a database (`None`: the current one) whose names fit, temporary views included.
    pub async fn list_tables_like(
        &self,
        database: Option<&str>,
        pattern: &str,
    ) -> Result<Vec<TableInfo>, Error> {
        let (db_name, pattern) = (database.map(str::to_owned), Some(pattern.to_owned()));
        self.rows(CatType::ListTables(proto::ListTables { db_name, pattern })).await
    }

    /// One table or view; an error when there is none of that name.
    pub async fn get_table(&self, table: &str) -> Result<TableInfo, Error> {
        let table_name = table.to_owned();
        self.row(CatType::GetTable(proto::GetTable { table_name, db_name: None })).await
    }

    /// The views of a database (`None`: the current one), temporary views included.
    pub async fn list_views(
        &self,
        database: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<Vec<TableInfo>, Error> {
        // The server takes no pattern without a database.
        let db_name = match (database, pattern) {
            (None, Some(_)) => Some(self.current_database().await?),
            _ => database.map(str::to_owned),
        };
        let pattern = pattern.map(str::to_owned);
        self.rows(CatType::ListViews(proto::ListViews { db_name, pattern })).await
    }

    /// The functions of a database (`None`: the current one), built-in ones included.
    pub async fn list_functions(
        &self,
        database: Option<&str>,
        pattern: Option<&str>,
    ) -> Result<Vec<FunctionInfo>, Error> {
        let (db_name, pattern) = (database.map(str::to_owned), pattern.map(str::to_owned));
        self.rows(CatType::ListFunctions(proto::ListFunctions { db_name, pattern })).await
    }

    /// One function; an error when there is none of that name.
    pub async fn get_function(&self, function: &str) -> Result<FunctionInfo, Error> {
        let function_name = function.to_owned();
        self.row(CatType::GetFunction(proto::GetFunction { function_name, db_name: None })).await
    }

    /// The columns of a table or view.
    pub async fn list_columns(&self, table: &str) -> Result<Vec<ColumnInfo>, Error> {
        let table_name = table.to_owned();
        self.rows(CatType::ListColumns(proto::ListColumns { table_name, db_name: None })).await
    }

    /// The partitions of a table, each as `column=value/column=value`.
    pub async fn list_partitions(&self, table: &str) -> Result<Vec<String>, Error> {
        let asked = CatType::ListPartitions(proto::ListPartitions { table_name: table.to_owned() });
        let rows: Vec<(String,)> = self.rows(asked).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// The properties of a table.
    pub async fn get_table_properties(&self, table: &str) -> Result<BTreeMap<String, String>, Error> {
        let asked = CatType::GetTableProperties(proto::GetTableProperties { table_name: table.to_owned() });
        let rows: Vec<(String, String)> = self.rows(asked).await?;
        Ok(rows.into_iter().collect())
    }
}
