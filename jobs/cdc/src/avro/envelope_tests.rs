use apache_avro::Schema;
use apache_avro::types::Value;
use lakepulse_types::{AvroForm, BinaryMode, Conversion, DateForm, HstoreMode, TimeForm};
use proptest::prelude::*;

use super::*;
use crate::avro::read_back::read_back;
use crate::avro::{SnapshotMark, key_schema, value_schema};
use crate::lsn::Lsn;
use crate::pgoutput::TupleBuffer;
use crate::secret::Secret;
use crate::table::{ColumnDefault, Mask, TableName};

fn column(name: &str, kind: AvroForm, nullable: bool) -> Column {
    Column::new(name, kind, nullable)
}

fn encoder_with_key(columns: Vec<Column>, key: Vec<usize>) -> TableEncoder {
    let name = TableName { schema: "sales".into(), table: "orders".into() };
    let shape = TableShape::new(name, columns, key);
    TableEncoder::new(shape, "wwi.sales.orders", (Some(7), 8), "wwi", "wwi")
}

fn encoder(columns: Vec<Column>) -> TableEncoder {
    encoder_with_key(columns, vec![0])
}

/// A row of these texts; none is null, and `UNCHANGED` a value that the update left alone.
fn row(values: &[Option<&str>]) -> TupleBuffer {
    let mut buffer = TupleBuffer::default();
    for value in values {
        match value {
            None => buffer.null(),
            Some(UNCHANGED) => buffer.unchanged(),
            Some(text) => buffer.text(text.as_bytes()),
        }
    }
    buffer
}

const UNCHANGED: &str = "(unchanged)";

fn read(encoder: &TableEncoder, event: &Event<'_>) -> Vec<(String, Value)> {
    let mut bytes = Vec::new();
    encoder.value(event, &mut Stamp::default(), &mut Texts::default(), &mut bytes).unwrap();
    assert_eq!(&bytes[..5], [0, 0, 0, 0, 8]);
    match read_back(&value_schema("wwi.sales.orders", &encoder.shape), &bytes[5..]) {
        Value::Record(fields) => fields,
        other => panic!("{other:?}"),
    }
}

fn get<'a>(fields: &'a [(String, Value)], name: &str) -> &'a Value {
    let value = &fields.iter().find(|(field, _)| field == name).unwrap().1;
    if let Value::Union(_, inner) = value { inner } else { value }
}

fn event<'a>(operation: Operation, before: Option<Image<'a>>, after: Option<Image<'a>>) -> Event<'a> {
    let source = EventSource {
        committed_at_us: 1_600_000_000_123_456,
        previous_commit: None,
        lsn: Lsn(42),
        xid: Some(9),
        snapshot: SnapshotMark::No,
    };
    Event { operation, before, after, source, transaction: None, now_us: 1_600_000_001_000_000 }
}

