use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use lakepulse_types::{AvroForm, BinaryMode, DateForm, HstoreMode, TimeForm};

use super::{array, binary, datetime, numeric, structured};

/// What Debezium puts in place of a toasted value that an update left alone.
const UNAVAILABLE: &str = "__debezium_unavailable_value";

/// Writes a value from PostgreSQL's text form. False when the text has no encoding in this type; what
/// was written so far is then worthless.
pub(crate) fn value(kind: &AvroForm, text: &str, out: &mut Vec<u8>) -> bool {
    let long = |value: Option<i64>, out: &mut Vec<u8>| value.map(|value| binary::long(value, out)).is_some();
    let string = |value: Option<String>, out: &mut Vec<u8>| {
        value.map(|value| binary::bytes(value.as_bytes(), out)).is_some()
    };
    match kind {
        AvroForm::Boolean | AvroForm::Bit => {
            binary::boolean(matches!(text, "t" | "1"), out);
            // A bit of any length up to one may be none.
            matches!(text, "t" | "f" | "1" | "0") || text.is_empty() && *kind == AvroForm::Bit
        }
        AvroForm::Int2 | AvroForm::Int4 | AvroForm::Int8 | AvroForm::Oid => long(text.parse().ok(), out),
        AvroForm::Float4 => text.parse().map(|value| binary::float(value, out)).is_ok(),
        AvroForm::Float8 => text.parse().map(|value| binary::double(value, out)).is_ok(),
        AvroForm::Text
        | AvroForm::Unknown
        | AvroForm::Uuid
        | AvroForm::Json
        | AvroForm::Xml
        | AvroForm::Tsvector
        | AvroForm::Ltree
        | AvroForm::DecimalText(_) => {
            binary::bytes(text.as_bytes(), out);
            true
        }
        AvroForm::Enum(labels) => {
            binary::bytes(text.as_bytes(), out);
            labels.iter().any(|label| label == text)
        }
        AvroForm::Decimal { scale, .. } => numeric::decimal(text, usize::from(*scale), out),
        AvroForm::VariableScaleDecimal => numeric::variable_scale(text, out),
        AvroForm::Money => numeric::decimal(&amount(text), 2, out),
        AvroForm::MoneyDouble => amount(text).parse().map(|value| binary::double(value, out)).is_ok(),
        AvroForm::MoneyText => string(Some(amount(text)), out),
        AvroForm::Date(DateForm::Days | DateForm::Connect) => long(datetime::date(text), out),
        AvroForm::Date(DateForm::Iso) => string(datetime::date_iso(text), out),
        AvroForm::Time(TimeForm::Millis | TimeForm::Connect) => {
            long(datetime::time(text).map(|micros| micros / 1000), out)
        }
        AvroForm::Time(TimeForm::Micros) => long(datetime::time(text), out),
        AvroForm::Time(TimeForm::Nanos) => long(datetime::time(text).map(|micros| micros * 1000), out),
        AvroForm::Time(TimeForm::Iso) => string(datetime::time_iso(text), out),
        AvroForm::TimeTz => string(datetime::time_tz(text), out),
        AvroForm::Timestamp(TimeForm::Millis | TimeForm::Connect) => {
            long(datetime::timestamp_millis(text), out)
        }
        AvroForm::Timestamp(TimeForm::Micros) => long(datetime::timestamp(text), out),
        AvroForm::Timestamp(TimeForm::Nanos) => long(datetime::timestamp_nanos(text), out),
        AvroForm::Timestamp(TimeForm::Iso) => string(datetime::timestamp_iso(text), out),
        AvroForm::TimestampTz(digits) => string(datetime::timestamp_tz(text, *digits), out),
        AvroForm::IntervalMicros => long(datetime::interval(text), out),
        AvroForm::IntervalText => string(datetime::interval_iso(text), out),
        AvroForm::Bytea(mode) => bytea(*mode, text, out),
        AvroForm::Hstore(HstoreMode::Json) => string(structured::hstore_json(text), out),
        AvroForm::Hstore(HstoreMode::Map) => structured::hstore_map(text, out),
        AvroForm::Point => structured::point(text, out),
        AvroForm::Geometry => {
            let written = structured::geometry(text, out);
            out.push(0);
            written
        }
        AvroForm::Geography => structured::geometry(text, out),
        AvroForm::Vector => structured::vector(text, out, binary::double),
        AvroForm::HalfVector => structured::vector(text, out, binary::float),
        AvroForm::SparseVector => structured::sparse_vector(text, out),
        AvroForm::Bits(_) => bits(text, out),
        AvroForm::Array(element) => elements(element, text, out),
    }
}

/// The values of enums in this text that their type does not list.
pub(crate) fn unknown_labels(kind: &AvroForm, text: &str) -> Vec<String> {
    match kind {
        AvroForm::Enum(labels) if !labels.iter().any(|label| label == text) => vec![text.to_owned()],
        AvroForm::Array(element) => {
            let elements = array::elements(text).unwrap_or_default();
            elements.iter().flatten().flat_map(|text| unknown_labels(element, text)).collect()
        }
        _ => Vec::new(),
    }
}

