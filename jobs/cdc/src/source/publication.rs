use std::collections::HashSet;

use tokio_postgres::Client;

use super::{quoted, refused};
use crate::error::{Error, ErrorKind, Result};
use crate::table::TableName;

/// Creates the publication for these tables, or checks that the one there names all of them.
///
/// # Errors
/// [`ErrorKind::Publication`] with the statement that adds the tables it lacks: a table that is added
/// to a running capture has no snapshot, so that is for a person to decide.
pub(crate) async fn ensure_publication(
    client: &Client,
    publication: &str,
    tables: &[TableName],
) -> Result<()> {
    let exists = client
        .query_opt("SELECT FROM pg_publication WHERE pubname = $1", &[&publication])
        .await
        .map_err(refused(format!("cannot read publication {publication}")))?;
    let list = |tables: &mut dyn Iterator<Item = &TableName>| {
        tables
            .map(|table| format!("{}.{}", quoted(&table.schema), quoted(&table.table)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    if exists.is_none() {
        let sql =
            format!("CREATE PUBLICATION {} FOR TABLE {}", quoted(publication), list(&mut tables.iter()));
        client.batch_execute(&sql).await.map_err(refused(format!(
            "cannot create publication {publication} for {} tables: the user must own them and may need CREATE on the database",
            tables.len()
        )))?;
        tracing::info!(publication, tables = tables.len(), "publication created");
        return Ok(());
    }
    let published: HashSet<(String, String)> = client
        .query("SELECT schemaname, tablename FROM pg_publication_tables WHERE pubname = $1", &[&publication])
        .await
        .map_err(refused(format!("cannot read the tables of publication {publication}")))?
        .iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect();
    let mut missing = tables
        .iter()
        .filter(|table| !published.contains(&(table.schema.clone(), table.table.clone())))
        .peekable();
    if missing.peek().is_none() {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::Publication,
        format!(
            "publication {publication} lacks tables that the configuration includes: run ALTER PUBLICATION {} ADD TABLE {}; \
             or exclude them",
            quoted(publication),
            list(&mut missing)
        ),
    ))
}