/// Encodes one nullable value and reads it back by the Avro library.
fn through(kind: AvroForm, value: &str) -> Value {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false), column("v", kind, true)]);
    let values = row(&[Some("1"), Some(value)]);
    let fields = read(&encoder, &event(Operation::Create, None, Some(Image::Row(values.tuple().into()))));
    match get(&fields, "after") {
        Value::Record(row) => get(row, "v").clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_type_is_read_back_by_the_avro_library() {
    let bytes = |bytes: &[u8]| Value::Bytes(bytes.to_vec());
    let string = |text: &str| Value::String(text.into());
    let table = [
        (AvroForm::Boolean, "t", Value::Boolean(true)),
        (AvroForm::Int2, "-7", Value::Int(-7)),
        (AvroForm::Int8, "9223372036854775807", Value::Long(i64::MAX)),
        (AvroForm::Float4, "1.5", Value::Float(1.5)),
        (AvroForm::Float8, "-Infinity", Value::Double(f64::NEG_INFINITY)),
        (AvroForm::Text, "größe", string("größe")),
        (AvroForm::Date(DateForm::Days), "2020-02-29", Value::Int(18321)),
        (AvroForm::Time(TimeForm::Millis), "01:02:03.456", Value::Int(3_723_456)),
        (AvroForm::Time(TimeForm::Micros), "01:02:03.456789", Value::Long(3_723_456_789)),
        (AvroForm::TimeTz, "01:02:03.456+02", string("23:02:03.456Z")),
        (
            AvroForm::Timestamp(TimeForm::Micros),
            "2020-01-02 03:04:05.678901",
            Value::Long(1_577_934_245_678_901),
        ),
        (AvroForm::TimestampTz(6), "2020-01-02 01:04:05.678901+00", string("2020-01-02T01:04:05.678901Z")),
        (
            AvroForm::Uuid,
            "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            string("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
        ),
        (AvroForm::Bytea(BinaryMode::Bytes), "\\xdeadbeef", bytes(&[0xDE, 0xAD, 0xBE, 0xEF])),
        (AvroForm::Bytea(BinaryMode::Bytes), "\\x", bytes(&[])),
        (AvroForm::Bit, "1", Value::Boolean(true)),
        (AvroForm::Bits(8), "10101010", bytes(&[0xAA])),
        (AvroForm::Bits(i32::MAX), "101", bytes(&[5])),
        (AvroForm::Enum(vec!["ok".into()]), "ok", string("ok")),
    ];
    for (kind, value, expected) in table {
        assert_eq!(through(kind.clone(), value), expected, "{kind:?} {value}");
    }
    let Value::Decimal(price) = through(AvroForm::Decimal { precision: 18, scale: 2 }, "-12.34") else {
        panic!()
    };
    assert_eq!(<Vec<u8>>::try_from(price).unwrap(), [0xFB, 0x2E]);
    let Value::Record(number) = through(AvroForm::VariableScaleDecimal, "123.4500") else { panic!() };
    assert_eq!(number, [("scale".into(), Value::Int(2)), ("value".into(), bytes(&[0x30, 0x39]))]);
    let Value::Array(elements) = through(AvroForm::Array(Box::new(AvroForm::Int4)), "{1,NULL}") else {
        panic!()
    };
    assert_eq!(elements, [Value::Union(1, Box::new(Value::Int(1))), Value::Union(0, Box::new(Value::Null))]);
}

#[test]
fn an_unchanged_value_is_the_placeholder() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false), column("v", AvroForm::Text, true)]);
    let values = row(&[Some("1"), Some(UNCHANGED)]);
    let fields = read(&encoder, &event(Operation::Update, None, Some(Image::Row(values.tuple().into()))));
    let Value::Record(row) = get(&fields, "after") else { panic!() };
    assert_eq!(get(row, "v"), &Value::String("__debezium_unavailable_value".into()));
}

#[test]
fn a_delete_by_key_has_zeros_where_null_is_not_allowed() {
    let encoder = encoder(vec![
        column("id", AvroForm::Int4, false),
        column("name", AvroForm::Text, false),
        column("note", AvroForm::Text, true),
    ]);
    let values = row(&[Some("1"), None, None]);
    let fields = read(&encoder, &event(Operation::Delete, Some(Image::Key(values.tuple().into())), None));
    let Value::Record(row) = get(&fields, "before") else { panic!() };
    assert_eq!(
        (get(row, "id"), get(row, "name"), get(row, "note")),
        (&Value::Int(1), &Value::String(String::new()), &Value::Null)
    );
    assert_eq!(get(&fields, "after"), &Value::Null);
    assert_eq!(get(&fields, "op"), &Value::String("d".into()));
}

#[test]
fn the_source_tells_commit_time_and_place() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false)]);
    let values = row(&[Some("1")]);
    let fields = read(&encoder, &event(Operation::Create, None, Some(Image::Row(values.tuple().into()))));
    let Value::Record(source) = get(&fields, "source") else { panic!() };
    assert_eq!(get(source, "ts_ms"), &Value::Long(1_600_000_000_123));
    assert_eq!(get(source, "sequence"), &Value::String("[null,\"42\"]".into()));
    assert_eq!(get(source, "txId"), &Value::Long(9));
    assert_eq!(get(source, "snapshot"), &Value::String("false".into()));
}

