use std::collections::HashMap;

use crate::options::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, TypeOptions};

/// A row of `pg_type`.
#[derive(Debug, Clone, Default)]
pub struct TypeRow {
    pub name: String,
    pub is_domain: bool,
    pub is_array: bool,
    pub base: u32,
    pub base_modifier: i32,
    pub element: u32,
    pub not_null: bool,
    pub labels: Vec<String>,
}

impl TypeRow {
    /// Whether Debezium tells the defaults of columns of this type.
    pub fn has_default(&self) -> bool {
        const TOLD: [&str; 21] = [
            "bool",
            "int2",
            "int4",
            "int8",
            "float4",
            "float8",
            "numeric",
            "date",
            "time",
            "timestamp",
            "timestamptz",
            "interval",
            "text",
            "varchar",
            "bpchar",
            "uuid",
            "json",
            "jsonb",
            "xml",
            "bit",
            "varbit",
        ];
        !self.labels.is_empty() || TOLD.contains(&self.name.as_str())
    }
}

/// What a column holds, as far as its encoding depends on it: its type, and how the options want it written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AvroForm {
    Boolean,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    /// Also a decimal in the option's mode `double`.
    Float8,
    /// Text, and every type without a form of its own: PostgreSQL's text.
    Text,
    /// A type without a form of its own, which the options leave out.
    Unknown,
    Decimal {
        precision: u16,
        scale: u16,
    },
    VariableScaleDecimal,
    /// A decimal as text, with how many fractional digits if that is known.
    DecimalText(u16),
    /// With how many fractional digits, as a decimal.
    Money,
    MoneyDouble,
    MoneyText,
    Date(DateForm),
    Time(TimeForm),
    TimeTz,
    Timestamp(TimeForm),
    /// With how many fractional digits.
    TimestampTz(u8),
    IntervalMicros,
    /// ISO 8601's text.
    IntervalText,
    Uuid,
    Json,
    Xml,
    Tsvector,
    Ltree,
    Bytea(BinaryMode),
    Hstore(HstoreMode),
    Enum(Vec<String>),
    /// `bit(1)`, and as in Debezium `varbit(1)`.
    Bit,
    /// Bits up to this many; `i32::MAX` without a limit.
    Bits(i32),
    Point,
    Geometry,
    Geography,
    /// pgvector's `vector`.
    Vector,
    /// pgvector's `halfvec`.
    HalfVector,
    /// pgvector's `sparsevec`.
    SparseVector,
    Array(Box<AvroForm>),
}

/// How a date is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateForm {
    /// Days, under Debezium's name for them.
    Days,
    /// Days, under Kafka Connect's name and Avro's logical type.
    Connect,
    Iso,
}

/// How a time of day or a timestamp is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeForm {
    Millis,
    Micros,
    Nanos,
    /// Milliseconds, under Kafka Connect's name and Avro's logical type.
    Connect,
    Iso,
}

/// Type modifiers count from the length of a variable-length header.
const HEADER: i32 = 4;

impl AvroForm {
    /// Resolves a type and modifier through domains and arrays.
    pub fn resolve(types: &HashMap<u32, TypeRow>, oid: u32, modifier: i32, options: TypeOptions) -> Self {
        Self::resolve_within(types, oid, modifier, options, 16)
    }

    /// `depth` bounds a chain of domains that a damaged catalog might close to a ring.
    fn resolve_within(
        types: &HashMap<u32, TypeRow>,
        oid: u32,
        modifier: i32,
        options: TypeOptions,
        depth: u8,
    ) -> Self {
        let unknown = if options.unknown_as_text { Self::Text } else { Self::Unknown };
        let Some((row, depth)) = types.get(&oid).zip(depth.checked_sub(1)) else { return unknown };
        if row.is_domain {
            let modifier = if modifier == -1 { row.base_modifier } else { modifier };
            return Self::resolve_within(types, row.base, modifier, options, depth);
        }
        if row.is_array && row.element != 0 {
            return match Self::resolve_within(types, row.element, modifier, options, depth) {
                Self::Unknown => Self::Unknown,
                element => Self::Array(Box::new(element)),
            };
        }
        if !row.labels.is_empty() {
            return Self::Enum(row.labels.clone());
        }
        match row.name.as_str() {
            "bool" => Self::Boolean,
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "oid" => Self::Oid,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "numeric" => Self::numeric(modifier, options.decimal),
            "money" => match options.decimal {
                DecimalMode::Precise => Self::Money,
                DecimalMode::Double => Self::MoneyDouble,
                DecimalMode::String => Self::MoneyText,
            },
            "date" => Self::Date(match options.time {
                TimeMode::Connect => DateForm::Connect,
                TimeMode::IsoString => DateForm::Iso,
                _ => DateForm::Days,
            }),
            "time" => Self::Time(match options.time {
                TimeMode::AdaptiveTimeMicroseconds => TimeForm::Micros,
                mode => time_form(modifier, mode),
            }),
            "timetz" => Self::TimeTz,
            "timestamp" => Self::Timestamp(time_form(modifier, options.time)),
            "timestamptz" => Self::TimestampTz(if (0..6).contains(&modifier) { modifier as u8 } else { 6 }),
            "interval" => match options.interval {
                IntervalMode::Numeric => Self::IntervalMicros,
                IntervalMode::String => Self::IntervalText,
            },
            "uuid" => Self::Uuid,
            "json" | "jsonb" => Self::Json,
            "xml" => Self::Xml,
            "tsvector" => Self::Tsvector,
            "ltree" => Self::Ltree,
            "hstore" => Self::Hstore(options.hstore),
            "bytea" => Self::Bytea(options.binary),
            "bit" | "varbit" if modifier == 1 => Self::Bit,
            "bit" | "varbit" => Self::Bits(if modifier > 0 { modifier } else { i32::MAX }),
            "point" => Self::Point,
            "geometry" => Self::Geometry,
            "geography" => Self::Geography,
            "vector" => Self::Vector,
            "halfvec" => Self::HalfVector,
            "sparsevec" => Self::SparseVector,
            "text" | "varchar" | "bpchar" | "char" | "name" | "citext" | "inet" | "cidr" | "macaddr"
            | "macaddr8" | "int4range" | "int8range" | "numrange" | "tsrange" | "tstzrange" | "daterange" => {
                Self::Text
            }
            _ => unknown,
        }
    }

