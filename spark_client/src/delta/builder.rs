//! New tables.

use super::{
    backend::{Backend, Operation},
    column::DeltaColumn,
    table::DeltaTable,
    target::{Target, table_properties},
};
use crate::{
    Error, Schema, SparkSession,
    proto::delta::connect::{CreateDeltaTable, create_delta_table::Mode, delta_command::CommandType},
    sql_text::{quoted_name, quoted_qualified_name, quoted_text},
};
use std::collections::BTreeMap;

/// A new Delta table that is being described: `DeltaTable::create(&spark)`. It needs a name, a location, or both.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::delta::{DeltaColumn, DeltaTable, IdentityGenerator};
/// let orders = DeltaTable::create_or_replace(&spark)
///     .table_name("silver.orders")
///     .add_column(DeltaColumn::new("key", "BIGINT").generated_always_as_identity(IdentityGenerator::default()))
///     .add_column(DeltaColumn::new("at", "TIMESTAMP").not_null())
///     .add_column(DeltaColumn::new("day", "DATE").generated_always_as("CAST(at AS DATE)"))
///     .add_column(("amount", "DECIMAL(18, 2)"))
///     .partitioned_by(["day"])
///     .property("delta.enableChangeDataFeed", true)
///     .comment("one row an order")
///     .execute().await?;
/// # let _ = orders; Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `execute` is called"]
pub struct DeltaTableBuilder {
    session: SparkSession,
    backend: Backend,
    mode: Mode,
    name: Option<String>,
    location: Option<String>,
    comment: Option<String>,
    columns: Vec<DeltaColumn>,
    partitioning: Vec<String>,
    clustering: Vec<String>,
    properties: BTreeMap<String, String>,
}

impl DeltaTable {
    /// A new table; an error when it exists.
    pub fn create(session: &SparkSession) -> DeltaTableBuilder {
        DeltaTableBuilder::new(session, Mode::Create)
    }

    /// A new table; nothing changes when it exists.
    pub fn create_if_not_exists(session: &SparkSession) -> DeltaTableBuilder {
        DeltaTableBuilder::new(session, Mode::CreateIfNotExists)
    }

    /// A new table in place of one that exists, whose history it goes on with; an error when none does.
    pub fn replace(session: &SparkSession) -> DeltaTableBuilder {
        DeltaTableBuilder::new(session, Mode::Replace)
    }

    /// A new table, in place of one if it exists.
    pub fn create_or_replace(session: &SparkSession) -> DeltaTableBuilder {
        DeltaTableBuilder::new(session, Mode::CreateOrReplace)
    }
}

impl DeltaTableBuilder {
    fn new(session: &SparkSession, mode: Mode) -> Self {
        Self {
            session: session.clone(),
            backend: Backend::default(),
            mode,
            name: None,
            location: None,
            comment: None,
            columns: Vec::new(),
            partitioning: Vec::new(),
            clustering: Vec::new(),
            properties: BTreeMap::new(),
        }
    }

