use tokio_postgres::Client;

use super::refused;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::pgoutput::RelationId;
use crate::table::TableName;

/// The table of signals, if the configuration names one.
///
/// # Errors
/// [`ErrorKind::Configuration`] when it is not there, or can't hold signals.
pub(crate) async fn signal_table(
    client: &Client,
    config: &Config,
) -> Result<Option<(RelationId, TableName)>> {
    let Some(name) = &config.signals.table else { return Ok(None) };
    let row = client
        .query_opt(
            "SELECT c.oid, (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('type', 'data') AND NOT a.attisdropped)
               FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
              WHERE c.relkind IN ('r', 'p') AND c.relpersistence = 'p' AND n.nspname = $1 AND c.relname = $2",
            &[&name.schema, &name.table],
        )
        .await
        .map_err(refused(format!("cannot look for the table of signals {name}")))?;
    let what = match row {
        Some(row) if row.get::<_, i64>(1) == 2 => return Ok(Some((RelationId(row.get(0)), name.clone()))),
        Some(_) => "has no columns type and data",
        None => "is no table that is there and logged",
    };
    Err(Error::new(
        ErrorKind::Configuration,
        format!(
            "signals.table = {name} {what}: run CREATE TABLE {} (id text PRIMARY KEY, type text NOT NULL, data text), or leave out the \
             setting",
            name.quoted()
        ),
    ))
}
