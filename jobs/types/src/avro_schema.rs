//! Avro schemas of values, as Confluent's converter derives them from Debezium's.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::avro_form::{AvroForm, DateForm, TimeForm};
use crate::options::{BinaryMode, HstoreMode};

/// The named types of a schema so far: each is defined once, and referred to afterwards.
#[derive(Debug, Default)]
pub struct Defined(HashSet<String>);

impl Defined {
    fn once(&mut self, name: &str, definition: Value) -> Value {
        if self.0.insert(name.to_owned()) { definition } else { json!(name) }
    }
}

impl AvroForm {
    /// The schema of a value that is not null.
    pub fn schema(&self, defined: &mut Defined) -> Value {
        schema(self, defined)
    }

    /// Whether values are Avro's texts.
    pub fn is_text(&self) -> bool {
        let schema = self.schema(&mut Defined::default());
        schema == "string" || schema.get("type").is_some_and(|kind| kind == "string")
    }
}

fn schema(form: &AvroForm, defined: &mut Defined) -> Value {
    let semantic = |kind: &str, name: &str| json!({"type": kind, "connect.version": 1, "connect.name": name});
    match form {
        AvroForm::Boolean | AvroForm::Bit => json!("boolean"),
        AvroForm::Int2 => json!({"type": "int", "connect.type": "int16"}),
        AvroForm::Int4 => json!("int"),
        AvroForm::Int8 | AvroForm::Oid => json!("long"),
        AvroForm::Float4 => json!("float"),
        AvroForm::Float8 | AvroForm::MoneyDouble => json!("double"),
        AvroForm::Bytea(BinaryMode::Bytes) => json!("bytes"),
        AvroForm::Text
        | AvroForm::Unknown
        | AvroForm::DecimalText(_)
        | AvroForm::MoneyText
        | AvroForm::Bytea(_) => json!("string"),
        AvroForm::Decimal { precision, scale } => decimal(
            *precision,
            *scale,
            json!({"scale": scale.to_string(), "connect.decimal.precision": precision.to_string()}),
        ),
        // Connect's own default precision, since money has none.
        AvroForm::Money => decimal(64, 2, json!({"scale": "2"})),
        AvroForm::VariableScaleDecimal => defined.once(
            "io.debezium.data.VariableScaleDecimal",
            json!({
                "type": "record", "name": "VariableScaleDecimal", "namespace": "io.debezium.data",
                "fields": [{"name": "scale", "type": "int"}, {"name": "value", "type": "bytes"}],
                "connect.doc": "Variable scaled decimal", "connect.version": 1,
                "connect.name": "io.debezium.data.VariableScaleDecimal",
            }),
        ),
        AvroForm::Date(form) => match form {
            DateForm::Days => semantic("int", "io.debezium.time.Date"),
            DateForm::Connect => logical("int", "org.apache.kafka.connect.data.Date", "date"),
            DateForm::Iso => semantic("string", "io.debezium.time.IsoDate"),
        },
        AvroForm::Time(form) => match form {
            TimeForm::Millis => semantic("int", "io.debezium.time.Time"),
            TimeForm::Micros => semantic("long", "io.debezium.time.MicroTime"),
            TimeForm::Nanos => semantic("long", "io.debezium.time.NanoTime"),
            TimeForm::Connect => logical("int", "org.apache.kafka.connect.data.Time", "time-millis"),
            TimeForm::Iso => semantic("string", "io.debezium.time.IsoTime"),
        },
        AvroForm::TimeTz => semantic("string", "io.debezium.time.ZonedTime"),
        AvroForm::Timestamp(form) => match form {
            TimeForm::Millis => semantic("long", "io.debezium.time.Timestamp"),
            TimeForm::Micros => semantic("long", "io.debezium.time.MicroTimestamp"),
            TimeForm::Nanos => semantic("long", "io.debezium.time.NanoTimestamp"),
            TimeForm::Connect => logical("long", "org.apache.kafka.connect.data.Timestamp", "timestamp-millis"),
            TimeForm::Iso => semantic("string", "io.debezium.time.IsoTimestamp"),
        },
        AvroForm::TimestampTz(_) => semantic("string", "io.debezium.time.ZonedTimestamp"),
        AvroForm::IntervalMicros => semantic("long", "io.debezium.time.MicroDuration"),
        AvroForm::IntervalText => semantic("string", "io.debezium.time.Interval"),
        AvroForm::Ltree => semantic("string", "io.debezium.data.Ltree"),
        AvroForm::Hstore(HstoreMode::Map) => json!({"type": "map", "values": ["null", "string"]}),
        AvroForm::Point => defined.once(
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
        AvroForm::Geometry => geometry("Geometry", 2, defined),
        AvroForm::Geography => geometry("Geography", 1, defined),
        AvroForm::Vector => vector("double", "io.debezium.data.DoubleVector"),
        AvroForm::HalfVector => vector("float", "io.debezium.data.FloatVector"),
        AvroForm::SparseVector => defined.once(
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
        AvroForm::Uuid => semantic("string", "io.debezium.data.Uuid"),
        AvroForm::Json | AvroForm::Hstore(HstoreMode::Json) => semantic("string", "io.debezium.data.Json"),
        AvroForm::Xml => semantic("string", "io.debezium.data.Xml"),
        AvroForm::Tsvector => semantic("string", "io.debezium.data.Tsvector"),
        AvroForm::Enum(labels) => json!({
            "type": "string", "connect.version": 1, "connect.parameters": {"allowed": labels.join(",")},
            "connect.name": "io.debezium.data.Enum",
        }),
        AvroForm::Bits(length) => json!({
            "type": "bytes", "connect.version": 1, "connect.parameters": {"length": length.to_string()},
            "connect.name": "io.debezium.data.Bits",
        }),
        AvroForm::Array(element) => {
            json!({"type": "array", "items": ["null", schema(element, defined)]})
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
