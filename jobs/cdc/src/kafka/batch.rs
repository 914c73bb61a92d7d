//! Record batches, Kafka's format 2: <https://kafka.apache.org/documentation/#recordbatch>

use std::str::FromStr;

use super::EventId;
use crate::varint;

/// Everything in front of the records.
const HEADER: usize = 61;
/// From the attributes on, what the checksum covers.
const CRC_START: usize = 21;
const TRANSACTIONAL: u16 = 1 << 4;
/// What the headers take that every record has, with their number, and what the header of the operation takes.
const HEADERS: usize = 38;
const OPERATION_HEADER: usize = 5;

/// How batches are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Lz4,
    Zstd,
}

impl FromStr for Compression {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "none" => Ok(Self::None),
            "lz4" => Ok(Self::Lz4),
            "zstd" => Ok(Self::Zstd),
            _ => Err(()),
        }
    }
}

/// Who writes a batch, as the brokers know it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProducerIdentity {
    pub(crate) id: i64,
    pub(crate) epoch: i16,
    /// Whether its batches belong to Kafka transactions.
    pub(crate) transactional: bool,
}

/// Records of one partition, appended one after the other.
#[derive(Debug, Default)]
pub(crate) struct Records {
    bytes: Vec<u8>,
    count: u32,
    first_ms: i64,
    last_ms: i64,
}

/// A record's parts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Record<'a> {
    pub(crate) key: Option<&'a [u8]>,
    /// None for a tombstone.
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) id: EventId,
    /// The operation's letter; none on tombstones and checkpoints.
    pub(crate) operation: Option<u8>,
    /// Names and contents of a few more headers, without those that are empty.
    pub(crate) headers: &'a [(&'a str, &'a [u8])],
    /// Milliseconds since 1970.
    pub(crate) timestamp_ms: i64,
}

impl Records {
    /// Takes the records out. What a full batch needed is reserved for the next one.
    pub(crate) fn take(&mut self) -> Self {
        const LARGE: usize = 64 * 1024;
        let next = if self.bytes.len() > LARGE { self.bytes.len() + self.bytes.len() / 16 } else { 0 };
        std::mem::replace(self, Self { bytes: Vec::with_capacity(next.min(2 << 20)), ..Self::default() })
    }

    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Bytes of the records, uncompressed.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds a record.
    pub(crate) fn push(&mut self, record: &Record<'_>) {
        if self.count == 0 {
            self.bytes.reserve(record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len) + 256);
            self.first_ms = record.timestamp_ms;
        }
        self.last_ms = self.last_ms.max(record.timestamp_ms);
        let (timestamp, offset) = (record.timestamp_ms - self.first_ms, i64::from(self.count));
        let sized =
            |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| varint::length(bytes.len() as i64) + bytes.len());
        let more = || record.headers.iter().filter(|(_, content)| !content.is_empty());
        let operation = if record.operation.is_some() { OPERATION_HEADER } else { 0 };
        let more_bytes: usize =
            more().map(|(name, content)| sized(Some(name.as_bytes())) + sized(Some(content))).sum();
        let length = 1
            + varint::length(timestamp)
            + varint::length(offset)
            + sized(record.key)
            + sized(record.value)
            + HEADERS
            + operation
            + more_bytes;
        let out = &mut self.bytes;
        varint::write(length as i64, out);
        out.push(0);
        varint::write(timestamp, out);
        varint::write(offset, out);
        let sized = |bytes: &[u8], out: &mut Vec<u8>| {
            varint::write(bytes.len() as i64, out);
            out.extend_from_slice(bytes);
        };
        for part in [record.key, record.value] {
            match part {
                Some(bytes) => sized(bytes, out),
                None => out.push(1),
            }
        }
        // Numbers of one byte are written as twice themselves.
        out.push(4 + if record.operation.is_some() { 2 } else { 0 } + 2 * more().count() as u8);
        out.extend_from_slice(b"\x14commit_lsn\x10");
        out.extend_from_slice(&record.id.commit_lsn.0.to_be_bytes());
        out.extend_from_slice(b"\x0eordinal\x10");
        out.extend_from_slice(&record.id.ordinal.to_be_bytes());
        if let Some(operation) = record.operation {
            out.extend_from_slice(&[4, b'o', b'p', 2, operation]);
        }
        for (name, content) in more() {
            sized(name.as_bytes(), out);
            sized(content, out);
        }
        self.count += 1;
    }

    /// The batch as it is produced; `sequence` is the number of its first record.
    pub(crate) fn seal(
        &self,
        compression: Compression,
        identity: ProducerIdentity,
        sequence: i32,
    ) -> std::io::Result<Vec<u8>> {
        let mut out = vec![0; HEADER];
        let code: u16 = match compression {
            Compression::None => {
                out.extend_from_slice(&self.bytes);
                0
            }
            Compression::Lz4 => {
                lz4_frame(&self.bytes, &mut out);
                3
            }
            Compression::Zstd => {
                out.extend_from_slice(&zstd::bulk::compress(&self.bytes, 1)?);
                4
            }
        };
        let mut header = Vec::with_capacity(HEADER);
        header.extend_from_slice(&0_i64.to_be_bytes());
        header.extend_from_slice(&((out.len() - 12) as i32).to_be_bytes());
        header.extend_from_slice(&(-1_i32).to_be_bytes());
        header.push(2);
        header.extend_from_slice(&[0; 4]);
        let attributes = if identity.transactional { code | TRANSACTIONAL } else { code };
        header.extend_from_slice(&attributes.to_be_bytes());
        header.extend_from_slice(&(self.count.saturating_sub(1) as i32).to_be_bytes());
        header.extend_from_slice(&self.first_ms.to_be_bytes());
        header.extend_from_slice(&self.last_ms.to_be_bytes());
        header.extend_from_slice(&identity.id.to_be_bytes());
        header.extend_from_slice(&identity.epoch.to_be_bytes());
        header.extend_from_slice(&sequence.to_be_bytes());
        header.extend_from_slice(&(self.count as i32).to_be_bytes());
        if let Some(front) = out.get_mut(..HEADER) {
            front.copy_from_slice(&header);
        }
        let checksum = crc32c::crc32c(out.get(CRC_START..).unwrap_or_default());
        if let Some(place) = out.get_mut(17..CRC_START) {
            place.copy_from_slice(&checksum.to_be_bytes());
        }
        Ok(out)
    }
}

