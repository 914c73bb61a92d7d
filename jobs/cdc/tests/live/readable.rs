//! Tables that the user may not read, or of which a policy hides rows: refused alone, and read once it may.

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::follow::follow;
use crate::stage::{Stage, eventually};

pub fn each_table_waits_for_its_rights() -> Outcome {
    let stage = Stage::new()?;
    let (name, poor) = (&stage.name, format!("{}_poor", stage.name));
    stage.create_touched()?;
    stage.sql(
        "CREATE TABLE b3 (id integer PRIMARY KEY); INSERT INTO b3 SELECT generate_series(1, 3);
         ALTER TABLE b3 ENABLE ROW LEVEL SECURITY;
         CREATE TABLE a_column (id integer PRIMARY KEY, v text); INSERT INTO a_column VALUES (1, 'x');
         CREATE SCHEMA closed; CREATE TABLE closed.t (id integer PRIMARY KEY); INSERT INTO closed.t VALUES (1);
         CREATE TABLE open (id integer PRIMARY KEY); INSERT INTO open VALUES (1)",
    )?;
    let password = std::env::var("PGPASSWORD").unwrap_or_default();
    stage.sql(&format!(
        "CREATE ROLE {poor} LOGIN REPLICATION PASSWORD '{password}';
         GRANT SELECT ON touched, b3, open, closed.t TO {poor}; GRANT SELECT (id) ON a_column TO {poor};
         CREATE PUBLICATION {name} FOR TABLE b3, touched, a_column, closed.t, open"
    ))?;
    let config = stage.config().replace("user = \"postgres\"", &format!("user = \"{poor}\""))
        + "[tables]\ndiscover_interval_s = 1\n";
    let outcome = (|| {
        let done = command(&config, &["check"], &[])?;
        let checked = String::from_utf8(done.stdout)?;
        assert!(!done.status.success(), "{checked}");
        for says in [
            &format!(
                "row level security hides rows of public.b3 from {poor}: run ALTER ROLE \"{poor}\" BYPASSRLS"
            ),
            "GRANT USAGE ON SCHEMA \"closed\"",
            "GRANT SELECT ON \"closed\".\"t\", \"public\".\"a_column\"",
        ] {
            assert!(checked.contains(says), "{says}: {checked}");
        }
        let mut capture = Capture::streaming_with(&config, &[])?;
        for says in [
            format!("ALTER ROLE \"{poor}\" BYPASSRLS"),
            format!("GRANT USAGE ON SCHEMA \"closed\" TO \"{poor}\"; GRANT SELECT ON \"closed\".\"t\""),
            format!("GRANT SELECT ON \"public\".\"a_column\" TO \"{poor}\""),
        ] {
            let log = capture.log();
            assert!(log.lines().any(|line| line.contains("ERROR") && line.contains(&says)), "{says}\n{log}");
        }
        stage.sql(
            "INSERT INTO open VALUES (2); INSERT INTO b3 VALUES (4); INSERT INTO a_column VALUES (2, 'y')",
        )?;
        stage.catch_up()?;
        let is_out = |table: &str| format!("the incremental snapshot is out table={table}");
        // The last of them first: those before it wait on their own.
        stage.sql(&format!("ALTER ROLE {poor} BYPASSRLS"))?;
        capture.wait_for(&is_out("public.b3"))?;
        stage.sql(&format!("GRANT SELECT ON a_column TO {poor}"))?;
        capture.wait_for(&is_out("public.a_column"))?;
        stage.sql(&format!("GRANT USAGE ON SCHEMA closed TO {poor}"))?;
        capture.wait_for(&is_out("closed.t"))?;
        let topics = capture.finish(&stage)?;
        all_tables(&stage, &topics)
    })();
    stage.sql(&format!("DROP OWNED BY {poor}; DROP ROLE {poor}"))?;
    outcome
}

/// A foreign and an unlogged partition: their rows would stay as the snapshot had them.
pub fn partitions_that_the_log_lacks() -> Outcome {
    let stage = Stage::new()?;
    let name = &stage.name;
    stage.create_touched()?;
    stage.sql(&format!(
        "CREATE TABLE p (id integer NOT NULL, k integer NOT NULL) PARTITION BY LIST (k);
         CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
         CREATE UNLOGGED TABLE p2 PARTITION OF p FOR VALUES IN (2);
         ALTER TABLE p REPLICA IDENTITY FULL; ALTER TABLE p1 REPLICA IDENTITY FULL; ALTER TABLE p2 REPLICA IDENTITY FULL;
         INSERT INTO p VALUES (1, 1), (2, 2);
         CREATE EXTENSION file_fdw; CREATE SERVER {name} FOREIGN DATA WRAPPER file_fdw;
         CREATE FOREIGN TABLE elsewhere (id integer NOT NULL, k integer NOT NULL) SERVER {name} OPTIONS (filename '/dev/null');
         ALTER TABLE p ATTACH PARTITION elsewhere FOR VALUES IN (3)"
    ))?;
    let config = stage.config() + "[tables]\ndiscover_interval_s = 1\n";
    let says = "the log lacks changes of partitions of public.p that are foreign or unlogged tables";
    let checked = command(&config, &["check"], &[])?;
    let text = String::from_utf8(checked.stdout)?;
    assert!(!checked.status.success(), "{text}");
    assert!(
        text.contains(&format!(
            "fix   partitions        {says} (\"public\".\"elsewhere\", \"public\".\"p2\")"
        )),
        "{text}"
    );
    let mut capture = Capture::streaming_with(&config, &[])?;
    assert!(
        capture.log().lines().any(|line| line.contains("ERROR") && line.contains(says)),
        "{}",
        capture.log()
    );
    stage.sql("INSERT INTO p VALUES (3, 1), (4, 2); UPDATE touched SET n = 7")?;
    stage.catch_up()?;
    let is_out = "the incremental snapshot is out table=public.p";
    stage.sql("ALTER TABLE p DETACH PARTITION elsewhere")?;
    capture.wait_for("that are foreign or unlogged tables (\"public\".\"p2\")")?;
    assert!(!capture.log().contains(is_out), "{}", capture.log());
    stage.sql("ALTER TABLE p2 SET LOGGED; INSERT INTO p VALUES (5, 2)")?;
    capture.wait_for(is_out)?;
    // One that comes while the table is captured makes its image incomplete.
    stage.sql("ALTER TABLE p ATTACH PARTITION elsewhere FOR VALUES IN (3)")?;
    capture.wait_for("that are foreign or unlogged tables (\"public\".\"elsewhere\")")?;
    let before = capture.log().matches(is_out).count();
    stage.sql("INSERT INTO p VALUES (6, 1); ALTER TABLE p DETACH PARTITION elsewhere")?;
    eventually("its image", || Ok(capture.log().matches(is_out).count() > before))
        .map_err(|error| format!("{error}\n{}", capture.log()))?;
    let topics = capture.finish(&stage)?;
    follow(&stage, &topics)
}