    /// Sent in another way.
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// The name in a catalog, which may be qualified.
    pub fn table_name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
        self
    }

    /// The folder of the files, an absolute path or URI. Without it, the catalog chooses one.
    pub fn location(mut self, location: &str) -> Self {
        self.location = Some(location.to_owned());
        self
    }

    /// What the table holds, for people.
    pub fn comment(mut self, comment: &str) -> Self {
        self.comment = Some(comment.to_owned());
        self
    }

    /// One more column.
    pub fn add_column(mut self, column: impl Into<DeltaColumn>) -> Self {
        self.columns.push(column.into());
        self
    }

    /// The columns of a schema: their names, types and whether they may hold NULL.
    pub fn add_columns(mut self, schema: &Schema) -> Self {
        self.columns.extend(schema.fields.iter().map(DeltaColumn::from));
        self
    }

    /// A folder for each combination of these columns' values.
    pub fn partitioned_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.partitioning.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Rows that are alike in these columns near each other, in place of partitions.
    pub fn cluster_by(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.clustering.extend(columns.into_iter().map(Into::into));
        self
    }

    /// A property of the table.
    pub fn property(mut self, key: &str, value: impl ToString) -> Self {
        self.properties.insert(key.to_owned(), value.to_string());
        self
    }

    /// Makes the table and gives it.
    pub async fn execute(self) -> Result<DeltaTable, Error> {
        self.to_operation()?.run(&self.session).await?;
        Ok(DeltaTable::new(&self.session, self.target()?, self.backend))
    }

    pub(crate) fn to_operation(&self) -> Result<Operation, Error> {
        let target = self.target()?;
        self.columns.iter().try_for_each(DeltaColumn::check)?;
        Ok(match self.backend {
            Backend::Native => Operation::Sql(self.statement(&target)),
            Backend::Extension => Operation::command(CommandType::CreateDeltaTable(self.message())),
        })
    }

    fn target(&self) -> Result<Target, Error> {
        let name = self.name.clone().map(Target::Name);
        let target = name.or_else(|| self.location.clone().map(Target::Path));
        target.ok_or_else(|| Error::invalid_input("a new table has neither a name nor a location"))
    }

    fn statement(&self, target: &Target) -> String {
        let create = match self.mode {
            Mode::Unspecified | Mode::Create => "CREATE TABLE",
            Mode::CreateIfNotExists => "CREATE TABLE IF NOT EXISTS",
            Mode::Replace => "REPLACE TABLE",
            Mode::CreateOrReplace => "CREATE OR REPLACE TABLE",
        };
        let mut statement = format!("{create} {}", target.sql());
        let mut add = |clause: String| {
            statement.push(' ');
            statement.push_str(&clause);
        };
        if !self.columns.is_empty() {
            add(listed(self.columns.iter().map(DeltaColumn::sql)));
        }
        add("USING delta".to_owned());
        if !self.partitioning.is_empty() {
            let columns = self.partitioning.iter().map(|column| quoted_name(column));
            add(format!("PARTITIONED BY {}", listed(columns)));
        }
        if !self.clustering.is_empty() {
            let columns = self.clustering.iter().map(|column| quoted_qualified_name(column));
            add(format!("CLUSTER BY {}", listed(columns)));
        }
        if let (Some(_), Some(location)) = (&self.name, &self.location) {
            add(format!("LOCATION {}", quoted_text(location)));
        }
        if let Some(comment) = &self.comment {
            add(format!("COMMENT {}", quoted_text(comment)));
        }
        if !self.properties.is_empty() {
            add(table_properties(self.properties.iter().map(|(key, value)| (key.as_str(), value.as_str()))));
        }
        statement
    }

    fn message(&self) -> CreateDeltaTable {
        CreateDeltaTable {
            mode: self.mode as i32,
            table_name: self.name.clone(),
            location: self.location.clone(),
            comment: self.comment.clone(),
            columns: self.columns.iter().map(DeltaColumn::message).collect(),
            partitioning_columns: self.partitioning.clone(),
            properties: self.properties.clone().into_iter().collect(),
            clustering_columns: self.clustering.clone(),
        }
    }
}

fn listed(parts: impl Iterator<Item = String>) -> String {
    format!("({})", parts.collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(builder: &DeltaTableBuilder, expected: &str) {
        assert_eq!(builder.statement(&builder.target().unwrap()), expected);
    }

    #[tokio::test]
    async fn statements_have_the_clauses_that_were_given() {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        check(
            &DeltaTable::create_if_not_exists(&spark).location("/lake/t").add_column(("a", "INT")),
            "CREATE TABLE IF NOT EXISTS delta.`/lake/t` (`a` INT) USING delta",
        );
        check(
            &DeltaTable::create_or_replace(&spark)
                .table_name("db.t")
                .location("/lake/it's")
                .add_column(("a", "INT"))
                .add_column(DeltaColumn::new("b", "DATE").not_null())
                .partitioned_by(["a", "b"])
                .comment("of 'a'")
                .property("x", 1)
                .property("y", true),
            "CREATE OR REPLACE TABLE `db`.`t` (`a` INT, `b` DATE NOT NULL) USING delta PARTITIONED BY (`a`, `b`) \
             LOCATION '/lake/it\\'s' COMMENT 'of \\'a\\'' TBLPROPERTIES ('x' = '1', 'y' = 'true')",
        );
        check(
            &DeltaTable::replace(&spark).table_name("t").add_column(("a b", "INT")).cluster_by(["`a b`"]),
            "REPLACE TABLE `t` (`a b` INT) USING delta CLUSTER BY (`a b`)",
        );
        assert!(DeltaTable::create(&spark).to_operation().is_err());
    }
}
