//! Rows of this process as a DataFrame.

use super::SparkSession;
use crate::{
    DataFrame, Error, Schema,
    proto::{
        ChunkedCachedLocalRelation, LocalRelation, config_request as request,
        config_request::operation::OpType, relation::RelType,
    },
    rpc::Artifact,
};
use arrow::{
    array::RecordBatch,
    datatypes::{DataType, Field, FieldRef, Fields, SchemaRef},
    error::ArrowError,
    ipc::writer::StreamWriter,
};
use bytes::Bytes;
use serde::Serialize;
use serde_arrow::schema::{SchemaLike as _, TracingOptions};
use sha2::{Digest as _, Sha256};
use std::sync::Arc;

/// Bytes that are encoded before they are sent.
const UPLOAD: usize = 32 * 1024 * 1024;

impl SparkSession {
    /// A DataFrame of rows that are here. Few rows travel with each plan that uses them; many
    /// (`spark.sql.session.localRelationCacheThreshold`, 1 MiB) are uploaded now, in chunks, each of which the server
    /// keeps for the session and takes only once. All batches must have the schema of the first.
    pub async fn create_data_frame<'a>(
        &self,
        batches: impl IntoIterator<Item = &'a RecordBatch>,
    ) -> Result<DataFrame, Error> {
        let batches: Vec<&RecordBatch> = batches.into_iter().collect();
        let Some(first) = batches.first() else {
            return Err(Error::invalid_input("no batch says what the columns are: use empty_data_frame"));
        };
        let schema = first.schema();
        if let Some(other) = batches.iter().find(|batch| batch.schema() != schema) {
            let other = other.schema();
            return Err(Error::invalid_input(format!(
                "a batch has the columns {other}, the first has {schema}"
            )));
        }
        let bytes: usize = batches.iter().map(|batch| batch.get_array_memory_size()).sum();
        let limits = Limits::of(self).await?;
        if bytes < limits.cached_from || batches.iter().all(|batch| batch.num_rows() == 0) {
            let data = encode(&schema, batches.into_iter().cloned())?;
            return Ok(self.local_relation(LocalRelation { data: Some(data), schema: None }));
        }
        let data_hashes = self.upload(&schema, &batches, &limits).await?;
        Ok(self.data_frame(move || {
            let data_hashes = data_hashes.clone();
            RelType::ChunkedCachedLocalRelation(ChunkedCachedLocalRelation { data_hashes, schema_hash: None })
        }))
    }

    /// [`SparkSession::create_data_frame`] of values that implement `serde::Serialize`: structs, whose fields become the
    /// columns. Unsigned integers become the next wider type. The types are those of the values; a field that is `None`
    /// in all of them is VOID.
    pub async fn create_data_frame_of<T: Serialize>(&self, rows: &[T]) -> Result<DataFrame, Error> {
        let unusable = |e| {
            let rust_type = std::any::type_name::<T>();
            Error::invalid_input(format!("values of {rust_type} are no rows of columns")).with_source(e)
        };
        let options = TracingOptions::default()
            .allow_null_fields(true)
            .strings_as_large_utf8(false)
            .sequence_as_large_list(false)
            .bytes_as_large_binary(false);
        let fields = Vec::<FieldRef>::from_samples(rows, options).map_err(unusable)?;
        let fields: Vec<FieldRef> = fields.iter().map(signed).collect();
        let batch = serde_arrow::to_record_batch(&fields, &rows).map_err(unusable)?;
        self.create_data_frame([&batch]).await
    }

    /// A DataFrame without rows.
    pub fn empty_data_frame(&self, schema: &Schema) -> DataFrame {
        self.local_relation(LocalRelation { data: None, schema: Some(schema.to_string()) })
    }

    fn local_relation(&self, relation: LocalRelation) -> DataFrame {
        self.data_frame(move || RelType::LocalRelation(relation.clone()))
    }

    /// Uploads the chunks that the server does not have yet; the names of all of them.
    async fn upload(
        &self,
        schema: &SchemaRef,
        batches: &[&RecordBatch],
        limits: &Limits,
    ) -> Result<Vec<String>, Error> {
        let (mut hashes, mut waiting, mut waiting_bytes) = (Vec::new(), Vec::new(), 0);
        for chunk in chunks(batches, limits) {
            let data = encode(schema, chunk)?;
            let hash = format!("{:x}", Sha256::digest(&data));
            waiting_bytes += data.len();
            if !hashes.contains(&hash) {
                waiting.push(Artifact::in_memory(format!("cache/{hash}"), data));
            }
            hashes.push(hash);
            if waiting_bytes >= UPLOAD {
                self.upload_missing(std::mem::take(&mut waiting)).await?;
                waiting_bytes = 0;
            }
        }
        self.upload_missing(waiting).await?;
        Ok(hashes)
    }

    async fn upload_missing(&self, artifacts: Vec<Artifact>) -> Result<(), Error> {
        if artifacts.is_empty() {
            return Ok(());
        }
        let names = artifacts.iter().map(|artifact| artifact.name().to_owned()).collect();
        let known = self.connection().known_artifacts(names).await?;
        let missing: Vec<_> =
            artifacts.into_iter().filter(|artifact| !known.contains(artifact.name())).collect();
        if missing.is_empty() { Ok(()) } else { self.connection().add_artifacts(missing).await }
    }
}

