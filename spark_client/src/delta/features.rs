//! The protocol of a table: which readers and writers it asks for.

use super::{
    backend::{Backend, Operation},
    table::DeltaTable,
    target::table_properties,
};
use crate::{
    Error,
    proto::delta::connect::{self as messages, delta_command::CommandType},
    sql_text::quoted_name,
};

impl DeltaTable {
    /// Asks for newer readers and writers. A protocol is never lowered by this.
    pub async fn upgrade_table_protocol(
        &self,
        reader_version: i32,
        writer_version: i32,
    ) -> Result<(), Error> {
        self.upgrading(reader_version, writer_version).run(&self.session).await
    }

    /// Lets writers use a feature of Delta, for example `deletionVectors`; raises the protocol where that needs
    /// it.
    pub async fn add_feature_support(&self, feature: &str) -> Result<(), Error> {
        self.adding_feature(feature).run(&self.session).await
    }

    /// Takes a feature and its traces out of the table. With `truncate_history`, also out of its history: that
    /// needs a day after the last use of the feature, and readers of older versions lose them.
    pub async fn drop_feature_support(&self, feature: &str, truncate_history: bool) -> Result<(), Error> {
        self.dropping_feature(feature, truncate_history).run(&self.session).await
    }

    pub(crate) fn upgrading(&self, reader_version: i32, writer_version: i32) -> Operation {
        match self.backend {
            Backend::Native => self.setting([
                ("delta.minReaderVersion", reader_version.to_string().as_str()),
                ("delta.minWriterVersion", writer_version.to_string().as_str()),
            ]),
            Backend::Extension => {
                Operation::command(CommandType::UpgradeTableProtocol(messages::UpgradeTableProtocol {
                    table: self.target.message(),
                    reader_version,
                    writer_version,
                }))
            }
        }
    }

    pub(crate) fn adding_feature(&self, feature: &str) -> Operation {
        match self.backend {
            Backend::Native => self.setting([(format!("delta.feature.{feature}").as_str(), "supported")]),
            Backend::Extension => {
                Operation::command(CommandType::AddFeatureSupport(messages::AddFeatureSupport {
                    table: self.target.message(),
                    feature_name: feature.to_owned(),
                }))
            }
        }
    }

    pub(crate) fn dropping_feature(&self, feature: &str, truncate_history: bool) -> Operation {
        match self.backend {
            Backend::Native => Operation::Sql(format!(
                "ALTER TABLE {} DROP FEATURE {}{}",
                self.target.sql(),
                quoted_name(feature),
                if truncate_history { " TRUNCATE HISTORY" } else { "" }
            )),
            Backend::Extension => {
                Operation::command(CommandType::DropFeatureSupport(messages::DropFeatureSupport {
                    table: self.target.message(),
                    feature_name: feature.to_owned(),
                    truncate_history: truncate_history.then_some(true),
                }))
            }
        }
    }

    fn setting<'a>(&self, properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> Operation {
        let properties = table_properties(properties);
        Operation::Sql(format!("ALTER TABLE {} SET {properties}", self.target.sql()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SparkSession;

    fn check(operation: Operation, expected: &str) {
        match operation {
            Operation::Sql(text) => assert_eq!(text, expected),
            other => panic!("{other:?} is no statement"),
        }
    }

    #[tokio::test]
    async fn statements_alter_the_table() {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        let table = DeltaTable::for_name(&spark, "t");
        check(
            table.upgrading(1, 3),
            "ALTER TABLE `t` SET TBLPROPERTIES ('delta.minReaderVersion' = '1', 'delta.minWriterVersion' = '3')",
        );
        check(
            table.adding_feature("it's"),
            r"ALTER TABLE `t` SET TBLPROPERTIES ('delta.feature.it\'s' = 'supported')",
        );
        check(table.dropping_feature("x", false), "ALTER TABLE `t` DROP FEATURE `x`");
        check(table.dropping_feature("x", true), "ALTER TABLE `t` DROP FEATURE `x` TRUNCATE HISTORY");
    }
}
