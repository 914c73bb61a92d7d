use super::{array, binary, datetime, numeric};
use crate::table::ColumnType;

/// What Debezium puts in place of a toasted value that an update left alone.
const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// Writes a value from PostgreSQL's text form. False when the text has no encoding in this type; what
/// was written so far is then worthless.
pub(crate) fn value(kind: &ColumnType, text: &str, out: &mut Vec<u8>) -> bool {
    let long = |value: Option<i64>, out: &mut Vec<u8>| value.map(|value| binary::long(value, out)).is_some();
    let string = |value: Option<String>, out: &mut Vec<u8>| {
        value.map(|value| binary::bytes(value.as_bytes(), out)).is_some()
    };
    match kind {
        ColumnType::Boolean | ColumnType::Bit => {
            binary::boolean(matches!(text, "t" | "1"), out);
            matches!(text, "t" | "f" | "1" | "0")
        }
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 | ColumnType::Oid => {
            long(text.parse().ok(), out)
        }
        ColumnType::Float4 => text.parse().map(|value| binary::float(value, out)).is_ok(),
        ColumnType::Float8 => text.parse().map(|value| binary::double(value, out)).is_ok(),
        ColumnType::Text
        | ColumnType::Uuid
        | ColumnType::Json
        | ColumnType::Xml
        | ColumnType::Tsvector
        | ColumnType::Enum(_) => {
            binary::bytes(text.as_bytes(), out);
            true
        }
        ColumnType::Decimal { scale, .. } => numeric::decimal(text, usize::from(*scale), out),
        ColumnType::Money => {
            let plain: String =
                text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '-' | '.')).collect();
            numeric::decimal(&plain, 2, out)
        }
        ColumnType::VariableScaleDecimal => numeric::variable_scale(text, out),
        ColumnType::Date => long(datetime::date(text), out),
        ColumnType::TimeMillis => long(datetime::time(text).map(|micros| micros / 1000), out),
        ColumnType::TimeMicros => long(datetime::time(text), out),
        ColumnType::TimeTz => string(datetime::time_tz(text), out),
        ColumnType::TimestampMillis => long(datetime::timestamp_millis(text), out),
        ColumnType::TimestampMicros => long(datetime::timestamp(text), out),
        ColumnType::TimestampTz(digits) => string(datetime::timestamp_tz(text, *digits), out),
        ColumnType::Interval => long(datetime::interval(text), out),
        ColumnType::Bytea => bytea(text, out),
        ColumnType::Bits(_) => bits(text, out),
        ColumnType::Array(element) => elements(element, text, out),
    }
}

/// Writes what stands for null in a field that can't be null: in a row image that holds only the key,
/// Debezium gives the other columns the zero of their type.
pub(crate) fn zero(kind: &ColumnType, out: &mut Vec<u8>) {
    match kind {
        ColumnType::Float4 => binary::float(0.0, out),
        ColumnType::Float8 => binary::double(0.0, out),
        ColumnType::Decimal { .. } | ColumnType::Money => binary::bytes(&[0], out),
        ColumnType::VariableScaleDecimal => out.extend_from_slice(&[0, 2, 0]),
        ColumnType::Json => binary::bytes(b"{}", out),
        ColumnType::TimestampTz(_) => binary::bytes(b"1970-01-01T00:00:00Z", out),
        ColumnType::TimeTz => binary::bytes(b"00:00:00Z", out),
        // One zero byte is a zero, a false, an empty text, empty bytes and an empty array.
        _ => out.push(0),
    }
}

/// Writes the placeholder for an unchanged toasted value.
pub(crate) fn unavailable(kind: &ColumnType, out: &mut Vec<u8>) {
    match kind {
        ColumnType::VariableScaleDecimal => {
            binary::long(0, out);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
        }
        ColumnType::Array(element) => {
            match **element {
                // Numbers hold the placeholder's bytes, one each.
                ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 | ColumnType::Oid => {
                    binary::long(UNAVAILABLE.len() as i64, out);
                    for byte in UNAVAILABLE.bytes() {
                        binary::option(Some(i64::from(byte)), out, binary::long);
                    }
                }
                ColumnType::Float4 | ColumnType::Float8 | ColumnType::Boolean => {}
                ref element => {
                    binary::long(1, out);
                    out.push(2);
                    unavailable(element, out);
                }
            }
            out.push(0);
        }
        // Types of a fixed size are never toasted; the rest are texts and bytes.
        ColumnType::Boolean
        | ColumnType::Bit
        | ColumnType::Int2
        | ColumnType::Int4
        | ColumnType::Int8
        | ColumnType::Oid
        | ColumnType::Float4
        | ColumnType::Float8
        | ColumnType::Date
        | ColumnType::TimeMillis
        | ColumnType::TimeMicros
        | ColumnType::TimestampMillis
        | ColumnType::TimestampMicros
        | ColumnType::Interval => out.push(0),
        _ => binary::bytes(UNAVAILABLE.as_bytes(), out),
    }
}

fn bytea(text: &str, out: &mut Vec<u8>) -> bool {
    let Some(digits) = text.strip_prefix("\\x").map(str::as_bytes) else { return false };
    let nibble = |digit: &u8| char::from(*digit).to_digit(16);
    binary::long((digits.len() / 2) as i64, out);
    digits.len().is_multiple_of(2)
        && digits.chunks_exact(2).all(|pair| match pair {
            [high, low] => match nibble(high).zip(nibble(low)) {
                Some((high, low)) => {
                    out.push((high << 4 | low) as u8);
                    true
                }
                None => false,
            },
            _ => false,
        })
}

/// The bits as bytes, the last bit being the lowest of the first byte.
fn bits(text: &str, out: &mut Vec<u8>) -> bool {
    let digits: Vec<u8> = text.bytes().rev().collect();
    binary::long(digits.len().div_ceil(8) as i64, out);
    for byte in digits.chunks(8) {
        out.push(byte.iter().rev().fold(0, |value, digit| value << 1 | (digit & 1)));
    }
    digits.iter().all(|digit| matches!(digit, b'0' | b'1'))
}

fn elements(kind: &ColumnType, text: &str, out: &mut Vec<u8>) -> bool {
    let Some(elements) = array::elements(text) else { return false };
    if !elements.is_empty() {
        binary::long(elements.len() as i64, out);
        for element in &elements {
            match element {
                None => out.push(0),
                Some(text) => {
                    out.push(2);
                    if !value(kind, text, out) {
                        return false;
                    }
                }
            }
        }
    }
    out.push(0);
    true
}
