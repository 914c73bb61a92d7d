//! The order of a sort.

use super::{Column, IntoColumn};
use crate::proto::expression::{
    ExprType, SortOrder,
    sort_order::{NullOrdering, SortDirection},
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
        Column::new(ExprType::SortOrder(Box::new(self.order(direction, nulls))))
    }

    fn order(self, direction: SortDirection, nulls: NullOrdering) -> SortOrder {
        SortOrder { child: self.boxed(), direction: direction as i32, null_ordering: nulls as i32 }
    }
}

/// Each item as a sort order, ascending unless it says otherwise.
pub(crate) fn sort_orders(items: impl IntoIterator<Item = impl IntoColumn>) -> Vec<SortOrder> {
    items
        .into_iter()
        .map(|item| {
            let column = item.into_column();
            match column.expression.expr_type {
                Some(ExprType::SortOrder(order)) => *order,
                _ => column.order(SortDirection::Ascending, NullOrdering::SortNullsFirst),
            }
        })
        .collect()
}
