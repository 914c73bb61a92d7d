//! Schemas as Confluent's Avro converter derives them from Debezium's.

use lakepulse_types::Defined;
use serde_json::{Map, Value, json};

use super::column::{default, is_nullable};
use super::names::namespace;
use crate::table::{Column, TableShape};

/// The schema of the keys in a table's topic, `None` for a table without a primary key.
pub(crate) fn key_schema(topic: &str, shape: &TableShape) -> Option<String> {
    if shape.key.is_empty() {
        return None;
    }
    let namespace = namespace(topic);
    let mut defined = Defined::default();
    // The columns of a table's own key can't be null, whatever the catalog has said since.
    let fields: Vec<Value> = shape
        .key_columns()
        .map(|column| {
            field(&Column { nullable: column.nullable && shape.own_key, ..column.clone() }, &mut defined)
        })
        .collect();
    let schema = json!({
        "type": "record", "name": "Key", "namespace": namespace, "fields": fields,
        "connect.name": format!("{namespace}.Key"),
    });
    Some(schema.to_string())
}

/// The schema of the envelopes in a table's topic.
pub(crate) fn value_schema(topic: &str, shape: &TableShape) -> String {
    let namespace = namespace(topic);
    let mut defined = Defined::default();
    let fields: Vec<Value> = shape
        .columns
        .iter()
        .filter(|column| column.captured)
        .map(|column| field(column, &mut defined))
        .collect();
    let row = json!({
        "type": "record", "name": "Value", "fields": fields, "connect.name": format!("{namespace}.Value"),
    });
    let optional = |name: &str, kind: &str| json!({"name": name, "type": ["null", kind], "default": null});
    json!({
        "type": "record", "name": "Envelope", "namespace": namespace,
        "fields": [
            {"name": "before", "type": ["null", row], "default": null},
            {"name": "after", "type": ["null", "Value"], "default": null},
            {"name": "source", "type": source_schema()},
            {"name": "transaction", "type": ["null", transaction_schema()], "default": null},
            {"name": "op", "type": "string"},
            optional("ts_ms", "long"), optional("ts_us", "long"), optional("ts_ns", "long"),
        ],
        "connect.version": 2, "connect.name": format!("{namespace}.Envelope"),
    })
    .to_string()
}

pub(super) fn source_schema() -> Value {
    let optional = |name: &str, kind: &str| json!({"name": name, "type": ["null", kind], "default": null});
    let snapshot = json!({
        "type": "string", "connect.version": 1,
        "connect.parameters": {"allowed": "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental"},
        "connect.default": "false", "connect.name": "io.debezium.data.Enum",
    });
    json!({
        "type": "record", "name": "Source", "namespace": "io.debezium.connector.postgresql",
        "fields": [
            {"name": "version", "type": "string"},
            {"name": "connector", "type": "string"},
            {"name": "name", "type": "string"},
            {"name": "ts_ms", "type": "long"},
            {"name": "snapshot", "type": [snapshot, "null"], "default": "false"},
            {"name": "db", "type": "string"},
            optional("sequence", "string"), optional("ts_us", "long"), optional("ts_ns", "long"),
            {"name": "schema", "type": "string"},
            {"name": "table", "type": "string"},
            optional("txId", "long"), optional("lsn", "long"), optional("xmin", "long"),
            optional("origin", "string"), optional("origin_lsn", "long"),
        ],
        "connect.version": 1, "connect.name": "io.debezium.connector.postgresql.Source",
    })
}

pub(super) fn transaction_schema() -> Value {
    json!({
        "type": "record", "name": "block", "namespace": "event",
        "fields": [
            {"name": "id", "type": "string"},
            {"name": "total_order", "type": "long"},
            {"name": "data_collection_order", "type": "long"},
        ],
        "connect.version": 1, "connect.name": "event.block",
    })
}

fn field(column: &Column, defined: &mut Defined) -> Value {
    let mut schema = column.kind.schema(defined);
    let default = default(column);
    if default.is_some() || column.mask.is_some() {
        schema = with_room(schema);
    }
    if let (Some(mask), Value::Object(attributes)) = (&column.mask, &mut schema) {
        attributes.insert("connect.parameters".to_owned(), mask.parameters());
    }
    if let (Some(default), Value::Object(attributes)) = (&default, &mut schema) {
        attributes.insert("connect.default".to_owned(), default.clone());
    }
    let mut field = Map::from_iter([("name".to_owned(), json!(column.field))]);
    // A field that may be missing in older records needs no other name for them.
    if !column.former_fields.is_empty() && default.is_none() && !is_nullable(column) {
        field.insert("aliases".to_owned(), json!(column.former_fields));
    }
    let mut branches = vec![schema];
    match &default {
        None if is_nullable(column) => branches.insert(0, json!("null")),
        Some(_) if is_nullable(column) => branches.push(json!("null")),
        _ => {}
    }
    if column.texts {
        branches.push(json!("string"));
    }
    let schema = if branches.len() == 1 { branches.swap_remove(0) } else { Value::Array(branches) };
    field.insert("type".to_owned(), schema);
    if let Some(default) = default.or_else(|| is_nullable(column).then_some(Value::Null)) {
        field.insert("default".to_owned(), default);
    }
    Value::Object(field)
}

/// The schema in the form that has attributes.
fn with_room(schema: Value) -> Value {
    if schema.is_string() { json!({"type": schema}) } else { schema }
}
