//! Texts beside the records, where there is more to them than their types.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::Capture;
use crate::stage::Stage;
use crate::topics::{Record, field};

/// What is masked or left out never has a text, nor has a value that an update left alone unless the old row tells it.
pub fn masked_and_not_told() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    let long = |from: u32| format!("(SELECT array_agg(n + 0.50) FROM generate_series({from}, 3000) n)");
    stage.sql(&format!(
        "CREATE DOMAIN amounts AS numeric[];
         CREATE TABLE beside (id integer PRIMARY KEY, long amounts, \"häufig\" json[], secret interval, gone money, n integer);
         ALTER TABLE beside ALTER long SET STORAGE EXTERNAL;
         INSERT INTO beside SELECT i, {}, ARRAY[E'{{\"a\":\\t\"q\\\\\"ü🐘\"}}\\n'::json], '7654 days', 8765.43, 0 FROM generate_series(1, 2) i",
        long(1)
    ))?;
    let config = stage.config()
        + "[columns]\nexclude = [\"public.beside.gone\"]\n[[columns.mask]]\ncolumns = \"public.beside.secret\"\nstars = 4\n";
    let capture = Capture::streaming_with(&config, &[])?;
    let told = |column: &str| stage.value(&format!("SELECT {column}::text FROM beside WHERE id = 2"));
    let (long_text, json) = (told("long")?.ok_or("no row")?, told("\"häufig\"")?.ok_or("no row")?);
    stage.sql("UPDATE beside SET n = 1 WHERE id = 1; UPDATE beside SET id = 3 WHERE id = 1; DELETE FROM beside WHERE id = 3")?;
    stage.sql("ALTER TABLE beside REPLICA IDENTITY FULL")?;
    stage.sql("UPDATE beside SET n = 1 WHERE id = 2; UPDATE beside SET id = 4 WHERE id = 2; UPDATE beside SET \"häufig\" = NULL, long = '{{1.50},{NaN}}'")?;
    let topics = capture.finish(&stage)?;
    let records: Vec<&Record> =
        topics.table(&stage, "public.beside").into_iter().filter(|record| record.value.is_some()).collect();
    let operations: Vec<_> = records.iter().filter_map(|record| record.operation()).collect();
    assert_eq!(operations.concat(), "rrudcdudcu");
    let (both, json_alone): (&[&str], &[&str]) = (&["h_ufig", "long"], &["h_ufig"]);
    let expected: [(&[&str], &[&str]); 10] = [
        (both, &[]),
        (both, &[]),
        (json_alone, &[]),
        (&[], &[]),
        (json_alone, &[]),
        (&[], &[]),
        // The old row is told from here on.
        (both, both),
        (both, &[]),
        (both, &[]),
        (&["long"], both),
    ];
    for (place, (record, (text, text_before))) in records.iter().zip(expected).enumerate() {
        assert!(record.text.keys().eq(text), "event {place}: {:?}", record.text.keys());
        assert!(record.text_before.keys().eq(text_before), "event {place}: {:?}", record.text_before.keys());
    }
    let updated = records[6];
    assert_eq!((&updated.text["long"], &updated.text["h_ufig"]), (&long_text, &json));
    assert_eq!(updated.text_before, updated.text);
    assert_eq!(records[9].text["long"], "{{1.50},{NaN}}");
    let relation = topics.relations.iter().find(|record| {
        record.value.as_ref().is_some_and(|value| *field(value, "table") == Value::String("beside".into()))
    });
    let relation = relation.and_then(|record| record.value.as_ref()).ok_or("no relation record")?;
    let Value::Array(columns) = field(relation, "columns") else { return Err("no columns".into()) };
    let masked = columns.iter().filter(|column| *field(column, "masked") == Value::Boolean(true));
    let masked: Vec<_> = masked.map(|column| field(column, "name")).collect();
    assert_eq!(masked, [&Value::String("secret".into())]);
    let everything = format!("{:?}", topics.records);
    for hidden in ["7654 days", "8,765.43"] {
        assert!(!everything.contains(hidden), "{hidden} is told");
    }
    Ok(())
}
