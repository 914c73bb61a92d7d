//! The order of a sort.

use super::{Column, IntoColumn, Subqueries};
use crate::proto::{
    Expression,
    expression::{
        ExprType, SortOrder,
        sort_order::{NullOrdering, SortDirection},
    },
};

impl Column {
    /// Ascending, NULL first.
    pub fn asc(self) -> Column {
        self.sorted(SortDirection::Ascending, NullOrdering::SortNullsFirst)
    }

    /// Ascending, NULL first.
    pub fn asc_nulls_first(self) -> Column {
        self.asc()
    }

    /// Ascending, NULL last.
    pub fn asc_nulls_last(self) -> Column {
        self.sorted(SortDirection::Ascending, NullOrdering::SortNullsLast)
    }

    /// Descending, NULL last.
    pub fn desc(self) -> Column {
        self.sorted(SortDirection::Descending, NullOrdering::SortNullsLast)
    }

    /// Descending, NULL first.
    pub fn desc_nulls_first(self) -> Column {
        self.sorted(SortDirection::Descending, NullOrdering::SortNullsFirst)
    }

    /// Descending, NULL last.
    pub fn desc_nulls_last(self) -> Column {
        self.desc()
    }

    fn sorted(self, direction: SortDirection, nulls: NullOrdering) -> Column {
        Column::over_parts(|used| ExprType::SortOrder(Box::new(order(used.boxed(self), direction, nulls))))
    }

    /// This column if it says an order already, else ascending.
    pub(crate) fn into_order(self) -> Column {
        match self.expression.expr_type {
            Some(ExprType::SortOrder(_)) => self,
            _ => self.asc(),
        }
    }
}

impl Subqueries {
    /// Each item as a sort order, ascending unless it says otherwise.
    pub(crate) fn sort_orders(&mut self, items: impl IntoIterator<Item = impl IntoColumn>) -> Vec<SortOrder> {
        let order_of = |item| match self.expression(IntoColumn::into_column(item)) {
            Expression { expr_type: Some(ExprType::SortOrder(order)), .. } => *order,
            other => order(Some(Box::new(other)), SortDirection::Ascending, NullOrdering::SortNullsFirst),
        };
        items.into_iter().map(order_of).collect()
    }
}

fn order(child: Option<Box<Expression>>, direction: SortDirection, nulls: NullOrdering) -> SortOrder {
    SortOrder { child, direction: direction as i32, null_ordering: nulls as i32 }
}
