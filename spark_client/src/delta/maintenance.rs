//! VACUUM, RESTORE and GENERATE.

use super::{
    backend::{Backend, Operation},
    table::DeltaTable,
    target::AsOf,
};
use crate::{
    DataFrame, Error,
    proto::delta::connect::{self as messages, delta_command::CommandType, delta_relation::RelationType},
};

/// What [`DeltaTable::generate`] writes beside the table's files, for readers that do not know Delta.
///
/// ```no_run
/// # async fn run(table: spark_client::delta::DeltaTable) -> Result<(), spark_client::Error> {
/// table.generate(spark_client::delta::Manifest::Symlink).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Manifest {
    /// Lists of the table's Parquet files under `_symlink_format_manifest`, as Presto, Trino and Athena read them.
    Symlink,
}

impl Manifest {
    fn mode(self) -> &'static str {
        match self {
            Self::Symlink => "symlink_format_manifest",
        }
    }
}

impl DeltaTable {
    /// Deletes the files that no state of the table younger than `retention_hours` needs; `None`: the table's
    /// own retention (`delta.deletedFileRetentionDuration`, 7 days unless set). Delta refuses less than that
    /// while `spark.databricks.delta.retentionDurationCheck.enabled` is true: readers and writers that are at
    /// work may need the files.
    pub async fn vacuum(&self, retention_hours: impl Into<Option<f64>>) -> Result<(), Error> {
        self.vacuuming(retention_hours.into(), false)?.run(&self.session).await
    }

    /// The files that [`DeltaTable::vacuum`] would delete, as column `path`. Nothing is
    /// deleted. An error with [`Backend::Extension`], which has no message for it.
    pub async fn vacuum_dry_run(&self, retention_hours: impl Into<Option<f64>>) -> Result<DataFrame, Error> {
        self.vacuuming(retention_hours.into(), true)?.answer(&self.session).await
    }

    /// Makes an older version the newest one. Answers with one row: how many files and bytes were restored and
    /// removed.
    pub async fn restore_to_version(&self, version: i64) -> Result<DataFrame, Error> {
        self.restoring(AsOf::Version(version)).answer(&self.session).await
    }

    /// Makes the version of a time (`yyyy-MM-dd`, `yyyy-MM-dd HH:mm:ss`, in the session's time zone) the newest
    /// one.
    pub async fn restore_to_timestamp(&self, timestamp: &str) -> Result<DataFrame, Error> {
        self.restoring(AsOf::Timestamp(timestamp.to_owned())).answer(&self.session).await
    }

    /// Writes manifests of the table as it is now.
    pub async fn generate(&self, manifest: Manifest) -> Result<(), Error> {
        self.generating(manifest).run(&self.session).await
    }

    pub(crate) fn vacuuming(&self, retention_hours: Option<f64>, dry_run: bool) -> Result<Operation, Error> {
        if let Some(hours) = retention_hours.filter(|hours| !hours.is_finite() || *hours < 0.0) {
            return Err(Error::invalid_input(format!("a retention of {hours} hours: it must be 0 or more")));
        }
        match self.backend {
            Backend::Native => {
                let retain = retention_hours.map(|hours| format!(" RETAIN {hours} HOURS"));
                let dry_run = if dry_run { " DRY RUN" } else { "" };
                let statement =
                    format!("VACUUM {}{}{dry_run}", self.target.sql(), retain.unwrap_or_default());
                Ok(Operation::Sql(statement))
            }
            Backend::Extension if dry_run => {
                Err(Error::invalid_input("Delta Connect has no dry run of VACUUM: use Backend::Native"))
            }
            Backend::Extension => Ok(Operation::command(CommandType::VacuumTable(messages::VacuumTable {
                table: self.target.message(),
                retention_hours,
            }))),
        }
    }

    pub(crate) fn restoring(&self, as_of: AsOf) -> Operation {
        match self.backend {
            Backend::Native => {
                Operation::Sql(format!("RESTORE TABLE {} TO {}", self.target.sql(), as_of.sql()))
            }
            Backend::Extension => Operation::relation(RelationType::RestoreTable(messages::RestoreTable {
                table: self.target.message(),
                version_or_timestamp: Some(as_of.restored()),
            })),
        }
    }

    pub(crate) fn generating(&self, manifest: Manifest) -> Operation {
        match self.backend {
            Backend::Native => {
                Operation::Sql(format!("GENERATE {} FOR TABLE {}", manifest.mode(), self.target.sql()))
            }
            Backend::Extension => Operation::command(CommandType::Generate(messages::Generate {
                table: self.target.message(),
                mode: manifest.mode().to_owned(),
            })),
        }
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
    async fn statements_name_the_table_and_the_time() {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        let table = DeltaTable::for_path(&spark, "/lake/t");
        check(table.vacuuming(None, false).unwrap(), "VACUUM delta.`/lake/t`");
        check(table.vacuuming(Some(168.0), true).unwrap(), "VACUUM delta.`/lake/t` RETAIN 168 HOURS DRY RUN");
        check(table.vacuuming(Some(0.5), false).unwrap(), "VACUUM delta.`/lake/t` RETAIN 0.5 HOURS");
        check(table.restoring(AsOf::Version(3)), "RESTORE TABLE delta.`/lake/t` TO VERSION AS OF 3");
        check(
            table.restoring(AsOf::Timestamp("2026-01-01".to_owned())),
            "RESTORE TABLE delta.`/lake/t` TO TIMESTAMP AS OF '2026-01-01'",
        );
        check(
            table.generating(Manifest::Symlink),
            "GENERATE symlink_format_manifest FOR TABLE delta.`/lake/t`",
        );
        for hours in [-1.0, f64::NAN, f64::INFINITY] {
            assert!(table.vacuuming(Some(hours), false).is_err(), "{hours}");
        }
        let extension = table.with_backend(Backend::Extension);
        assert!(extension.vacuuming(None, true).is_err());
    }
}
