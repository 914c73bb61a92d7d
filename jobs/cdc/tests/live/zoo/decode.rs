//! Values of the topics back to literals that PostgreSQL reads, by nothing but their schemas and Debezium's
//! documentation of its semantic types; none of the capture's own code.

use apache_avro::types::Value;
use num_bigint::BigInt;
use serde_json::Value as Json;

use crate::stage::Result;

const US_PER_DAY: i64 = 86_400_000_000;
/// What Debezium writes for the ends of time, in milliseconds and as texts.
const INFINITE_MS: [i64; 2] = [9_223_372_036_825_200_000, -9_223_372_036_832_400_000];
const INFINITE_ISO: [&str; 2] = ["+292278994-08-16T23:00:00Z", "-292275055-05-16T23:00:00Z"];

/// The fields of a row, from the envelope's schema: names and schemas, in their order.
pub fn fields(envelope: &Json) -> Result<Vec<(String, Json)>> {
    let row = &envelope["fields"][0]["type"][1]["fields"];
    let fields = row.as_array().ok_or("the envelope has no row")?;
    Ok(fields
        .iter()
        .map(|field| (field["name"].as_str().unwrap_or_default().to_owned(), present(&field["type"]).clone()))
        .collect())
}

/// The branch of a union that is not null.
fn present(schema: &Json) -> &Json {
    match schema.as_array() {
        Some(branches) => branches.iter().find(|branch| *branch != "null").unwrap_or(&Json::Null),
        None => schema,
    }
}

/// The semantic type; that of a type defined earlier in the schema is its name.
fn semantic(schema: &Json) -> &str {
    schema["connect.name"].as_str().or(schema.as_str().filter(|name| name.contains('.'))).unwrap_or_default()
}

/// Whether values are PostgreSQL's own texts, so that they are compared as they are.
pub fn is_verbatim(schema: &Json) -> bool {
    let string = schema == "string" || schema["type"] == "string";
    let kept = ["Uuid", "Json", "Xml", "Tsvector", "Ltree", "Enum"];
    let name = semantic(schema);
    string && (name.is_empty() || kept.iter().any(|kind| name == format!("io.debezium.data.{kind}")))
}

