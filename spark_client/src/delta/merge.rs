//! MERGE, with the words of delta-spark.

use super::{
    backend::{Backend, Operation},
    condition::{Assignments, OptionalCondition, assigned, assignment_messages, condition_message},
    qualifier::Qualifier,
    table::DeltaTable,
};
use crate::{
    Column, DataFrame, Error, IntoCondition,
    proto::{
        Expression, MergeAction, MergeIntoTableCommand,
        command::CommandType,
        delta::connect::{
            self as messages,
            delta_relation::RelationType,
            merge_into_table::{Action, action as delta_action},
        },
        expression::ExprType,
        merge_action::{ActionType, Assignment},
    },
};

/// A merge that is being described: `table.merge(&source, condition)`. For each row, the first clause of its
/// kind whose condition holds is carried out; all in one commit.
///
/// How many rows were changed is in the table's history, as `operationMetrics`.
///
/// ```no_run
/// # use spark_client::{DataFrame, Error, SparkSession};
/// # async fn run(spark: SparkSession, changes: DataFrame) -> Result<(), Error> {
/// use spark_client::{delta::DeltaTable, functions::{col, lit}};
/// DeltaTable::for_name(&spark, "silver.customers").alias("t")
///     .merge(&changes.alias("c"), "t.id = c.id")
///     .when_matched_delete(col("c.op").eq("d"))
///     .when_matched_update("c.lsn > t.lsn", [("name", col("c.name")), ("lsn", col("c.lsn"))])
///     .when_not_matched_insert_all(col("c.op").neq("d"))
///     .when_not_matched_by_source_update(None, [("seen", lit(false))])
///     .with_schema_evolution()
///     .execute().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a merge does nothing until `execute` is called"]
pub struct DeltaMergeBuilder {
    table: DeltaTable,
    source: DataFrame,
    condition: Column,
    matched: Vec<Clause>,
    not_matched: Vec<Clause>,
    not_matched_by_source: Vec<Clause>,
    with_schema_evolution: bool,
}

#[derive(Clone, Debug)]
struct Clause {
    condition: Option<Column>,
    action: ActionType,
    assignments: Assignments,
}

impl DeltaTable {
    /// Merges the rows of a DataFrame into the table: `condition` says which row of the table a row belongs to.
    pub fn merge(&self, source: &DataFrame, condition: impl IntoCondition) -> DeltaMergeBuilder {
        DeltaMergeBuilder {
            table: self.clone(),
            source: source.clone(),
            condition: condition.into_condition(),
            matched: Vec::new(),
            not_matched: Vec::new(),
            not_matched_by_source: Vec::new(),
            with_schema_evolution: false,
        }
    }
}

impl DeltaMergeBuilder {
    /// Sets columns of a row of the table that a row of the source belongs to.
    pub fn when_matched_update<'a>(
        self,
        condition: impl OptionalCondition,
        set: impl IntoIterator<Item = (&'a str, Column)>,
    ) -> Self {
        self.when_matched(condition.into_optional_condition(), ActionType::Update, assigned(set))
    }

    /// Sets all columns of a row of the table to those of the row of the source that belongs to it.
    pub fn when_matched_update_all(self, condition: impl OptionalCondition) -> Self {
        self.when_matched(condition.into_optional_condition(), ActionType::UpdateStar, Vec::new())
    }

    /// Deletes a row of the table that a row of the source belongs to.
    pub fn when_matched_delete(self, condition: impl OptionalCondition) -> Self {
        self.when_matched(condition.into_optional_condition(), ActionType::Delete, Vec::new())
    }

    /// Adds a row of these columns for a row of the source that belongs to no row of the table.
    pub fn when_not_matched_insert<'a>(
        mut self,
        condition: impl OptionalCondition,
        values: impl IntoIterator<Item = (&'a str, Column)>,
    ) -> Self {
        let (condition, assignments) = (condition.into_optional_condition(), assigned(values));
        self.not_matched.push(Clause { condition, action: ActionType::Insert, assignments });
        self
    }

    /// Adds a row of the source that belongs to no row of the table.
    pub fn when_not_matched_insert_all(mut self, condition: impl OptionalCondition) -> Self {
        let (condition, assignments) = (condition.into_optional_condition(), Vec::new());
        self.not_matched.push(Clause { condition, action: ActionType::InsertStar, assignments });
        self
    }

