//! Values as Spark SQL: from Avro to canonical text and to Spark's types, and from canonical text to Spark's types.
//!
//! Canonical text is what `silver.changes` holds: booleans and integers as JSON's own, arrays of plain types as JSON arrays, all
//! else as PostgreSQL prints it in the C locale, in UTC (floats as Java prints them). All of it expects a session in UTC.

use crate::{AvroForm, SourceType, TimeForm};

const FIRST_DATE: &str = "DATE'0001-01-01'";
const LAST_DATE: &str = "DATE'9999-12-31'";
const FIRST_TIME: &str = "0001-01-01 00:00:00";
const LAST_TIME: &str = "9999-12-31 23:59:59.999999";
const INFINITE_DATES: (i64, i64) = (i32::MIN as i64, i32::MAX as i64);
const INFINITE_MICROS: (i64, i64) = (i64::MIN, i64::MAX);
/// Debezium's, of timestamps in milliseconds.
const INFINITE_MILLIS: (i64, i64) = (-9_223_372_036_832_400_000, 9_223_372_036_825_200_000);

impl AvroForm {
    /// The canonical text of a value that `from_avro` gave; `value` names it and is put in more than once. Dates and timestamps that are not of
    /// the years 1 to 9999 have a text beside the record instead, but not those in arrays.
    pub fn canonical(&self, value: &str) -> String {
        match self {
            Self::Date(_) => format!("CAST(date_from_unix_date({}) AS STRING)", self.days(value)),
            Self::Timestamp(form) => format!("CAST({} AS STRING)", instant(*form, value).1),
            Self::TimestampTz(_) => format!("concat(CAST(CAST({value} AS TIMESTAMP) AS STRING), '+00')"),
            _ => self.canonical_within(value, 0),
        }
    }

    /// The Spark type of the canonical text, if a cast of the value gives it, of dates and timestamps as Spark's own.
    pub fn canonical_type(&self) -> Option<&'static str> {
        match self {
            Self::Boolean => Some("BOOLEAN"),
            Self::Int2 | Self::Int4 => Some("INT"),
            Self::Int8 | Self::Oid => Some("BIGINT"),
            Self::TimestampTz(_) | Self::Bytea(_) | Self::Array(_) => None,
            _ => Some("STRING"),
        }
    }

    fn canonical_within(&self, value: &str, depth: u8) -> String {
        match self {
            Self::Float4 | Self::Float8 | Self::Decimal { .. } => format!("CAST({value} AS STRING)"),
            Self::Date(_) => {
                let days = self.days(value);
                infinite(
                    &days,
                    INFINITE_DATES,
                    "'-infinity'",
                    "'infinity'",
                    &era(&format!("date_from_unix_date({days})"), ""),
                )
            }
            Self::Timestamp(form) => {
                let (ends, at) = instant(*form, value);
                infinite(value, ends, "'-infinity'", "'infinity'", &era(&at, ""))
            }
            Self::TimestampTz(_) => {
                let text = era(&format!("CAST({value} AS TIMESTAMP)"), "+00");
                format!("CASE WHEN {value} LIKE '%infinity' THEN {value} ELSE {text} END")
            }
            Self::Bytea(_) => format!("concat('\\\\x', lower(hex({value})))"),
            Self::Array(element) => {
                let variable = format!("x{depth}");
                format!(
                    "transform({value}, {variable} -> {})",
                    element.canonical_within(&variable, depth + 1)
                )
            }
            _ => value.to_owned(),
        }
    }

    /// A value that `from_avro` gave as a value of the source type's Spark type, with the same exception. Infinities within arrays are the ends
    /// of the years that four digits can write.
    pub fn typed(&self, value: &str) -> String {
        match self {
            Self::Date(_) => format!("date_from_unix_date({})", self.days(value)),
            Self::Timestamp(form) => instant(*form, value).1,
            Self::TimestampTz(_) => format!("CAST({value} AS TIMESTAMP)"),
            _ => self.typed_within(value, 0),
        }
    }

    /// Whether single values have a text beside the record.
    pub fn may_have_text(&self) -> bool {
        matches!(self, Self::Date(_) | Self::Timestamp(_) | Self::TimestampTz(_))
    }

    fn typed_within(&self, value: &str, depth: u8) -> String {
        match self {
            Self::Date(_) => {
                let days = self.days(value);
                infinite(
                    &days,
                    INFINITE_DATES,
                    FIRST_DATE,
                    LAST_DATE,
                    &format!("date_from_unix_date({days})"),
                )
            }
            Self::Timestamp(form) => {
                let (ends, at) = instant(*form, value);
                let end = |text: &str| format!("TIMESTAMP_NTZ'{text}'");
                infinite(value, ends, &end(FIRST_TIME), &end(LAST_TIME), &at)
            }
            Self::TimestampTz(_) => format!(
                "CASE {value} WHEN 'infinity' THEN TIMESTAMP'{LAST_TIME}' WHEN '-infinity' THEN TIMESTAMP'{FIRST_TIME}' \
                 ELSE CAST({value} AS TIMESTAMP) END"
            ),
            Self::Array(element) => {
                let variable = format!("x{depth}");
                format!("transform({value}, {variable} -> {})", element.typed_within(&variable, depth + 1))
            }
            _ => value.to_owned(),
        }
    }

    /// Spark reads Avro's own dates as such, and Debezium's as numbers.
    fn days(&self, value: &str) -> String {
        if *self == Self::Date(crate::DateForm::Connect) {
            format!("unix_date({value})")
        } else {
            value.to_owned()
        }
    }
}

