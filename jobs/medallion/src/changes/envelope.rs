//! What a payload holds: its writer schema's fields, and each as Spark SQL.

use lakepulse_types::{AvroForm, Conversion, SourceType};
use serde_json::Value;

use crate::control::{Shape, ShapeColumn};
use crate::error::{Error, ErrorKind, Result};
use crate::lake::{quoted, text_literal};

/// A field of the row image.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: String,
    /// None for forms that leave something out; their columns have PostgreSQL's text in a header.
    form: Option<AvroForm>,
    /// Values without a place in the form are texts, in a further branch.
    or_text: bool,
}

/// The schema that payloads of a topic were written with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope {
    json: String,
    /// The same, of which Spark reads dates and timestamps as such and not as numbers.
    json_with_times: String,
    fields: Vec<Field>,
}

/// The names that expressions go by inside of [`Envelope::bound`].
const EVENT: &str = "e";
const IMAGE: &str = "i";
const TEXTS: &str = "x";
const UNTOLD: &str = "u";

impl Envelope {
    pub(crate) fn parse(json: &str) -> Result<Self> {
        let refuse =
            |what: &str| Error::new(ErrorKind::Data, format!("a writer schema is no envelope: {what}"));
        let mut schema: Value = serde_json::from_str(json).map_err(|error| refuse(&error.to_string()))?;
        // `before` comes first and spells the row's record out; `after` refers to it by name.
        let before = members(&schema, "fields")
            .iter()
            .find(|field| field.get("name").is_some_and(|name| name == "before"));
        let row = before
            .and_then(|before| branches(before.get("type")).find(|branch| branch.get("fields").is_some()));
        let row = row.ok_or_else(|| refuse("before holds no record"))?;
        let fields = members(row, "fields")
            .iter()
            .map(|field| Field::parse(field).ok_or_else(|| refuse("a field has no type")));
        let fields = fields.collect::<Result<_>>()?;
        forget_long_decimals(&mut schema);
        let json = schema.to_string();
        name_times(&mut schema);
        Ok(Self { json, json_with_times: schema.to_string(), fields })
    }

    /// `from_avro` of a row of bronze; a payload that is not of this schema gives a struct of NULLs.
    fn decoded(json: &str) -> String {
        format!(
            "from_avro(substring(value, 6), {}, map('mode', 'PERMISSIVE', 'datetimeRebaseMode', 'CORRECTED'))",
            text_literal(json)
        )
    }

    /// An expression over a row of bronze: `body` over the decoded event `e`, its row image `i`, PostgreSQL's texts `x` (a map by field)
    /// and the fields `u` that were not told. Each is computed once, whatever the body names how often.
    fn bound(&self, image: &str, texts: &str, body: &str) -> String {
        let body = bind(UNTOLD, "from_json(untold, 'ARRAY<STRING>')", body.to_owned());
        let body = bind(TEXTS, &format!("from_json({texts}, 'MAP<STRING,STRING>')"), body);
        let body = bind(IMAGE, image, body);
        bind(EVENT, &Self::decoded(&self.json), body)
    }

    /// What `silver.changes` has of an event of this shape, of which some may have texts beside them: a struct of at timestamp (the commit), source_table string, shape int,
    /// key string, row string, before string, untold array<string>, decoded boolean (whether all of it could be read).
    pub(crate) fn change(&self, table: &str, shape: &Shape, has_texts: bool) -> String {
        match self.plain(shape).filter(|_| !has_texts) {
            Some(row) => self.plain_change(table, shape, &row),
            None => self.any_change(table, shape),
        }
    }