    /// Sets columns of a row of the table that no row of the source belongs to.
    pub fn when_not_matched_by_source_update<'a>(
        mut self,
        condition: impl OptionalCondition,
        set: impl IntoIterator<Item = (&'a str, Column)>,
    ) -> Self {
        let (condition, assignments) = (condition.into_optional_condition(), assigned(set));
        self.not_matched_by_source.push(Clause { condition, action: ActionType::Update, assignments });
        self
    }

    /// Deletes a row of the table that no row of the source belongs to.
    pub fn when_not_matched_by_source_delete(mut self, condition: impl OptionalCondition) -> Self {
        let (condition, assignments) = (condition.into_optional_condition(), Vec::new());
        self.not_matched_by_source.push(Clause { condition, action: ActionType::Delete, assignments });
        self
    }

    /// Lets the table gain the columns that it lacks and that a clause writes.
    pub fn with_schema_evolution(mut self) -> Self {
        self.with_schema_evolution = true;
        self
    }

    /// Carries the merge out.
    pub async fn execute(self) -> Result<(), Error> {
        let session = self.table.session.clone();
        self.into_operation().run(&session).await
    }

    pub(super) fn when_matched(
        mut self,
        condition: Option<Column>,
        action: ActionType,
        assignments: Assignments,
    ) -> Self {
        self.matched.push(Clause { condition, action, assignments });
        self
    }

    pub(crate) fn into_operation(self) -> Operation {
        match self.table.backend {
            Backend::Native => self.native(),
            Backend::Extension => self.extension(),
        }
    }

    pub(super) fn native(self) -> Operation {
        let name = self.table.target.sql();
        let alias = self.table.alias.as_deref();
        let qualifier = Qualifier { alias, plan_id: self.table.frame.plan.id(), name: &name };
        let clauses = |clauses: Vec<Clause>| clauses.into_iter().map(|c| c.native(&qualifier)).collect();
        Operation::Command(Box::new(CommandType::MergeIntoTableCommand(MergeIntoTableCommand {
            source_table_plan: Some(self.source.plan.to_relation()),
            merge_condition: Some(qualifier.apply(self.condition).expression),
            match_actions: clauses(self.matched),
            not_matched_actions: clauses(self.not_matched),
            not_matched_by_source_actions: clauses(self.not_matched_by_source),
            with_schema_evolution: self.with_schema_evolution,
            target_table_name: name.clone(),
        })))
    }

    fn extension(self) -> Operation {
        let clauses = |clauses: Vec<Clause>| clauses.into_iter().map(Clause::extension).collect();
        Operation::relation(RelationType::MergeIntoTable(messages::MergeIntoTable {
            target: Some(self.table.frame.plan.to_relation()),
            source: Some(self.source.plan.to_relation()),
            condition: Some(self.condition.expression),
            matched_actions: clauses(self.matched),
            not_matched_actions: clauses(self.not_matched),
            not_matched_by_source_actions: clauses(self.not_matched_by_source),
            with_schema_evolution: Some(self.with_schema_evolution),
        }))
    }
}

impl Clause {
    fn native(self, qualifier: &Qualifier<'_>) -> Expression {
        let assignment = |(column, value): (String, Column)| Assignment {
            key: Some(qualifier.apply(Column::named(&column)).expression),
            value: Some(qualifier.apply(value).expression),
        };
        let condition = self.condition.map(|condition| Box::new(qualifier.apply(condition).expression));
        let assignments = self.assignments.into_iter().map(assignment).collect();
        let action = MergeAction { action_type: self.action as i32, condition, assignments };
        Expression { common: None, expr_type: Some(ExprType::MergeAction(Box::new(action))) }
    }

    fn extension(self) -> Action {
        use delta_action::ActionType as Delta;
        let assignments = assignment_messages(self.assignments);
        let action = match self.action {
            ActionType::Invalid => None,
            ActionType::Delete => Some(Delta::DeleteAction(delta_action::DeleteAction {})),
            ActionType::Update => Some(Delta::UpdateAction(delta_action::UpdateAction { assignments })),
            ActionType::UpdateStar => Some(Delta::UpdateStarAction(delta_action::UpdateStarAction {})),
            ActionType::Insert => Some(Delta::InsertAction(delta_action::InsertAction { assignments })),
            ActionType::InsertStar => Some(Delta::InsertStarAction(delta_action::InsertStarAction {})),
        };
        Action { condition: condition_message(self.condition), action_type: action }
    }
}
