//! Tables whose schemas the registry refuses: their events go to the topic of dead letters, and the others go on.

use super::tables::Captured;
use crate::avro::TableEncoder;
use crate::error::Error;
use crate::kafka::EventId;
use crate::metrics::Metrics;

/// Says that a table is isolated, or is no more.
pub(super) fn tell(encoder: &TableEncoder, before: Option<&Captured>, metrics: &Metrics) {
    let table = &encoder.shape.name;
    metrics.isolated(table, encoder.is_refused());
    let was_isolated = before.is_some_and(|table| table.encoder.is_refused());
    if encoder.is_refused() && !was_isolated {
        tracing::error!(%table, "the table is isolated: the registry refuses its schema, so that its events go to the topic of dead letters; make the registry take it and start again, or undo the change of the table");
    } else if was_isolated && !encoder.is_refused() {
        tracing::warn!(%table, "the table is isolated no more; what happened in between is in the topic of dead letters");
    }
}

/// Says once from which event on the table is isolated.
pub(super) fn tell_beginning(table: &mut Captured, id: EventId, topic: &str, error: &Error) {
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
}
