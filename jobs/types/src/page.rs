//! `docs/types.md` is what the types say; `LAKEPULSE_WRITE_DOCS=1` writes it anew.

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value;

use crate::{
    AvroForm, BinaryMode, Conversion, DecimalMode, Defined, HstoreMode, IntervalMode, SourceType, TimeMode,
    TypeOptions, TypeRow,
};

/// A type's name in `pg_type`, its modifier, and what `format_type` makes of both. `[]`: an array of it.
const TYPES: [(&str, i32, &str); 57] = [
    ("bool", -1, "boolean"),
    ("int2", -1, "smallint"),
    ("int4", -1, "integer"),
    ("int8", -1, "bigint"),
    ("oid", -1, "oid"),
    ("float4", -1, "real"),
    ("float8", -1, "double precision"),
    ("numeric", (10 << 16 | 2) + 4, "numeric(10,2)"),
    ("numeric", (50 << 16 | 2) + 4, "numeric(50,2)"),
    ("numeric", -1, "numeric"),
    ("money", -1, "money"),
    ("date", -1, "date"),
    ("time", -1, "time without time zone"),
    ("timetz", -1, "time with time zone"),
    ("timestamp", 3, "timestamp(3) without time zone"),
    ("timestamp", -1, "timestamp without time zone"),
    ("timestamptz", -1, "timestamp with time zone"),
    ("interval", -1, "interval"),
    ("text", -1, "text"),
    ("varchar", -1, "character varying"),
    ("bpchar", -1, "character"),
    ("name", -1, "name"),
    ("char", -1, "\"char\""),
    ("citext", -1, "citext"),
    ("uuid", -1, "uuid"),
    ("json", -1, "json"),
    ("jsonb", -1, "jsonb"),
    ("xml", -1, "xml"),
    ("mood", -1, "an enum"),
    ("bytea", -1, "bytea"),
    ("bit", 1, "bit(1)"),
    ("bit", 8, "bit(8)"),
    ("varbit", -1, "bit varying"),
    ("inet", -1, "inet"),
    ("cidr", -1, "cidr"),
    ("macaddr", -1, "macaddr"),
    ("macaddr8", -1, "macaddr8"),
    ("int4range", -1, "int4range"),
    ("int8range", -1, "int8range"),
    ("numrange", -1, "numrange"),
    ("tsrange", -1, "tsrange"),
    ("tstzrange", -1, "tstzrange"),
    ("daterange", -1, "daterange"),
    ("int4multirange", -1, "int4multirange"),
    ("point", -1, "point"),
    ("box", -1, "box, circle, line, lseg, path, polygon"),
    ("tsvector", -1, "tsvector"),
    ("tsquery", -1, "tsquery"),
    ("pg_lsn", -1, "pg_lsn, pg_snapshot, xid, tid, regclass, …"),
    ("hstore", -1, "hstore"),
    ("ltree", -1, "ltree"),
    ("geometry", -1, "geometry"),
    ("vector", -1, "vector"),
    ("int4[]", -1, "integer[]"),
    ("numeric[]", (10 << 16 | 2) + 4, "numeric(10,2)[]"),
    ("text[]", -1, "text[]"),
    ("interval[]", -1, "interval[]"),
];

/// Each option of `[types]` with each choice but its default.
fn options() -> Vec<(&'static str, TypeOptions)> {
    let with = |set: fn(&mut TypeOptions)| {
        let mut options = TypeOptions::default();
        set(&mut options);
        options
    };
    vec![
        ("decimal = \"double\"", with(|it| it.decimal = DecimalMode::Double)),
        ("decimal = \"string\"", with(|it| it.decimal = DecimalMode::String)),
        ("time = \"adaptive_time_microseconds\"", with(|it| it.time = TimeMode::AdaptiveTimeMicroseconds)),
        ("time = \"connect\"", with(|it| it.time = TimeMode::Connect)),
        ("time = \"isostring\"", with(|it| it.time = TimeMode::IsoString)),
        ("time = \"microseconds\"", with(|it| it.time = TimeMode::Microseconds)),
        ("time = \"nanoseconds\"", with(|it| it.time = TimeMode::Nanoseconds)),
        ("binary = \"base64\"", with(|it| it.binary = BinaryMode::Base64)),
        ("binary = \"base64-url-safe\"", with(|it| it.binary = BinaryMode::Base64UrlSafe)),
        ("binary = \"hex\"", with(|it| it.binary = BinaryMode::Hex)),
        ("interval = \"string\"", with(|it| it.interval = IntervalMode::String)),
        ("hstore = \"map\"", with(|it| it.hstore = HstoreMode::Map)),
        ("unknown_as_text = false", with(|it| it.unknown_as_text = false)),
    ]
}

