//! Types of PostgreSQL columns.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A column's type at the source, as far as the lakehouse tells types apart. Everything that has no Spark type of its
/// own is text there, in PostgreSQL's own output format.
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
    /// `oid`, 32 bits without a sign.
    Oid,
    /// `real`.
    Real,
    /// `double precision`.
    Double,
    /// `numeric(precision,scale)` with at most 38 digits, of which `scale` are behind the point.
    Numeric(u8, u8),
    /// `date`.
    Date,
    /// `timestamp without time zone`, with so many digits of a second.
    Timestamp(u8),
    /// `timestamp with time zone`, with so many digits of a second.
    TimestampTz(u8),
    /// `bytea`.
    Bytes,
    /// An array of any of the other types but text that stands for a type without a Spark type.
    Array(Box<SourceType>),
    /// Anything else, by the name that PostgreSQL prints.
    Text(String),
}

/// Types whose PostgreSQL text is nothing but characters, so that an array of them is an array of Spark's strings.
const CHARACTERS: [&str; 6] = ["text", "character varying", "character", "name", "uuid", "citext"];

/// Most digits of Spark's and Trino's decimals.
const MOST_DIGITS: u8 = 38;

/// Digits of a second that PostgreSQL keeps when a type does not say.
const SECOND_DIGITS: u8 = 6;

impl SourceType {
    /// The column's type in silver and gold, as Spark SQL writes it.
    pub fn spark(&self) -> String {
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::SmallInt => "smallint".to_owned(),
            Self::Integer => "int".to_owned(),
            Self::BigInt | Self::Oid => "bigint".to_owned(),
            Self::Real => "float".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Numeric(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Date => "date".to_owned(),
            Self::Timestamp(_) => "timestamp_ntz".to_owned(),
            Self::TimestampTz(_) => "timestamp".to_owned(),
            Self::Bytes => "binary".to_owned(),
            Self::Array(element) => format!("array<{}>", element.spark()),
            Self::Text(_) => "string".to_owned(),
        }
    }

    /// The same type as Trino's Delta Lake connector shows it.
    pub fn trino(&self) -> String {
        match self {
            Self::Boolean => "boolean".to_owned(),
            Self::SmallInt => "smallint".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::BigInt | Self::Oid => "bigint".to_owned(),
            Self::Real => "real".to_owned(),
            Self::Double => "double".to_owned(),
            Self::Numeric(precision, scale) => format!("decimal({precision},{scale})"),
            Self::Date => "date".to_owned(),
            Self::Timestamp(_) => "timestamp(6)".to_owned(),
            Self::TimestampTz(_) => "timestamp(3) with time zone".to_owned(),
            Self::Bytes => "varbinary".to_owned(),
            Self::Array(element) => format!("array({})", element.trino()),
            Self::Text(_) => "varchar".to_owned(),
        }
    }

    /// Whether PostgreSQL may keep a value out of line and then leave it out of an update's event. Numbers of 38 digits are too short.
    pub fn can_be_toasted(&self) -> bool {
        matches!(self, Self::Bytes | Self::Text(_) | Self::Array(_))
    }

    /// Whether values are characters for which PostgreSQL's text is the value.
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text(_))
    }
}

impl FromStr for SourceType {
    type Err = String;

    /// Reads what PostgreSQL's `format_type` writes, such as `numeric(10,2)[]`.
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(element) = text.strip_suffix("[]") {
            let characters = || CHARACTERS.contains(&name_and_arguments(element).0.as_str());
            return Ok(match element.parse()? {
                Self::Text(_) if !characters() => Self::Text(text.to_owned()),
                element => Self::Array(Box::new(element)),
            });
        }
        let (name, arguments) = name_and_arguments(text);
        if text.contains('(') && arguments.is_none() {
            return Err(format!("{text}: no closing parenthesis"));
        }
        let digits = || arguments.and_then(|digits| digits.parse().ok()).unwrap_or(SECOND_DIGITS);
        Ok(match name.as_str() {
            "boolean" => Self::Boolean,
            "smallint" => Self::SmallInt,
            "integer" => Self::Integer,
            "bigint" => Self::BigInt,
            "oid" => Self::Oid,
            "real" => Self::Real,
            "double precision" => Self::Double,
            "numeric" => arguments.and_then(decimal).unwrap_or_else(|| Self::Text(text.to_owned())),
            "date" => Self::Date,
            "timestamp" | "timestamp without time zone" => Self::Timestamp(digits()),
            "timestamptz" | "timestamp with time zone" => Self::TimestampTz(digits()),
            "bytea" => Self::Bytes,
            _ => Self::Text(text.to_owned()),
        })
    }
}

/// `timestamp(3) with time zone` is `timestamp with time zone` and `3`.
fn name_and_arguments(text: &str) -> (String, Option<&str>) {
    match text.split_once('(').and_then(|(name, rest)| Some((name, rest.split_once(')')?))) {
        Some((name, (arguments, tail))) => (format!("{}{tail}", name.trim_end()), Some(arguments)),
        None => (text.to_owned(), None),
    }
}

/// Of `precision,scale`, unless Spark's decimal is too small. PostgreSQL allows a scale that is negative or above the precision.
fn decimal(arguments: &str) -> Option<SourceType> {
    let (precision, scale) = arguments.split_once(',').unwrap_or((arguments, "0"));
    let (precision, scale): (u8, u8) = (precision.parse().ok()?, scale.parse().ok()?);
    let precision = precision.max(scale);
    (precision <= MOST_DIGITS).then_some(SourceType::Numeric(precision, scale))
}

impl fmt::Display for SourceType {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = |formatter: &mut fmt::Formatter<'_>, digits: u8, zone: &str| match digits {
            SECOND_DIGITS => write!(formatter, "timestamp {zone} time zone"),
            digits => write!(formatter, "timestamp({digits}) {zone} time zone"),
        };
        match self {
            Self::Boolean => formatter.write_str("boolean"),
            Self::SmallInt => formatter.write_str("smallint"),
            Self::Integer => formatter.write_str("integer"),
            Self::BigInt => formatter.write_str("bigint"),
            Self::Oid => formatter.write_str("oid"),
            Self::Real => formatter.write_str("real"),
            Self::Double => formatter.write_str("double precision"),
            Self::Numeric(precision, scale) => write!(formatter, "numeric({precision},{scale})"),
            Self::Date => formatter.write_str("date"),
            Self::Timestamp(digits) => time(formatter, *digits, "without"),
            Self::TimestampTz(digits) => time(formatter, *digits, "with"),
            Self::Bytes => formatter.write_str("bytea"),
            Self::Array(element) => write!(formatter, "{element}[]"),
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
        check("oid", "bigint");
        check("numeric(18,2)", "decimal(18,2)");
        check("numeric(2,4)", "decimal(4,4)");
        check("numeric(3,-2)", "string");
        check("numeric", "string");
        check("numeric(40,2)", "string");
        check("numeric(20,39)", "string");
        check("timestamp(6) without time zone", "timestamp_ntz");
        check("timestamp(3) without time zone", "timestamp_ntz");
        check("timestamp with time zone", "timestamp");
        check("character varying(50)", "string");
        check("jsonb", "string");
        check("bytea", "binary");
        check("integer[]", "array<int>");
        check("character varying(50)[]", "array<string>");
        check("numeric(10,2)[]", "array<decimal(10,2)>");
        check("numeric[]", "string");
        check("jsonb[]", "string");
        check("interval day to second(3)", "string");
    }
}