impl SourceType {
    /// Canonical text (a string, or of an array its elements' strings) as a value of the Spark type.
    pub fn typed_canonical(&self, text: &str) -> String {
        self.typed_text(text, 0)
    }

    fn typed_text(&self, text: &str, depth: u8) -> String {
        match self {
            Self::Text(_) => text.to_owned(),
            // Spark's decimals have no NaN.
            Self::Numeric(..) => format!("CAST(nullif({text}, 'NaN') AS {})", self.spark()),
            Self::Date => format!(
                "CASE {text} WHEN 'infinity' THEN {LAST_DATE} WHEN '-infinity' THEN {FIRST_DATE} ELSE CAST({} AS DATE) END",
                astronomical(text)
            ),
            Self::Timestamp(_) | Self::TimestampTz(_) => {
                let spark = self.spark().to_uppercase();
                let finite = astronomical(&format!("replace({text}, '+00', '')"));
                // Spark's last year is 294247, PostgreSQL's 294276.
                format!(
                    "CASE {text} WHEN 'infinity' THEN {spark}'{LAST_TIME}' WHEN '-infinity' THEN {spark}'{FIRST_TIME}' \
                     ELSE coalesce(try_cast({finite} AS {spark}), if({text} LIKE '294___-%', {spark}'{LAST_TIME}', CAST({finite} AS {spark}))) END"
                )
            }
            Self::Bytes => format!("unhex(substr({text}, 3))"),
            Self::Array(element) => {
                let variable = format!("x{depth}");
                format!("transform({text}, {variable} -> {})", element.typed_text(&variable, depth + 1))
            }
            plain => format!("CAST({text} AS {})", plain.spark()),
        }
    }

    /// How `from_json` reads canonical text.
    pub fn canonical_json(&self) -> String {
        match self {
            Self::Array(element) => format!("ARRAY<{}>", element.canonical_json()),
            _ => "STRING".to_owned(),
        }
    }
}

fn infinite(value: &str, ends: (i64, i64), first: &str, last: &str, finite: &str) -> String {
    // A literal of the smallest bigint is a negation of what is too large for one.
    let number = |end: i64| {
        format!(
            "BIGINT({})",
            if end == i64::MIN { "'-9223372036854775808'".to_owned() } else { end.to_string() }
        )
    };
    format!(
        "CASE {value} WHEN {} THEN {first} WHEN {} THEN {last} ELSE {finite} END",
        number(ends.0),
        number(ends.1)
    )
}

/// Where a timestamp's form ends, and the timestamp.
fn instant(form: TimeForm, value: &str) -> ((i64, i64), String) {
    match form {
        TimeForm::Millis => (INFINITE_MILLIS, format!("CAST(timestamp_millis({value}) AS TIMESTAMP_NTZ)")),
        _ => (INFINITE_MICROS, format!("CAST(timestamp_micros({value}) AS TIMESTAMP_NTZ)")),
    }
}

/// A date or time as PostgreSQL prints it: years before the first count from 1 BC, and those of more digits have no sign.
fn era(value: &str, zone: &str) -> String {
    let text = format!("CAST({value} AS STRING)");
    format!(
        "CASE WHEN year({value}) BETWEEN 1 AND 9999 THEN concat({text}, '{zone}') \
         WHEN year({value}) > 9999 THEN concat(ltrim('+', {text}), '{zone}') \
         ELSE concat(lpad(CAST(1 - year({value}) AS STRING), 4, '0'), regexp_extract({text}, '^-?[0-9]+(.*)$', 1), '{zone} BC') END"
    )
}

/// The text of a date or time with ISO's years, of which 0 is 1 BC.
fn astronomical(text: &str) -> String {
    format!(
        "CASE WHEN {text} LIKE '% BC' THEN concat('-', lpad(CAST(CAST(substring_index({text}, '-', 1) AS INT) - 1 AS STRING), 4, '0'), \
         substring({text}, instr({text}, '-'), length({text}) - instr({text}, '-') - 2)) \
         WHEN instr({text}, '-') > 5 THEN concat('+', {text}) ELSE {text} END"
    )
}
