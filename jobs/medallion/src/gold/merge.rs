//! Writing what differs into a gold table.

use spark_client::functions::{col, lit, struct_};
use spark_client::{DataFrame, JoinType, SparkSession};

use super::write;
use crate::error::{Doing, Result};
use crate::lake::quoted_table;

/// Says in the rows that are merged whether to delete the row with that key.
const GONE: &str = "_gone";

/// A gold table and how its rows are told apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// With its database.
    pub(super) table: &'a str,
    /// The column that identifies a row.
    pub(super) key: &'a str,
    /// The column by which rows are written anew together.
    pub(super) group: &'a str,
}

impl Target<'_> {
    /// Makes the rows of the given groups equal to `fresh`; rows that are equal already are not touched. The version
    /// that the table is at then.
    pub(super) async fn replace(
        &self,
        spark: &SparkSession,
        fresh: &DataFrame,
        groups: &DataFrame,
        cut: i64,
    ) -> Result<i64> {
        let columns = spark
            .table(self.table)
            .columns()
            .await
            .doing(format!("reading the columns of {}", self.table))?;
        let fresh = fresh.select(columns.iter());
        let gone = spark
            .table(self.table)
            .join(groups, self.group, JoinType::LeftSemi)
            .join(&fresh.select([self.key]), self.key, JoinType::LeftAnti)
            .select(columns.iter());
        let changes =
            fresh.with_column(GONE, lit(false)).union(&gone.with_column(GONE, lit(true))).alias("s");
        let source = |name: &str| col(&format!("s.{name}"));
        let target = |name: &str| col(&format!("{}.{name}", quoted_table(self.table)));
        let same = struct_(columns.iter().map(|name| source(name)))
            .eq_null_safe(struct_(columns.iter().map(|name| target(name))));
        let assignments = || columns.iter().map(|name| (name.as_str(), source(name)));
        let changes = changes
            .merge_into(&quoted_table(self.table), source(self.key).eq(target(self.key)))
            .when_matched(source(GONE))
            .delete()
            .when_matched(!same)
            .update(assignments())
            .when_not_matched(!source(GONE))
            .insert(assignments());
        write::merge(spark, self.table, changes, cut).await
    }
}
