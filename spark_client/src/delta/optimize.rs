//! OPTIMIZE: fewer and better ordered files.

use super::{
    backend::{Backend, Operation},
    table::DeltaTable,
};
use crate::{
    DataFrame, Error,
    proto::delta::connect::{self as messages, delta_relation::RelationType},
    sql_text::quoted_qualified_name,
};

/// An optimization that is being described: `table.optimize()`. Both ways of carrying it out answer with one
/// row: the `path` and `metrics`, a struct with `numFilesAdded`, `numFilesRemoved` and more. No rows of the
/// table are changed.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::delta::DeltaTable;
/// let orders = DeltaTable::for_name(&spark, "silver.orders");
/// orders.optimize().where_("day >= '2026-01-01'").execute_compaction().await?;
/// orders.optimize().execute_z_order_by(["customer_id", "ordered_at"]).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "an optimization does nothing until it is executed"]
pub struct DeltaOptimizeBuilder {
    table: DeltaTable,
    filters: Vec<String>,
}

impl DeltaTable {
    /// Puts small files together.
    pub fn optimize(&self) -> DeltaOptimizeBuilder {
        DeltaOptimizeBuilder { table: self.clone(), filters: Vec::new() }
    }
}

impl DeltaOptimizeBuilder {
    /// Only in the partitions for which this SQL condition on partition columns holds. Several conditions all
    /// have to hold.
    pub fn where_(mut self, partition_filter: &str) -> Self {
        self.filters.push(partition_filter.to_owned());
        self
    }

    /// Puts small files together, up to the table's target size.
    pub async fn execute_compaction(self) -> Result<DataFrame, Error> {
        self.execute([] as [&str; 0]).await
    }

    /// Writes all files anew, so that rows that are alike in these columns, which may be fields of structs, are
    /// in the same files.
    pub async fn execute_z_order_by(
        self,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Result<DataFrame, Error> {
        self.execute(columns).await
    }

    async fn execute(self, columns: impl IntoIterator<Item = impl Into<String>>) -> Result<DataFrame, Error> {
        let session = self.table.session.clone();
        let columns = columns.into_iter().map(Into::into).collect();
        self.into_operation(columns).answer(&session).await
    }

    pub(crate) fn into_operation(self, zorder_columns: Vec<String>) -> Operation {
        let target = &self.table.target;
        match self.table.backend {
            Backend::Native => Operation::Sql(format!(
                "OPTIMIZE {}{}{}",
                target.sql(),
                filter_clause(&self.filters),
                order_clause(&zorder_columns)
            )),
            Backend::Extension => Operation::relation(RelationType::OptimizeTable(messages::OptimizeTable {
                table: target.message(),
                partition_filters: self.filters,
                zorder_columns,
            })),
        }
    }
}

fn filter_clause(filters: &[String]) -> String {
    let filters: Vec<_> = filters.iter().map(|filter| format!("({filter}\n)")).collect();
    if filters.is_empty() { String::new() } else { format!(" WHERE {}", filters.join(" AND ")) }
}

fn order_clause(columns: &[String]) -> String {
    let columns: Vec<_> = columns.iter().map(|column| quoted_qualified_name(column)).collect();
    if columns.is_empty() { String::new() } else { format!(" ZORDER BY ({})", columns.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_left_away_or_quoted() {
        assert_eq!(filter_clause(&[]), "");
        assert_eq!(filter_clause(&["a = 1".to_owned(), "b".to_owned()]), " WHERE (a = 1\n) AND (b\n)");
        assert_eq!(order_clause(&[]), "");
        assert_eq!(order_clause(&["a.b".to_owned(), "c d".to_owned()]), " ZORDER BY (`a`.`b`, `c d`)");
    }
}
