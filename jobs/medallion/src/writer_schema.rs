//! Reading the Avro schema of an envelope: which columns a payload has, and how each becomes a Spark value.

use lakepulse_types::SourceType;
use serde_json::Value;
use spark_client::Column;
use spark_client::functions::{call_function, expr};

use crate::error::{Error, ErrorKind, Result};

/// What capture writes for a value that PostgreSQL left out of an event because it did not change.
pub(crate) const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// The schema that a payload was written with.
#[derive(Debug, Clone)]
pub struct WriterSchema {
    /// The schema's JSON text, as `from_avro` takes it.
    pub json: String,
    /// The columns of the row image; none for records that are no envelopes.
    pub columns: Vec<WriterColumn>,
}

/// A column of the row image in an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriterColumn {
    /// The field's name, which is the column's with everything that Avro forbids replaced.
    pub field: String,
    encoding: Encoding,
}

/// How a value is laid down in Avro: the base type, and what Debezium's semantic type says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Encoding {
    /// The Avro type is the value.
    Plain(String),
    /// Days since 1970.
    Date,
    /// Milliseconds since 1970, without a time zone.
    Millis,
    /// Microseconds since 1970, without a time zone.
    Micros,
    /// ISO 8601 with a time zone, as text.
    Zoned,
    /// Unscaled bytes with precision and scale.
    Decimal(u8, u8),
}

impl WriterSchema {
    /// Reads a schema's JSON text.
    pub fn parse(json: &str) -> Result<Self> {
        let refuse =
            |what: &str| Error::new(ErrorKind::Data, format!("a writer schema is not as expected: {what}"));
        let schema: Value = serde_json::from_str(json).map_err(|error| refuse(&error.to_string()))?;
        // `before` comes first and spells the row's record out; `after` refers to it by name.
        let columns =
            match fields(&schema).find(|field| field.get("name").is_some_and(|name| name == "before")) {
                Some(before) => {
                    let row = branches(before.get("type"))
                        .find(|branch| branch.get("fields").is_some())
                        .ok_or_else(|| refuse("before holds no record"))?;
                    fields(row)
                        .map(WriterColumn::parse)
                        .collect::<Option<_>>()
                        .ok_or_else(|| refuse("a field has no type"))?
                }
                None => Vec::new(),
            };
        Ok(Self { json: json.to_owned(), columns })
    }

    /// The column of that name at the source.
    pub fn column(&self, name: &str) -> Option<&WriterColumn> {
        let field = avro_name(name);
        self.columns.iter().find(|column| column.field == field)
    }
}

fn fields(record: &Value) -> impl Iterator<Item = &Value> {
    record.get("fields").and_then(Value::as_array).into_iter().flatten()
}

/// The branches of a union, or the one type.
fn branches(of: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (union, single) = match of {
        Some(Value::Array(union)) => (union.as_slice(), None),
        single => (&[][..], single),
    };
    union.iter().chain(single)
}

/// A name as Avro allows it: letters, digits and underscores, not beginning with a digit.
pub(crate) fn avro_name(name: &str) -> String {
    let mut text: String = name
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || char == '_' { char } else { '_' })
        .collect();
    if text.starts_with(|first: char| first.is_ascii_digit()) {
        text.insert(0, '_');
    }
    text
}

impl WriterColumn {
    fn parse(field: &Value) -> Option<Self> {
        let name = field.get("name")?.as_str()?;
        let value_type = branches(field.get("type")).find(|branch| *branch != "null")?;
        let text = |key: &str| value_type.get(key).and_then(Value::as_str);
        let base = value_type.as_str().or_else(|| text("type"))?;
        let digits = |key: &str| {
            value_type.get(key).and_then(Value::as_u64).and_then(|count| u8::try_from(count).ok())
        };
        let encoding = match (text("connect.name").unwrap_or_default(), text("logicalType")) {
            ("io.debezium.time.Date", _) => Encoding::Date,
            ("io.debezium.time.Timestamp", _) => Encoding::Millis,
            ("io.debezium.time.MicroTimestamp", _) => Encoding::Micros,
            ("io.debezium.time.ZonedTimestamp", _) => Encoding::Zoned,
            (_, Some("decimal")) => Encoding::Decimal(digits("precision")?, digits("scale").unwrap_or(0)),
            _ => Encoding::Plain(base.to_owned()),
        };
        Some(Self { field: name.to_owned(), encoding })
    }

    /// The type that a column gets that no contract knows yet.
    pub fn inferred_type(&self) -> SourceType {
        match &self.encoding {
            Encoding::Date => SourceType::Date,
            Encoding::Millis | Encoding::Micros => SourceType::Timestamp(6),
            Encoding::Zoned => SourceType::TimestampTz(6),
            Encoding::Decimal(precision, scale) if *precision <= 38 => {
                SourceType::Numeric(*precision, *scale)
            }
            Encoding::Plain(base) => match base.as_str() {
                "boolean" => SourceType::Boolean,
                "int" => SourceType::Integer,
                "long" => SourceType::BigInt,
                "float" => SourceType::Real,
                "double" => SourceType::Double,
                "bytes" => SourceType::Bytes,
                _ => SourceType::Text("text".to_owned()),
            },
            Encoding::Decimal(..) => SourceType::Text("text".to_owned()),
        }
    }

    /// The value as a Spark expression of the wanted type, out of the row image called `row`.
    pub(crate) fn value(&self, row: &str, wanted: &SourceType) -> Column {
        let field = expr(&format!("{row}.`{}`", self.field));
        let value = match &self.encoding {
            Encoding::Date => call_function("date_from_unix_date", [field]),
            Encoding::Millis => call_function("timestamp_millis", [field]),
            Encoding::Micros => call_function("timestamp_micros", [field]),
            Encoding::Zoned | Encoding::Plain(_) | Encoding::Decimal(..) => field,
        };
        value.cast(&wanted.spark())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENVELOPE: &str = r#"{"type": "record", "name": "Envelope", "fields": [
        {"name": "before", "type": ["null", {"type": "record", "name": "Value", "fields": [
            {"name": "id", "type": "int"},
            {"name": "price", "type": ["null", {"type": "bytes", "logicalType": "decimal", "precision": 18, "scale": 2}]},
            {"name": "day", "type": {"type": "int", "connect.name": "io.debezium.time.Date"}},
            {"name": "_1st_time", "type": {"type": "long", "connect.name": "io.debezium.time.MicroTimestamp"}}
        ]}], "default": null},
        {"name": "after", "type": ["null", "Value"], "default": null}]}"#;

    #[test]
    fn columns_of_an_envelope_are_found_with_their_types() {
        let schema = WriterSchema::parse(ENVELOPE).unwrap();
        let types: Vec<String> = schema.columns.iter().map(|column| column.inferred_type().spark()).collect();
        assert_eq!(types, ["int", "decimal(18,2)", "date", "timestamp_ntz"]);
        assert_eq!(schema.column("1st time").unwrap().field, "_1st_time");
    }

    #[test]
    fn a_record_that_is_no_envelope_has_no_columns() {
        let schema = WriterSchema::parse(r#"{"type": "record", "name": "C", "fields": []}"#).unwrap();
        assert_eq!(schema.columns, []);
    }
}
