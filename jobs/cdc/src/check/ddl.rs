use tokio_postgres::Client;

use super::Findings;
use crate::config::Config;
use crate::source::{DdlTrigger, ddl_trigger};

/// Whether the source tells changes of tables at their place in the log, and what it costs if it does not.
pub(super) async fn check(client: &Client, config: &Config, findings: &mut Findings) {
    const WHAT: &str = "event trigger";
    let Some(found) = findings.known(WHAT, ddl_trigger(client).await) else { return };
    let polls = match config.discover_interval {
        Some(interval) => format!("found by a poll, up to {} s later", interval.as_secs()),
        None => "not found, since tables.discover_interval_s = 0".to_owned(),
    };
    match found {
        DdlTrigger::Installed => findings.ok(WHAT, "changes of tables are told at their exact place in the log"),
        DdlTrigger::Partial => findings.fix(
            WHAT,
            "some of it is missing, disabled or of another version: run `lakepulse-cdc ddl install`, or `lakepulse-cdc ddl remove`",
        ),
        DdlTrigger::Absent => findings.note(
            WHAT,
            format!(
                "not installed: a table that is replaced, and a column, partition or value of an enum that changes while no row does, \
                 is {polls}, and what changed twice by then is told as one change; `lakepulse-cdc ddl install` makes the source tell"
            ),
        ),
    }
}