    /// The columns in canonical text as Spark's type of a struct, if one cast gives them: this takes a tenth of the expressions.
    fn plain(&self, shape: &Shape) -> Option<String> {
        let mut columns = Vec::new();
        for (column, field) in shape.columns.iter().zip(&self.fields) {
            let is_exact = |form: &AvroForm| Conversion::of(&column.source, form) == Conversion::Avro;
            let kind = match &field.form {
                _ if column.masked => "STRING",
                Some(form) if is_exact(form) => form.canonical_type()?,
                _ => return None,
            };
            if field.name != column.field || field.or_text {
                return None;
            }
            columns.push(format!("{}: {kind}", quoted(&column.column)));
        }
        let is_whole = shape.columns.len() == self.fields.len();
        is_whole.then(|| format!("STRUCT<{}>", columns.join(", ")))
    }

    fn plain_change(&self, table: &str, shape: &Shape, row: &str) -> String {
        let json = |value: &str| format!("to_json({value}, map('ignoreNullFields', 'false'))");
        let keys = shape.key.iter().map(|key| format!("{}, {IMAGE}.{}", text_literal(key), quoted(key)));
        let keys: Vec<String> = keys.collect();
        let key = if keys.is_empty() {
            "CAST(NULL AS STRING)".to_owned()
        } else {
            json(&format!("named_struct({})", keys.join(", ")))
        };
        let before = if shape.is_identity_full && keys.is_empty() {
            let before = json(&format!("CAST({EVENT}.before AS {row})"));
            format!("CASE WHEN {EVENT}.op IN ('u', 'd') THEN {before} END")
        } else {
            "CAST(NULL AS STRING)".to_owned()
        };
        let body = format!(
            "named_struct('at', timestamp_micros({EVENT}.source.ts_us), 'source_table', {}, 'shape', {}, 'key', {key}, \
             'row', CASE WHEN {EVENT}.op IN ('c', 'r', 'u') THEN {} END, 'before', {before}, 'untold', CAST(NULL AS ARRAY<STRING>), \
             'decoded', {EVENT}.op IS NOT NULL)",
            text_literal(table),
            shape.version,
            json(IMAGE),
        );
        let image = format!("CAST(if({EVENT}.op = 'd', {EVENT}.before, {EVENT}.after) AS {row})");
        bind(EVENT, &Self::decoded(&self.json_with_times), bind(IMAGE, &image, body))
    }

    fn any_change(&self, table: &str, shape: &Shape) -> String {
        let all: Vec<&ShapeColumn> = shape.columns.iter().collect();
        let keys: Vec<&ShapeColumn> = shape.key.iter().filter_map(|name| shape.column(name)).collect();
        let key =
            if keys.is_empty() { "CAST(NULL AS STRING)".to_owned() } else { self.json_of(&keys, false) };
        let row = format!("CASE WHEN {EVENT}.op IN ('c', 'r', 'u') THEN {} END", self.json_of(&all, true));
        // The key's image is the row's that the event is about; a second binding would decode once more.
        let image = format!("if({EVENT}.op = 'd', {EVENT}.before, {EVENT}.after)");
        let before = if shape.is_identity_full && keys.is_empty() {
            let json = self.json_of(&all, false);
            format!(
                "CASE WHEN {EVENT}.op IN ('u', 'd') THEN transform(array({EVENT}.before), {IMAGE} -> \
                 transform(array(from_json(if({EVENT}.op = 'd', texts, texts_before), 'MAP<STRING,STRING>')), {TEXTS} -> {json})[0])[0] END"
            )
        } else {
            "CAST(NULL AS STRING)".to_owned()
        };
        let body = format!(
            "named_struct('at', timestamp_micros({EVENT}.source.ts_us), 'source_table', {}, 'shape', {}, 'key', {key}, 'row', {row}, \
             'before', {before}, 'untold', {}, 'decoded', {EVENT}.op IS NOT NULL AND NOT {})",
            text_literal(table),
            shape.version,
            untold_columns(shape),
            self.misfits(shape),
        );
        self.bound(&image, "texts", &body)
    }

    /// [`Envelope::change`] of an event that can't be read.
    pub(crate) fn unread(table: &str, shape: &Shape) -> String {
        format!(
            "named_struct('at', CAST(NULL AS TIMESTAMP), 'source_table', {}, 'shape', {}, 'key', CAST(NULL AS STRING), \
             'row', CAST(NULL AS STRING), 'before', CAST(NULL AS STRING), 'untold', CAST(NULL AS ARRAY<STRING>), 'decoded', false)",
            text_literal(table),
            shape.version
        )
    }

