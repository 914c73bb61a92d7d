//! The records of Debezium's `transaction` topic: where transactions begin and end.

use super::{binary, wire_header};
use crate::table::TableName;

/// The schema of the key.
pub(crate) const TRANSACTION_KEY: &str = r#"{"type": "record", "name": "TransactionMetadataKey",
    "namespace": "io.debezium.connector.common", "connect.version": 1,
    "connect.name": "io.debezium.connector.common.TransactionMetadataKey",
    "fields": [{"name": "id", "type": "string"}]}"#;

/// The schema of the value.
pub(crate) const TRANSACTION_VALUE: &str = r#"{"type": "record", "name": "TransactionMetadataValue",
    "namespace": "io.debezium.connector.common", "connect.version": 1,
    "connect.name": "io.debezium.connector.common.TransactionMetadataValue",
    "fields": [
        {"name": "status", "type": "string"},
        {"name": "id", "type": "string"},
        {"name": "event_count", "type": ["null", "long"], "default": null},
        {"name": "data_collections", "default": null, "type": ["null", {"type": "array", "items": ["null",
            {"type": "record", "name": "collection", "namespace": "event", "connect.version": 1,
             "connect.name": "event.collection", "fields": [
                {"name": "data_collection", "type": "string"}, {"name": "event_count", "type": "long"}]}]}]},
        {"name": "ts_ms", "type": "long"}]}"#;

/// Where a transaction begins, or ends with so many events of each table.
#[derive(Debug)]
pub(crate) enum Boundary<'a> {
    Begin,
    End(&'a [(TableName, i64)]),
}

impl Boundary<'_> {
    /// Key and value under schemas of these ids.
    pub(crate) fn encode(
        &self,
        (key_id, value_id): (u32, u32),
        id: &str,
        committed_at_us: i64,
    ) -> (Vec<u8>, Vec<u8>) {
        let (mut key, mut value) = (Vec::new(), Vec::new());
        wire_header(key_id, &mut key);
        binary::bytes(id.as_bytes(), &mut key);
        wire_header(value_id, &mut value);
        let out = &mut value;
        binary::bytes(if matches!(self, Self::Begin) { b"BEGIN" } else { b"END" }, out);
        binary::bytes(id.as_bytes(), out);
        match self {
            Self::Begin => out.extend_from_slice(&[0, 0]),
            Self::End(tables) => {
                binary::option(Some(tables.iter().map(|(_, events)| events).sum()), out, binary::long);
                out.push(2);
                binary::items(*tables, out, |(table, events), out| {
                    out.push(2);
                    binary::bytes(table.to_string().as_bytes(), out);
                    binary::long(*events, out);
                });
            }
        }
        binary::long(committed_at_us.div_euclid(1000), out);
        (key, value)
    }
}

#[cfg(test)]
mod tests {
    use apache_avro::types::Value;

    use super::*;
    use crate::avro::read_back::read_back;

    #[test]
    fn boundaries_are_read_back_by_the_avro_library() {
        let table = |name: &str| TableName { schema: "public".into(), table: name.into() };
        let tables = [(table("a"), 2), (table("b"), 1)];
        for boundary in [Boundary::Begin, Boundary::End(&tables), Boundary::End(&[])] {
            let (key, value) = boundary.encode((1, 2), "7:42", 1_600_000_000_123_456);
            let id = Value::String("7:42".into());
            assert_eq!(read_back(TRANSACTION_KEY, &key[5..]), Value::Record(vec![("id".into(), id)]));
            let text = format!("{:?}", read_back(TRANSACTION_VALUE, &value[5..]));
            assert!(text.contains("1600000000123"), "{text}");
            if let Boundary::End(tables) = boundary {
                let sum: i64 = tables.iter().map(|(_, events)| events).sum();
                assert!(text.contains(&format!("Long({sum})")) && text.contains("END"), "{text}");
            }
        }
    }
}
