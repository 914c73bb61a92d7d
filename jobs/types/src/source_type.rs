//! Types of PostgreSQL columns and what Spark makes of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A column's type at the source, as far as silver tells types apart. Everything that has no Spark type of its own
/// is text there, in PostgreSQL's own output format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceType {
    /// `boolean`.
    Boolean,
    /// `smallint`.
    SmallInt,
    /// `integer`.
    Integer,
    /// `bigint`.
    BigInt,
    /// `real`.
    Real,
    /// `double precision`.
    Double,
    /// `numeric(precision,scale)` with at most 38 digits.
    Numeric(u8, u8),
    /// `date`.
    Date,
    /// `timestamp without time zone`, with or without a precision.
    Timestamp,
    /// `timestamp with time zone`, with or without a precision.
    TimestampTz,
    /// `bytea`.
    Bytes,
    /// Anything else, by the name that PostgreSQL prints.
    Text(String),
}

impl SourceType {
    /// The column's type in silver and gold, as Spark SQL writes it.
    pub fn spark(&self) -> String {
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::SmallInt => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::BigInt => "bigint".to_owned(),
            Self::Real => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Numeric(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Date => "date".to_owned(),
            Self::Timestamp => "timestamp_ntz".to_owned(),
            Self::TimestampTz => "timestamp".to_owned(),
            Self::Bytes => "binary".to_owned(),
            Self::Text(_) => "string".to_owned(),
        }
    }

    /// Whether PostgreSQL may keep a value out of line and then leave it out of an update's event.
    pub fn can_be_toasted(&self) -> bool {
        matches!(self, Self::Bytes | Self::Text(_))
    }
}

impl FromStr for SourceType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => {
                let (arguments, tail) =
                    rest.split_once(')').ok_or_else(|| format!("{text}: no closing parenthesis"))?;
                (format!("{}{tail}", name.trim_end()), arguments)
            }
            None => (text.to_owned(), ""),
        };
        Ok(match name.as_str() {
            "boolean" => Self::Boolean,
            "smallint" => Self::SmallInt,
            "integer" => Self::Integer,
            "bigint" => Self::BigInt,
            "real" => Self::Real,
            "double precision" => Self::Double,
            "numeric" => {
                match arguments.split_once(',').map(|(precision, scale)| (precision.parse(), scale.parse())) {
                    Some((Ok(precision), Ok(scale))) if precision <= 38 => Self::Numeric(precision, scale),
                    _ => Self::Text(text.to_owned()),
                }
            }
            "date" => Self::Date,
            "timestamp" | "timestamp without time zone" => Self::Timestamp,
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz,
            "bytea" => Self::Bytes,
            _ => Self::Text(text.to_owned()),
        })
    }
}

impl fmt::Display for SourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boolean => formatter.write_str("boolean"),
            Self::SmallInt => formatter.write_str("smallint"),
            Self::Integer => formatter.write_str("integer"),
            Self::BigInt => formatter.write_str("bigint"),
            Self::Real => formatter.write_str("real"),
            Self::Double => formatter.write_str("double precision"),
            Self::Numeric(precision, scale) => write!(formatter, "numeric({precision},{scale})"),
            Self::Date => formatter.write_str("date"),
            Self::Timestamp => formatter.write_str("timestamp without time zone"),
            Self::TimestampTz => formatter.write_str("timestamp with time zone"),
            Self::Bytes => formatter.write_str("bytea"),
            Self::Text(name) => formatter.write_str(name),
        }
    }
}

impl Serialize for SourceType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SourceType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(postgres: &str, spark: &str) {
        let column_type: SourceType = postgres.parse().unwrap();
        assert_eq!(column_type.spark(), spark, "{postgres}");
        assert_eq!(column_type.to_string().parse::<SourceType>().unwrap(), column_type, "{postgres}");
    }

    #[test]
    fn postgres_types_have_spark_types() {
        check("integer", "int");
        check("numeric(18,2)", "decimal(18,2)");
        check("numeric", "string");
        check("numeric(40,2)", "string");
        check("timestamp(6) without time zone", "timestamp_ntz");
        check("timestamp with time zone", "timestamp");
        check("character varying(50)", "string");
        check("jsonb", "string");
        check("bytea", "binary");
    }
}
