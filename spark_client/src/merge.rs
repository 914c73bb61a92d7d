//! MERGE INTO: rows of a DataFrame change, delete and add rows of a table, in one transaction.

use crate::{
    Column, DataFrame, Error,
    functions::expr,
    proto::{
        Expression, MergeAction, MergeIntoTableCommand,
        command::CommandType,
        expression::ExprType,
        merge_action::{ActionType, Assignment},
    },
};

/// A merge that is being described: `source.merge_into("table", condition)`. For each row, the first clause
/// of its kind whose condition holds is carried out.
///
/// ```no_run
/// # async fn run(changes: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{col, expr};
/// changes.alias("c").merge_into("silver.customers", expr("customers.id = c.id"))
///     .when_matched(col("c.op").eq("d")).delete()
///     .when_matched(None).update_all()
///     .when_not_matched(col("c.op").neq("d")).insert_all()
///     .with_schema_evolution()
///     .merge().await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a merge does nothing until `merge` is called"]
pub struct MergeInto {
    source: DataFrame,
    table: String,
    condition: Column,
    matched: Vec<Expression>,
    not_matched: Vec<Expression>,
    not_matched_by_source: Vec<Expression>,
    with_schema_evolution: bool,
}

/// What to do with a row of the table that a row of the source belongs to.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{col, expr};
/// let merge = orders.merge_into("silver.orders", expr("orders.id = t.id"));
/// merge.when_matched(col("t.cancelled")).delete().when_matched(None).update_all().merge().await?;
/// # Ok(()) }
/// ```
#[must_use = "a clause needs an action"]
pub struct WhenMatched(MergeInto, Option<Column>);

/// What to do with a row of the source that belongs to no row of the table.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{col, expr};
/// let merge = orders.merge_into("silver.orders", expr("orders.id = t.id"));
/// merge.when_not_matched(None).insert([("id", col("t.id"))]).merge().await?;
/// # Ok(()) }
/// ```
#[must_use = "a clause needs an action"]
pub struct WhenNotMatched(MergeInto, Option<Column>);

/// What to do with a row of the table that no row of the source belongs to.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::functions::{expr, lit};
/// let merge = orders.merge_into("silver.orders", expr("orders.id = t.id"));
/// merge.when_not_matched_by_source(None).update([("gone", lit(true))]).merge().await?;
/// # Ok(()) }
/// ```
#[must_use = "a clause needs an action"]
pub struct WhenNotMatchedBySource(MergeInto, Option<Column>);

impl MergeInto {
    pub(crate) fn new(source: DataFrame, table: &str, condition: Column) -> Self {
        Self {
            source,
            table: table.to_owned(),
            condition,
            matched: Vec::new(),
            not_matched: Vec::new(),
            not_matched_by_source: Vec::new(),
            with_schema_evolution: false,
        }
    }

    /// For rows of the table that a row of the source belongs to; `None`: all of them.
    pub fn when_matched(self, condition: impl Into<Option<Column>>) -> WhenMatched {
        WhenMatched(self, condition.into())
    }

    /// For rows of the source that belong to no row of the table; `None`: all of them.
    pub fn when_not_matched(self, condition: impl Into<Option<Column>>) -> WhenNotMatched {
        WhenNotMatched(self, condition.into())
    }

    /// For rows of the table that no row of the source belongs to; `None`: all of them.
    pub fn when_not_matched_by_source(self, condition: impl Into<Option<Column>>) -> WhenNotMatchedBySource {
        WhenNotMatchedBySource(self, condition.into())
    }

    /// Lets the table gain the columns that it lacks.
    pub fn with_schema_evolution(mut self) -> Self {
        self.with_schema_evolution = true;
        self
    }

    /// Carries the merge out.
    pub async fn merge(self) -> Result<(), Error> {
        let session = self.source.session.clone();
        session.command(self.into_command()).await.map(|_| ())
    }

    pub(crate) fn into_command(self) -> CommandType {
        CommandType::MergeIntoTableCommand(MergeIntoTableCommand {
            target_table_name: self.table,
            source_table_plan: Some(self.source.plan.to_relation()),
            merge_condition: Some(self.condition.expression),
            match_actions: self.matched,
            not_matched_actions: self.not_matched,
            not_matched_by_source_actions: self.not_matched_by_source,
            with_schema_evolution: self.with_schema_evolution,
        })
    }
}

impl WhenMatched {
    /// Sets every column of the table to the source's column of that name.
    pub fn update_all(self) -> MergeInto {
        self.act(ActionType::UpdateStar, Vec::new())
    }

    /// Sets columns of the table.
    pub fn update<'a>(self, assignments: impl IntoIterator<Item = (&'a str, Column)>) -> MergeInto {
        self.act(ActionType::Update, assigned(assignments))
    }

    /// Deletes the row.
    pub fn delete(self) -> MergeInto {
        self.act(ActionType::Delete, Vec::new())
    }

    fn act(self, action: ActionType, assignments: Vec<Assignment>) -> MergeInto {
        let Self(mut merge, condition) = self;
        merge.matched.push(expression(action, condition, assignments));
        merge
    }
}

impl WhenNotMatched {
    /// Adds the row, every column from the source's column of that name.
    pub fn insert_all(self) -> MergeInto {
        self.act(ActionType::InsertStar, Vec::new())
    }

    /// Adds a row of these columns.
    pub fn insert<'a>(self, assignments: impl IntoIterator<Item = (&'a str, Column)>) -> MergeInto {
        self.act(ActionType::Insert, assigned(assignments))
    }

    fn act(self, action: ActionType, assignments: Vec<Assignment>) -> MergeInto {
        let Self(mut merge, condition) = self;
        merge.not_matched.push(expression(action, condition, assignments));
        merge
    }
}

impl WhenNotMatchedBySource {
    /// Sets columns of the table.
    pub fn update<'a>(self, assignments: impl IntoIterator<Item = (&'a str, Column)>) -> MergeInto {
        self.act(ActionType::Update, assigned(assignments))
    }

    /// Deletes the row.
    pub fn delete(self) -> MergeInto {
        self.act(ActionType::Delete, Vec::new())
    }

    fn act(self, action: ActionType, assignments: Vec<Assignment>) -> MergeInto {
        let Self(mut merge, condition) = self;
        merge.not_matched_by_source.push(expression(action, condition, assignments));
        merge
    }
}

fn assigned<'a>(assignments: impl IntoIterator<Item = (&'a str, Column)>) -> Vec<Assignment> {
    let assignment = |(column, value): (&str, Column)| Assignment {
        key: Some(expr(column).expression),
        value: Some(value.expression),
    };
    assignments.into_iter().map(assignment).collect()
}

fn expression(action: ActionType, condition: Option<Column>, assignments: Vec<Assignment>) -> Expression {
    let condition = condition.map(|condition| Box::new(condition.expression));
    let action = MergeAction { action_type: action as i32, condition, assignments };
    Expression { common: None, expr_type: Some(ExprType::MergeAction(Box::new(action))) }
}
