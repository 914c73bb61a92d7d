//! Whether a value's Avro form says all that PostgreSQL's text says.

use crate::options::BinaryMode;
use crate::{AvroForm, DateForm, SourceType, TimeForm};

/// Where the lakehouse takes a column's values from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conversion {
    /// From the value's Avro form, which is exact. The Kafka header `text` has single values nevertheless: dates and timestamps
    /// that are not of the years 1 to 9999, and arrays of timestamps in microseconds with one from the year 294000 on.
    Avro,
    /// From PostgreSQL's own text, which capture writes beside the record (the Kafka header `text`): the Avro form leaves
    /// something out, such as the months of an interval in microseconds, or Spark has no type for it.
    Text,
}

impl Conversion {
    /// For a column of this type whose values are written in this form and are not masked.
    pub fn of(source: &SourceType, form: &AvroForm) -> Self {
        if is_exact(source, form) { Self::Avro } else { Self::Text }
    }
}

fn is_exact(source: &SourceType, form: &AvroForm) -> bool {
    match (source, form) {
        (SourceType::Boolean, AvroForm::Boolean)
        | (SourceType::SmallInt, AvroForm::Int2)
        | (SourceType::Integer, AvroForm::Int4)
        | (SourceType::BigInt, AvroForm::Int8)
        | (SourceType::Oid, AvroForm::Oid | AvroForm::Int8)
        | (SourceType::Real, AvroForm::Float4)
        | (SourceType::Double, AvroForm::Float8)
        | (SourceType::Date, AvroForm::Date(DateForm::Days | DateForm::Connect))
        | (SourceType::Timestamp(_), AvroForm::Timestamp(TimeForm::Micros))
        | (SourceType::TimestampTz(_), AvroForm::TimestampTz(_))
        // A schema does not tell the other modes from texts.
        | (SourceType::Bytes, AvroForm::Bytea(BinaryMode::Bytes))
        | (
            SourceType::Text(_),
            AvroForm::Text
            | AvroForm::Unknown
            | AvroForm::DecimalText(_)
            | AvroForm::Uuid
            | AvroForm::Json
            | AvroForm::Xml
            | AvroForm::Tsvector
            | AvroForm::Ltree
            | AvroForm::Enum(_),
        ) => true,
        (SourceType::Timestamp(digits), AvroForm::Timestamp(TimeForm::Millis)) => *digits <= 3,
        (SourceType::Numeric(precision, scale), AvroForm::Decimal { precision: digits, scale: behind }) => {
            u16::from(*precision) == *digits && u16::from(*scale) == *behind
        }
        (SourceType::Array(source), AvroForm::Array(form)) => is_exact(source, form),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::HstoreMode;

    #[test]
    fn forms_that_leave_something_out_need_the_text() {
        let check = |source: &str, form: AvroForm, exact: bool| {
            assert_eq!(is_exact(&source.parse().unwrap(), &form), exact, "{source} {form:?}");
        };
        check("integer", AvroForm::Int4, true);
        check("numeric(10,2)", AvroForm::Decimal { precision: 10, scale: 2 }, true);
        check("numeric(10,2)", AvroForm::Float8, false);
        check("numeric(50,2)", AvroForm::Decimal { precision: 50, scale: 2 }, false);
        check("numeric", AvroForm::VariableScaleDecimal, false);
        check("numeric", AvroForm::DecimalText(0), true);
        check("numeric(10,2)", AvroForm::DecimalText(2), false);
        check("tsvector", AvroForm::Tsvector, true);
        check("money", AvroForm::Money, false);
        check("money", AvroForm::MoneyText, false);
        check("hstore", AvroForm::Hstore(HstoreMode::Json), false);
        check("interval", AvroForm::IntervalMicros, false);
        check("timestamp(3) without time zone", AvroForm::Timestamp(TimeForm::Millis), true);
        check("timestamp without time zone", AvroForm::Timestamp(TimeForm::Connect), false);
        check("bit(1)", AvroForm::Bit, false);
        check("mood", AvroForm::Enum(vec!["sad".into()]), true);
        check("text[]", AvroForm::Array(Box::new(AvroForm::Text)), true);
        check("numeric[]", AvroForm::Array(Box::new(AvroForm::VariableScaleDecimal)), false);
        check("date[]", AvroForm::Array(Box::new(AvroForm::Date(crate::DateForm::Days))), true);
    }
}
