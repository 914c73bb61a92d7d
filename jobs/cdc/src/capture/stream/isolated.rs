//! Tables that were isolated, and are read again as a whole.

use super::Stream;
use crate::error::Result;
use crate::pgoutput::RelationId;
use crate::transport::ReplicationStream;

impl<S: ReplicationStream> Stream<S> {
    /// Reads a table as a whole whose events were dead letters until the registry took its schema.
    pub(super) fn read_again_if_mended(&mut self, relation: RelationId) -> Result<()> {
        let Some(table) = self.tables.get(relation)? else { return Ok(()) };
        let name = table.encoder.shape.name.clone();
        if !table.encoder.is_refused() && self.outbox.is_isolated(&name) {
            tracing::warn!(table = %name, "the table is read again as a whole, since it was isolated");
            self.read_tables([&name]);
        }
        Ok(())
    }

    /// Asks the registry again for the tables that are isolated.
    pub(super) async fn retry_isolated(&mut self) -> Result<()> {
        for encoder in self.tables.retry_refused().await? {
            self.read_tables([&encoder.shape.name]);
        }
        Ok(())
    }
}
