//! Transformations of one DataFrame: pure, nothing is sent.

use super::DataFrame;
use crate::{
    Column, Schema,
    column::{IntoColumn, Subqueries},
    functions::{self, expr},
    proto::{self, expression::Alias, relation::RelType},
};

/// A [`Column`], or a SQL text such as `"amount > 10 AND country IS NOT NULL"`.
///
/// ```
/// use spark_client::{DataFrame, functions::col};
/// fn large(orders: &DataFrame) -> [DataFrame; 2] {
///     [orders.filter(col("amount").gt(1000)), orders.filter("amount > 1000")]
/// }
/// # let _ = large;
/// ```
pub trait IntoCondition {
    /// The condition as a column.
    fn into_condition(self) -> Column;
}

impl IntoCondition for Column {
    fn into_condition(self) -> Column {
        self
    }
}

impl IntoCondition for &str {
    fn into_condition(self) -> Column {
        expr(self)
    }
}

impl DataFrame {
    /// These columns and no others.
    pub fn select(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        let mut used = Subqueries::default();
        let expressions = used.expressions(columns);
        let plan = self.plan.then(move |input| {
            RelType::Project(Box::new(proto::Project { input, expressions: expressions.clone() }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// Columns as SQL expressions, for example `"amount * 2 AS doubled"`.
    pub fn select_expr<'a>(&self, expressions: impl IntoIterator<Item = &'a str>) -> Self {
        self.select(expressions.into_iter().map(expr))
    }

    /// The rows for which the condition holds.
    pub fn filter(&self, condition: impl IntoCondition) -> Self {
        let mut used = Subqueries::default();
        let condition = used.expression(condition.into_condition());
        let plan = self.plan.then(move |input| {
            let condition = Some(condition.clone());
            RelType::Filter(Box::new(proto::Filter { input, condition }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// The rows for which the condition holds. The same as [`DataFrame::filter`].
    pub fn where_(&self, condition: impl IntoCondition) -> Self {
        self.filter(condition)
    }

    /// A column added, or replaced when there is one of that name.
    pub fn with_column(&self, name: &str, column: impl IntoColumn) -> Self {
        self.with_columns([(name, column)])
    }

    /// Columns added or replaced, all computed from the columns as they are before.
    pub fn with_columns<'a>(&self, columns: impl IntoIterator<Item = (&'a str, impl IntoColumn)>) -> Self {
        let mut used = Subqueries::default();
        let alias = |(name, column): (&str, _)| Alias {
            expr: used.boxed(IntoColumn::into_column(column)),
            name: vec![name.to_owned()],
            metadata: None,
        };
        let aliases: Vec<_> = columns.into_iter().map(alias).collect();
        let plan = self.plan.then(move |input| {
            RelType::WithColumns(Box::new(proto::WithColumns { input, aliases: aliases.clone() }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// A column under another name; nothing changes when there is no such column.
    pub fn with_column_renamed(&self, from: &str, to: &str) -> Self {
        self.with_columns_renamed([(from, to)])
    }

    /// Columns under other names, as pairs (from, to).
    pub fn with_columns_renamed<'a>(&self, names: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let rename = |(from, to): (&str, &str)| proto::with_columns_renamed::Rename {
            col_name: from.to_owned(),
            new_col_name: to.to_owned(),
        };
        let renames: Vec<_> = names.into_iter().map(rename).collect();
        self.with_plan(self.plan.then(move |input| {
            let renames = renames.clone();
            let renamed = proto::WithColumnsRenamed { input, renames, ..Default::default() };
            RelType::WithColumnsRenamed(Box::new(renamed))
        }))
    }

    /// All columns but these; names that do not exist are ignored.
    pub fn drop(&self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let column_names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            let column_names = column_names.clone();
            RelType::Drop(Box::new(proto::Drop { input, columns: Vec::new(), column_names }))
        }))
    }

    /// All columns but these, given as columns: needed where two have the same name.
    pub fn drop_columns(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        let mut used = Subqueries::default();
        let columns = used.expressions(columns);
        let plan = self.plan.then(move |input| {
            let columns = columns.clone();
            RelType::Drop(Box::new(proto::Drop { input, columns, column_names: Vec::new() }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// The columns under new names, in order, one for each.
    pub fn to_df(&self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let column_names: Vec<String> = names.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            RelType::ToDf(Box::new(proto::ToDf { input, column_names: column_names.clone() }))
        }))
    }

    /// A name for the whole DataFrame, so that its columns can be called `name.column`.
    pub fn alias(&self, name: &str) -> Self {
        let alias = name.to_owned();
        self.with_plan(self.plan.then(move |input| {
            let alias = alias.clone();
            RelType::SubqueryAlias(Box::new(proto::SubqueryAlias { input, alias, qualifier: Vec::new() }))
        }))
    }

    /// Each row once.
    pub fn distinct(&self) -> Self {
        self.deduplicated(Vec::new(), false)
    }

    /// One row, whichever comes first, for each combination of these columns.
    pub fn drop_duplicates(&self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.deduplicated(columns.into_iter().map(Into::into).collect(), false)
    }

    /// [`DataFrame::drop_duplicates`] of a stream that forgets a key when the watermark has passed it.
    pub fn drop_duplicates_within_watermark(
        &self,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        self.deduplicated(columns.into_iter().map(Into::into).collect(), true)
    }

    fn deduplicated(&self, column_names: Vec<String>, within_watermark: bool) -> Self {
        self.with_plan(self.plan.then(move |input| {
            RelType::Deduplicate(Box::new(proto::Deduplicate {
                input,
                all_columns_as_keys: Some(column_names.is_empty()),
                column_names: column_names.clone(),
                within_watermark: Some(within_watermark),
            }))
        }))
    }

    /// All rows in an order, ascending unless a column says otherwise.
    pub fn order_by(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        self.sorted(columns, true)
    }

    /// All rows in an order. The same as [`DataFrame::order_by`].
    pub fn sort(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        self.order_by(columns)
    }

    /// The rows of each partition in an order.
    pub fn sort_within_partitions(&self, columns: impl IntoIterator<Item = impl IntoColumn>) -> Self {
        self.sorted(columns, false)
    }

    fn sorted(&self, columns: impl IntoIterator<Item = impl IntoColumn>, is_global: bool) -> Self {
        let mut used = Subqueries::default();
        let order = used.sort_orders(columns);
        let plan = self.plan.then(move |input| {
            RelType::Sort(Box::new(proto::Sort { input, order: order.clone(), is_global: Some(is_global) }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// At most the first `rows` rows.
    pub fn limit(&self, rows: i32) -> Self {
        self.with_plan(
            self.plan.then(move |input| RelType::Limit(Box::new(proto::Limit { input, limit: rows }))),
        )
    }

    /// The last `rows` rows.
    pub(super) fn last_rows(&self, rows: i32) -> Self {
        self.with_plan(
            self.plan.then(move |input| RelType::Tail(Box::new(proto::Tail { input, limit: rows }))),
        )
    }

    /// Rows and columns changed for each other: the values of one column (the first unless named) become the names of
    /// the others.
    pub fn transpose(&self, index: impl crate::OptionalColumn) -> Self {
        let index_columns: Vec<_> =
            index.into_optional_column().map(|column| column.expression).into_iter().collect();
        self.with_plan(self.plan.then(move |input| {
            RelType::Transpose(Box::new(proto::Transpose { input, index_columns: index_columns.clone() }))
        }))
    }

    /// Metadata, a JSON object, put to a column.
    pub fn with_metadata(&self, column: &str, json: &str) -> Self {
        let alias = Alias {
            expr: Some(Box::new(self.col(column).expression)),
            name: vec![column.to_owned()],
            metadata: Some(json.to_owned()),
        };
        self.with_plan(self.plan.then(move |input| {
            RelType::WithColumns(Box::new(proto::WithColumns { input, aliases: vec![alias.clone()] }))
        }))
    }

    /// Each row as a JSON text, in column `value`.
    pub fn to_json(&self) -> Self {
        let row = functions::struct_([functions::col("*")]);
        self.select([functions::to_json(row, []).alias("value")])
    }

    /// The rows with their numbers, from 0, in a further column.
    pub fn zip_with_index(&self, name: &str) -> Self {
        let index = Column::function("distributed_sequence_id", Vec::new());
        self.select([functions::col("*"), index.alias(name)])
    }

    /// The columns of a schema, in its order, taken by their names and cast to its types. Other columns are left out; a
    /// column that is not there is NULL where the schema allows it, and an error elsewhere.
    pub fn to(&self, schema: &Schema) -> Self {
        let schema = schema.to_proto();
        self.with_plan(self.plan.then(move |input| {
            RelType::ToSchema(Box::new(proto::ToSchema { input, schema: Some(schema.clone()) }))
        }))
    }

    /// All but the first `rows` rows.
    pub fn offset(&self, rows: i32) -> Self {
        self.with_plan(
            self.plan.then(move |input| RelType::Offset(Box::new(proto::Offset { input, offset: rows }))),
        )
    }
}
