use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};

use super::{array, binary, datetime, numeric, structured};
use crate::table::{BinaryMode, ColumnType, DateForm, HstoreMode, TimeForm};

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
            // A bit of any length up to one may be none.
            matches!(text, "t" | "f" | "1" | "0") || text.is_empty() && *kind == ColumnType::Bit
        }
        ColumnType::Int2 | ColumnType::Int4 | ColumnType::Int8 | ColumnType::Oid => {
            long(text.parse().ok(), out)
        }
        ColumnType::Float4 => text.parse().map(|value| binary::float(value, out)).is_ok(),
        ColumnType::Float8 => text.parse().map(|value| binary::double(value, out)).is_ok(),
        ColumnType::Text
        | ColumnType::Unknown
        | ColumnType::Uuid
        | ColumnType::Json
        | ColumnType::Xml
        | ColumnType::Tsvector
        | ColumnType::Ltree
        | ColumnType::DecimalText(_) => {
            binary::bytes(text.as_bytes(), out);
            true
        }
        ColumnType::Enum(labels) => {
            binary::bytes(text.as_bytes(), out);
            labels.iter().any(|label| label == text)
        }
        ColumnType::Decimal { scale, .. } => numeric::decimal(text, usize::from(*scale), out),
        ColumnType::VariableScaleDecimal => numeric::variable_scale(text, out),
        ColumnType::Money => numeric::decimal(&amount(text), 2, out),
        ColumnType::MoneyDouble => amount(text).parse().map(|value| binary::double(value, out)).is_ok(),
        ColumnType::MoneyText => string(Some(amount(text)), out),
        ColumnType::Date(DateForm::Days | DateForm::Connect) => long(datetime::date(text), out),
        ColumnType::Date(DateForm::Iso) => string(datetime::date_iso(text), out),
        ColumnType::Time(TimeForm::Millis | TimeForm::Connect) => {
            long(datetime::time(text).map(|micros| micros / 1000), out)
        }
        ColumnType::Time(TimeForm::Micros) => long(datetime::time(text), out),
        ColumnType::Time(TimeForm::Nanos) => long(datetime::time(text).map(|micros| micros * 1000), out),
        ColumnType::Time(TimeForm::Iso) => string(datetime::time_iso(text), out),
        ColumnType::TimeTz => string(datetime::time_tz(text), out),
        ColumnType::Timestamp(TimeForm::Millis | TimeForm::Connect) => {
            long(datetime::timestamp_millis(text), out)
        }
        ColumnType::Timestamp(TimeForm::Micros) => long(datetime::timestamp(text), out),
        ColumnType::Timestamp(TimeForm::Nanos) => long(datetime::timestamp_nanos(text), out),
        ColumnType::Timestamp(TimeForm::Iso) => string(datetime::timestamp_iso(text), out),
        ColumnType::TimestampTz(digits) => string(datetime::timestamp_tz(text, *digits), out),
        ColumnType::IntervalMicros => long(datetime::interval(text), out),
        ColumnType::IntervalText => string(datetime::interval_iso(text), out),
        ColumnType::Bytea(mode) => bytea(*mode, text, out),
        ColumnType::Hstore(HstoreMode::Json) => string(structured::hstore_json(text), out),
        ColumnType::Hstore(HstoreMode::Map) => structured::hstore_map(text, out),
        ColumnType::Point => structured::point(text, out),
        ColumnType::Geometry => {
            let written = structured::geometry(text, out);
            out.push(0);
            written
        }
        ColumnType::Geography => structured::geometry(text, out),
        ColumnType::Vector => structured::vector(text, out, binary::double),
        ColumnType::HalfVector => structured::vector(text, out, binary::float),
        ColumnType::SparseVector => structured::sparse_vector(text, out),
        ColumnType::Bits(_) => bits(text, out),
        ColumnType::Array(element) => elements(element, text, out),
    }
}

