//! Conditions that may be left away, and assignments.

use crate::{
    Column, IntoCondition,
    functions::expr,
    proto::{Expression, delta::connect as messages, expression::ExprType},
};

/// A [`Column`] or a SQL text, for a condition that may be left away with `None`.
///
/// ```no_run
/// # async fn run(table: spark_client::delta::DeltaTable) -> Result<(), spark_client::Error> {
/// use spark_client::functions::col;
/// table.delete(col("amount").lt(0)).await?;
/// table.delete("amount IS NULL AND day < '2020-01-01'").await?;
/// table.delete(None).await?;
/// # Ok(()) }
/// ```
pub trait OptionalCondition {
    /// The condition, if there is one.
    fn into_optional_condition(self) -> Option<Column>;
}

impl OptionalCondition for Option<Column> {
    fn into_optional_condition(self) -> Option<Column> {
        self
    }
}

impl OptionalCondition for Column {
    fn into_optional_condition(self) -> Option<Column> {
        Some(self.into_condition())
    }
}

impl OptionalCondition for &str {
    fn into_optional_condition(self) -> Option<Column> {
        Some(expr(self))
    }
}

/// Columns of the table, which may be fields of structs, and their new values.
pub(crate) type Assignments = Vec<(String, Column)>;

pub(crate) fn assigned<'a>(assignments: impl IntoIterator<Item = (&'a str, Column)>) -> Assignments {
    assignments.into_iter().map(|(column, value)| (column.to_owned(), value)).collect()
}

/// The text of an expression that was given as one.
pub(super) fn sql_text(column: &Column) -> Option<&str> {
    match &column.expression.expr_type {
        Some(ExprType::ExpressionString(text)) => Some(&text.expression),
        _ => None,
    }
}

pub(super) fn condition_message(condition: Option<Column>) -> Option<Expression> {
    condition.map(|condition| condition.expression)
}

pub(super) fn assignment_messages(assignments: Assignments) -> Vec<messages::Assignment> {
    let assignment = |(column, value): (String, Column)| messages::Assignment {
        field: Some(Column::named(&column).expression),
        value: Some(value.expression),
    };
    assignments.into_iter().map(assignment).collect()
}
