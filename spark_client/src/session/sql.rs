//! SQL texts with their arguments.

use super::SparkSession;
use crate::{
    Column, DataFrame, Error,
    plan::Plan,
    proto::{
        self, Expression, SqlCommand, analyze_plan_request as asked, analyze_plan_request::Analyze,
        command::CommandType, relation::RelType,
    },
    sql_text,
};
use std::collections::HashMap;

/// The values of the parameters of a SQL text: by name (`:id`) or by position (`?`).
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::functions::lit;
/// spark.sql_with("SELECT * FROM orders WHERE id = :id", [("id", lit(7))]).await?.show(5).await?;
/// spark.sql_with("SELECT * FROM orders WHERE id = ?", [lit(7)]).await?.show(5).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default)]
pub struct SqlArguments {
    named: HashMap<String, Expression>,
    positional: Vec<Expression>,
}

impl SqlArguments {
    /// Values for `:name` parameters, names without the colon.
    pub fn named<'a>(arguments: impl IntoIterator<Item = (&'a str, Column)>) -> Self {
        let named = arguments.into_iter().map(|(name, value)| (name.to_owned(), value.expression)).collect();
        Self { named, positional: Vec::new() }
    }

    /// Values for `?` parameters, in their order.
    pub fn positional(arguments: impl IntoIterator<Item = Column>) -> Self {
        let positional = arguments.into_iter().map(|value| value.expression).collect();
        Self { named: HashMap::new(), positional }
    }
}

impl<const N: usize> From<[(&str, Column); N]> for SqlArguments {
    fn from(arguments: [(&str, Column); N]) -> Self {
        Self::named(arguments)
    }
}

impl<const N: usize> From<[Column; N]> for SqlArguments {
    fn from(arguments: [Column; N]) -> Self {
        Self::positional(arguments)
    }
}

impl SparkSession {
    /// Runs a SQL text as PySpark does: a command (`CREATE`, `INSERT`, `MERGE`, ...) is executed now and
    /// once, and the DataFrame holds what it answered; a query is checked now and run by an action on the
    /// DataFrame.
    pub async fn sql(&self, query: &str) -> Result<DataFrame, Error> {
        self.sql_with(query, SqlArguments::default()).await
    }

    /// [`SparkSession::sql`] with arguments, which are values and never part of the text:
    /// `spark.sql_with("SELECT * FROM t WHERE id = :id", [("id", lit(7))])`.
    ///
    /// On a server with Delta 4.4.0's session extension, Spark 4.2.0 fails every statement with arguments
    /// (`UNBOUND_SQL_PARAMETER`, from PySpark too): build such a query from DataFrame methods, or quote with
    /// [`crate::quoted_text`].
    pub async fn sql_with(
        &self,
        query: &str,
        arguments: impl Into<SqlArguments>,
    ) -> Result<DataFrame, Error> {
        let (plan, command) = Self::sql_command(query, arguments.into());
        if sql_text::is_query(query) {
            // Checked as the command would be, without what an execution costs the server.
            let asked = Analyze::Schema(asked::Schema { plan: Some(plan.to_plan()) });
            Box::pin(self.connection().analyze("a SQL query", asked)).await?;
            return Ok(DataFrame::new(self.clone(), plan));
        }
        let outcome = self.command(command).await?;
        let plan = outcome.sql_relation.map_or(plan, Plan::given);
        Ok(DataFrame::new(self.clone(), plan))
    }

    /// A query that the server sees only as part of what is done with it: a mistake in it is told then, and not here as by
    /// [`SparkSession::sql`], which asks the server to analyze it first. A statement that is no query does not run this way.
    pub fn sql_unchecked(&self, query: &str) -> DataFrame {
        DataFrame::new(self.clone(), Self::sql_command(query, SqlArguments::default()).0)
    }

    pub(crate) fn sql_command(query: &str, arguments: SqlArguments) -> (Plan, CommandType) {
        let sql = proto::Sql {
            query: query.to_owned(),
            named_arguments: arguments.named,
            pos_arguments: arguments.positional,
            ..Default::default()
        };
        let plan = Plan::new(move || RelType::Sql(sql.clone()));
        let command = SqlCommand { input: Some(plan.to_relation()), ..Default::default() };
        (plan, CommandType::SqlCommand(command))
    }
}
