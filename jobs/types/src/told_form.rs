//! Reading a form back from the schema that values were written with.

use serde_json::Value;

use crate::options::BinaryMode;
use crate::{AvroForm, DateForm, TimeForm};

impl AvroForm {
    /// The form of values with this schema (a branch of a field's union that is not null), if it is one of those that
    /// [`Conversion::Avro`](crate::Conversion::Avro) is for. A schema does not tell all forms apart: `long` is a bigint's, also when it
    /// is an oid's, and `string` may be a number's or that of bytes in hexadecimal, of which the text beside the record is right.
    pub fn told_by(schema: &Value) -> Option<Self> {
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let number =
            |key: &str| schema.get(key).and_then(Value::as_u64).and_then(|digits| u16::try_from(digits).ok());
        let base = schema.as_str().or_else(|| text("type"))?;
        Some(match (base, text("connect.name"), text("logicalType")) {
            ("boolean", None, None) => Self::Boolean,
            ("int", None, None) if text("connect.type") == Some("int16") => Self::Int2,
            ("int", None, None) => Self::Int4,
            ("long", None, None) => Self::Int8,
            ("float", None, None) => Self::Float4,
            ("double", None, None) => Self::Float8,
            ("bytes", None, None) => Self::Bytea(BinaryMode::Bytes),
            ("string", None, None) => Self::Text,
            ("bytes", Some("org.apache.kafka.connect.data.Decimal"), Some("decimal")) => {
                Self::Decimal { precision: number("precision")?, scale: number("scale").unwrap_or(0) }
            }
            ("int", Some("io.debezium.time.Date"), None) => Self::Date(DateForm::Days),
            ("int", Some("org.apache.kafka.connect.data.Date"), Some("date")) => {
                Self::Date(DateForm::Connect)
            }
            ("long", Some("io.debezium.time.Timestamp"), None) => Self::Timestamp(TimeForm::Millis),
            ("long", Some("io.debezium.time.MicroTimestamp"), None) => Self::Timestamp(TimeForm::Micros),
            ("string", Some("io.debezium.time.ZonedTimestamp"), None) => Self::TimestampTz(6),
            ("string", Some("io.debezium.data.Uuid"), None) => Self::Uuid,
            ("string", Some("io.debezium.data.Json"), None) => Self::Json,
            ("string", Some("io.debezium.data.Xml"), None) => Self::Xml,
            ("string", Some("io.debezium.data.Ltree"), None) => Self::Ltree,
            ("string", Some("io.debezium.data.Tsvector"), None) => Self::Tsvector,
            ("string", Some("io.debezium.data.Enum"), None) => Self::Enum(Vec::new()),
            ("array", None, None) => {
                let items = schema.get("items")?;
                let element =
                    items.as_array().and_then(|union| union.iter().find(|branch| *branch != "null"));
                Self::Array(Box::new(Self::told_by(element.unwrap_or(items))?))
            }
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Defined;

    #[test]
    fn forms_are_read_back() {
        let forms = [
            AvroForm::Boolean,
            AvroForm::Int2,
            AvroForm::Int4,
            AvroForm::Int8,
            AvroForm::Float4,
            AvroForm::Float8,
            AvroForm::Bytea(BinaryMode::Bytes),
            AvroForm::Text,
            AvroForm::Decimal { precision: 10, scale: 2 },
            AvroForm::Date(DateForm::Days),
            AvroForm::Date(DateForm::Connect),
            AvroForm::Timestamp(TimeForm::Millis),
            AvroForm::Timestamp(TimeForm::Micros),
            AvroForm::TimestampTz(6),
            AvroForm::Uuid,
            AvroForm::Json,
            AvroForm::Xml,
            AvroForm::Ltree,
            AvroForm::Tsvector,
            AvroForm::Enum(Vec::new()),
            AvroForm::Array(Box::new(AvroForm::Decimal { precision: 4, scale: 0 })),
        ];
        for form in forms {
            assert_eq!(AvroForm::told_by(&form.schema(&mut Defined::default())), Some(form));
        }
        let others = [
            AvroForm::VariableScaleDecimal,
            AvroForm::IntervalMicros,
            AvroForm::TimeTz,
            AvroForm::Time(TimeForm::Micros),
            AvroForm::Timestamp(TimeForm::Nanos),
            AvroForm::Point,
            AvroForm::Bits(8),
            AvroForm::Vector,
        ];
        for form in others {
            assert_eq!(AvroForm::told_by(&form.schema(&mut Defined::default())), None, "{form:?}");
        }
    }
}