#[test]
fn a_full_old_row_gives_the_unchanged_value() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false), column("v", AvroForm::Text, true)]);
    let (old, new) = (row(&[Some("1"), Some("old")]), row(&[Some("2"), Some(UNCHANGED)]));
    let after = Image::Row(Row::after(new.tuple(), old.tuple()));
    let fields = read(&encoder, &event(Operation::Update, None, Some(after)));
    let Value::Record(row) = get(&fields, "after") else { panic!() };
    assert_eq!((get(row, "id"), get(row, "v")), (&Value::Int(2), &Value::String("old".into())));
}

#[test]
fn a_stamp_is_made_anew_for_another_transaction() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false)]);
    let values = row(&[Some("1")]);
    let mut stamp = Stamp::default();
    let mut event = event(Operation::Create, None, Some(Image::Row(values.tuple().into())));
    let bytes = |event: &Event<'_>, stamp: &mut Stamp| {
        let mut out = Vec::new();
        encoder.value(event, stamp, &mut Texts::default(), &mut out).unwrap();
        out
    };
    bytes(&event, &mut stamp);
    event.source.xid = Some(10);
    event.source.previous_commit = Some(Lsn(41));
    event.now_us += 1;
    assert_eq!(bytes(&event, &mut stamp), bytes(&event, &mut Stamp::default()));
}

#[test]
fn a_null_that_the_catalog_forbids_is_told_apart() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false), column("v", AvroForm::Text, false)]);
    let values = row(&[Some("1"), None]);
    let event = event(Operation::Create, None, Some(Image::Row(values.tuple().into())));
    let error =
        encoder.value(&event, &mut Stamp::default(), &mut Texts::default(), &mut Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedNull);
}

#[test]
fn keys_are_records_of_the_key_columns() {
    let columns = vec![column("a", AvroForm::Text, true), column("b", AvroForm::Int8, false)];
    let encoder = encoder_with_key(columns, vec![1, 0]);
    let mut bytes = Vec::new();
    encoder.key(&row(&[Some("x"), Some("5")]).tuple().into(), &mut bytes).unwrap();
    assert_eq!(
        read_back(&key_schema("wwi.sales.orders", &encoder.shape).unwrap(), &bytes[5..]),
        Value::Record(vec![("b".into(), Value::Long(5)), ("a".into(), Value::String("x".into()))])
    );
}

#[test]
fn defaults_are_told_and_stand_for_unknown_values() {
    let mut counted = column("n", AvroForm::Int4, false);
    counted.default = ColumnDefault::Constant("7".into());
    let mut computed = column("at", AvroForm::Timestamp(TimeForm::Micros), false);
    computed.default = ColumnDefault::Computed;
    let mut named = column("name", AvroForm::Text, true);
    named.default = ColumnDefault::Constant("none".into());
    let encoder = encoder(vec![column("id", AvroForm::Int4, false), counted, computed, named]);
    let values = row(&[Some("1"), None, None, None]);
    let fields = read(&encoder, &event(Operation::Delete, Some(Image::Key(values.tuple().into())), None));
    let Value::Record(before) = get(&fields, "before") else { panic!() };
    assert_eq!(
        (get(before, "n"), get(before, "at"), get(before, "name")),
        (&Value::Int(7), &Value::Long(0), &Value::Null)
    );
    let values = row(&[Some("1"), Some("2"), Some("1970-01-01 00:00:01"), Some("x")]);
    let fields = read(&encoder, &event(Operation::Create, None, Some(Image::Row(values.tuple().into()))));
    let Value::Record(after) = get(&fields, "after") else { panic!() };
    assert_eq!((get(after, "n"), get(after, "name")), (&Value::Int(2), &Value::String("x".into())));
    let schema = value_schema("wwi.sales.orders", &encoder.shape);
    assert!(
        schema.contains(
            r#"{"default":"none","name":"name","type":[{"connect.default":"none","type":"string"},"null"]}"#
        ),
        "{schema}"
    );
}

