//! Avro keys and values as Debezium's PostgreSQL connector writes them through Confluent's converter.

mod array;
mod ascii;
pub(crate) mod binary;
mod column;
mod datetime;
mod dead_letter;
mod encode;
mod envelope;
mod message;
mod names;
mod numeric;
#[cfg(test)]
mod read_back;
mod schema;
mod stamp;
mod structured;
mod texts;
mod transaction;

pub(crate) use self::dead_letter::{DEAD_LETTER, dead_letter};
pub(crate) use self::envelope::{Event, Image, Operation, Row, TableEncoder, TransactionBlock};
pub(crate) use self::message::{MessageEncoder, message_schemas};
#[cfg(test)]
pub(crate) use self::names::field_name;
pub(crate) use self::names::field_names;
pub(crate) use self::schema::{key_schema, value_schema};
pub(crate) use self::stamp::{EventSource, SnapshotMark, Stamp};
pub(crate) use self::structured::from_hex;
pub(crate) use self::texts::{TEXT, Texts};
pub(crate) use self::transaction::{Boundary, TRANSACTION_KEY, TRANSACTION_VALUE};

/// Confluent's wire format: a zero byte and the schema's id, in front of the Avro bytes.
pub(crate) fn wire_header(schema_id: u32, out: &mut Vec<u8>) {
    out.push(0);
    out.extend_from_slice(&schema_id.to_be_bytes());
}
