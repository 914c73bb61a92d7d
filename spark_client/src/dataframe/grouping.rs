//! Aggregates over groups of rows.

use super::{DataFrame, missing::as_literal};
use crate::{
    Column,
    column::{IntoColumn, Subqueries},
    functions,
    proto::{
        self, Expression,
        aggregate::{GroupType, GroupingSets, Pivot},
        relation::RelType,
    },
};

/// Rows grouped by columns, waiting for their aggregates.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{max, sum};
/// let by_country = orders.group_by(["country"]);
/// by_country.agg([sum("amount").alias("revenue"), max("at")]).show(10).await?;
/// by_country.pivot("year", [2025, 2026]).sum(["amount"]).show(10).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct GroupedData {
    input: DataFrame,
    group_type: GroupType,
    grouping: Vec<Expression>,
    grouping_sets: Vec<GroupingSets>,
    pivot: Option<Pivot>,
    used: Subqueries,
}

impl DataFrame {
    /// Groups of rows that are equal in these columns.
    pub fn group_by(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> GroupedData {
        self.grouped(GroupType::Groupby, columns)
    }

    /// Groups by these columns, by all but the last of them, and so on up to one group of all rows.
    pub fn rollup(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> GroupedData {
        self.grouped(GroupType::Rollup, columns)
    }

    /// Groups by every combination of these columns.
    pub fn cube(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> GroupedData {
        self.grouped(GroupType::Cube, columns)
    }

    /// Groups by each of these sets of columns, every one of which is in `columns` too: what is not in a set is NULL in
    /// its rows.
    pub fn grouping_sets<S, C>(
        &self,
        sets: impl IntoIterator<Item = S>,
        columns: impl IntoIterator<Item = impl IntoColumn>,
    ) -> GroupedData
    where
        S: IntoIterator<Item = C>,
        C: IntoColumn,
    {
        let mut grouped = self.grouped(GroupType::GroupingSets, columns);
        let used = &mut grouped.used;
        let set_of = |set: S| GroupingSets { grouping_set: used.expressions(set) };
        grouped.grouping_sets = sets.into_iter().map(set_of).collect();
        grouped
    }

    /// Aggregates over all rows, as one row.
    pub fn agg(&self, aggregates: impl IntoIterator<Item = impl IntoColumn>) -> DataFrame {
        self.grouped(GroupType::Groupby, std::iter::empty::<Column>()).agg(aggregates)
    }

    fn grouped(
        &self,
        group_type: GroupType,
        columns: impl IntoIterator<Item = impl IntoColumn>,
    ) -> GroupedData {
        let mut used = Subqueries::default();
        let grouping = used.expressions(columns);
        GroupedData {
            input: self.clone(),
            group_type,
            grouping,
            grouping_sets: Vec::new(),
            pivot: None,
            used,
        }
    }
}

impl GroupedData {
    /// One row a group: the grouping columns, then these.
    pub fn agg(&self, aggregates: impl IntoIterator<Item = impl IntoColumn>) -> DataFrame {
        let Self { input, group_type, grouping, grouping_sets, pivot, mut used } = self.clone();
        let aggregates = used.expressions(aggregates);
        let plan = input.plan.then(move |input| {
            RelType::Aggregate(Box::new(proto::Aggregate {
                input,
                group_type: group_type as i32,
                grouping_expressions: grouping.clone(),
                aggregate_expressions: aggregates.clone(),
                pivot: pivot.clone(),
                grouping_sets: grouping_sets.clone(),
            }))
        });
        input.with_plan(plan.referring_to(used))
    }

    /// The number of rows of each group, as column `count`.
    pub fn count(&self) -> DataFrame {
        self.agg([functions::count(functions::lit(1)).alias("count")])
    }

    /// The average of each column.
    pub fn avg<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::avg))
    }

    /// The average of each column. The same as [`GroupedData::avg`].
    pub fn mean<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.avg(columns)
    }

    /// The largest value of each column.
    pub fn max<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::max))
    }

    /// The smallest value of each column.
    pub fn min<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::min))
    }

    /// The sum of each column.
    pub fn sum<'a>(&self, columns: impl IntoIterator<Item = &'a str>) -> DataFrame {
        self.agg(columns.into_iter().map(functions::sum))
    }

    /// Turns the values of a column into columns; naming the values spares Spark to look for them.
    pub fn pivot(mut self, column: &str, values: impl IntoIterator<Item = impl crate::IntoLiteral>) -> Self {
        let values = values.into_iter().filter_map(|value| as_literal(value.into_literal())).collect();
        self.group_type = GroupType::Pivot;
        self.pivot = Some(Pivot { col: Some(self.input.col(column).expression), values });
        self
    }
}
