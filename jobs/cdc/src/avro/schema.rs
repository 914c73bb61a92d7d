//! Schemas as Confluent's Avro converter derives them from Debezium's.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::column::{default, is_nullable};
use super::names::namespace;
use crate::table::{BinaryMode, Column, ColumnType, DateForm, HstoreMode, TableShape, TimeForm};

/// Named types may be defined once in a schema and are referred to afterwards.
#[derive(Default)]
struct Defined(HashSet<String>);

impl Defined {
    fn once(&mut self, name: &str, definition: Value) -> Value {
        if self.0.insert(name.to_owned()) { definition } else { json!(name) }
    }
}

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
    let mut schema = column_schema(&column.kind, defined);
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

/// Whether values of this type are Avro's texts already.
pub(super) fn is_text(kind: &ColumnType) -> bool {
    let schema = column_schema(kind, &mut Defined::default());
    schema == "string" || schema.get("type").is_some_and(|kind| kind == "string")
}

/// The schema in the form that has attributes.
fn with_room(schema: Value) -> Value {
    if schema.is_string() { json!({"type": schema}) } else { schema }
}

fn column_schema(kind: &ColumnType, defined: &mut Defined) -> Value {
    let semantic = |kind: &str, name: &str| json!({"type": kind, "connect.version": 1, "connect.name": name});
    match kind {
        ColumnType::Boolean | ColumnType::Bit => json!("boolean"),
        ColumnType::Int2 => json!({"type": "int", "connect.type": "int16"}),
        ColumnType::Int4 => json!("int"),
        ColumnType::Int8 | ColumnType::Oid => json!("long"),
        ColumnType::Float4 => json!("float"),
        ColumnType::Float8 | ColumnType::MoneyDouble => json!("double"),
        ColumnType::Bytea(BinaryMode::Bytes) => json!("bytes"),
        ColumnType::Text
        | ColumnType::Unknown
        | ColumnType::DecimalText(_)
        | ColumnType::MoneyText
        | ColumnType::Bytea(_) => json!("string"),
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
        ColumnType::Date(form) => match form {
            DateForm::Days => semantic("int", "io.debezium.time.Date"),
            DateForm::Connect => logical("int", "org.apache.kafka.connect.data.Date", "date"),
            DateForm::Iso => semantic("string", "io.debezium.time.IsoDate"),
        },
        ColumnType::Time(form) => match form {
            TimeForm::Millis => semantic("int", "io.debezium.time.Time"),
            TimeForm::Micros => semantic("long", "io.debezium.time.MicroTime"),
            TimeForm::Nanos => semantic("long", "io.debezium.time.NanoTime"),
            TimeForm::Connect => logical("int", "org.apache.kafka.connect.data.Time", "time-millis"),
            TimeForm::Iso => semantic("string", "io.debezium.time.IsoTime"),
        },
        ColumnType::TimeTz => semantic("string", "io.debezium.time.ZonedTime"),
        ColumnType::Timestamp(form) => match form {
            TimeForm::Millis => semantic("long", "io.debezium.time.Timestamp"),
            TimeForm::Micros => semantic("long", "io.debezium.time.MicroTimestamp"),
            TimeForm::Nanos => semantic("long", "io.debezium.time.NanoTimestamp"),
            TimeForm::Connect => logical("long", "org.apache.kafka.connect.data.Timestamp", "timestamp-millis"),
            TimeForm::Iso => semantic("string", "io.debezium.time.IsoTimestamp"),
        },
        ColumnType::TimestampTz(_) => semantic("string", "io.debezium.time.ZonedTimestamp"),
        ColumnType::IntervalMicros => semantic("long", "io.debezium.time.MicroDuration"),
        ColumnType::IntervalText => semantic("string", "io.debezium.time.Interval"),
        ColumnType::Ltree => semantic("string", "io.debezium.data.Ltree"),
        ColumnType::Hstore(HstoreMode::Map) => json!({"type": "map", "values": ["null", "string"]}),
        ColumnType::Point => defined.once(
            "io.debezium.data.geometry.Point",
            json!({
                "type": "record", "name": "Point", "namespace": "io.debezium.data.geometry",
                "fields": [
                    {"name": "x", "type": "double"}, {"name": "y", "type": "double"},
                    {"name": "wkb", "type": ["null", "bytes"], "default": null},
                    {"name": "srid", "type": ["null", "int"], "default": null},
                ],
                "connect.doc": "Geometry (POINT)", "connect.version": 1, "connect.name": "io.debezium.data.geometry.Point",
            }),
        ),
        ColumnType::Geometry => geometry("Geometry", 2, defined),
        ColumnType::Geography => geometry("Geography", 1, defined),
        ColumnType::Vector => vector("double", "io.debezium.data.DoubleVector"),
        ColumnType::HalfVector => vector("float", "io.debezium.data.FloatVector"),
        ColumnType::SparseVector => defined.once(
            "io.debezium.data.SparseDoubleVector",
            json!({
                "type": "record", "name": "SparseDoubleVector", "namespace": "io.debezium.data",
                "fields": [
                    {"name": "dimensions", "type": {"type": "int", "connect.type": "int16"}},
                    {"name": "vector", "type": {"type": "array", "items": {
                        "type": "record", "name": "MapEntry", "namespace": "io.confluent.connect.avro",
                        "fields": [
                            {"name": "key", "type": {"type": "int", "connect.type": "int16"}},
                            {"name": "value", "type": "double"},
                        ],
                    }}},
                ],
                "connect.doc": "Sparse double vector", "connect.version": 1,
                "connect.name": "io.debezium.data.SparseDoubleVector",
            }),
        ),
        ColumnType::Uuid => semantic("string", "io.debezium.data.Uuid"),
        ColumnType::Json | ColumnType::Hstore(HstoreMode::Json) => semantic("string", "io.debezium.data.Json"),
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

/// A type of Kafka Connect's that has one of Avro's.
fn logical(kind: &str, name: &str, logical: &str) -> Value {
    json!({"type": kind, "connect.version": 1, "connect.name": name, "logicalType": logical})
}

fn vector(items: &str, name: &str) -> Value {
    json!({"type": "array", "items": items, "connect.version": 1, "connect.name": name})
}

/// The second version of Debezium's geometry has room for more, which is never used.
fn geometry(name: &str, version: u8, defined: &mut Defined) -> Value {
    let full = format!("io.debezium.data.geometry.{name}");
    let mut fields = vec![
        json!({"name": "wkb", "type": "bytes"}),
        json!({"name": "srid", "type": ["null", "int"], "default": null}),
    ];
    if version == 2 {
        let extensions = json!(["null", {"type": "map", "values": "string"}]);
        fields.push(json!({"name": "extensions", "type": extensions, "default": null}));
    }
    let definition = json!({
        "type": "record", "name": name, "namespace": "io.debezium.data.geometry", "fields": fields,
        "connect.doc": name, "connect.version": version, "connect.name": full,
    });
    defined.once(&full, definition)
}

fn decimal(precision: u16, scale: u16, parameters: Value) -> Value {
    json!({
        "type": "bytes", "scale": scale, "precision": precision, "connect.version": 1,
        "connect.parameters": parameters, "connect.name": "org.apache.kafka.connect.data.Decimal",
        "logicalType": "decimal",
    })
}
