//! CLONE: a new table that begins with the files of another.

use super::{
    backend::{Backend, Operation},
    table::DeltaTable,
    target::{AsOf, Target, table_properties},
};
use crate::{
    Error,
    proto::delta::connect::{self as messages, delta_command::CommandType},
};
use std::collections::BTreeMap;

/// A clone that is being described: `table.clone_table("target")`. The clone is shallow, the only kind that
/// Delta 4.4 has: its metadata is its own, its rows are in the files of the table that it was made of, until
/// they are changed. A VACUUM of that table may take them away.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::delta::DeltaTable;
/// let experiment = DeltaTable::for_name(&spark, "silver.orders")
///     .clone_at_version(12, "scratch.orders")
///     .replace()
///     .property("delta.enableChangeDataFeed", false)
///     .execute().await?;
/// experiment.delete("amount = 0").await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a clone does nothing until `execute` is called"]
pub struct DeltaCloneBuilder {
    source: DeltaTable,
    target: String,
    as_of: Option<AsOf>,
    replace: bool,
    properties: BTreeMap<String, String>,
}

impl DeltaTable {
    /// A clone of the table as it is now. `target` is a name, or the absolute path or URI of a folder.
    pub fn clone_table(&self, target: &str) -> DeltaCloneBuilder {
        self.cloned(target, None)
    }

    /// A clone of an older version of the table.
    pub fn clone_at_version(&self, version: i64, target: &str) -> DeltaCloneBuilder {
        self.cloned(target, Some(AsOf::Version(version)))
    }

    /// A clone of the table as it was at a time: `yyyy-MM-dd`, `yyyy-MM-dd HH:mm:ss`.
    pub fn clone_at_timestamp(&self, timestamp: &str, target: &str) -> DeltaCloneBuilder {
        self.cloned(target, Some(AsOf::Timestamp(timestamp.to_owned())))
    }

    fn cloned(&self, target: &str, as_of: Option<AsOf>) -> DeltaCloneBuilder {
        let (source, target) = (self.clone(), target.to_owned());
        DeltaCloneBuilder { source, target, as_of, replace: false, properties: BTreeMap::new() }
    }
}

impl DeltaCloneBuilder {
    /// In place of a table that is there, which must be empty; without this, that is an error.
    pub fn replace(mut self) -> Self {
        self.replace = true;
        self
    }

    /// A property of the clone, in place of the one that the table has.
    pub fn property(mut self, key: &str, value: impl ToString) -> Self {
        self.properties.insert(key.to_owned(), value.to_string());
        self
    }

    /// Makes the clone and gives it.
    pub async fn execute(self) -> Result<DeltaTable, Error> {
        self.to_operation()?.run(&self.source.session).await?;
        let target = Target::name_or_path(&self.target);
        Ok(DeltaTable::new(&self.source.session, target, self.source.backend))
    }

    pub(crate) fn to_operation(&self) -> Result<Operation, Error> {
        match self.source.backend {
            Backend::Native => Ok(Operation::Sql(self.statement())),
            Backend::Extension => Ok(Operation::command(CommandType::CloneTable(messages::CloneTable {
                table: self.source.target.message(),
                target: self.target.clone(),
                version_or_timestamp: self.as_of.as_ref().map(AsOf::cloned).transpose()?,
                is_shallow: true,
                replace: self.replace,
                properties: self.properties.clone().into_iter().collect(),
            }))),
        }
    }

    fn statement(&self) -> String {
        let create = if self.replace { "CREATE OR REPLACE" } else { "CREATE" };
        let target = Target::name_or_path(&self.target).sql();
        let source = self.source.target.sql();
        let as_of = self.as_of.as_ref().map(|as_of| format!(" {}", as_of.sql())).unwrap_or_default();
        let properties = self.properties.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let properties = if self.properties.is_empty() {
            String::new()
        } else {
            format!(" {}", table_properties(properties))
        };
        format!("{create} TABLE {target} SHALLOW CLONE {source}{as_of}{properties}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SparkSession;

    #[tokio::test]
    async fn statements_name_both_tables() {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        let table = DeltaTable::for_name(&spark, "db.t");
        let cases = [
            (table.clone_table("u"), "CREATE TABLE `u` SHALLOW CLONE `db`.`t`"),
            (
                table.clone_at_version(3, "/lake/u").replace(),
                "CREATE OR REPLACE TABLE delta.`/lake/u` SHALLOW CLONE `db`.`t` VERSION AS OF 3",
            ),
            (
                table.clone_at_timestamp("2026-01-01", "u").property("a", 1).property("b", "x"),
                "CREATE TABLE `u` SHALLOW CLONE `db`.`t` TIMESTAMP AS OF '2026-01-01' \
                 TBLPROPERTIES ('a' = '1', 'b' = 'x')",
            ),
        ];
        for (clone, expected) in cases {
            assert_eq!(clone.statement(), expected);
        }
        let extension = table.with_backend(Backend::Extension);
        assert!(extension.clone_at_version(i64::MAX, "u").to_operation().is_err());
    }
}
