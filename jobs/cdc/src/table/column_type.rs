use std::collections::HashMap;

/// A row of `pg_type`.
#[derive(Debug, Clone, Default)]
pub(crate) struct TypeRow {
    pub(crate) name: String,
    pub(crate) is_domain: bool,
    pub(crate) is_array: bool,
    pub(crate) base: u32,
    pub(crate) base_modifier: i32,
    pub(crate) element: u32,
    pub(crate) labels: Vec<String>,
}

/// What a column holds, as far as its encoding depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ColumnType {
    Boolean,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// Text, and every type without a form of its own: PostgreSQL's text.
    Text,
    Decimal {
        precision: u16,
        scale: u16,
    },
    VariableScaleDecimal,
    Money,
    Date,
    /// Up to three fractional digits.
    TimeMillis,
    TimeMicros,
    TimeTz,
    TimestampMillis,
    TimestampMicros,
    /// With how many fractional digits.
    TimestampTz(u8),
    Interval,
    Uuid,
    Json,
    Xml,
    Tsvector,
    Bytea,
    Enum(Vec<String>),
    /// `bit(1)`.
    Bit,
    /// Bits up to this many; `i32::MAX` without a limit.
    Bits(i32),
    Array(Box<ColumnType>),
}

/// Type modifiers count from the length of a variable-length header.
const HEADER: i32 = 4;

impl ColumnType {
    /// Resolves a type and modifier through domains and arrays.
    pub(crate) fn resolve(types: &HashMap<u32, TypeRow>, oid: u32, modifier: i32) -> Self {
        Self::resolve_within(types, oid, modifier, 16)
    }

    /// `depth` bounds a chain of domains that a damaged catalog might close to a ring.
    fn resolve_within(types: &HashMap<u32, TypeRow>, oid: u32, modifier: i32, depth: u8) -> Self {
        let Some((row, depth)) = types.get(&oid).zip(depth.checked_sub(1)) else { return Self::Text };
        if row.is_domain {
            let modifier = if modifier == -1 { row.base_modifier } else { modifier };
            return Self::resolve_within(types, row.base, modifier, depth);
        }
        if row.is_array && row.element != 0 {
            return Self::Array(Box::new(Self::resolve_within(types, row.element, modifier, depth)));
        }
        if !row.labels.is_empty() {
            return Self::Enum(row.labels.clone());
        }
        let few_digits = (0..=3).contains(&modifier);
        match row.name.as_str() {
            "bool" => Self::Boolean,
            "int2" => Self::Int2,
            "int4" => Self::Int4,
            "int8" => Self::Int8,
            "oid" => Self::Oid,
            "float4" => Self::Float4,
            "float8" => Self::Float8,
            "numeric" if modifier < HEADER => Self::VariableScaleDecimal,
            "numeric" => Self::numeric(modifier - HEADER),
            "money" => Self::Money,
            "date" => Self::Date,
            "time" if few_digits => Self::TimeMillis,
            "time" => Self::TimeMicros,
            "timetz" => Self::TimeTz,
            "timestamp" if few_digits => Self::TimestampMillis,
            "timestamp" => Self::TimestampMicros,
            "timestamptz" => Self::TimestampTz(if (0..6).contains(&modifier) { modifier as u8 } else { 6 }),
            "interval" => Self::Interval,
            "uuid" => Self::Uuid,
            "json" | "jsonb" => Self::Json,
            "xml" => Self::Xml,
            "tsvector" => Self::Tsvector,
            "bytea" => Self::Bytea,
            "bit" if modifier == 1 => Self::Bit,
            "bit" | "varbit" => Self::Bits(if modifier > 0 { modifier } else { i32::MAX }),
            _ => Self::Text,
        }
    }

    /// Precision in the high half; scale in the low eleven bits, signed since PostgreSQL 15. A negative
    /// scale, or one beyond the precision, has no Avro decimal and is sent with its scale in the value.
    fn numeric(modifier: i32) -> Self {
        let precision = (modifier >> 16) & 0xFFFF;
        let scale = ((modifier & 0x7FF) ^ 1024) - 1024;
        if scale < 0 || scale > precision {
            return Self::VariableScaleDecimal;
        }
        Self::Decimal { precision: precision as u16, scale: scale as u16 }
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
            assert_eq!(ColumnType::resolve(&types(), oid, modifier), kind, "{oid} {modifier}");
        };
        let decimal = |precision, scale| ColumnType::Decimal { precision, scale };
        check(1700, -1, ColumnType::VariableScaleDecimal);
        check(1700, (18 << 16 | 2) + 4, decimal(18, 2));
        check(1700, (3 << 16 | 0x7FE) + 4, ColumnType::VariableScaleDecimal);
        check(1700, (2 << 16 | 4) + 4, ColumnType::VariableScaleDecimal);
        check(1231, (10 << 16 | 2) + 4, ColumnType::Array(Box::new(decimal(10, 2))));
        check(9000, -1, decimal(10, 2));
        check(9001, -1, ColumnType::Text);
        check(9002, -1, ColumnType::Enum(vec!["sad".into(), "ok".into()]));
        check(1114, -1, ColumnType::TimestampMicros);
        check(1114, 3, ColumnType::TimestampMillis);
        check(1114, 6, ColumnType::TimestampMicros);
        check(1560, 1, ColumnType::Bit);
        check(1560, 8, ColumnType::Bits(8));
        check(600, -1, ColumnType::Text);
        check(77, -1, ColumnType::Text);
    }
}
