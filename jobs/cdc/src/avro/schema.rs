//! Schemas as Confluent's Avro converter derives them from Debezium's.

use std::collections::HashSet;

use serde_json::{Value, json};

use super::names::{field_name, namespace};
use crate::table::{Column, ColumnType, TableShape};

/// Named types may be defined once in a schema and are referred to afterwards.
#[derive(Default)]
struct Defined(HashSet<&'static str>);

impl Defined {
    fn once(&mut self, name: &'static str, definition: Value) -> Value {
        if self.0.insert(name) { definition } else { json!(name) }
    }
}

/// The schema of the key, `None` for a table without a primary key.
pub(crate) fn key_schema(prefix: &str, shape: &TableShape) -> Option<String> {
    if shape.key.is_empty() {
        return None;
    }
    let namespace = namespace(prefix, &shape.name);
    let mut defined = Defined::default();
    // A key's columns can't be null, whatever the catalog has said since.
    let fields: Vec<Value> = shape
        .key_columns()
        .map(|column| json!({"name": field_name(&column.name), "type": column_schema(&column.kind, &mut defined)}))
        .collect();
    let schema = json!({
        "type": "record", "name": "Key", "namespace": namespace, "fields": fields,
        "connect.name": format!("{namespace}.Key"),
    });
    Some(schema.to_string())
}

/// The schema of the envelope.
pub(crate) fn value_schema(prefix: &str, shape: &TableShape) -> String {
    let namespace = namespace(prefix, &shape.name);
    let mut defined = Defined::default();
    let fields: Vec<Value> = shape.columns.iter().map(|column| field(column, &mut defined)).collect();
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

fn source_schema() -> Value {
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

fn transaction_schema() -> Value {
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
    let schema = column_schema(&column.kind, defined);
    if column.nullable {
        json!({"name": field_name(&column.name), "type": ["null", schema], "default": null})
    } else {
        json!({"name": field_name(&column.name), "type": schema})
    }
}

fn column_schema(kind: &ColumnType, defined: &mut Defined) -> Value {
    let semantic = |kind: &str, name: &str| json!({"type": kind, "connect.version": 1, "connect.name": name});
    match kind {
        ColumnType::Boolean | ColumnType::Bit => json!("boolean"),
        ColumnType::Int2 => json!({"type": "int", "connect.type": "int16"}),
        ColumnType::Int4 => json!("int"),
        ColumnType::Int8 | ColumnType::Oid => json!("long"),
        ColumnType::Float4 => json!("float"),
        ColumnType::Float8 => json!("double"),
        ColumnType::Text => json!("string"),
        ColumnType::Bytea => json!("bytes"),
        ColumnType::Decimal { precision, scale } => decimal(
            *precision,
            *scale,
            json!({"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()}),
        ),
        // Connect's own default precision, since money has none.
        ColumnType::Money => decimal(64, 2, json!({"scale": "2"})),
        ColumnType::VariableScaleDecimal => defined.once(
            "io.debezium.data.VariableScaleDecimal",
            json!({
                "type": "record", "name": "VariableScaleDecimal", "namespace": "io.debezium.data",
                "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
                "connect.doc": "Variable scaled decimal", "connect.version": 1,
                "connect.name": "io.debezium.data.VariableScaleDecimal",
            }),
        ),
        ColumnType::Date => semantic("int", "io.debezium.time.Date"),
        ColumnType::TimeMillis => semantic("int", "io.debezium.time.Time"),
        ColumnType::TimeMicros => semantic("long", "io.debezium.time.MicroTime"),
        ColumnType::TimeTz => semantic("string", "io.debezium.time.ZonedTime"),
        ColumnType::TimestampMillis => semantic("long", "io.debezium.time.Timestamp"),
        ColumnType::TimestampMicros => semantic("long", "io.debezium.time.MicroTimestamp"),
        ColumnType::TimestampTz(_) => semantic("string", "io.debezium.time.ZonedTimestamp"),
        ColumnType::Interval => semantic("long", "io.debezium.time.MicroDuration"),
        ColumnType::Uuid => semantic("string", "io.debezium.data.Uuid"),
        ColumnType::Json => semantic("string", "io.debezium.data.Json"),
        ColumnType::Xml => semantic("string", "io.debezium.data.Xml"),
        ColumnType::Tsvector => semantic("string", "io.debezium.data.Tsvector"),
        ColumnType::Enum(labels) => json!({
            "type": "string", "connect.version": 1, "connect.parameters": {"allowed": labels.join(",")},
            "connect.name": "io.debezium.data.Enum",
        }),
        ColumnType::Bits(length) => json!({
            "type": "bytes", "connect.version": 1, "connect.parameters": {"length": length.to_string()},
            "connect.name": "io.debezium.data.Bits",
        }),
        ColumnType::Array(element) => {
            json!({"type": "array", "items": ["null", column_schema(element, defined)]})
        }
    }
}

fn decimal(precision: u16, scale: u16, parameters: Value) -> Value {
    json!({
        "type": "bytes", "scale": scale, "precision": precision, "connect.version": 1,
        "connect.parameters": parameters, "connect.name": "org.apache.kafka.connect.data.Decimal",
        "logicalType": "decimal",
    })
}