    /// Precision in the high half; scale in the low eleven bits, signed since PostgreSQL 15. A negative
    /// scale, or one beyond the precision, has no Avro decimal and is sent with its scale in the value.
    fn numeric(modifier: i32, mode: DecimalMode) -> Self {
        match mode {
            DecimalMode::Double => return Self::Float8,
            DecimalMode::String if modifier < HEADER => return Self::DecimalText(0),
            DecimalMode::Precise if modifier < HEADER => return Self::VariableScaleDecimal,
            DecimalMode::String | DecimalMode::Precise => {}
        }
        let modifier = modifier - HEADER;
        let precision = (modifier >> 16) & 0xFFFF;
        let scale = ((modifier & 0x7FF) ^ 1024) - 1024;
        if mode == DecimalMode::String {
            return Self::DecimalText(scale.max(0) as u16);
        }
        if scale < 0 || scale > precision {
            return Self::VariableScaleDecimal;
        }
        Self::Decimal { precision: precision as u16, scale: scale as u16 }
    }
}

impl AvroForm {
    /// The values of an enum, or of the enum that its elements are; empty for other types.
    pub fn labels(&self) -> &[String] {
        match self {
            Self::Enum(labels) => labels,
            Self::Array(element) => element.labels(),
            _ => &[],
        }
    }

    /// Lets an enum, or the enum that elements are, have this value too.
    pub fn add_label(&mut self, label: &str) {
        match self {
            Self::Enum(labels) if !labels.iter().any(|known| known == label) => labels.push(label.to_owned()),
            Self::Array(element) => element.add_label(label),
            _ => {}
        }
    }
}

/// The form of a time with so many fractional digits; without a modifier there are six.
fn time_form(modifier: i32, mode: TimeMode) -> TimeForm {
    match mode {
        TimeMode::Connect => TimeForm::Connect,
        TimeMode::IsoString => TimeForm::Iso,
        TimeMode::Nanoseconds => TimeForm::Nanos,
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds if (0..=3).contains(&modifier) => {
            TimeForm::Millis
        }
        TimeMode::Microseconds | TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds => TimeForm::Micros,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn types() -> HashMap<u32, TypeRow> {
        let plain = |name: &str| TypeRow { name: name.to_owned(), ..TypeRow::default() };
        let mut types: HashMap<u32, TypeRow> =
            [(1700, "numeric"), (1114, "timestamp"), (1560, "bit"), (23, "int4"), (600, "point")]
                .into_iter()
                .map(|(oid, name)| (oid, plain(name)))
                .collect();
        types.insert(1231, TypeRow { is_array: true, element: 1700, ..plain("_numeric") });
        types.insert(
            9000,
            TypeRow { is_domain: true, base: 1700, base_modifier: (10 << 16 | 2) + 4, ..plain("price") },
        );
        types.insert(9001, TypeRow { is_domain: true, base: 9001, base_modifier: -1, ..plain("ring") });
        types.insert(9002, TypeRow { labels: vec!["sad".into(), "ok".into()], ..plain("mood") });
        types
    }

    #[test]
    fn resolving() {
        let check = |oid, modifier, kind| {
            let resolved = AvroForm::resolve(&types(), oid, modifier, TypeOptions::default());
            assert_eq!(resolved, kind, "{oid} {modifier}");
        };
        let decimal = |precision, scale| AvroForm::Decimal { precision, scale };
        check(1700, -1, AvroForm::VariableScaleDecimal);
        check(1700, (18 << 16 | 2) + 4, decimal(18, 2));
        check(1700, (3 << 16 | 0x7FE) + 4, AvroForm::VariableScaleDecimal);
        check(1700, (2 << 16 | 4) + 4, AvroForm::VariableScaleDecimal);
        check(1231, (10 << 16 | 2) + 4, AvroForm::Array(Box::new(decimal(10, 2))));
        check(9000, -1, decimal(10, 2));
        check(9001, -1, AvroForm::Text);
        check(9002, -1, AvroForm::Enum(vec!["sad".into(), "ok".into()]));
        check(1114, -1, AvroForm::Timestamp(TimeForm::Micros));
        check(1114, 3, AvroForm::Timestamp(TimeForm::Millis));
        check(1114, 6, AvroForm::Timestamp(TimeForm::Micros));
        check(1560, 1, AvroForm::Bit);
        check(1560, 8, AvroForm::Bits(8));
        check(600, -1, AvroForm::Point);
        check(77, -1, AvroForm::Text);
    }
}
