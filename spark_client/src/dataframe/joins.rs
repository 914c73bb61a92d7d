//! Joins of two DataFrames.

use super::DataFrame;
use crate::{
    Column,
    column::Subqueries,
    proto::{self, join, relation::RelType},
};

/// Which rows a join keeps.
///
/// ```no_run
/// # fn example(orders: spark_client::DataFrame, payments: spark_client::DataFrame) {
/// use spark_client::JoinType;
/// let unpaid = orders.join(&payments, "order_id", JoinType::LeftAnti);
/// # let _ = unpaid;
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum JoinType {
    /// Pairs that match.
    #[default]
    Inner,
    /// Pairs that match, and the unmatched rows of both sides.
    FullOuter,
    /// Pairs that match, and the unmatched rows of the left side.
    LeftOuter,
    /// Pairs that match, and the unmatched rows of the right side.
    RightOuter,
    /// Rows of the left side that have a match, once each.
    LeftSemi,
    /// Rows of the left side that have no match.
    LeftAnti,
    /// Every pair.
    Cross,
}

/// What makes two rows a pair: columns of the same name on both sides, or a condition.
///
/// ```no_run
/// # fn example(orders: spark_client::DataFrame, payments: spark_client::DataFrame) {
/// use spark_client::JoinType;
/// let by_name = orders.join(&payments, ["order_id", "country"], JoinType::Inner);
/// let by_condition = orders.join(&payments, orders.col("id").eq(payments.col("order_id")), JoinType::Inner);
/// # let _ = (by_name, by_condition);
/// # }
/// ```
#[derive(Clone, Debug)]
pub enum JoinOn {
    /// Equal in these columns, which the result has once.
    Columns(Vec<String>),
    /// The condition holds. Tell the sides apart by [`DataFrame::col`] or [`DataFrame::alias`].
    Condition(Box<Column>),
}

impl From<Column> for JoinOn {
    fn from(condition: Column) -> Self {
        Self::Condition(Box::new(condition))
    }
}

impl From<&str> for JoinOn {
    fn from(column: &str) -> Self {
        Self::Columns(vec![column.to_owned()])
    }
}

impl From<Vec<String>> for JoinOn {
    fn from(columns: Vec<String>) -> Self {
        Self::Columns(columns)
    }
}

impl From<&[String]> for JoinOn {
    fn from(columns: &[String]) -> Self {
        Self::Columns(columns.to_vec())
    }
}

impl<const N: usize> From<[&str; N]> for JoinOn {
    fn from(columns: [&str; N]) -> Self {
        Self::Columns(columns.iter().map(|&column| column.to_owned()).collect())
    }
}

impl JoinType {
    fn to_proto(self) -> join::JoinType {
        match self {
            Self::Inner => join::JoinType::Inner,
            Self::FullOuter => join::JoinType::FullOuter,
            Self::LeftOuter => join::JoinType::LeftOuter,
            Self::RightOuter => join::JoinType::RightOuter,
            Self::LeftSemi => join::JoinType::LeftSemi,
            Self::LeftAnti => join::JoinType::LeftAnti,
            Self::Cross => join::JoinType::Cross,
        }
    }

    fn nearest_name(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::FullOuter => "fullouter",
            Self::LeftOuter => "leftouter",
            Self::RightOuter => "rightouter",
            Self::LeftSemi => "leftsemi",
            Self::LeftAnti => "leftanti",
            Self::Cross => "cross",
        }
    }
}

/// How the nearest rows are searched for.
///
/// ```no_run
/// # fn example(orders: spark_client::DataFrame, payments: spark_client::DataFrame) {
/// use spark_client::{JoinType, NearestBy, NearestSearch, functions::{abs, col}};
/// let distance = abs(col("at") - col("paid_at"));
/// let paired = orders.nearest_by_join(
///     &payments, distance, 1, NearestSearch::Exact, NearestBy::Distance, JoinType::Inner,
/// );
/// # let _ = paired;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearestSearch {
    /// The server may take rows that are near, where an index gives them faster.
    Approximate,
    /// The nearest rows.
    Exact,
}