#[test]
fn what_is_left_out_and_what_is_disguised() {
    let secret = Column { captured: false, ..column("secret", AvroForm::Int4, false) };
    let masked = |name: &str, mask: Mask| Column { mask: Some(mask), ..column(name, AvroForm::Text, true) };
    let encoder = encoder(vec![
        column("id", AvroForm::Int4, false),
        secret,
        masked("hash", Mask::Hash(Secret::new("salt".into()))),
        masked("start", Mask::Truncate(2)),
        masked("stars", Mask::Stars(3)),
    ]);
    let values = row(&[Some("1"), None, Some("a"), Some("größe"), Some("x")]);
    let fields = read(&encoder, &event(Operation::Create, None, Some(Image::Row(values.tuple().into()))));
    let Value::Record(after) = get(&fields, "after") else { panic!() };
    let names: Vec<&str> = after.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["id", "hash", "start", "stars"]);
    // printf salta | sha256sum
    let hash = "c48e22d109fbdc9ea9d09115591b16133717abf8f0faad86b3656f23f0a8de5b";
    assert_eq!(get(after, "hash"), &Value::String(hash.into()));
    assert_eq!(
        (get(after, "start"), get(after, "stars")),
        (&Value::String("gr".into()), &Value::String("***".into()))
    );
}

#[test]
fn a_key_stored_out_of_line_is_that_of_the_old_row() {
    let encoder = encoder(vec![column("url", AvroForm::Text, false), column("n", AvroForm::Int4, true)]);
    let key = |row: &Row<'_>| {
        let mut key = Vec::new();
        encoder.key(row, &mut key).map(|()| key)
    };
    let (old, new) = (row(&[Some("u"), None]), row(&[Some(UNCHANGED), Some("1")]));
    let merged = Row::after(new.tuple(), old.tuple());
    assert_eq!(key(&merged).unwrap(), key(&old.tuple().into()).unwrap());
    let fields = read(&encoder, &event(Operation::Update, None, Some(Image::Row(merged))));
    let Value::Record(after) = get(&fields, "after") else { panic!() };
    assert_eq!((get(after, "url"), get(after, "n")), (&Value::String("u".into()), &Value::Int(1)));
    // A key's old row has nulls for what it does not tell.
    let toasted = row(&[Some("u"), Some(UNCHANGED)]);
    let merged = Row::after(toasted.tuple(), old.tuple());
    assert_eq!(merged.iter().nth(1), Some(Datum::Unchanged));
    let error = key(&new.tuple().into()).unwrap_err();
    assert!(
        error.kind() == ErrorKind::Encoding && error.chain().contains("REPLICA IDENTITY FULL"),
        "{error}"
    );
}

#[test]
fn what_has_no_form_needs_texts() {
    let decimal = AvroForm::Decimal { precision: 10, scale: 2 };
    let numbers = AvroForm::Array(Box::new(AvroForm::Int4));
    let defaulted = ColumnDefault::Constant("1.00".into());
    let mut columns = vec![
        column("id", AvroForm::VariableScaleDecimal, false),
        column("n", decimal.clone(), true),
        column("numbers", numbers, false),
        Column { default: defaulted.clone(), ..column("defaulted", decimal.clone(), true) },
        Column { default: defaulted, ..column("needed", decimal, false) },
    ];
    let narrow = encoder(columns.clone());
    let odd = row(&["NaN", "NaN", "[0:1]={1,2}", "NaN", "Infinity"].map(Some));
    let plain = row(&["1", "1.00", "{1,2}", "2.00", "3.00"].map(Some));
    let image = Image::Row(odd.tuple().into());
    let failed = narrow.value(
        &event(Operation::Create, None, Some(image)),
        &mut Stamp::default(),
        &mut Texts::default(),
        &mut Vec::new(),
    );
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NeedsText);
    let lessons = narrow.lessons(&image);
    assert_eq!(lessons, (0..5).map(|index| (index, Lesson::Text)).collect::<Vec<_>>());
    assert!(narrow.lessons(&Image::Row(plain.tuple().into())).is_empty());
    for column in &mut columns {
        column.texts = true;
    }
    let wide = encoder(columns);
    let after = |row: &TupleBuffer| {
        let fields = read(&wide, &event(Operation::Create, None, Some(Image::Row(row.tuple().into()))));
        format!("{:?}", get(&fields, "after"))
    };
    let texts = after(&odd);
    assert_eq!(texts.matches("String(\"NaN\")").count(), 3, "{texts}");
    assert!(texts.contains("String(\"[0:1]={1,2}\")") && texts.contains("String(\"Infinity\")"), "{texts}");
    let values = after(&plain);
    assert!(!values.contains("String"), "{values}");
    let key_schema = key_schema("wwi.sales.orders", &wide.shape).unwrap();
    for (row, expected) in [(&odd, "String(\"NaN\")"), (&plain, "scale")] {
        let mut key = Vec::new();
        wide.key(&row.tuple().into(), &mut key).unwrap();
        let read = read_back(&key_schema, &key[5..]);
        assert!(format!("{read:?}").contains(expected), "{read:?}");
    }
    // Whoever has the wide schema reads what was written before.
    let [reader, writer] = [&wide, &narrow].map(|encoder| value_schema("wwi.sales.orders", &encoder.shape));
    let (reader, writer) = (Schema::parse_str(&reader).unwrap(), Schema::parse_str(&writer).unwrap());
    apache_avro::schema_compatibility::SchemaCompatibility::can_read(&writer, &reader).unwrap();
}

