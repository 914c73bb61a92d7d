//! Rows of this process as a DataFrame.

use super::SparkSession;
use crate::{
    DataFrame, Error,
    proto::{LocalRelation, relation::RelType},
};
use arrow::{array::RecordBatch, ipc::writer::StreamWriter};

impl SparkSession {
    /// A DataFrame of rows that are sent with each plan that uses it; the server takes up to 128 MiB.
    pub fn create_data_frame(&self, batch: &RecordBatch) -> Result<DataFrame, Error> {
        let data = bytes::Bytes::from(encode(batch).map_err(|e| {
            Error::invalid_input("the rows cannot be written as an Arrow stream").with_source(e)
        })?);
        Ok(self.data_frame(move || {
            RelType::LocalRelation(LocalRelation { data: Some(data.clone()), schema: None })
        }))
    }
}

fn encode(batch: &RecordBatch) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let mut writer = StreamWriter::try_new(Vec::new(), batch.schema_ref())?;
    writer.write(batch)?;
    writer.into_inner()
}