/// Whether values of this type are Avro's `int` or `long`.
pub(crate) fn is_long(kind: &AvroForm) -> bool {
    matches!(
        kind,
        AvroForm::Int2
            | AvroForm::Int4
            | AvroForm::Int8
            | AvroForm::Oid
            | AvroForm::Date(DateForm::Days | DateForm::Connect)
            | AvroForm::Time(TimeForm::Millis | TimeForm::Micros | TimeForm::Nanos | TimeForm::Connect)
            | AvroForm::Timestamp(TimeForm::Millis | TimeForm::Micros | TimeForm::Nanos | TimeForm::Connect)
            | AvroForm::IntervalMicros
    )
}

/// Writes what stands for null in a field that can't be null: in a row image that holds only the key,
/// Debezium gives the other columns the zero of their type.
pub(crate) fn zero(kind: &AvroForm, out: &mut Vec<u8>) {
    match kind {
        AvroForm::Float4 => binary::float(0.0, out),
        AvroForm::Float8 | AvroForm::MoneyDouble => binary::double(0.0, out),
        AvroForm::Decimal { .. } | AvroForm::Money => binary::bytes(&[0], out),
        AvroForm::VariableScaleDecimal => out.extend_from_slice(&[0, 2, 0]),
        AvroForm::Hstore(HstoreMode::Json) => binary::bytes(b"{}", out),
        AvroForm::DecimalText(0) => binary::bytes(b"0", out),
        AvroForm::DecimalText(scale) => {
            binary::bytes(format!("0.{:0>1$}", "", usize::from(*scale)).as_bytes(), out);
        }
        AvroForm::MoneyText => binary::bytes(b"0.00", out),
        AvroForm::Date(DateForm::Iso) => binary::bytes(b"1970-01-01Z", out),
        AvroForm::Time(TimeForm::Iso) | AvroForm::TimeTz => binary::bytes(b"00:00:00Z", out),
        AvroForm::Timestamp(TimeForm::Iso) | AvroForm::TimestampTz(_) => {
            binary::bytes(b"1970-01-01T00:00:00Z", out);
        }
        AvroForm::IntervalText => binary::bytes(b"P0Y0M0DT0H0M0S", out),
        AvroForm::Point => structured::write_point(0.0, 0.0, out),
        AvroForm::Geometry => {
            structured::write_geometry(&structured::WKB_NOTHING, None, out);
            out.push(0);
        }
        AvroForm::Geography => structured::write_geometry(&structured::WKB_NOTHING, None, out),
        AvroForm::SparseVector => out.extend_from_slice(&[0, 0]),
        // One zero byte is a zero, a false, an empty text, empty bytes and an empty array.
        _ => out.push(0),
    }
}

/// Writes the placeholder for an unchanged toasted value.
pub(crate) fn unavailable(kind: &AvroForm, out: &mut Vec<u8>) {
    match kind {
        AvroForm::VariableScaleDecimal => {
            binary::long(0, out);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
        }
        AvroForm::Array(element) => {
            match **element {
                // Numbers hold the placeholder's bytes, one each.
                AvroForm::Int2 | AvroForm::Int4 | AvroForm::Int8 | AvroForm::Oid => {
                    binary::long(UNAVAILABLE.len() as i64, out);
                    for byte in UNAVAILABLE.bytes() {
                        binary::option(Some(i64::from(byte)), out, binary::long);
                    }
                }
                AvroForm::Float4 | AvroForm::Float8 | AvroForm::Boolean => {}
                ref element => {
                    binary::long(1, out);
                    out.push(2);
                    unavailable(element, out);
                }
            }
            out.push(0);
        }
        AvroForm::Hstore(HstoreMode::Map) => {
            binary::long(1, out);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
            out.push(2);
            binary::bytes(UNAVAILABLE.as_bytes(), out);
            out.push(0);
        }
        AvroForm::Geometry => {
            structured::write_geometry(UNAVAILABLE.as_bytes(), None, out);
            out.push(0);
        }
        AvroForm::Geography => structured::write_geometry(UNAVAILABLE.as_bytes(), None, out),
        // Types that are texts and bytes; bytes written as text are not told apart.
        AvroForm::Text
        | AvroForm::Unknown
        | AvroForm::Decimal { .. }
        | AvroForm::DecimalText(_)
        | AvroForm::MoneyText
        | AvroForm::Date(DateForm::Iso)
        | AvroForm::Time(TimeForm::Iso)
        | AvroForm::TimeTz
        | AvroForm::Timestamp(TimeForm::Iso)
        | AvroForm::TimestampTz(_)
        | AvroForm::IntervalText
        | AvroForm::Uuid
        | AvroForm::Json
        | AvroForm::Xml
        | AvroForm::Tsvector
        | AvroForm::Ltree
        | AvroForm::Hstore(HstoreMode::Json)
        | AvroForm::Enum(_)
        | AvroForm::Bits(_)
        | AvroForm::Bytea(_) => binary::bytes(UNAVAILABLE.as_bytes(), out),
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

fn elements(kind: &AvroForm, text: &str, out: &mut Vec<u8>) -> bool {
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