#[test]
fn values_that_an_enum_does_not_list() {
    let mood = || AvroForm::Enum(vec!["ok".into()]);
    let moods = AvroForm::Array(Box::new(mood()));
    let encoder = encoder(vec![
        column("id", AvroForm::Int4, false),
        column("m", mood(), true),
        column("l", moods, true),
    ]);
    let values = row(&[Some("1"), Some("sad"), Some("{ok,glad}")]);
    let image = Image::Row(values.tuple().into());
    let failed = encoder.value(
        &event(Operation::Create, None, Some(image)),
        &mut Stamp::default(),
        &mut Texts::default(),
        &mut Vec::new(),
    );
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::UnknownLabel);
    let label = |label: &str| Lesson::Label(label.to_owned());
    assert_eq!(encoder.lessons(&image), [(1, label("sad")), (2, label("glad"))]);
    let error = || Error::new(ErrorKind::UnknownLabel, "x");
    assert_eq!(encoder.teach(&image, error()).kind(), ErrorKind::UnknownLabel);
    assert_eq!(encoder.teach(&image, error()).kind(), ErrorKind::Encoding, "it did not help");
}

#[test]
fn names_that_a_field_had_are_aliases() {
    let renamed = Column { former_fields: vec!["old".into()], ..column("id", AvroForm::Int4, false) };
    let encoder = encoder(vec![renamed]);
    for schema in [key_schema("t", &encoder.shape).unwrap(), value_schema("t", &encoder.shape)] {
        assert!(schema.contains(r#"{"aliases":["old"],"name":"id","type":"int"}"#), "{schema}");
        Schema::parse_str(&schema).unwrap();
    }
}

#[test]
fn a_row_of_another_width_has_no_encoding() {
    let encoder = encoder(vec![column("id", AvroForm::Int4, false)]);
    let values = row(&[Some("1"), Some("2")]);
    let image = Image::Row(values.tuple().into());
    let failed = encoder.value(
        &event(Operation::Create, None, Some(image)),
        &mut Stamp::default(),
        &mut Texts::default(),
        &mut Vec::new(),
    );
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::Encoding);
}

proptest! {
    #[test]
    fn any_text_under_any_type_is_written_or_refused(value in ".{0,20}", index in 0_usize..22) {
        let kinds = [
            AvroForm::Boolean, AvroForm::Int4, AvroForm::Float8, AvroForm::Text, AvroForm::Money,
            AvroForm::Decimal { precision: 5, scale: 2 }, AvroForm::VariableScaleDecimal, AvroForm::Date(DateForm::Days),
            AvroForm::TimestampTz(3), AvroForm::IntervalMicros, AvroForm::Bytea(BinaryMode::Bytes), AvroForm::Bits(3),
            AvroForm::Array(Box::new(AvroForm::Text)), AvroForm::TimeTz, AvroForm::IntervalText,
            AvroForm::Hstore(HstoreMode::Json), AvroForm::Point, AvroForm::Geometry, AvroForm::Vector,
            AvroForm::SparseVector, AvroForm::Timestamp(TimeForm::Nanos), AvroForm::Bytea(BinaryMode::Base64),
        ];
        let _ = encode::value(&kinds[index], &value, &mut Vec::new());
    }
}

/// A table with a value of each kind that matters to texts.
fn with_texts() -> TableEncoder {
    let text = |name: &str, kind| Column { conversion: Conversion::Text, ..column(name, kind, true) };
    encoder(vec![
        column("id", AvroForm::Int4, false),
        text("i", AvroForm::IntervalMicros),
        Column { mask: Some(Mask::Stars(3)), ..text("masked", AvroForm::Text) },
        Column { captured: false, ..text("excluded", AvroForm::MoneyText) },
        column("at", AvroForm::Timestamp(TimeForm::Micros), true),
        text("größe", AvroForm::VariableScaleDecimal),
        column("plain", AvroForm::Text, true),
    ])
}

/// The headers `text`, `text_before` and `untold`; empty where there is none.
fn texts(operation: Operation, before: Option<Image<'_>>, after: Option<Image<'_>>) -> [String; 3] {
    let (mut texts, mut out) = (Texts::default(), Vec::new());
    with_texts()
        .value(&event(operation, before, after), &mut Stamp::default(), &mut texts, &mut out)
        .unwrap();
    assert_eq!(texts.headers().map(|(name, _)| name), ["text", "text_before", "untold"]);
    texts.headers().map(|(_, content)| String::from_utf8(content.to_vec()).unwrap())
}

const TOLD: [Option<&str>; 7] = [
    Some("1"),
    Some("1 mon"),
    Some("secret"),
    Some("$1.00"),
    Some("294276-12-31 23:59:59"),
    Some("1.50"),
    Some("x"),
];

#[test]
fn texts_are_of_what_the_avro_form_leaves_out() {
    let told = row(&TOLD);
    let image = Some(Image::Row(told.tuple().into()));
    let text = r#"{"i":"1 mon","at":"294276-12-31 23:59:59","gr__e":"1.50"}"#;
    for operation in [Operation::Create, Operation::Read, Operation::Update] {
        assert_eq!(texts(operation, None, image), [text, "", ""], "{operation:?}");
    }
    assert_eq!(texts(Operation::Delete, image, None), [text, "", ""]);
    let changed = row(&[Some("1"), None, None, None, Some("2020-01-01 00:00:00"), Some("NaN"), None]);
    let after = Some(Image::Row(changed.tuple().into()));
    assert_eq!(texts(Operation::Truncate, None, None), ["", "", ""]);
    let encoder = with_texts();
    let mut out = Vec::new();
    let failed = encoder.value(
        &event(Operation::Update, image, after),
        &mut Stamp::default(),
        &mut Texts::default(),
        &mut out,
    );
    assert_eq!(failed.unwrap_err().kind(), ErrorKind::NeedsText, "NaN is in a branch of its own");
    let nothing = row(&[Some("1"), None, None, None, None, None, None]);
    let nothing = Some(Image::Row(nothing.tuple().into()));
    assert_eq!(texts(Operation::Update, image, nothing), ["", text, ""], "what is null has no text");
    assert_eq!(texts(Operation::Update, nothing, image), [text, "", ""]);
}

#[test]
fn what_is_not_told_has_no_text() {
    let untold = row(&[Some("1"), Some("1 mon"), None, None, None, Some(UNCHANGED), Some(UNCHANGED)]);
    let after = Some(Image::Row(untold.tuple().into()));
    assert_eq!(texts(Operation::Update, None, after), [r#"{"i":"1 mon"}"#, "", r#"["gr__e","plain"]"#]);
    let old = row(&TOLD);
    let merged = Some(Image::Row(Row::after(untold.tuple(), old.tuple())));
    assert_eq!(texts(Operation::Update, None, merged), [r#"{"i":"1 mon","gr__e":"1.50"}"#, "", ""]);
    let key = row(&[Some("1"), None, None, None, None, None, None]);
    assert_eq!(texts(Operation::Delete, Some(Image::Key(key.tuple().into())), None), ["", "", ""]);
    let key = row(&[Some("1"), Some("1 mon"), None, None, None, None, None]);
    assert_eq!(
        texts(Operation::Delete, Some(Image::Key(key.tuple().into())), None),
        [r#"{"i":"1 mon"}"#, "", ""]
    );
}
