//! NULL and NaN filled or dropped, columns turned into rows.

use super::DataFrame;
use crate::{
    column::{Column, IntoColumn, IntoLiteral, Subqueries},
    proto::{
        self, Expression,
        expression::{ExprType, Literal},
        na_replace::Replacement,
        relation::RelType,
        unpivot,
    },
};

impl DataFrame {
    /// NULL and NaN replaced by a value, in the named columns of the value's type, or in all of them when
    /// no name is given.
    pub fn fill_na(
        &self,
        value: impl IntoLiteral,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values: Vec<_> = as_literal(value.into_literal()).into_iter().collect();
        self.filled(columns.into_iter().map(Into::into).collect(), values)
    }

    /// NULL and NaN replaced by a value of its own in each of these columns, as pairs (column, value).
    pub fn fill_na_by_column<'a>(
        &self,
        values: impl IntoIterator<Item = (&'a str, impl IntoLiteral)>,
    ) -> Self {
        let literals = values.into_iter().filter_map(|(column, value)| {
            as_literal(value.into_literal()).map(|literal| (column.to_owned(), literal))
        });
        let (columns, values) = literals.unzip();
        self.filled(columns, values)
    }

    fn filled(&self, cols: Vec<String>, values: Vec<Literal>) -> Self {
        self.with_plan(self.plan.then(move |input| {
            RelType::FillNa(Box::new(proto::NaFill { input, cols: cols.clone(), values: values.clone() }))
        }))
    }

    /// The rows that have at least `min_non_nulls` values (all when `None`) in the named columns, or in all
    /// columns when no name is given.
    pub fn drop_na(
        &self,
        min_non_nulls: Option<i32>,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let cols: Vec<String> = columns.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            RelType::DropNa(Box::new(proto::NaDrop { input, cols: cols.clone(), min_non_nulls }))
        }))
    }

    /// Values replaced by others, as pairs (from, to), in the named columns or in all of a fitting type when no name is
    /// given.
    pub fn replace(
        &self,
        values: impl IntoIterator<Item = (impl IntoLiteral, impl IntoLiteral)>,
        columns: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let cols: Vec<String> = columns.into_iter().map(Into::into).collect();
        let replacements: Vec<_> = values
            .into_iter()
            .map(|(from, to)| Replacement {
                old_value: as_literal(from.into_literal()),
                new_value: as_literal(to.into_literal()),
            })
            .collect();
        self.with_plan(self.plan.then(move |input| {
            let (cols, replacements) = (cols.clone(), replacements.clone());
            RelType::Replace(Box::new(proto::NaReplace { input, cols, replacements }))
        }))
    }

    /// One row for each row and column of `values`: the columns `ids`, then the column's name and its value.
    pub fn unpivot(
        &self,
        ids: impl IntoIterator<Item = impl IntoColumn>,
        values: impl IntoIterator<Item = impl IntoColumn>,
        variable_column: &str,
        value_column: &str,
    ) -> Self {
        let mut used = Subqueries::default();
        let (ids, values) = (used.expressions(ids), used.expressions(values));
        self.unpivoted(used, ids, Some(unpivot::Values { values }), [variable_column, value_column])
    }

    /// [`DataFrame::unpivot`] of all columns that are not in `ids`.
    pub fn unpivot_others(
        &self,
        ids: impl IntoIterator<Item = impl IntoColumn>,
        variable_column: &str,
        value_column: &str,
    ) -> Self {
        let mut used = Subqueries::default();
        let ids = used.expressions(ids);
        self.unpivoted(used, ids, None, [variable_column, value_column])
    }

    fn unpivoted(
        &self,
        used: Subqueries,
        ids: Vec<Expression>,
        values: Option<unpivot::Values>,
        names: [&str; 2],
    ) -> Self {
        let [variable_column_name, value_column_name] = names.map(str::to_owned);
        let plan = self.plan.then(move |input| {
            RelType::Unpivot(Box::new(proto::Unpivot {
                input,
                ids: ids.clone(),
                values: values.clone(),
                variable_column_name: variable_column_name.clone(),
                value_column_name: value_column_name.clone(),
            }))
        });
        self.with_plan(plan.referring_to(used))
    }
}

pub(super) fn as_literal(column: Column) -> Option<Literal> {
    match column.expression.expr_type {
        Some(ExprType::Literal(literal)) => Some(literal),
        _ => None,
    }
}