impl NearestSearch {
    fn name(self) -> &'static str {
        match self {
            Self::Approximate => "approx",
            Self::Exact => "exact",
        }
    }
}

/// What the ranking of [`DataFrame::nearest_by_join`] measures.
///
/// ```no_run
/// # fn example(orders: spark_client::DataFrame, payments: spark_client::DataFrame) {
/// use spark_client::{JoinType, NearestBy, NearestSearch, functions::{abs, col}};
/// let distance = abs(col("at") - col("paid_at"));
/// let paired = orders.nearest_by_join(
///     &payments, distance, 1, NearestSearch::Exact, NearestBy::Distance, JoinType::Inner,
/// );
/// # let _ = paired;
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NearestBy {
    /// A distance: small is near.
    Distance,
    /// A similarity: large is near.
    Similarity,
}

impl NearestBy {
    fn name(self) -> &'static str {
        match self {
            Self::Distance => "distance",
            Self::Similarity => "similarity",
        }
    }
}

impl DataFrame {
    /// Pairs of rows of this and another DataFrame.
    pub fn join(&self, other: &DataFrame, on: impl Into<JoinOn>, how: JoinType) -> Self {
        self.joined(other, Some(on.into()), how.to_proto())
    }

    /// Every pair of rows of this and another DataFrame.
    pub fn cross_join(&self, other: &DataFrame) -> Self {
        self.joined(other, None, join::JoinType::Cross)
    }

    /// Pairs of each row of this and the rows that `other` has for it: its columns of this side are marked with
    /// [`Column::outer`]. The server takes [`JoinType::Inner`], [`JoinType::LeftOuter`] and [`JoinType::Cross`].
    pub fn lateral_join(&self, other: &DataFrame, on: Option<Column>, how: JoinType) -> Self {
        let mut used = Subqueries::default();
        let condition = on.map(|on| used.expression(on));
        let right = other.plan.clone();
        let plan = self.plan.then(move |left| {
            RelType::LateralJoin(Box::new(proto::LateralJoin {
                left,
                right: right.input(),
                join_condition: condition.clone(),
                join_type: how.to_proto() as i32,
            }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// Pairs of each row of this and the `rows` rows of `other` that are nearest to it by `ranking`. With
    /// [`JoinType::LeftOuter`] a row without any is kept too; the server takes no other type but that and
    /// [`JoinType::Inner`].
    pub fn nearest_by_join(
        &self,
        other: &DataFrame,
        ranking: Column,
        rows: i32,
        search: NearestSearch,
        by: NearestBy,
        how: JoinType,
    ) -> Self {
        let mut used = Subqueries::default();
        let ranking = used.expression(ranking);
        let right = other.plan.clone();
        let plan = self.plan.then(move |left| {
            RelType::NearestByJoin(Box::new(proto::NearestByJoin {
                left,
                right: right.input(),
                ranking_expression: Some(ranking.clone()),
                num_results: rows,
                join_type: how.nearest_name().to_owned(),
                mode: search.name().to_owned(),
                direction: by.name().to_owned(),
            }))
        });
        self.with_plan(plan.referring_to(used))
    }

    fn joined(&self, other: &DataFrame, on: Option<JoinOn>, how: join::JoinType) -> Self {
        let mut used = Subqueries::default();
        let (using_columns, condition) = match on {
            None => (Vec::new(), None),
            Some(JoinOn::Columns(columns)) => (columns, None),
            Some(JoinOn::Condition(condition)) => (Vec::new(), Some(used.expression(*condition))),
        };
        let right = other.plan.clone();
        let plan = self.plan.then(move |left| {
            RelType::Join(Box::new(proto::Join {
                left,
                right: right.input(),
                join_condition: condition.clone(),
                join_type: how as i32,
                using_columns: using_columns.clone(),
                join_data_type: None,
            }))
        });
        self.with_plan(plan.referring_to(used))
    }
}