/// LZ4's frame format, blocks of 1 MiB that don't depend on each other, without checksums:
/// <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>
fn lz4_frame(bytes: &[u8], out: &mut Vec<u8>) {
    const BLOCK: usize = 1 << 20;
    const UNCOMPRESSED: u32 = 1 << 31;
    // Magic, flags (version 1, independent blocks), block size, and the second byte of the xxHash of both.
    out.extend_from_slice(&[0x04, 0x22, 0x4D, 0x18, 0x60, 0x60, 0x51]);
    for block in bytes.chunks(BLOCK) {
        let start = out.len();
        let room = lz4_flex::block::get_maximum_output_size(block.len());
        out.resize(start + 4 + room, 0);
        let Some((length, body)) = out.get_mut(start..).and_then(|rest| rest.split_at_mut_checked(4)) else {
            return;
        };
        let written = lz4_flex::block::compress_into(block, body).unwrap_or(usize::MAX);
        let (size, written) = if written < block.len() {
            (written as u32, written)
        } else {
            if let Some(place) = body.get_mut(..block.len()) {
                place.copy_from_slice(block);
            }
            (block.len() as u32 | UNCOMPRESSED, block.len())
        };
        length.copy_from_slice(&size.to_le_bytes());
        out.truncate(start + 4 + written);
    }
    out.extend_from_slice(&[0; 4]);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lsn::Lsn;

    #[test]
    fn a_header_says_whether_there_is_a_transaction() {
        let mut records = Records::default();
        let id = EventId { commit_lsn: Lsn(7), ordinal: 1 };
        records.push(&Record { key: None, value: None, id, operation: None, headers: &[], timestamp_ms: 5 });
        for transactional in [true, false] {
            let identity = ProducerIdentity { id: 9, epoch: 3, transactional };
            let sealed = records.seal(Compression::Lz4, identity, 0).unwrap();
            let attributes = u16::from_be_bytes([sealed[21], sealed[22]]);
            assert_eq!(attributes, if transactional { 0x13 } else { 0x03 });
        }
    }

    proptest! {
        #[test]
        fn a_record_is_as_long_as_it_says(
            key in prop::option::of(prop::collection::vec(any::<u8>(), 0..200)),
            value in prop::option::of(prop::collection::vec(any::<u8>(), 0..20_000)),
            operation in prop::option::of(Just(b'c')),
            text in prop::collection::vec(any::<u8>(), 0..300),
            before in 0_usize..3,
        ) {
            let id = EventId { commit_lsn: Lsn(7), ordinal: 1 };
            let headers: [(&str, &[u8]); 2] = [("text", &text), ("text_before", &[])];
            let (key, value) = (key.as_deref(), value.as_deref());
            let record = Record { key, value, id, operation, headers: &headers, timestamp_ms: 5 };
            let mut records = Records::default();
            for _ in 0..before {
                records.push(&record);
            }
            let start = records.len();
            records.push(&record);
            let mut length = 0_u64;
            let mut used = 0;
            for byte in &records.bytes[start..] {
                length |= u64::from(byte & 0x7F) << (7 * used);
                used += 1;
                if byte & 0x80 == 0 { break; }
            }
            prop_assert_eq!(length as usize / 2, records.len() - start - used);
        }

        #[test]
        fn a_frame_holds_what_was_put_in(bytes in prop::collection::vec(0_u8..4, 0..5000), times in 1_usize..600) {
            let bytes = bytes.repeat(times);
            let mut frame = Vec::new();
            lz4_frame(&bytes, &mut frame);
            let mut rest = &frame[7..];
            let mut plain = Vec::new();
            loop {
                let size = u32::from_le_bytes(rest[..4].try_into().unwrap());
                rest = &rest[4..];
                if size == 0 { break; }
                let length = (size & !(1 << 31)) as usize;
                if size >> 31 == 1 {
                    plain.extend(&rest[..length]);
                } else {
                    plain.extend(lz4_flex::block::decompress(&rest[..length], 1 << 20).unwrap());
                }
                rest = &rest[length..];
            }
            prop_assert!(rest.is_empty());
            prop_assert_eq!(plain, bytes);
        }
    }
}