/// The values of enums in this text that their type does not list.
pub(crate) fn unknown_labels(kind: &ColumnType, text: &str) -> Vec<String> {
    match kind {
        ColumnType::Enum(labels) if !labels.iter().any(|label| label == text) => vec![text.to_owned()],
        ColumnType::Array(element) => {
            let elements = array::elements(text).unwrap_or_default();
            elements.iter().flatten().flat_map(|text| unknown_labels(element, text)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether values of this type are Avro's `int` or `long`.
pub(crate) fn is_long(kind: &ColumnType) -> bool {
    matches!(
        kind,
        ColumnType::Int2
            | ColumnType::Int4
            | ColumnType::Int8
            | ColumnType::Oid
            | ColumnType::Date(DateForm::Days | DateForm::Connect)
            | ColumnType::Time(TimeForm::Millis | TimeForm::Micros | TimeForm::Nanos | TimeForm::Connect)
            | ColumnType::Timestamp(
                TimeForm::Millis | TimeForm::Micros | TimeForm::Nanos | TimeForm::Connect
            )
            | ColumnType::IntervalMicros
    )
}

/// Writes what stands for null in a field that can't be null: in a row image that holds only the key,
/// Debezium gives the other columns the zero of their type.
pub(crate) fn zero(kind: &ColumnType, out: &mut Vec<u8>) {
    match kind {
        ColumnType::Float4 => binary::float(0.0, out),
        ColumnType::Float8 | ColumnType::MoneyDouble => binary::double(0.0, out),
        ColumnType::Decimal { .. } | ColumnType::Money => binary::bytes(&[0], out),
        ColumnType::VariableScaleDecimal => out.extend_from_slice(&[0, 2, 0]),
        ColumnType::Hstore(HstoreMode::Json) => binary::bytes(b"{}", out),
        ColumnType::DecimalText(0) => binary::bytes(b"0", out),
        ColumnType::DecimalText(scale) => {
            binary::bytes(format!("0.{:0>1$}", "", usize::from(*scale)).as_bytes(), out);
        }
        ColumnType::MoneyText => binary::bytes(b"0.00", out),
        ColumnType::Date(DateForm::Iso) => binary::bytes(b"1970-01-01Z", out),
        ColumnType::Time(TimeForm::Iso) | ColumnType::TimeTz => binary::bytes(b"00:00:00Z", out),
        ColumnType::Timestamp(TimeForm::Iso) | ColumnType::TimestampTz(_) => {
            binary::bytes(b"1970-01-01T00:00:00Z", out);
        }
        ColumnType::IntervalText => binary::bytes(b"P0Y0M0DT0H0M0S", out),
        ColumnType::Point => structured::write_point(0.0, 0.0, out),
        ColumnType::Geometry => {
            structured::write_geometry(&structured::WKB_NOTHING, None, out);
            out.push(0);
        }
        ColumnType::Geography => structured::write_geometry(&structured::WKB_NOTHING, None, out),
        ColumnType::SparseVector => out.extend_from_slice(&[0, 0]),
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
        ColumnType::Hstore(HstoreMode::Map) => {
            binary::long(1, out);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
            out.push(2);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
            out.push(0);
        }
        ColumnType::Geometry => {
            structured::write_geometry(UNAVAILABLE.as_bytes(), None, out);
            out.push(0);
        }
        ColumnType::Geography => structured::write_geometry(UNAVAILABLE.as_bytes(), None, out),
        // Types that are texts and bytes; bytes written as text are not told apart.
        ColumnType::Text
        | ColumnType::Unknown
        | ColumnType::Decimal { .. }
        | ColumnType::DecimalText(_)
        | ColumnType::MoneyText
        | ColumnType::Date(DateForm::Iso)
        | ColumnType::Time(TimeForm::Iso)
        | ColumnType::TimeTz
        | ColumnType::Timestamp(TimeForm::Iso)
        | ColumnType::TimestampTz(_)
        | ColumnType::IntervalText
        | ColumnType::Uuid
        | ColumnType::Json
        | ColumnType::Xml
        | ColumnType::Tsvector
        | ColumnType::Ltree
        | ColumnType::Hstore(HstoreMode::Json)
        | ColumnType::Enum(_)
        | ColumnType::Bits(_)
        | ColumnType::Bytea(_) => binary::bytes(UNAVAILABLE.as_bytes(), out),
        // Types of a fixed size are never toasted; of vectors nothing else is of their type.
        _ => zero(kind, out),
    }
}

/// The digits of `-$1,234.50`.
fn amount(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_digit() || matches!(c, '-' | '.')).collect()
}

pub(super) fn bytes_as(mode: BinaryMode, bytes: &[u8], out: &mut Vec<u8>) {
    match mode {
        BinaryMode::Bytes => binary::bytes(bytes, out),
        BinaryMode::Base64 => binary::bytes(STANDARD.encode(bytes).as_bytes(), out),
        BinaryMode::Base64UrlSafe => binary::bytes(URL_SAFE.encode(bytes).as_bytes(), out),
        BinaryMode::Hex => {
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            binary::bytes(digits.as_bytes(), out);
        }
    }
}

fn bytea(mode: BinaryMode, text: &str, out: &mut Vec<u8>) -> bool {
    let Some(digits) = text.strip_prefix("\\x") else { return false };
    if mode == BinaryMode::Hex {
        binary::bytes(digits.as_bytes(), out);
        return true;
    }
    let Some(bytes) = structured::from_hex(digits.as_bytes()) else { return false };
    bytes_as(mode, &bytes, out);
    true
}

/// The bits as bytes, the last bit being the lowest of the first byte, without the zeros that would end them.
fn bits(text: &str, out: &mut Vec<u8>) -> bool {
    let digits: Vec<u8> = text.trim_start_matches('0').bytes().rev().collect();
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
