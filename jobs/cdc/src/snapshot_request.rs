//! Asks a capture, running or not, for snapshots of single tables.

use std::sync::Arc;

use serde_json::json;

use crate::config::{Config, set};
use crate::error::{Error, ErrorKind, Result};
use crate::source::{self, Catalog, refused};

/// Writes a signal to the source's log, which the capture finds there: it reads the tables while its stream goes on.
/// `tables` are names or globs of `schema.table`. Returns one line for each thing to know.
///
/// # Errors
/// When a name is no captured table, the slot is not there, or the source refuses.
pub async fn request_snapshot(config: &Config, tables: &[String]) -> Result<Vec<String>> {
    let client = Arc::new(source::connect(&config.source).await?);
    let Some(slot) = source::read_slot(&client, &config.slot, &config.source.database).await? else {
        return Err(Error::new(
            ErrorKind::SlotMissing,
            format!(
                "replication slot {} is not there: start the capture, which reads every table then",
                config.slot
            ),
        ));
    };
    let included =
        Catalog::new(Arc::clone(&client), &config.rows).tables(&config.tables, config.partitions).await?;
    let mut names = Vec::new();
    for wanted in tables {
        let pattern = set("snapshot", std::slice::from_ref(wanted))?;
        let before = names.len();
        names.extend(included.iter().map(|(_, name)| name.to_string()).filter(|name| pattern.is_match(name)));
        if names.len() == before {
            return Err(Error::new(
                ErrorKind::Configuration,
                format!(
                    "{wanted} is no captured table: write schema.table, and check tables.include and tables.exclude"
                ),
            ));
        }
    }
    let signal = json!({"type": "execute-snapshot", "data": {"data-collections": names}}).to_string();
    let position: String = client
        .query_one("SELECT pg_logical_emit_message(true, $1, $2)::text", &[&config.signal_prefix(), &signal])
        .await
        .map_err(refused("cannot write the signal to the log"))?
        .get(0);
    let mut lines: Vec<String> =
        names.iter().map(|name| format!("a snapshot of {name} is asked for at {position}")).collect();
    if slot.active_pid.is_none() {
        lines.push(format!("nobody reads from slot {} now: it is read once the capture runs", config.slot));
    }
    Ok(lines)
}
