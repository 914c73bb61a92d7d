//! Values and columns that a table's schema does not foresee.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, capturing, command};
use crate::compare::all_tables;
use crate::rows::partial_checkpoints;
use crate::stage::{Result, Stage};
use crate::topics::{Record, field};

/// The field of the row after an event, as it is shown.
fn after(record: &Record, column: &str) -> String {
    let value = record.value.as_ref().unwrap_or(&Value::Null);
    format!("{:?}", field(field(value, "after"), column))
}

/// A schema by its id.
fn schema(stage: &Stage, id: u32) -> Result<String> {
    let url = format!("{}/schemas/ids/{id}", stage.registry);
    let answer: serde_json::Value =
        stage.runtime.block_on(async { reqwest::get(&url).await?.json().await })?;
    Ok(answer["schema"].as_str().ok_or("no schema")?.to_owned())
}

/// A value is in the schema under which its record is written.
pub fn enums_gain_and_rename_values() -> Outcome {
    let (stage, capture) = capturing(
        "CREATE TYPE mood AS ENUM ('a', 'b'); CREATE DOMAIN feeling AS mood; CREATE DOMAIN feelings AS feeling[];
         CREATE TABLE moods (id integer PRIMARY KEY, m mood, d feeling, l mood[], f feelings);
         INSERT INTO moods VALUES (0, 'a', 'a', '{a,b}', '{b}')",
    )?;
    stage.sql("ALTER TYPE mood ADD VALUE 'c'")?;
    stage.sql("INSERT INTO moods VALUES (1, 'c', 'a', '{a}', '{b}'); UPDATE moods SET l = '{c,NULL,a}' WHERE id = 0")?;
    stage.catch_up()?;
    stage.sql("ALTER TYPE mood RENAME VALUE 'a' TO 'z'; ALTER TYPE mood ADD VALUE 'x' BEFORE 'b'")?;
    stage.sql("INSERT INTO moods VALUES (2, 'z', 'x', '{x}', '{z,x}')")?;
    stage.sql("ALTER TABLE moods ALTER m TYPE text, ALTER d TYPE text, DROP l, DROP f")?;
    stage.sql(
        "DROP DOMAIN feelings; DROP DOMAIN feeling; DROP TYPE mood; CREATE TYPE mood AS ENUM ('new');
         ALTER TABLE moods DROP m, ADD m mood; INSERT INTO moods (id, m) VALUES (3, 'new')",
    )?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.moods");
    let allowed = |index: usize, column: &str| -> Result<String> {
        let schema: serde_json::Value =
            serde_json::from_str(&schema(&stage, records[index].value_schema_id)?)?;
        let fields = &schema["fields"][0]["type"][1]["fields"];
        let field = fields.as_array().and_then(|fields| fields.iter().find(|field| field["name"] == column));
        let text = field.ok_or("no field")?.to_string();
        Ok(text
            .split("\"allowed\":\"")
            .nth(1)
            .and_then(|rest| rest.split('"').next())
            .unwrap_or("")
            .to_owned())
    };
    assert_eq!(allowed(0, "m")?, "a,b");
    assert_eq!((allowed(1, "m")?, allowed(2, "l")?), ("a,b,c".into(), "a,b,c".into()));
    let labels = allowed(3, "f")?;
    assert!(
        ["z", "x", "b", "c"].iter().all(|label| labels.split(',').any(|known| known == *label)),
        "{labels}"
    );
    assert_eq!(allowed(4, "m")?, "new");
    assert_eq!(after(records[4], "m"), "String(\"new\")");
    Ok(())
}

/// Values that have no form in their column's type are PostgreSQL's texts, in the snapshot and in the stream.
pub fn without_a_form_are_texts() -> Outcome {
    let rows = "(1, 1, 1.5, '{1,2}', '{1}'), (2, 'NaN', 'Infinity', '{{1,2},{3,4}}', '[0:1]={1,2}'), (3, 3, 2, NULL, '{NaN}')";
    let ddl = |table: &str| {
        format!(
            "CREATE TABLE {table} (id integer PRIMARY KEY, n numeric(10,2), v numeric NOT NULL, a integer[], s numeric[] DEFAULT '{{}}')"
        )
    };
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(&format!("{}; INSERT INTO snapped VALUES {rows}; {}", ddl("snapped"), ddl("streamed")))?;
    let capture = Capture::streaming(&stage)?;
    stage.sql(&format!("INSERT INTO streamed VALUES {rows}"))?;
    stage.sql("UPDATE streamed SET n = 7 WHERE id = 2; UPDATE streamed SET n = 'NaN' WHERE id = 1; DELETE FROM streamed WHERE id = 3")?;
    let topics = capture.finish(&stage)?;
    assert!(topics.beside.is_empty(), "{:?}", topics.beside);
    for (table, operations) in [("public.snapped", "rrr"), ("public.streamed", "cccuud-")] {
        let records = topics.table(&stage, table);
        let told: String = records.iter().map(|record| record.operation().unwrap_or("-".into())).collect();
        assert_eq!(told, operations);
        let second = records[1];
        let texts = ["n", "v", "a", "s"].map(|column| after(second, column));
        assert_eq!(
            texts,
            ["NaN", "Infinity", "{{1,2},{3,4}}", "[0:1]={1,2}"].map(|text| format!("String({text:?})"))
        );
        assert!(after(records[0], "n").contains("Decimal"), "{}", after(records[0], "n"));
        assert_eq!(after(records[2], "s"), "String(\"{NaN}\")");
    }
    let streamed = topics.table(&stage, "public.streamed");
    assert!(after(streamed[3], "n").contains("Decimal") && after(streamed[4], "n") == "String(\"NaN\")");
    Ok(())
}

