//! From the Arrow messages of a result to record batches, with every row accounted for.

use crate::{Error, proto::execute_plan_response::ArrowBatch};
use arrow::{array::RecordBatch, buffer::Buffer, error::ArrowError, ipc::reader::StreamDecoder};

/// Puts the chunks of a result together and checks offsets and counts: a gap is an error.
#[derive(Default)]
pub(crate) struct ArrowBatches {
    rows: i64,
    chunks: Vec<bytes::Bytes>,
    /// What the first of them says of their batch: rows, number of chunks.
    announced: (i64, Option<i64>),
}

impl ArrowBatches {
    /// The record batches that this message completes: none while a batch is still in pieces.
    pub(crate) fn push(&mut self, message: ArrowBatch) -> Result<Vec<RecordBatch>, Error> {
        let expected_chunk = self.chunks.len() as i64;
        let chunk = message.chunk_index.unwrap_or(0);
        if chunk != expected_chunk {
            return Err(Error::protocol(format!(
                "chunk {expected_chunk} of an Arrow batch is missing, chunk {chunk} came"
            )));
        }
        if let Some(offset) = message.start_offset.filter(|offset| *offset != self.rows) {
            return Err(Error::protocol(format!(
                "rows of the result are missing: {} came, the next batch starts at {offset}",
                self.rows
            )));
        }
        let announced = (message.row_count, message.num_chunks_in_batch);
        if self.chunks.is_empty() {
            self.announced = announced;
        } else if self.announced != announced {
            return Err(Error::protocol("the chunks of an Arrow batch are not all of the same batch"));
        }
        self.chunks.push(message.data);
        let chunks_in_batch = message.num_chunks_in_batch.unwrap_or(0).max(1);
        if (self.chunks.len() as i64) < chunks_in_batch {
            return Ok(Vec::new());
        }
        let batches = decode(self.take_bytes())?;
        let rows: i64 = batches.iter().map(|batch| batch.num_rows() as i64).sum();
        if rows != message.row_count {
            return Err(Error::protocol(format!(
                "an Arrow batch of {} rows was announced, {rows} rows came",
                message.row_count
            )));
        }
        self.rows += rows;
        Ok(batches)
    }

    /// The result is complete: nothing may be left in pieces.
    pub(crate) fn finish(&self) -> Result<(), Error> {
        if self.chunks.is_empty() {
            Ok(())
        } else {
            Err(Error::protocol("the result ended in the middle of an Arrow batch"))
        }
    }

    fn take_bytes(&mut self) -> bytes::Bytes {
        let mut chunks = std::mem::take(&mut self.chunks);
        if chunks.len() > 1 { chunks.concat().into() } else { chunks.pop().unwrap_or_default() }
    }
}

/// Arrow's reader asserts some of what it reads: bytes that no server writes must be an error all the same.
fn decode(bytes: bytes::Bytes) -> Result<Vec<RecordBatch>, Error> {
    let unreadable = || Error::protocol("an Arrow batch of the result cannot be read");
    match std::panic::catch_unwind(|| read(bytes)) {
        Ok(read) => read.map_err(|error| unreadable().with_source(error)),
        Err(_) => Err(unreadable()),
    }
}

fn read(bytes: bytes::Bytes) -> Result<Vec<RecordBatch>, ArrowError> {
    let mut decoder = StreamDecoder::new();
    // A copy that is aligned: the columns are slices of it, and the connection's buffer can go.
    let mut rest = Buffer::from_slice_ref(&bytes);
    let mut batches = Vec::new();
    while !rest.is_empty() {
        batches.extend(decoder.decode(&mut rest)?);
    }
    decoder.finish()?;
    Ok(batches)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::{
        array::Int64Array,
        datatypes::{DataType, Field, Schema},
        ipc::writer::StreamWriter,
    };
    use std::sync::Arc;

    /// A message with `rows` rows that says it has `row_count` and starts at `start`.
    fn message(rows: i64, row_count: i64, start: i64) -> ArrowBatch {
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
        let ids = Int64Array::from_iter_values(start..start + rows);
        let batch = RecordBatch::try_new(schema.clone(), vec![Arc::new(ids)]).unwrap();
        let mut data = Vec::new();
        let mut writer = StreamWriter::try_new(&mut data, &schema).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        ArrowBatch { row_count, data: data.into(), start_offset: Some(start), ..Default::default() }
    }

    fn in_chunks(message: &ArrowBatch, count: usize) -> Vec<ArrowBatch> {
        let size = message.data.len().div_ceil(count);
        let chunk = |(i, data): (usize, &[u8])| ArrowBatch {
            data: bytes::Bytes::copy_from_slice(data),
            chunk_index: Some(i as i64),
            num_chunks_in_batch: Some(count as i64),
            ..message.clone()
        };
        message.data.chunks(size).enumerate().map(chunk).collect()
    }

    fn rows(messages: impl IntoIterator<Item = ArrowBatch>) -> Result<usize, Error> {
        let mut batches = ArrowBatches::default();
        let mut rows = 0;
        for message in messages {
            rows += batches.push(message)?.iter().map(RecordBatch::num_rows).sum::<usize>();
        }
        batches.finish().map(|()| rows)
    }

    #[test]
    fn whole_results() {
        assert_eq!(rows([]).unwrap(), 0);
        assert_eq!(rows([message(0, 0, 0)]).unwrap(), 0);
        assert_eq!(rows([message(3, 3, 0), message(2, 2, 3)]).unwrap(), 5);
        assert_eq!(rows(in_chunks(&message(100, 100, 0), 7)).unwrap(), 100);
    }

    #[test]
    fn missing_rows_are_an_error() {
        assert!(rows([message(3, 3, 0), message(2, 2, 4)]).is_err(), "a gap");
        assert!(rows([message(3, 3, 0), message(3, 3, 0)]).is_err(), "a batch twice");
        assert!(rows([message(2, 3, 0)]).is_err(), "fewer rows than announced");
        let chunks = in_chunks(&message(100, 100, 0), 4);
        assert!(rows(chunks[..3].to_vec()).is_err(), "the last chunk is missing");
        assert!(rows(chunks[1..].to_vec()).is_err(), "the first chunk is missing");
        let mut mixed = in_chunks(&message(100, 100, 0), 2);
        mixed.splice(1.., in_chunks(&message(90, 90, 0), 2).drain(1..));
        assert!(rows(mixed).is_err(), "chunks of two batches");
        let mut cut = message(3, 3, 0);
        cut.data = cut.data.slice(..cut.data.len() / 2);
        assert!(rows([cut]).is_err(), "a message cut short");
    }
}
