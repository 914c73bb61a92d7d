//! Joins of two DataFrames.

use super::DataFrame;
use crate::{
    Column,
    proto::{self, join, relation::RelType},
};

/// Which rows a join keeps.
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

    fn joined(&self, other: &DataFrame, on: Option<JoinOn>, how: join::JoinType) -> Self {
        let (using_columns, condition) = match on {
            None => (Vec::new(), None),
            Some(JoinOn::Columns(columns)) => (columns, None),
            Some(JoinOn::Condition(condition)) => (Vec::new(), Some(condition.expression)),
        };
        let right = other.plan.clone();
        self.with_plan(self.plan.then(move |left| {
            RelType::Join(Box::new(proto::Join {
                left,
                right: right.input(),
                join_condition: condition.clone(),
                join_type: how as i32,
                using_columns: using_columns.clone(),
                join_data_type: None,
            }))
        }))
    }
}