/// What the server says about rows that are uploaded.
struct Limits {
    cached_from: usize,
    chunk_rows: usize,
    chunk_bytes: usize,
}

impl Limits {
    async fn of(session: &SparkSession) -> Result<Self, Error> {
        let keys =
            ["localRelationCacheThreshold", "localRelationChunkSizeRows", "localRelationChunkSizeBytes"]
                .map(|key| format!("spark.sql.session.{key}"));
        let asked = request::GetOption { keys: keys.to_vec() };
        let pairs = session.connection().config(OpType::GetOption(asked)).await?;
        let value = |key: &str, default: usize| {
            let pair = pairs.iter().find(|pair| pair.key == key);
            pair.and_then(|pair| pair.value.as_deref()?.parse().ok()).unwrap_or(default)
        };
        let [threshold, rows, bytes] = keys;
        Ok(Self {
            cached_from: value(&threshold, 1 << 20),
            chunk_rows: value(&rows, 10_000).max(1),
            chunk_bytes: value(&bytes, 16 << 20).max(1),
        })
    }
}

/// Slices of the batches, put together up to the size of a chunk.
fn chunks<'a>(
    batches: &'a [&'a RecordBatch],
    limits: &'a Limits,
) -> impl Iterator<Item = Vec<RecordBatch>> + 'a {
    let slices = batches.iter().flat_map(|batch| {
        let row_bytes = (batch.get_array_memory_size() / batch.num_rows().max(1)).max(1);
        let rows = limits.chunk_rows.min(limits.chunk_bytes / row_bytes).clamp(1, 1024);
        (0..batch.num_rows()).step_by(rows).map(move |from| {
            let length = rows.min(batch.num_rows() - from);
            (batch.slice(from, length), length, length * row_bytes)
        })
    });
    let mut slices = slices.peekable();
    std::iter::from_fn(move || {
        let (first, mut rows, mut bytes) = slices.next()?;
        let mut chunk = vec![first];
        while let Some((slice, more_rows, more_bytes)) = slices.next_if(|(_, more_rows, more_bytes)| {
            rows + more_rows <= limits.chunk_rows && bytes + more_bytes <= limits.chunk_bytes
        }) {
            (rows, bytes) = (rows + more_rows, bytes + more_bytes);
            chunk.push(slice);
        }
        Some(chunk)
    })
}

fn encode(schema: &SchemaRef, batches: impl IntoIterator<Item = RecordBatch>) -> Result<Bytes, Error> {
    let written = || -> Result<Vec<u8>, ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), schema)?;
        for batch in batches {
            writer.write(&batch)?;
        }
        writer.into_inner()
    };
    let unwritable = |e| Error::invalid_input("the rows cannot be written as an Arrow stream").with_source(e);
    written().map(Bytes::from).map_err(unwritable)
}

/// Spark has no unsigned integers.
fn signed(field: &FieldRef) -> FieldRef {
    let wider = match field.data_type() {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::List(item) => DataType::List(signed(item)),
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(signed).collect::<Fields>()),
        DataType::Map(entries, sorted) => DataType::Map(signed(entries), *sorted),
        _ => return field.clone(),
    };
    Arc::new(Field::clone(field.as_ref()).with_data_type(wider))
}
