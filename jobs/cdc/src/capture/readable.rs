use std::sync::Arc;

use tokio_postgres::Client;

use crate::avro::TableEncoder;
use crate::error::Result;
use crate::pgoutput::RelationId;
use crate::source::Hidden;
use crate::table::TableName;

/// Tables that a snapshot can read, and those that it would read a part of or nothing: these are left to the stream, which
/// reads them once this user may.
pub(super) struct Apart {
    pub(super) readable: Vec<Arc<TableEncoder>>,
    pub(super) left: Vec<Arc<TableEncoder>>,
}

/// Tells the tables apart, and says of each that is left what to run.
pub(super) async fn tell_apart(
    client: &Client,
    tables: &[(RelationId, TableName)],
    encoders: &[Arc<TableEncoder>],
) -> Result<Apart> {
    let ids: Vec<RelationId> = tables.iter().map(|(id, _)| *id).collect();
    let hidden = Hidden::among(client, &ids).await?;
    let mut apart = Apart { readable: Vec::with_capacity(encoders.len()), left: Vec::new() };
    for encoder in encoders {
        let shape = &encoder.shape;
        let hinders = |hidden: &&Hidden| hidden.name == shape.name && hidden.hinders(Some(shape));
        match hidden.iter().find(hinders) {
            None => apart.readable.push(Arc::clone(encoder)),
            Some(hidden) => {
                tracing::error!(table = %shape.name, "the table is left out of the snapshot, and read once it can be: {}", hidden.remedy());
                apart.left.push(Arc::clone(encoder));
            }
        }
    }
    Ok(apart)
}
