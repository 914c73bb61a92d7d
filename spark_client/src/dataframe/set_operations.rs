//! Union, intersection and difference.

use super::DataFrame;
use crate::proto::{self, relation::RelType, set_operation::SetOpType};

#[derive(Clone, Copy)]
struct SetOperation {
    kind: SetOpType,
    is_all: bool,
    by_name: bool,
    allow_missing_columns: bool,
}

impl DataFrame {
    /// The rows of both, duplicates kept, columns matched by position.
    pub fn union(&self, other: &DataFrame) -> Self {
        self.set_operation(other, SetOperation::new(SetOpType::Union, true))
    }

    /// The rows of both, duplicates kept, columns matched by name. With `allow_missing_columns`, a column
    /// that one side lacks is NULL there.
    pub fn union_by_name(&self, other: &DataFrame, allow_missing_columns: bool) -> Self {
        let union = SetOperation::new(SetOpType::Union, true);
        self.set_operation(other, SetOperation { by_name: true, allow_missing_columns, ..union })
    }

    /// Rows that both have, once each.
    pub fn intersect(&self, other: &DataFrame) -> Self {
        self.set_operation(other, SetOperation::new(SetOpType::Intersect, false))
    }

    /// Rows that both have, as often as the side that has them less often.
    pub fn intersect_all(&self, other: &DataFrame) -> Self {
        self.set_operation(other, SetOperation::new(SetOpType::Intersect, true))
    }

    /// Rows of this one that the other lacks, once each.
    pub fn except(&self, other: &DataFrame) -> Self {
        self.set_operation(other, SetOperation::new(SetOpType::Except, false))
    }

    /// Rows of this one less the rows of the other, duplicates counted.
    pub fn except_all(&self, other: &DataFrame) -> Self {
        self.set_operation(other, SetOperation::new(SetOpType::Except, true))
    }

    fn set_operation(&self, other: &DataFrame, operation: SetOperation) -> Self {
        let right = other.plan.clone();
        self.with_plan(self.plan.then(move |left_input| {
            RelType::SetOp(Box::new(proto::SetOperation {
                left_input,
                right_input: right.input(),
                set_op_type: operation.kind as i32,
                is_all: Some(operation.is_all),
                by_name: Some(operation.by_name),
                allow_missing_columns: Some(operation.allow_missing_columns),
            }))
        }))
    }
}

impl SetOperation {
    fn new(kind: SetOpType, is_all: bool) -> Self {
        Self { kind, is_all, by_name: false, allow_missing_columns: false }
    }
}
