//! Where the tables are: databases, table names, and the topics that they come from.

use std::collections::HashSet;

use clap::Args;
use spark_client::functions::expr;
use spark_client::{Column, SparkSession};

use crate::error::{Doing, Result};

/// Names and addresses that every job of the lakehouse shares.
#[derive(Debug, Clone, Args)]
pub struct Lake {
    /// Prefix of the topics that capture writes; the checkpoint topic is `<prefix>.checkpoint`
    #[arg(long, env = "LAKEPULSE_TOPIC_PREFIX", default_value = "wwi")]
    pub topic_prefix: String,
    /// Put before the names of the databases bronze, silver and gold, so that several lakes share a catalog
    #[arg(long, env = "LAKEPULSE_DATABASE_PREFIX", default_value = "")]
    pub database_prefix: String,
    /// Folder on the object store for the streaming checkpoints
    #[arg(long, env = "LAKEPULSE_STATE")]
    pub state: String,
}

impl Lake {
    /// The topic of capture's checkpoint records.
    pub fn checkpoint_topic(&self) -> String {
        format!("{}.checkpoint", self.topic_prefix)
    }

    /// The topic of capture's relation records.
    pub fn relation_topic(&self) -> String {
        format!("{}.relation", self.topic_prefix)
    }

    /// The source table `schema.table` of a topic.
    pub fn table_of<'a>(&self, topic: &'a str) -> Option<&'a str> {
        topic.strip_prefix(&self.topic_prefix)?.strip_prefix('.')
    }

    /// Whether a row of bronze is an event of a table: topics of other records (checkpoints, relation records, dead letters,
    /// transactions, messages) have no schema in their names, and a tombstone has no schema id and is no event of its own.
    pub fn is_event(&self) -> Column {
        expr(&self.is_event_sql())
    }

    /// [`Lake::is_event`] in Spark SQL.
    pub(crate) fn is_event_sql(&self) -> String {
        let after_prefix = self.topic_prefix.chars().count() + 2;
        format!("schema_id IS NOT NULL AND substring(topic, {after_prefix}) LIKE '%.%'")
    }

    /// A table of bronze, with its database.
    pub fn bronze(&self, table: &str) -> String {
        format!("{}bronze.{table}", self.database_prefix)
    }

    /// A table of silver, with its database.
    pub fn silver(&self, table: &str) -> String {
        format!("{}silver.{table}", self.database_prefix)
    }

    /// A table of gold, with its database.
    pub fn gold(&self, table: &str) -> String {
        format!("{}gold.{table}", self.database_prefix)
    }

    /// The multiplex table of all events.
    pub fn events(&self) -> String {
        self.bronze("events")
    }

    /// The decoded change log.
    pub fn changes(&self) -> String {
        self.silver("changes")
    }

    /// Makes a database (`bronze`, `silver`, `gold`) where it is missing.
    pub(crate) async fn create_database(&self, spark: &SparkSession, layer: &str) -> Result<()> {
        let name = self.database(layer);
        let statement = format!("CREATE DATABASE IF NOT EXISTS {name}");
        spark.sql(&statement).await.doing(format!("creating database {name}")).map(|_| ())
    }

    /// The names of a layer's tables, in lower case. One statement for all: looking for one table costs as much.
    pub(crate) async fn tables(&self, spark: &SparkSession, layer: &str) -> Result<HashSet<String>> {
        let about = || format!("listing the tables of {layer}");
        let shown = spark.sql(&format!("SHOW TABLES IN {}", self.database(layer))).await.doing(about())?;
        let names: Vec<(String,)> = shown.select(["tableName"]).collect_as().await.doing(about())?;
        Ok(names.into_iter().map(|(name,)| name.to_lowercase()).collect())
    }

    /// The name of a layer's database, quoted.
    pub(crate) fn database(&self, layer: &str) -> String {
        quoted(&format!("{}{layer}", self.database_prefix))
    }
}

/// The version that a Delta table is at now.
pub(crate) async fn version(spark: &SparkSession, table: &str) -> Result<i64> {
    let about = || format!("reading the version of {table}");
    let statement = format!("DESCRIBE HISTORY {} LIMIT 1", quoted_table(table));
    let history = spark.sql(&statement).await.doing(about())?;
    let row: Option<(i64,)> = history.select(["version"]).first_as().await.doing(about())?;
    Ok(row.map_or(0, |(version,)| version))
}

/// The property of `silver.changes` that says up to which LSN its events were deleted.
pub(crate) const PRUNED: &str = "lakepulse.pruned";

/// A property of a Delta table.
pub(crate) async fn property(spark: &SparkSession, table: &str, name: &str) -> Result<Option<String>> {
    let about = || format!("reading the properties of {table}");
    let statement = format!("SHOW TBLPROPERTIES {}", quoted_table(table));
    let shown = spark.sql(&statement).await.doing(about())?;
    let properties: Vec<(String, String)> =
        shown.select(["key", "value"]).collect_as().await.doing(about())?;
    Ok(properties.into_iter().find(|(key, _)| key == name).map(|(_, value)| value))
}

/// An identifier as Spark SQL reads it back, whatever is in it.
pub(crate) fn quoted(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `database.table` with each part quoted.
pub(crate) fn quoted_table(table: &str) -> String {
    table.splitn(2, '.').map(quoted).collect::<Vec<_>>().join(".")
}

/// A text as Spark SQL reads it back, whatever is in it.
pub(crate) fn text_literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_and_tables_belong_together() {
        let lake = Lake { topic_prefix: "wwi".into(), database_prefix: "t_".into(), state: String::new() };
        assert_eq!(lake.table_of("wwi.sales.orders"), Some("sales.orders"));
        assert_eq!(lake.table_of("other.sales.orders"), None);
        assert_eq!(lake.silver("sales_orders"), "t_silver.sales_orders");
        assert_eq!(quoted_table("t_silver.odd`name"), "`t_silver`.`odd``name`");
    }
}