/// Columns whose names Avro does not allow have fields of their own, which `check` names.
pub fn names_that_meet_in_avro() -> Outcome {
    let (stage, mut capture) = capturing("SELECT 1")?;
    stage.sql("CREATE TABLE people (id integer PRIMARY KEY, \"名前\" text, \"住所\" text); INSERT INTO people VALUES (1, 'a', 'b')")?;
    let checked = command(&stage.config(), &["check"], &[])?;
    let said = String::from_utf8(checked.stdout)?;
    assert!(said.contains("public.people.住所 as ___3"), "{said}");
    capture.kill()?;
    capture = Capture::start(&stage)?;
    capture.wait_for("the incremental snapshot is out")?;
    stage.sql("UPDATE people SET \"住所\" = 'c'")?;
    let topics = capture.finish(&stage)?;
    let last = topics.table(&stage, "public.people").into_iter().last().cloned().ok_or("no record")?;
    assert_eq!((after(&last, "__"), after(&last, "___3")), ("String(\"a\")".into(), "String(\"c\")".into()));
    all_tables(&stage, &topics)
}

/// Tables without columns, with one, with all that PostgreSQL allows, and with none that is captured.
pub fn of_odd_tables() -> Outcome {
    let wide = |what: &dyn Fn(usize) -> String| (1..=1600).map(what).collect::<Vec<_>>().join(", ");
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(&format!(
        "CREATE TABLE nothing (); INSERT INTO nothing DEFAULT VALUES; INSERT INTO nothing DEFAULT VALUES;
         CREATE TABLE one (v text); INSERT INTO one VALUES (''), (NULL), ('x');
         CREATE TABLE hidden (a integer, b text); INSERT INTO hidden VALUES (1, 'x');
         CREATE TABLE wide ({}); INSERT INTO wide (c1, c1600) VALUES (1, true)",
        wide(&|n| if n == 1 { "c1 integer PRIMARY KEY".into() } else { format!("c{n} boolean") })
    ))?;
    stage.sql("ALTER TABLE nothing REPLICA IDENTITY FULL; ALTER TABLE one REPLICA IDENTITY FULL; ALTER TABLE hidden REPLICA IDENTITY FULL")?;
    let config = stage.config() + "[columns]\nexclude = [\"public.hidden.*\"]\n";
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql(
        "INSERT INTO nothing DEFAULT VALUES; INSERT INTO one VALUES (''); INSERT INTO hidden VALUES (2, 'y');
         UPDATE wide SET c2 = false",
    )?;
    let topics = capture.finish(&stage)?;
    let told = |table: &str| -> String {
        topics.table(&stage, table).iter().map(|record| record.operation().unwrap_or("-".into())).collect()
    };
    assert_eq!(
        (told("public.nothing"), told("public.one"), told("public.hidden"), told("public.wide")),
        ("rrc".into(), "rrrc".into(), "rc".into(), "ru".into())
    );
    let one = topics.table(&stage, "public.one");
    assert_eq!((after(one[0], "v"), after(one[1], "v")), ("String(\"\")".into(), "Null".into()));
    let last = topics.table(&stage, "public.wide")[1].clone();
    assert_eq!(
        (after(&last, "c2"), after(&last, "c1600")),
        ("Boolean(false)".into(), "Boolean(true)".into())
    );
    Ok(())
}

/// A transaction of dead letters alone becomes several Kafka transactions, as one of events does.
pub fn many_larger_than_a_record() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE wide (id integer PRIMARY KEY, v text)")?;
    let config = stage.config().replace("[registry]", "max_record_bytes = 20000\n[registry]")
        + "[commit]\nmax_events = 10\n";
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO wide SELECT n, repeat('x', 30000) FROM generate_series(1, 95) AS n")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(topics.beside.len(), 95);
    assert_eq!(partial_checkpoints(&topics), 9);
    Ok(())
}

/// A row that no record has room for is a dead letter without its long values, in the snapshot and in the stream.
pub fn larger_than_a_record() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE wide (id integer PRIMARY KEY, v text); INSERT INTO wide VALUES (1, repeat('x', 1200000)), (2, 'b')")?;
    let config = stage.config().replace("[registry]", "max_record_bytes = 1000000\n[registry]");
    let capture = Capture::streaming_with(&config, &[])?;
    stage.sql("INSERT INTO wide VALUES (3, repeat('y', 1200000)), (4, 'd')")?;
    let topics = capture.finish(&stage)?;
    assert_eq!(topics.table(&stage, "public.wide").len(), 2);
    assert_eq!(topics.beside.len(), 2);
    for (letter, key) in topics.beside.iter().zip(["(1)", "(3)"]) {
        let text = format!("{:?}", letter.value);
        for part in ["public.wide", key, "1200", "kafka.max_record_bytes", "left out"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.len() < 5_000, "{}", text.len());
    }
    Ok(())
}
