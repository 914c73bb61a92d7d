//! CONVERT TO DELTA: Parquet files become a Delta table where they are.

use super::{
    backend::{Backend, Operation, extension, lazily},
    table::DeltaTable,
    target::Target,
};
use crate::{
    Error, SparkSession,
    proto::{
        delta::connect::{self as messages, convert_to_delta::PartitionSchema, delta_relation::RelationType},
        relation::RelType,
    },
    sql_text::{name_parts, quoted_qualified_name},
};

/// A conversion that is being described: ``DeltaTable::convert_to_delta(&spark, "parquet.`/data/orders`")``.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// use spark_client::delta::DeltaTable;
/// let orders = DeltaTable::convert_to_delta(&spark, "parquet.`s3a://lake/orders`")
///     .partitioned_by("day DATE, country STRING")
///     .execute().await?;
/// # let _ = orders; Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a conversion does nothing until `execute` is called"]
pub struct DeltaConvertBuilder {
    session: SparkSession,
    backend: Backend,
    identifier: String,
    partitions: Option<String>,
}

impl DeltaTable {
    /// Makes a Delta table of Parquet files, which stay as they are: a transaction log is written beside them.
    /// `identifier` is ``parquet.`path` `` or the name of a Parquet table. Nothing may write to the files
    /// meanwhile.
    pub fn convert_to_delta(session: &SparkSession, identifier: &str) -> DeltaConvertBuilder {
        let (session, identifier) = (session.clone(), identifier.to_owned());
        DeltaConvertBuilder { session, backend: Backend::default(), identifier, partitions: None }
    }
}

impl DeltaConvertBuilder {
    /// The columns that the folders are named after, as in `CREATE TABLE`: `day DATE, country STRING`. A
    /// [`crate::Schema`] prints itself like that.
    pub fn partitioned_by(mut self, columns: impl ToString) -> Self {
        self.partitions = Some(columns.to_string());
        self
    }

    /// Sent in another way.
    pub fn with_backend(mut self, backend: Backend) -> Self {
        self.backend = backend;
        self
    }

    /// Carries the conversion out and gives the Delta table.
    pub async fn execute(self) -> Result<DeltaTable, Error> {
        match self.backend {
            Backend::Native => {
                Operation::Sql(self.statement()).run(&self.session).await?;
                Ok(DeltaTable::new(&self.session, converted(&self.identifier), self.backend))
            }
            Backend::Extension => {
                let answer = lazily(&self.session, self.relation());
                let rows: Vec<(String,)> = answer.collect_as().await?;
                let name = rows.into_iter().next().map(|row| row.0);
                let name = name.ok_or_else(|| Error::protocol("a conversion gave no table"))?;
                Ok(DeltaTable::new(&self.session, Target::Name(name), self.backend))
            }
        }
    }

    fn statement(&self) -> String {
        let partitions = self.partitions.as_ref().map(|columns| format!(" PARTITIONED BY ({columns})"));
        let identifier = quoted_qualified_name(&self.identifier);
        format!("CONVERT TO DELTA {identifier}{}", partitions.unwrap_or_default())
    }

    pub(crate) fn relation(&self) -> RelType {
        let partition_schema = self.partitions.clone().map(PartitionSchema::PartitionSchemaString);
        let identifier = self.identifier.clone();
        let convert = messages::ConvertToDelta { identifier, partition_schema };
        extension(RelationType::ConvertToDelta(convert))
    }
}

/// Where the Delta table is found afterwards.
fn converted(identifier: &str) -> Target {
    match name_parts(identifier).as_deref() {
        Some([format, path]) if format.eq_ignore_ascii_case("parquet") => Target::Path(path.clone()),
        _ => Target::Name(identifier.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn statements_name_the_files() {
        let spark = SparkSession::builder().remote("sc://localhost:9").connect_lazily().unwrap();
        let files = DeltaTable::convert_to_delta(&spark, "parquet.`/data/odd t`");
        assert_eq!(files.statement(), "CONVERT TO DELTA `parquet`.`/data/odd t`");
        assert_eq!(
            files.partitioned_by("day DATE").statement(),
            "CONVERT TO DELTA `parquet`.`/data/odd t` PARTITIONED BY (day DATE)"
        );
        assert_eq!(converted("parquet.`/data/t`"), Target::Path("/data/t".to_owned()));
        assert_eq!(converted("db.t"), Target::Name("db.t".to_owned()));
    }
}