/// A literal for a value; none for null.
pub fn literal(schema: &Json, value: &Value) -> Result<Option<String>> {
    let schema = present(schema);
    Ok(Some(match value {
        Value::Null => return Ok(None),
        Value::Union(_, inner) => return literal(schema, inner),
        Value::Boolean(value) => u8::from(*value).to_string(),
        Value::Int(value) => number(semantic(schema), i64::from(*value))?,
        Value::Long(value) => number(semantic(schema), *value)?,
        Value::Float(value) => value.to_string(),
        Value::Double(value) => value.to_string(),
        Value::String(text) => string(semantic(schema), text)?,
        Value::Bytes(bytes) if semantic(schema) == "io.debezium.data.Bits" => bits(schema, bytes)?,
        Value::Bytes(bytes) => {
            bytes.iter().fold("\\x".to_owned(), |text, byte| text + &format!("{byte:02x}"))
        }
        Value::Decimal(decimal) => {
            let scale = schema["scale"].as_i64().ok_or("a decimal without a scale")?;
            decimal_text(&<Vec<u8>>::try_from(decimal)?, scale)
        }
        Value::Array(elements) => {
            let texts: Result<Vec<String>> = elements
                .iter()
                .map(|element| {
                    let text = literal(&schema["items"], element)?;
                    Ok(text.map_or("NULL".to_owned(), |text| quoted(&text)))
                })
                .collect();
            format!("{{{}}}", texts?.join(","))
        }
        Value::Map(pairs) => {
            let texts: Result<Vec<String>> = pairs
                .iter()
                .map(|(key, value)| {
                    let text = literal(&schema["values"], value)?;
                    Ok(format!("{}=>{}", quoted(key), text.map_or("NULL".to_owned(), |text| quoted(&text))))
                })
                .collect();
            texts?.join(",")
        }
        Value::Record(fields) => record(semantic(schema), fields)?,
        other => return Err(format!("{other:?} of {schema} is not expected").into()),
    }))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn record(name: &str, fields: &[(String, Value)]) -> Result<String> {
    match (name, fields) {
        ("io.debezium.data.VariableScaleDecimal", [(_, Value::Int(scale)), (_, Value::Bytes(unscaled))]) => {
            Ok(decimal_text(unscaled, i64::from(*scale)))
        }
        ("io.debezium.data.geometry.Point", [(_, Value::Double(x)), (_, Value::Double(y)), (_, wkb), _]) => {
            let Value::Union(_, wkb) = wkb else { return Err("a point has no WKB".into()) };
            let expected = [&[1, 1, 0, 0, 0][..], &x.to_le_bytes(), &y.to_le_bytes()].concat();
            if **wkb != Value::Bytes(expected) {
                return Err(format!("the WKB of ({x},{y}) is {wkb:?}").into());
            }
            Ok(format!("({x},{y})"))
        }
        _ => Err(format!("a record {name} with fields {fields:?} is not expected").into()),
    }
}

fn decimal_text(unscaled: &[u8], scale: i64) -> String {
    format!("{}e{}", BigInt::from_signed_bytes_be(unscaled), -scale)
}

/// The lowest bit is the last of the first byte; zeros in front are not kept, but a schema may tell the length.
fn bits(schema: &Json, bytes: &[u8]) -> Result<String> {
    let length: usize =
        schema["connect.parameters"]["length"].as_str().ok_or("bits have no length")?.parse()?;
    let digits: String = bytes.iter().rev().map(|byte| format!("{byte:08b}")).collect();
    let digits = digits.trim_start_matches('0');
    let length = if length == 0x7FFF_FFFF { 0 } else { length };
    Ok(format!("{digits:0>length$}"))
}

fn number(name: &str, value: i64) -> Result<String> {
    Ok(match name {
        "" | "io.debezium.time.MicroDuration" => value.to_string(),
        "io.debezium.time.Date" => match i32::try_from(value)? {
            i32::MAX => "infinity".to_owned(),
            i32::MIN => "-infinity".to_owned(),
            days => date(i64::from(days)),
        },
        "io.debezium.time.Time" => clock(value * 1000),
        "io.debezium.time.MicroTime" => clock(value),
        "io.debezium.time.Timestamp" if value == INFINITE_MS[0] => "infinity".to_owned(),
        "io.debezium.time.Timestamp" if value == INFINITE_MS[1] => "-infinity".to_owned(),
        "io.debezium.time.Timestamp" => {
            timestamp(value.div_euclid(86_400_000), value.rem_euclid(86_400_000) * 1000)
        }
        "io.debezium.time.MicroTimestamp" => match value {
            i64::MAX => "infinity".to_owned(),
            i64::MIN => "-infinity".to_owned(),
            value => timestamp(value.div_euclid(US_PER_DAY), value.rem_euclid(US_PER_DAY)),
        },
        other => return Err(format!("a number of type {other} is not expected").into()),
    })
}

fn string(name: &str, text: &str) -> Result<String> {
    let infinite = |text| INFINITE_ISO.iter().position(|infinite| *infinite == text);
    Ok(match name.trim_start_matches("io.debezium.time.") {
        "ZonedTimestamp" | "IsoTimestamp" | "IsoDate" => match infinite(text) {
            Some(0) => "infinity".to_owned(),
            Some(_) => "-infinity".to_owned(),
            None if text.ends_with("infinity") => text.to_owned(),
            None => with_era(&text.strip_suffix('Z').ok_or("a time is not in UTC")?.replace('T', " "))?,
        },
        "IsoTime" => text.strip_suffix('Z').ok_or("a time is not in UTC")?.to_owned(),
        // Those that say where they are, ISO 8601's intervals, and verbatim texts.
        _ => text.to_owned(),
    })
}

/// ISO's year -43 is PostgreSQL's 44 BC; a year above 9999 has a sign.
fn with_era(text: &str) -> Result<String> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.trim_start_matches('+')),
    };
    let (year, rest) = digits.split_once('-').ok_or("a date without a month")?;
    let year: i64 = year.parse()?;
    Ok(match if negative { -year } else { year } {
        year if year <= 0 => format!("{:04}-{rest} BC", 1 - year),
        year => format!("{year:04}-{rest}"),
    })
}

/// Days since 1970 as a date of the proleptic Gregorian calendar.
pub fn date(days: i64) -> String {
    let (mut year, mut rest) = (1970 + days.div_euclid(146_097) * 400, days.rem_euclid(146_097));
    let is_leap = |year: i64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    while rest >= 365 + i64::from(is_leap(year)) {
        rest -= 365 + i64::from(is_leap(year));
        year += 1;
    }
    let february = 28 + i64::from(is_leap(year));
    let mut month = 1;
    for length in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
        if rest < length {
            break;
        }
        rest -= length;
        month += 1;
    }
    let (shown, era) = if year > 0 { (year, "") } else { (1 - year, " BC") };
    format!("{shown:04}-{month:02}-{:02}{era}", rest + 1)
}

/// Microseconds since midnight.
pub fn clock(micros: i64) -> String {
    let seconds = micros / 1_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{:06}", seconds % 60, micros % 1_000_000)
}

/// A day and the microseconds since its midnight.
pub fn timestamp(days: i64, micros: i64) -> String {
    let day = date(days);
    match day.strip_suffix(" BC") {
        Some(day) => format!("{day} {} BC", clock(micros)),
        None => format!("{day} {}", clock(micros)),
    }
}
