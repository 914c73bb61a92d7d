//! Rows as Rust values.

use super::DataFrame;
use crate::{Error, ErrorKind};
use arrow::array::RecordBatch;
use serde::de::DeserializeOwned;

impl DataFrame {
    /// Runs the plan and gives its rows as values of a type that derives `serde::Deserialize`: a struct with
    /// fields named like the columns, or a tuple in their order. `Option` takes NULL. DECIMAL becomes
    /// `String`; TIMESTAMP becomes `i64` (microseconds since 1970) or `chrono::DateTime<Utc>`.
    pub async fn collect_as<T: DeserializeOwned>(&self) -> Result<Vec<T>, Error> {
        let mut rows = Vec::new();
        for batch in self.collect().await? {
            rows.extend(decode_rows(&batch)?);
        }
        Ok(rows)
    }

    /// The first row as a value, or `None` when there is no row. See [`DataFrame::collect_as`].
    pub async fn first_as<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        Ok(self.limit(1).collect_as().await?.into_iter().next())
    }
}

pub(crate) fn decode_rows<T: DeserializeOwned>(batch: &RecordBatch) -> Result<Vec<T>, Error> {
    serde_arrow::from_record_batch(batch).map_err(|e| {
        let columns: Vec<_> =
            batch.schema_ref().fields().iter().map(|f| format!("{} {}", f.name(), f.data_type())).collect();
        let rust_type = std::any::type_name::<T>();
        let message = format!("rows of ({}) do not fit {rust_type}: {e}", columns.join(", "));
        Error::new(ErrorKind::Decode, message)
    })
}