    /// The field of [`Envelope::row`] beside the columns.
    pub(crate) const COMMITTED_AT: &str = "committed at, of the event";

    /// The row of an event of the shape `from` as a struct of the columns of the shape `to` in their Spark types, and when the event was
    /// committed.
    pub(crate) fn row(&self, from: &Shape, to: &Shape) -> String {
        let mut columns: Vec<String> = to
            .columns
            .iter()
            .map(|column| {
                let former = from.columns.iter().find(|former| former.is(column));
                let value = former.map_or_else(|| column.missing_value(), |former| self.typed(former));
                format!("{}, CAST({value} AS {})", text_literal(&column.column), column.lake_type().spark())
            })
            .collect();
        columns.push(format!("'{}', timestamp_micros({EVENT}.source.ts_us)", Self::COMMITTED_AT));
        let body = format!("named_struct({})", columns.join(", "));
        self.bound(&format!("{EVENT}.after"), "texts", &body)
    }

    /// Whether a row of bronze has an array that its column's type has no place for, such as one of two dimensions; none when this
    /// schema has no room for such.
    pub(crate) fn has_misfit(&self, shape: &Shape) -> Option<String> {
        let misfits = self.misfits(shape);
        (misfits != NO_MISFITS).then(|| self.bound(&format!("{EVENT}.after"), "texts", &misfits))
    }

    fn misfits(&self, shape: &Shape) -> String {
        let texts = shape.columns.iter().filter_map(|column| match self.source(column) {
            Source::Avro(AvroForm::Array(_), _, Some(text)) => Some(format!("{text} IS NOT NULL")),
            _ => None,
        });
        let texts: Vec<String> = texts.collect();
        if texts.is_empty() {
            NO_MISFITS.to_owned()
        } else {
            format!("coalesce({}, false)", texts.join(" OR "))
        }
    }

    /// A JSON object of columns in canonical text.
    fn json_of(&self, columns: &[&ShapeColumn], may_be_untold: bool) -> String {
        let pairs = columns.iter().map(|column| {
            let value = self.canonical(column);
            let value = if may_be_untold && column.source.can_be_toasted() {
                let field = text_literal(&column.field);
                format!("if({UNTOLD} IS NOT NULL AND array_contains({UNTOLD}, {field}), NULL, {value})")
            } else {
                value
            };
            format!("{}, {value}", text_literal(&column.column))
        });
        let pairs: Vec<String> = pairs.collect();
        format!("to_json(named_struct({}), map('ignoreNullFields', 'false'))", pairs.join(", "))
    }

    fn canonical(&self, column: &ShapeColumn) -> String {
        match self.source(column) {
            Source::Text(text) => text,
            Source::Avro(form, value, None) => form.canonical(&value),
            // A row with a text in there is not decoded.
            Source::Avro(form, value, Some(_)) if matches!(form, AvroForm::Array(_)) => {
                form.canonical(&value)
            }
            Source::Avro(form, value, Some(text)) => {
                format!("coalesce({text}, CAST({} AS STRING))", form.canonical(&value))
            }
        }
    }

    fn typed(&self, column: &ShapeColumn) -> String {
        let lake_type = column.lake_type();
        let value = match self.source(column) {
            Source::Text(text) => lake_type.typed_canonical(&text),
            Source::Avro(form, value, Some(text)) if !matches!(form, AvroForm::Array(_)) => {
                let text = lake_type.typed_canonical(&text);
                format!("coalesce({text}, {})", form.typed(&value))
            }
            Source::Avro(form, value, _) => form.typed(&value),
        };
        format!("CAST({value} AS {})", lake_type.spark())
    }