fn form(name: &str, modifier: i32, options: TypeOptions) -> AvroForm {
    let element = name.strip_suffix("[]");
    let labels = if name == "mood" { vec!["a".to_owned()] } else { Vec::new() };
    let plain = TypeRow { name: element.unwrap_or(name).to_owned(), labels, ..TypeRow::default() };
    let array = TypeRow { name: name.to_owned(), is_array: true, element: 1, ..TypeRow::default() };
    let types: HashMap<u32, TypeRow> = [(1, plain), (2, array)].into();
    AvroForm::resolve(&types, if element.is_some() { 2 } else { 1 }, modifier, options)
}

/// A schema's type, and what Debezium or Avro call it.
fn schema_name(schema: &Value) -> String {
    let member = |name: &str| schema.get(name).and_then(Value::as_str);
    let Some(kind) = member("type") else {
        return schema.as_str().map(|name| format!("`{name}`")).unwrap_or_default();
    };
    if kind == "array" {
        let items = schema.get("items").cloned().unwrap_or_default();
        let element = match items.as_array() {
            Some(union) => union.iter().find(|branch| *branch != "null").cloned().unwrap_or_default(),
            None => items,
        };
        return format!("array of {}", schema_name(&element));
    }
    let known = member("connect.name").and_then(|name| name.rsplit('.').next());
    known
        .or_else(|| member("logicalType"))
        .map_or_else(|| format!("`{kind}`"), |name| format!("`{kind}`, {name}"))
}

fn avro(form: &AvroForm) -> String {
    if *form == AvroForm::Unknown {
        return "left out".to_owned();
    }
    schema_name(&form.schema(&mut Defined::default()))
}

fn canonical(source: &SourceType) -> &'static str {
    match source {
        SourceType::Boolean => "JSON's `true`, `false`",
        SourceType::SmallInt | SourceType::Integer | SourceType::BigInt | SourceType::Oid => "JSON's number",
        SourceType::Real | SourceType::Double => "as Java prints it",
        SourceType::Array(_) => "JSON array of the elements' texts",
        _ => "PostgreSQL's text",
    }
}

fn page() -> String {
    let mut page = "# What becomes of each type?

This page is made from `jobs/types`, which capture and the lakehouse share; a test compares both.

- **Kafka**: Debezium's Avro form by default, and by each option of `[types]` that changes it.
- **Read from**: where silver takes the value from: the Avro form where that says all that PostgreSQL's text says, else the text that
  capture writes beside the record (header `text`).
- **`silver.changes`**: the canonical text in `key`, `row` and `before`. PostgreSQL's text is what psql prints with the C locale, in UTC, with
  `DateStyle = ISO` and `bytea_output = hex`.
- `lakepulse verify` takes PostgreSQL's text through the same conversion, and compares values of Spark's type.

| PostgreSQL | Kafka | read from | `silver.changes` | Spark | Trino |
|---|---|---|---|---|---|
"
    .to_owned();
    for (name, modifier, source) in TYPES {
        let default = form(name, modifier, TypeOptions::default());
        let source_type: SourceType = source.parse().unwrap_or_else(|_| SourceType::Text(source.to_owned()));
        let mut kafka = avro(&default);
        for (option, options) in options() {
            let other = form(name, modifier, options);
            if other != default {
                kafka.push_str(&format!("; {option}: {}", avro(&other)));
            }
        }
        let read = match Conversion::of(&source_type, &default) {
            Conversion::Avro => "Avro",
            Conversion::Text => "text",
        };
        page.push_str(&format!(
            "| {source} | {kafka} | {read} | {} | {} | {} |\n",
            canonical(&source_type),
            source_type.spark(),
            source_type.trino()
        ));
    }
    page.push_str(
        "
A domain is what it is made of. Masked columns (`[columns] mask`) are texts, of any type; excluded ones are in no table.

Values that the engines have no place for:

| value | in `silver.changes` | in Spark and Trino |
|---|---|---|
| `infinity`, `-infinity` of dates and timestamps | as PostgreSQL prints it | 9999-12-31 (23:59:59.999999), 0001-01-01 (00:00:00) |
| years before 1 and after 9999 | as PostgreSQL prints it | the value; some clients of both engines fail on it |
| timestamps after 294247-01-10, where 64 bits of microseconds end | as PostgreSQL prints it | 9999-12-31 23:59:59.999999 |
| `NaN` in numeric of at most 38 digits | `NaN` | NULL |
| an array of another number of dimensions than its column's others | the table is held | |
| microseconds of timestamps with time zone | all | all in Spark; Trino shows milliseconds |
",
    );
    page
}

#[test]
fn the_page_of_types_is_current() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/types.md");
    if std::env::var_os("LAKEPULSE_WRITE_DOCS").is_some() {
        std::fs::write(&file, page()).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(
        written == page(),
        "docs/types.md is not current; run LAKEPULSE_WRITE_DOCS=1 cargo test -p lakepulse-types"
    );
}
