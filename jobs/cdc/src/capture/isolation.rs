//! Tables whose schemas the registry refuses: their events go to the topic of dead letters, and the others go on.

use std::sync::Arc;

use super::captured::Captured;
use crate::avro::TableEncoder;
use crate::checkpoint::IsolatedTable;
use crate::delivery::Outbox;
use crate::error::Error;
use crate::kafka::EventId;
use crate::metrics::Metrics;
use crate::table::TableName;

/// Says that a table is isolated, or is no more.
pub(super) fn tell(encoder: &TableEncoder, before: Option<&Captured>, metrics: &Metrics) {
    let table = &encoder.shape.name;
    metrics.isolated(table, encoder.is_refused());
    let was_isolated = before.is_some_and(|table| table.encoder.is_refused());
    if encoder.is_refused() && !was_isolated {
        tracing::error!(%table, "the table is isolated: the registry refuses its schema, so that its events go to the topic of dead letters; make the registry take it, which is asked again as often as new tables are looked for, or undo the change of the table");
    } else if was_isolated && !encoder.is_refused() {
        tracing::warn!(%table, "the table is isolated no more; what happened in between is in the topic of dead letters, and the table is read again");
    }
}

/// What is kept of a table whose first event has become a dead letter, which is said once.
pub(super) fn begin(table: &mut Captured, id: EventId, topic: &str, error: &Error) -> IsolatedTable {
    if !std::mem::replace(&mut table.isolation_told, true) {
        tracing::error!(
            table = %table.encoder.shape.name,
            lsn = %id.commit_lsn,
            ordinal = id.ordinal,
            topic,
            "from this event on the table's events are dead letters: {}",
            error.chain()
        );
    }
    IsolatedTable {
        commit_lsn: id.commit_lsn.0 as i64,
        ordinal: id.ordinal as i64,
        ..isolated(&error.chain())
    }
}

/// What is kept of an isolated table of which no event has come.
fn isolated(reason: &str) -> IsolatedTable {
    // It stands in every checkpoint.
    const LONGEST: usize = 300;
    IsolatedTable { reason: reason.chars().take(LONGEST).collect(), commit_lsn: 0, ordinal: 0 }
}

/// At the start, takes note of the tables that are isolated, and returns those that are no more.
pub(super) fn at_start(encoders: &[Arc<TableEncoder>], outbox: &mut Outbox) -> Vec<TableName> {
    let mut mended = Vec::new();
    for encoder in encoders {
        let table = &encoder.shape.name;
        match encoder.refusal() {
            Some(reason) => outbox.isolate(table, isolated(reason)),
            None if outbox.is_isolated(table) => mended.push(table.clone()),
            None => {}
        }
    }
    mended
}