    fn source(&self, column: &ShapeColumn) -> Source {
        let Some(field) = self.fields.iter().find(|field| field.name == column.field) else {
            return Source::Text("CAST(NULL AS STRING)".to_owned());
        };
        let value = format!("{IMAGE}.{}", quoted(&field.name));
        if column.masked {
            return Source::Text(format!("CAST({value} AS STRING)"));
        }
        match &field.form {
            Some(form) if Conversion::of(&column.source, form) == Conversion::Avro => {
                if field.or_text {
                    Source::Avro(form.clone(), format!("{value}.member0"), Some(format!("{value}.member1")))
                } else {
                    // Debezium's schemas do not tell an hstore from JSON.
                    let may_have_text = form.may_have_text() || is_hstore(&column.source);
                    let text = may_have_text.then(|| format!("{TEXTS}[{}]", text_literal(&field.name)));
                    Source::Avro(form.clone(), value, text)
                }
            }
            _ => Source::Text(format!("{TEXTS}[{}]", text_literal(&field.name))),
        }
    }
}

/// A body that names a value, which is computed once.
fn bind(name: &str, value: &str, body: String) -> String {
    format!("transform(array({value}), {name} -> {body})[0]")
}

/// The type is an extension's, in whatever schema.
fn is_hstore(source: &SourceType) -> bool {
    matches!(source, SourceType::Text(name) if name == "hstore" || name.ends_with(".hstore"))
}

const NO_MISFITS: &str = "false";

/// Where a column's value is.
enum Source {
    /// Canonical text.
    Text(String),
    /// In Avro, and a text for values without a place in the form.
    Avro(AvroForm, String, Option<String>),
}

/// The names in the lakehouse of the columns that were not told.
fn untold_columns(shape: &Shape) -> String {
    let renamed: Vec<String> = shape
        .columns
        .iter()
        .filter(|column| column.field != column.column)
        .map(|column| format!("WHEN {} THEN {}", text_literal(&column.field), text_literal(&column.column)))
        .collect();
    if renamed.is_empty() {
        return UNTOLD.to_owned();
    }
    format!("transform({UNTOLD}, f -> CASE f {} ELSE f END)", renamed.join(" "))
}

impl Field {
    fn parse(field: &Value) -> Option<Self> {
        let values: Vec<&Value> = branches(field.get("type")).filter(|branch| *branch != "null").collect();
        Some(Self {
            name: field.get("name")?.as_str()?.to_owned(),
            form: AvroForm::told_by(values.first()?),
            or_text: values.len() > 1,
        })
    }
}

/// Decimals that are longer than Spark's become bytes, which they are laid down as; their columns have texts beside them.
fn forget_long_decimals(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            if members.get("precision").and_then(Value::as_u64).is_some_and(|digits| digits > MOST_DIGITS) {
                members.remove("logicalType");
            }
            members.values_mut().for_each(forget_long_decimals);
        }
        Value::Array(items) => items.iter_mut().for_each(forget_long_decimals),
        _ => {}
    }
}

/// Gives Debezium's dates and timestamps, which are numbers, the names that Avro has for them.
fn name_times(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let name = match members.get("connect.name").and_then(Value::as_str) {
                Some("io.debezium.time.Date") => Some("date"),
                Some("io.debezium.time.Timestamp") => Some("local-timestamp-millis"),
                Some("io.debezium.time.MicroTimestamp") => Some("local-timestamp-micros"),
                _ => None,
            };
            if let Some(name) = name {
                members.insert("logicalType".to_owned(), Value::from(name));
            }
            members.values_mut().for_each(name_times);
        }
        Value::Array(items) => items.iter_mut().for_each(name_times),
        _ => {}
    }
}

/// Of Spark's decimals.
const MOST_DIGITS: u64 = 38;

fn members<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The branches of a union, or the one type.
fn branches(of: Option<&Value>) -> impl Iterator<Item = &Value> {
    let (union, single) = match of {
        Some(Value::Array(union)) => (union.as_slice(), None),
        single => (&[][..], single),
    };
    union.iter().chain(single)
}
