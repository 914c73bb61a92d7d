//! The logical plan: an immutable tree that transformations share and that becomes a message when sent.

use crate::{
    column::Subqueries,
    proto::{self, RelationCommon, relation::RelType},
};
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

/// A node and all below it. Cloning shares the nodes, so that a chain of transformations costs one node
/// each; the message is built once, when an action sends it.
#[derive(Clone)]
pub(crate) struct Plan(Arc<Node>);

struct Node {
    /// Distinguishes equal columns of different DataFrames, unique in this process.
    id: i64,
    relation: Box<dyn Fn() -> RelType + Send + Sync>,
}

impl Plan {
    pub(crate) fn new(relation: impl Fn() -> RelType + Send + Sync + 'static) -> Self {
        static NEXT_ID: AtomicI64 = AtomicI64::new(0);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Node { id, relation: Box::new(relation) }))
    }

    /// A relation that the server built, such as the result of a SQL command.
    pub(crate) fn given(relation: proto::Relation) -> Self {
        let unknown = RelType::Unknown(proto::Unknown {});
        let rel_type = relation.rel_type.unwrap_or(unknown);
        Self::new(move || rel_type.clone())
    }

    /// A node on top of this one.
    pub(crate) fn then(
        &self,
        relation: impl Fn(Option<Box<proto::Relation>>) -> RelType + Send + Sync + 'static,
    ) -> Self {
        let input = self.clone();
        Self::new(move || relation(input.input()))
    }

    /// This plan together with those that subqueries in its expressions refer to.
    pub(crate) fn referring_to(self, subqueries: Subqueries) -> Self {
        let references = subqueries.into_plans();
        if references.is_empty() {
            return self;
        }
        Self::new(move || {
            let references = references.iter().map(Self::to_relation).collect();
            RelType::WithRelations(Box::new(proto::WithRelations { root: self.input(), references }))
        })
    }

    pub(crate) fn id(&self) -> i64 {
        self.0.id
    }

    pub(crate) fn to_relation(&self) -> proto::Relation {
        let common = RelationCommon { plan_id: Some(self.0.id), ..Default::default() };
        proto::Relation { common: Some(common), rel_type: Some((self.0.relation)()) }
    }

    /// This plan as the input of another node.
    #[allow(clippy::unnecessary_wraps, reason = "the messages have it so")]
    pub(crate) fn input(&self) -> Option<Box<proto::Relation>> {
        Some(Box::new(self.to_relation()))
    }

    pub(crate) fn to_plan(&self) -> proto::Plan {
        proto::Plan { op_type: Some(proto::plan::OpType::Root(self.to_relation())) }
    }
}

/// A command as the whole of what is executed.
pub(crate) fn command_plan(command: proto::command::CommandType) -> proto::Plan {
    let command = proto::Command { command_type: Some(command) };
    proto::Plan { op_type: Some(proto::plan::OpType::Command(command)) }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.to_relation().fmt(f)
    }
}
