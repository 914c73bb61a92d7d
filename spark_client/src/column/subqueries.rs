//! Subqueries: DataFrames as values and conditions in the expressions of another.

use super::{Column, IntoColumn};
use crate::{
    DataFrame,
    plan::Plan,
    proto::{
        Expression, SubqueryExpression,
        expression::{ExprType, UnresolvedFunction},
        subquery_expression::SubqueryType,
    },
};

/// Takes columns apart on their way into a message, and keeps the plans that the subqueries in them refer to.
#[derive(Clone, Debug, Default)]
pub(crate) struct Subqueries(Vec<Plan>);

impl Subqueries {
    pub(crate) fn expression(&mut self, column: Column) -> Expression {
        self.0.extend(column.subqueries);
        column.expression
    }

    #[allow(clippy::unnecessary_wraps, reason = "the messages have it so")]
    pub(crate) fn boxed(&mut self, column: Column) -> Option<Box<Expression>> {
        Some(Box::new(self.expression(column)))
    }

    pub(crate) fn expressions(
        &mut self,
        columns: impl IntoIterator<Item = impl IntoColumn>,
    ) -> Vec<Expression> {
        columns.into_iter().map(|column| self.expression(column.into_column())).collect()
    }

    pub(crate) fn join(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    pub(crate) fn into_plans(self) -> Vec<Plan> {
        self.0
    }
}

impl DataFrame {
    /// The one value of this DataFrame of one column and at most one row, for an expression of another; NULL when there
    /// is no row.
    ///
    /// A column of the outer row is marked with [`Column::outer`].
    ///
    /// ```no_run
    /// # fn example(orders: spark_client::DataFrame) -> spark_client::DataFrame {
    /// use spark_client::functions::{avg, col};
    /// orders.filter(col("amount").gt(orders.select([avg("amount")]).scalar()))
    /// # }
    /// ```
    pub fn scalar(&self) -> Column {
        subquery(&self.plan, SubqueryType::Scalar, Vec::new())
    }

    /// Whether this DataFrame has a row, as a condition in an expression of another.
    pub fn exists(&self) -> Column {
        subquery(&self.plan, SubqueryType::Exists, Vec::new())
    }
}

impl Column {
    /// Whether the value is one of those in a DataFrame of one column; for several values, make a `struct` of them.
    pub fn isin_query(self, query: &DataFrame) -> Column {
        let Column { expression, mut subqueries } = self;
        let values =
            match expression.expr_type {
                Some(ExprType::UnresolvedFunction(UnresolvedFunction {
                    function_name, arguments, ..
                })) if function_name == "struct" => arguments,
                expr_type => vec![Expression { expr_type, ..expression }],
            };
        let mut column = subquery(&query.plan, SubqueryType::In, values);
        column.subqueries.append(&mut subqueries);
        column
    }

    /// Says that a column in a subquery is one of the outer row.
    pub fn outer(self) -> Column {
        self
    }
}

fn subquery(plan: &Plan, subquery_type: SubqueryType, in_subquery_values: Vec<Expression>) -> Column {
    let expression = SubqueryExpression {
        plan_id: plan.id(),
        subquery_type: subquery_type as i32,
        table_arg_options: None,
        in_subquery_values,
    };
    let mut column = Column::new(ExprType::SubqueryExpression(expression));
    column.subqueries.push(plan.clone());
    column
}
