//! The records of Debezium's `message` topic: what `pg_logical_emit_message` wrote.

use lakepulse_types::BinaryMode;
use serde_json::{Value, json};

use super::encode::bytes_as;
use super::schema::{source_schema, transaction_schema};
use super::{EventSource, Stamp, TableEncoder, binary, wire_header};
use crate::table::{TableName, TableShape};

/// The operation of a logical message.
const OPERATION: &[u8] = b"m";

/// The schemas of key and value.
pub(crate) fn message_schemas(mode: BinaryMode) -> (String, String) {
    let content = if mode == BinaryMode::Bytes { "bytes" } else { "string" };
    let optional = |name: &str, kind: &str| json!({"name": name, "type": ["null", kind], "default": null});
    let record = |name: &str, fields: Value| {
        json!({
            "type": "record", "name": name, "namespace": "io.debezium.connector.postgresql", "fields": fields,
            "connect.version": 1, "connect.name": format!("io.debezium.connector.postgresql.{name}"),
        })
    };
    let key = record("MessageKey", json!([optional("prefix", "string")]));
    let message = record("Message", json!([optional("prefix", "string"), optional("content", content)]));
    let value = record(
        "MessageValue",
        json!([
            {"name": "op", "type": "string"},
            optional("ts_ms", "long"),
            {"name": "source", "type": source_schema()},
            {"name": "transaction", "type": ["null", transaction_schema()], "default": null},
            {"name": "message", "type": message},
        ]),
    );
    (key.to_string(), value.to_string())
}

/// Writes logical messages.
pub(crate) struct MessageEncoder {
    mode: BinaryMode,
    schema_ids: (u32, u32),
    /// Messages belong to no table.
    table: TableEncoder,
}

impl MessageEncoder {
    pub(crate) fn new(mode: BinaryMode, schema_ids: (u32, u32), prefix: &str, database: &str) -> Self {
        let shape = TableShape::new(
            TableName { schema: String::new(), table: String::new() },
            Vec::new(),
            Vec::new(),
        );
        Self { mode, schema_ids, table: TableEncoder::new(shape, "", (None, 0), prefix, database) }
    }

    /// Key and value of a message.
    pub(crate) fn encode(
        &self,
        (prefix, content): (&str, &[u8]),
        source: &EventSource,
        now_us: i64,
    ) -> (Vec<u8>, Vec<u8>) {
        let text = |text: &str, out: &mut Vec<u8>| binary::bytes(text.as_bytes(), out);
        let (mut key, mut value) = (Vec::new(), Vec::new());
        wire_header(self.schema_ids.0, &mut key);
        binary::option(Some(prefix), &mut key, text);
        let out = &mut value;
        wire_header(self.schema_ids.1, out);
        binary::bytes(OPERATION, out);
        binary::option(Some(now_us / 1000), out, binary::long);
        Stamp::default().source(&self.table, source, out);
        // Messages are not counted among the events of a transaction.
        out.push(0);
        binary::option(Some(prefix), out, text);
        binary::option(Some(content), out, |content, out| bytes_as(self.mode, content, out));
        (key, value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::avro::SnapshotMark;
    use crate::avro::read_back::read_back;
    use crate::lsn::Lsn;

    #[test]
    fn messages_are_read_back_by_the_avro_library() {
        let source = EventSource {
            committed_at_us: 5,
            previous_commit: None,
            lsn: Lsn(7),
            xid: Some(3),
            snapshot: SnapshotMark::No,
        };
        for (mode, content) in
            [(BinaryMode::Bytes, "Bytes([222, 173])"), (BinaryMode::Hex, "String(\"dead\")")]
        {
            let schemas = message_schemas(mode);
            let encoder = MessageEncoder::new(mode, (1, 2), "p", "d");
            let (key, value) = encoder.encode(("app", &[0xDE, 0xAD]), &source, 9_000);
            for (schema, bytes, parts) in
                [(schemas.0, key, vec!["app"]), (schemas.1, value, vec!["app", content, "\"m\"", "Long(9)"])]
            {
                let read = read_back(&schema, &bytes[5..]);
                let shown = format!("{read:?}");
                assert!(parts.iter().all(|part| shown.contains(part)), "{shown}");
            }
        }
    }
}
