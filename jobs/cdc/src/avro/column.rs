use lakepulse_types::AvroForm;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::texts::Beside;
use super::{binary, encode};
use crate::table::{Column, ColumnDefault, Mask};
use crate::varint;

/// The bytes of the branches of a field's union; a field that holds values of its type alone has no union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Branches {
    /// None when null is not allowed.
    pub(super) null: Option<u8>,
    /// None without a union.
    pub(super) value: Option<u8>,
    /// Of PostgreSQL's text for a value that has no form in the column's type.
    pub(super) text: Option<u8>,
}

impl Branches {
    pub(super) fn of(column: &Column) -> Self {
        // A union's default is of its first branch.
        let (null, value) = match (is_nullable(column), default(column)) {
            (false, _) if column.texts => (None, Some(FIRST)),
            (false, _) => (None, None),
            (true, None) => (Some(FIRST), Some(SECOND)),
            (true, Some(_)) => (Some(SECOND), Some(FIRST)),
        };
        let text = column.texts.then_some(if null.is_some() { THIRD } else { SECOND });
        Self { null, value, text }
    }
}

/// How a column's values stand in its field, and what stands for a null that the schema does not allow.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) branches: Branches,
    /// In a row of which only the key is known, Debezium gives columns that can't be null their default, or the zero
    /// of their type.
    pub(super) stand_in: Vec<u8>,
    pub(super) beside: Beside,
}

const FIRST: u8 = 0;
const SECOND: u8 = 2;
const THIRD: u8 = 4;

impl Field {
    pub(super) fn of(column: &Column) -> Self {
        let default = default(column);
        let mut stand_in = Vec::new();
        match (default_bytes(column), &column.mask) {
            (Some(bytes), Some(mask)) => mask.write(text(&bytes).unwrap_or_default(), &mut stand_in),
            (Some(bytes), None) if default.is_some() => stand_in = bytes,
            _ => encode::zero(&column.kind, &mut stand_in),
        }
        Self { branches: Branches::of(column), stand_in, beside: Beside::of(column) }
    }
}

/// Whether the field may be null: Debezium's geometries always may.
pub(super) fn is_nullable(column: &Column) -> bool {
    column.nullable || column.kind == AvroForm::Geometry
}

/// The column's default as its schema tells it; one that is computed is told as the zero of its type.
pub(super) fn default(column: &Column) -> Option<Value> {
    let bytes = default_bytes(column)?;
    match &column.kind {
        AvroForm::Boolean | AvroForm::Bit => bytes.first().map(|byte| json!(*byte == 1)),
        AvroForm::Float4 => {
            bytes.first_chunk().map(|bytes| json!(f32::from_le_bytes(*bytes))).filter(Value::is_number)
        }
        AvroForm::Float8 | AvroForm::MoneyDouble => {
            bytes.first_chunk().map(|bytes| json!(f64::from_le_bytes(*bytes))).filter(Value::is_number)
        }
        kind if encode::is_long(kind) => varint::read(&bytes).map(|(number, _)| json!(number)),
        // Bytes are written as the characters of their numbers.
        AvroForm::Decimal { .. } | AvroForm::Money | AvroForm::Bits(_) => binary::read_bytes(&bytes)
            .map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into()),
        AvroForm::Hstore(_)
        | AvroForm::Bytea(_)
        | AvroForm::VariableScaleDecimal
        | AvroForm::Point
        | AvroForm::Geometry
        | AvroForm::Geography
        | AvroForm::Vector
        | AvroForm::HalfVector
        | AvroForm::SparseVector
        | AvroForm::Array(_) => None,
        _ => text(&bytes).map(Value::from),
    }
}

/// An encoded text.
fn text(bytes: &[u8]) -> Option<&str> {
    binary::read_bytes(bytes).and_then(|text| std::str::from_utf8(text).ok())
}

fn default_bytes(column: &Column) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    match &column.default {
        ColumnDefault::Constant(text) => encode::value(&column.kind, text, &mut out).then_some(out),
        ColumnDefault::Computed => {
            let epoch = match column.kind {
                AvroForm::TimestampTz(_) => Some("1970-01-01 00:00:00+00"),
                AvroForm::Uuid => Some("00000000-0000-0000-0000-000000000000"),
                _ => None,
            };
            if let Some(text) = epoch {
                return encode::value(&column.kind, text, &mut out).then_some(out);
            }
            encode::zero(&column.kind, &mut out);
            Some(out)
        }
        ColumnDefault::None => None,
    }
}

impl Mask {
    /// What a schema says of it.
    pub(super) fn parameters(&self) -> Value {
        match self {
            Self::Hash(_) | Self::Stars(_) => json!({"masked": "true"}),
            Self::Truncate(characters) => json!({"truncateLength": characters.to_string()}),
        }
    }

    /// Writes the text in disguise.
    pub(super) fn write(&self, text: &str, out: &mut Vec<u8>) {
        match self {
            Self::Hash(salt) => {
                let hash = Sha256::new().chain_update(salt.expose()).chain_update(text).finalize();
                let digits: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
                binary::bytes(digits.as_bytes(), out);
            }
            Self::Truncate(characters) => {
                let end = text.char_indices().nth(*characters).map_or(text.len(), |(end, _)| end);
                binary::bytes(text.get(..end).unwrap_or(text).as_bytes(), out);
            }
            Self::Stars(count) => binary::bytes("*".repeat(*count).as_bytes(), out),
        }
    }
}
