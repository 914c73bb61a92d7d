use tokio_postgres::Client;

use super::{Published, Server, quoted, refused};
use crate::config::Partitions;
use crate::error::{Error, ErrorKind, Result};
use crate::table::TableName;

/// Creates the publication for these tables, or adds those that the one there lacks.
///
/// # Errors
/// [`ErrorKind::Publication`] with the statement to run when it can't be altered by this user.
pub(crate) async fn ensure_publication(
    client: &Client,
    publication: &str,
    tables: &[TableName],
    partitions: Partitions,
) -> Result<()> {
    let by_root = partitions == Partitions::Root;
    let version = Server::read(client).await?.version;
    let list = |tables: &mut dyn Iterator<Item = &TableName>| {
        tables
            .map(|table| format!("{}.{}", quoted(&table.schema), quoted(&table.table)))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let Some(published) = Published::read(client, publication, version).await? else {
        let sql = format!(
            "CREATE PUBLICATION {} FOR TABLE {} WITH (publish_via_partition_root = {by_root})",
            quoted(publication),
            list(&mut tables.iter())
        );
        client.batch_execute(&sql).await.map_err(refused(format!(
            "cannot create publication {publication} for {} tables: the user must own them and may need CREATE on the database",
            tables.len()
        )))?;
        tracing::info!(publication, tables = tables.len(), "publication created");
        return Ok(());
    };
    let missing = published.lacks(tables.iter());
    if missing.is_empty() {
        return Ok(());
    }
    // Partitions and their root are listed by what is published.
    if published.via_root != by_root && has_partitions(client, tables).await? {
        return Err(Error::new(
            ErrorKind::Publication,
            format!(
                "publication {publication} publishes partitions otherwise than tables.partitions wants them: run ALTER \
                 PUBLICATION {} SET (publish_via_partition_root = {by_root}), or change the setting",
                quoted(publication)
            ),
        ));
    }
    let sql =
        format!("ALTER PUBLICATION {} ADD TABLE {}", quoted(publication), list(&mut missing.into_iter()));
    client.batch_execute(&sql).await.map_err(|cause| {
        if cause.code().is_none() {
            return refused(format!("cannot add tables to publication {publication}"))(cause);
        }
        let what = format!(
            "publication {publication} lacks tables that the configuration includes, and this user may not add them: run {sql}; or \
             exclude them",
        );
        Error::new(ErrorKind::Publication, what).caused_by(cause)
    })?;
    tracing::info!(publication, "tables added: {sql}");
    Ok(())
}

/// Whether one of the tables is partitioned or a partition.
async fn has_partitions(client: &Client, tables: &[TableName]) -> Result<bool> {
    let (schemas, names): (Vec<&str>, Vec<&str>) =
        tables.iter().map(|table| (table.schema.as_str(), table.table.as_str())).unzip();
    let row = client
        .query_one(
            "SELECT EXISTS (SELECT FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                              JOIN unnest($1::text[], $2::text[]) AS t (schema, name) ON n.nspname = t.schema AND c.relname = t.name
                             WHERE c.relkind = 'p' OR c.relispartition)",
            &[&schemas, &names],
        )
        .await
        .map_err(refused("cannot read which tables are partitioned"))?;
    Ok(row.get(0))
}
