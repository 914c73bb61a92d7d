//! UPDATE and DELETE.

use super::{
    backend::{Backend, Operation},
    condition::{Assignments, OptionalCondition, assigned, assignment_messages, condition_message, sql_text},
    table::DeltaTable,
};
use crate::{
    Column, Error,
    functions::lit,
    proto::{
        delta::connect::{self as messages, delta_relation::RelationType},
        merge_action::ActionType,
    },
    sql_text::{quoted_name, quoted_qualified_name},
};

/// The only column of the row that every row of the table is merged with; no table has such a column.
const ONE_ROW: &str = "the one row of spark_client";

/// With [`Backend::Native`], a change whose condition and values are SQL texts (or are left away) is an UPDATE
/// or DELETE statement, which Delta can do without reading rows when only partitions decide. A [`Column`]
/// cannot be part of a statement: such a change is a MERGE of one row that every row of the table is compared
/// with. It changes the same rows, and skips files by the same condition; the table's history calls it `MERGE`
/// instead of `UPDATE` or `DELETE`, and as in every MERGE the condition may not have sub-queries or be random.
///
/// How many rows were changed is in the table's history, as `operationMetrics`.
impl DeltaTable {
    /// Deletes the rows for which the condition holds (not those for which it is NULL); `None`: all rows.
    pub async fn delete(&self, condition: impl OptionalCondition) -> Result<(), Error> {
        self.deletion(condition.into_optional_condition()).run(&self.session).await
    }

    /// Sets columns of the rows for which the condition holds (`None`: of all rows), the values computed from the
    /// row as it was. A text as a value is [`crate::functions::expr`]; a field of a struct is `column.field`.
    pub async fn update<'a>(
        &self,
        condition: impl OptionalCondition,
        set: impl IntoIterator<Item = (&'a str, Column)>,
    ) -> Result<(), Error> {
        let set = assigned(set);
        if set.is_empty() {
            let message = format!("an update of {} that sets no column", self.target.sql());
            return Err(Error::invalid_input(message));
        }
        self.updating(condition.into_optional_condition(), set).run(&self.session).await
    }

    pub(crate) fn deletion(&self, condition: Option<Column>) -> Operation {
        match self.backend {
            Backend::Native => self.delete_statement(condition.as_ref()).map_or_else(
                || self.merged_with_one_row(condition, ActionType::Delete, Vec::new()),
                Operation::Sql,
            ),
            Backend::Extension => {
                Operation::relation(RelationType::DeleteFromTable(messages::DeleteFromTable {
                    target: Some(self.frame.plan.to_relation()),
                    condition: condition_message(condition),
                }))
            }
        }
    }

    pub(crate) fn updating(&self, condition: Option<Column>, set: Assignments) -> Operation {
        match self.backend {
            Backend::Native => match self.update_statement(condition.as_ref(), &set) {
                Some(statement) => Operation::Sql(statement),
                None => self.merged_with_one_row(condition, ActionType::Update, set),
            },
            Backend::Extension => Operation::relation(RelationType::UpdateTable(messages::UpdateTable {
                target: Some(self.frame.plan.to_relation()),
                condition: condition_message(condition),
                assignments: assignment_messages(set),
            })),
        }
    }

    fn delete_statement(&self, condition: Option<&Column>) -> Option<String> {
        Some(format!("DELETE FROM {}{}", self.aliased(), condition_clause(condition)?))
    }

    fn update_statement(&self, condition: Option<&Column>, set: &Assignments) -> Option<String> {
        let assignment = |(column, value): &(String, Column)| {
            Some(format!("{} = {}", quoted_qualified_name(column), enclosed(sql_text(value)?)))
        };
        let set: Vec<_> = set.iter().map(assignment).collect::<Option<_>>()?;
        Some(format!("UPDATE {} SET {}{}", self.aliased(), set.join(", "), condition_clause(condition)?))
    }

    fn aliased(&self) -> String {
        let alias = self.alias.as_ref().map(|alias| format!(" AS {}", quoted_name(alias)));
        format!("{}{}", self.target.sql(), alias.unwrap_or_default())
    }

    fn merged_with_one_row(
        &self,
        condition: Option<Column>,
        action: ActionType,
        set: Assignments,
    ) -> Operation {
        let one_row = self.session.range_by(0..1, 1, Some(1)).select([lit(true).alias(ONE_ROW)]);
        let condition = condition.unwrap_or_else(|| lit(true));
        self.merge(&one_row, condition).when_matched(None, action, set).native()
    }
}

/// ` WHERE ...`, nothing without a condition; None when the condition is no text.
fn condition_clause(condition: Option<&Column>) -> Option<String> {
    match condition {
        None => Some(String::new()),
        Some(condition) => sql_text(condition).map(|text| format!(" WHERE {}", enclosed(text))),
    }
}

/// On a line of its own, a comment in the text ends with the text.
fn enclosed(text: &str) -> String {
    format!("({text}\n)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        SparkSession,
        functions::{col, expr},
    };

    fn table() -> DeltaTable {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        DeltaTable::for_name(&spark, "db.odd name")
    }

    fn check(operation: Operation, expected: &str) {
        match operation {
            Operation::Sql(text) => assert_eq!(text, expected),
            other => panic!("{other:?} is no statement"),
        }
    }

    #[tokio::test]
    async fn texts_become_statements() {
        let set = |column, value| assigned([(column, expr(value))]);
        check(table().deletion(None), "DELETE FROM `db`.`odd name`");
        check(
            table().alias("t").deletion(Some(expr("t.a > 1 -- b"))),
            "DELETE FROM `db`.`odd name` AS `t` WHERE (t.a > 1 -- b\n)",
        );
        check(table().updating(None, set("a.b", "1")), "UPDATE `db`.`odd name` SET `a`.`b` = (1\n)");
        check(
            table().updating(Some(expr("x")), set("`a.b`", "c + 1")),
            "UPDATE `db`.`odd name` SET `a.b` = (c + 1\n) WHERE (x\n)",
        );
    }

    #[tokio::test]
    async fn columns_become_a_merge() {
        let columns = [
            table().deletion(Some(col("a").gt(1))),
            table().updating(Some(col("a").gt(1)), assigned([("a", expr("1"))])),
            table().updating(Some(expr("a > 1")), assigned([("a", lit(1))])),
        ];
        for operation in columns {
            assert!(matches!(operation, Operation::Command(_)), "{operation:?}");
        }
    }
}
