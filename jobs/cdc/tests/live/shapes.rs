//! Tables of unusual shape: other keys than the primary key, partitions, values without an encoding.

use apache_avro::types::Value;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::refusals::refused;
use crate::stage::{Stage, eventually};
use crate::topics::{Topics, field};

/// Of a deleted row PostgreSQL tells the index's columns alone, so that they are the key.
pub fn index_as_identity() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE by_index (id integer PRIMARY KEY, code text NOT NULL, v integer);
         CREATE UNIQUE INDEX by_code ON by_index (code);
         ALTER TABLE by_index REPLICA IDENTITY USING INDEX by_code;
         INSERT INTO by_index SELECT n, 'c' || n, n FROM generate_series(1, 5000) AS n",
    )?;
    let capture = Capture::streaming(&stage)?;
    stage.sql("UPDATE by_index SET v = -v WHERE id % 2 = 0; DELETE FROM by_index WHERE id % 3 = 0")?;
    stage.sql("UPDATE by_index SET code = 'new' || id WHERE id % 5 = 0; UPDATE by_index SET id = -id WHERE id % 7 = 0")?;
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}

pub fn partitions_under_their_root() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE parts (id integer, region text, v integer, PRIMARY KEY (id, region)) PARTITION BY LIST (region);
         CREATE TABLE parts_eu PARTITION OF parts FOR VALUES IN ('eu');
         CREATE TABLE parts_us PARTITION OF parts FOR VALUES IN ('us');
         INSERT INTO parts SELECT n, CASE n % 2 WHEN 0 THEN 'eu' ELSE 'us' END, n FROM generate_series(1, 5000) AS n",
    )?;
    let capture = Capture::streaming(&stage)?;
    stage.sql("UPDATE parts SET v = -v WHERE id < 10; UPDATE parts SET region = 'us' WHERE id = 2; DELETE FROM parts WHERE id = 3")?;
    stage.sql("CREATE TABLE parts_asia PARTITION OF parts FOR VALUES IN ('asia'); INSERT INTO parts VALUES (1, 'asia', 1)")?;
    let topics = capture.finish(&stage)?;
    let others = topics.records.iter().find(|record| record.topic.contains("parts_"));
    assert!(others.is_none(), "{others:?}");
    all_tables(&stage, &topics)
}

/// A partition of a table that is captured whole is not asked for under its own name.
pub fn partitions_published_otherwise() -> Outcome {
    let stage = Stage::new()?;
    stage.sql(
        "CREATE TABLE parts (id integer PRIMARY KEY) PARTITION BY LIST (id);
         CREATE TABLE parts_1 PARTITION OF parts FOR VALUES IN (1)",
    )?;
    stage.sql(&format!("CREATE PUBLICATION {} FOR ALL TABLES", stage.name))?;
    refused(&stage.config(), &[], &["publish_via_partition_root = true", "tables.partitions"])
}

pub fn own_key_that_deletes_do_not_tell() -> Outcome {
    let stage = Stage::new()?;
    stage.sql("CREATE TABLE k (id integer PRIMARY KEY, other integer)")?;
    let config = stage.config() + "[tables.keys]\n\"public.k\" = [\"other\"]\n";
    refused(&config, &[], &["column other", "REPLICA IDENTITY FULL"])?;
    refused(&config.replace("\"other\"", "\"missing\""), &[], &["tables.keys", "missing"])
}

/// Schemas are named after the topic, as Debezium has it, and `drop --topics` finds topics without the prefix too.
pub fn topics_by_a_template() -> Outcome {
    for template in ["{prefix}.{database}-{schema}.{table}", "cdc-{prefix}_{table}.v1"] {
        let stage = Stage::new()?;
        let name = &stage.name;
        let topic = template
            .replace("{prefix}", name)
            .replace("{database}", name)
            .replace("{schema}", "public")
            .replace("{table}", "touched");
        stage.create_touched()?;
        let config = format!("topic_name = \"{template}\"\n{}", stage.config());
        let capture = Capture::streaming_with(&config, &[])?;
        stage.sql("INSERT INTO touched VALUES (7, 0)")?;
        stage.catch_up()?;
        assert!(capture.terminate()?.0.success());

        let topics = Topics::read(&stage)?;
        let counted = topics.checkpoints.iter().any(|last| {
            matches!(field(last, "counts"), Value::Map(counts) if matches!(counts.get(&topic), Some(Value::Long(2..))))
        });
        assert!(counted, "{:?}", topics.checkpoints);
        if template.starts_with("{prefix}.") {
            topics.check()?;
            assert_eq!(topics.records.first().map(|record| record.topic.as_str()), Some(topic.as_str()));
        }
        let url = format!("{}/subjects/{topic}-value/versions/latest", stage.registry);
        let registered: serde_json::Value =
            stage.runtime.block_on(async { reqwest::get(&url).await?.json().await })?;
        let schema: serde_json::Value =
            serde_json::from_str(registered["schema"].as_str().ok_or("the subject has no schema")?)?;
        assert_eq!(schema["namespace"], topic.replace('-', "_"));
        assert_eq!(schema["connect.name"], format!("{}.Envelope", topic.replace('-', "_")));

        let dropped = command(&config, &["drop", "--topics"], &[])?;
        let said = String::from_utf8(dropped.stdout)?;
        assert!(dropped.status.success() && said.contains("4 topics deleted"), "{said}");
        let prefix = format!("{name}.");
        eventually("the topics to be gone", || {
            let there = stage.topics()?;
            Ok(!there.iter().any(|there| *there == topic || there.starts_with(&prefix)))
        })?;
    }
    Ok(())
}
