use crate::error::{Error, ErrorKind, statement};
use crate::source::Source;

const SHAPE: &str = include_str!("../sql/shape.sql");

const STEPS: [(&str, &str); 9] = [
    ("schemas and sequences", include_str!("../sql/01_schemas.sql")),
    ("tables of application", include_str!("../sql/02_application.sql")),
    ("tables of purchasing", include_str!("../sql/03_purchasing.sql")),
    ("tables of warehouse", include_str!("../sql/04_warehouse.sql")),
    ("tables of sales", include_str!("../sql/05_sales.sql")),
    ("foreign keys", include_str!("../sql/06_foreign_keys.sql")),
    ("computed columns", include_str!("../sql/07_computed_columns.sql")),
    ("temporal pairs", include_str!("../sql/08_temporal.sql")),
    ("stamps", include_str!("../sql/09_stamp.sql")),
];

/// What [`create_schema`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaOutcome {
    /// The tables were created.
    Created,
    /// The tables were there, unaltered since they were created.
    Unchanged,
}

/// Creates the schemas, tables, keys, sequences and triggers in one transaction; does nothing when
/// they are there unaltered.
///
/// # Errors
/// [`ErrorKind::Shape`] when tables of these schemas are there in another shape, naming one.
pub async fn create_schema(source: &Source) -> Result<SchemaOutcome, Error> {
    let mut client = source.connect().await?;
    let transaction = client.transaction().await.map_err(statement("BEGIN"))?;
    transaction.batch_execute(SHAPE).await.map_err(statement("cannot define the shape query"))?;
    let present = transaction
        .query("SELECT table_name, digest, stamp FROM pg_temp.wwi_shape()", &[])
        .await
        .map_err(statement("cannot read the catalog"))?;
    if !present.is_empty() {
        for row in &present {
            let digest: Option<String> = row.get("digest");
            let stamp: Option<String> = row.get("stamp");
            if digest != stamp {
                let table: String = row.get("table_name");
                return Err(Error::new(
                    ErrorKind::Shape,
                    format!(
                        "table {table} is there in another shape than this program creates: use another \
                         database, or drop the schemas application, purchasing, sales, warehouse and sequences"
                    ),
                ));
            }
        }
        return Ok(SchemaOutcome::Unchanged);
    }
    for (step, sql) in STEPS {
        transaction.batch_execute(sql).await.map_err(statement(format!("cannot create the {step}")))?;
    }
    transaction.commit().await.map_err(statement("COMMIT of the schema"))?;
    Ok(SchemaOutcome::Created)
}
