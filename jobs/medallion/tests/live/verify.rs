//! What the command `lakepulse verify` finds.

use std::process::{Command, Output};

use crate::stage::{Result, Stage};

/// Runs the command on a stage's lake.
fn verify(stage: &Stage) -> Result<Output> {
    let root = std::env::var("LAKEPULSE_ROOT")?;
    let address = std::env::var("LAKEPULSE_TEST_PG_URL")?;
    let output = Command::new(std::path::Path::new(&root).join("bin/lakepulse"))
        .args(["verify", "--wait", "60"])
        .env("LAKEPULSE_SOURCE_URL", format!("{address}/{}", stage.name))
        .env("LAKEPULSE_SOURCE_PASSWORD", std::env::var("PGPASSWORD").unwrap_or_default())
        .env("LAKEPULSE_TOPIC_PREFIX", &stage.lake.topic_prefix)
        .env("LAKEPULSE_DATABASE_PREFIX", &stage.lake.database_prefix)
        .output()?;
    Ok(output)
}

/// Verify ends with the exit code of `is_clean`, and prints these lines, but for the width of columns and what comes behind.
fn check(stage: &Stage, is_clean: bool, lines: &[&str]) -> Result<()> {
    let output = verify(stage)?;
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
    let lacks = |wanted: &&&str| !printed.lines().any(|line| words(line).starts_with(&words(wanted)));
    let missing: Vec<&&str> = lines.iter().filter(lacks).collect();
    if output.status.success() == is_clean && missing.is_empty() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(format!("{}, lacks {missing:?}:\n{printed}{told}", output.status).into())
}

/// Runs a statement on a table of silver; `{}` stands for the database.
fn tamper(stage: &Stage, statement: &str) -> Result<()> {
    let silver = format!("{}silver", stage.lake.database_prefix);
    stage.runtime.block_on(stage.reader.sql(&statement.replace("{}", &silver)))?;
    Ok(())
}

/// Every type, duplicates, leaves, heirs, names; then what somebody changed by hand.
pub fn rows_of_every_kind() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE DOMAIN price AS numeric(10,2);
         CREATE TYPE mood AS ENUM ('sad', 'it''s ok');
         CREATE TABLE zoo (id int PRIMARY KEY, b boolean, r real, d double precision, n numeric(10,2), p price, nn numeric, da date, ts timestamp, t3 timestamp(3),
             tz timestamptz, by bytea, t text, c character(5), ip inet, ci cidr, m mood, mo money, i interval, ti time, bi bit(3), j jsonb, rg int4range,
             ai int[], at text[], ad double precision[], ats timestamp[], aby bytea[], ac character(3)[], ab boolean[], am mood[], atz timestamptz[]);
         INSERT INTO zoo VALUES (1, true, 1.5, 0.1, 12.50, 7.00, 1.500, '2024-02-29', '2024-02-29 12:34:56.789012', '2024-02-29 12:34:56.789', '2024-02-29 12:34:56.789012+02',
             '\\x00ff', 'q\"\\ü', 'ab', '10.0.0.1', '10.0.0.0/8', 'it''s ok', '12.50', '1 year -3 days', '11:11:11.5', B'101', '{\"a\": [1, null]}', '[1,5)',
             '{1,NULL,3}', '{a,\"b,c\",NULL,\"NULL\",\"\"}', '{NaN,-0,0.1}', '{\"2024-02-29 12:34:56.789012\",infinity}', '{\"\\\\x00ff\"}', '{a,bc}', '{t,f}', '{sad}', '{\"2024-02-29 12:34:56.789012+02\"}'),
           (2, false, 'NaN', '-Infinity', 'NaN', NULL, 'NaN', 'infinity', '-infinity', 'infinity', 'infinity', '', '', '', '::1', '::/0', 'sad', '-1', '0', '24:00', B'000', 'null', 'empty',
             '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}', '{}'),
           (3, NULL, '-0', '-0', 0, 0, 0, '0044-03-15 BC', '0044-03-15 10:00:00 BC', '10000-01-01', '20000-01-01 00:00:00.5+00', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
             NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
         CREATE TABLE keyless (a int, v text); INSERT INTO keyless VALUES (1, 'x'), (1, 'x'), (NULL, NULL);
         CREATE TABLE parted (id int, day date, v text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day);
         CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
         CREATE TABLE parted_2 PARTITION OF parted FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
         INSERT INTO parted VALUES (1, '2024-05-05', 'a'), (2, '2025-05-05', 'b');
         CREATE TABLE child (id int PRIMARY KEY, parent int, day date, FOREIGN KEY (parent, day) REFERENCES parted);
         INSERT INTO child VALUES (1, 1, '2024-05-05'), (2, 2, '2025-05-05'), (3, NULL, NULL), (4, NULL, '2024-05-05');
         CREATE TABLE elder (id int PRIMARY KEY, v text); INSERT INTO elder VALUES (1, 'e');
         CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (elder); INSERT INTO heir VALUES (1, 'h'), (2, 'h');
         CREATE TABLE \"My Table\" (id int PRIMARY KEY, \"first name\" text, \"${a}'`b\" text, name text, \"Name\" text, _commit_lsn int);
         INSERT INTO \"My Table\" VALUES (1, 'a b', '?', 'n', 'N', 7);
         CREATE TABLE empty (id int PRIMARY KEY, v text);",
    )?;
    stage.settle()?;
    let clean = [
        "public.zoo 3 0 0 0 0",
        "public.keyless 3 0 0 0 0",
        "public.parted 2 0 0 0 0",
        "public.child 4 0 0 0 0",
        "public.elder 1 0 0 0 0",
        "public.heir 2 0 0 0 0",
        "public.My Table 1 0 0 0 0",
        "public.empty 0 0 0 0 0",
    ];
    check(&stage, true, &clean)?;
    stage.sql(
        "UPDATE zoo SET t = 'other' WHERE id = 1; INSERT INTO zoo SELECT 4, b, r, d, n, p, nn, da, ts, t3, tz, by, t, c, ip, ci, m, mo, i, ti, bi, j, rg, \
             ai, at, ad, ats, aby, ac, ab, am, atz FROM zoo WHERE id = 1;
         INSERT INTO keyless VALUES (1, 'x'); UPDATE parted SET v = 'c' WHERE id = 2; TRUNCATE heir;",
    )?;
    stage.settle()?;
    check(
        &stage,
        true,
        &[
            "public.zoo 4 0 0 0 0",
            "public.keyless 4 0 0 0 0",
            "public.parted 2 0 0 0 0",
            "public.heir 0 0 0 0 0",
        ],
    )?;
    tamper(&stage, "DELETE FROM {}.public_zoo WHERE id = 1")?;
    tamper(&stage, "UPDATE {}.public_zoo SET d = 0.0 WHERE id = 3")?;
    tamper(
        &stage,
        "UPDATE {}.public_zoo SET ats = array(TIMESTAMP_NTZ'2024-02-29 12:34:56.789013', NULL) WHERE id = 4",
    )?;
    tamper(&stage, "INSERT INTO {}.public_keyless SELECT * FROM {}.public_keyless LIMIT 2")?;
    tamper(&stage, "DELETE FROM {}.public_parted WHERE id = 2")?;
    tamper(&stage, "INSERT INTO {}.public_elder SELECT * FROM {}.public_elder")?;
    check(
        &stage,
        false,
        &[
            "public.zoo 4 1 0 2 0",
            "public.keyless 4 0 2 0 0",
            "public.parted 2 1 0 0 0",
            "public.child 4 0 0 0 1",
            "public.elder 1 0 1 0 0",
            "public.heir 0 0 0 0 0",
            "public.My Table 1 0 0 0 0",
        ],
    )
}

/// A table that is held is not clean; one whose column was dropped without an event is compared once silver has dropped it too.
pub fn held_and_masked_tables() -> Result<()> {
    let mut stage = Stage::with(
        "CREATE TABLE grid (id int PRIMARY KEY, a int[]); INSERT INTO grid VALUES (1, '{1,2}');
         CREATE TABLE people (id int PRIMARY KEY, email text, name text); INSERT INTO people VALUES (1, 'a@b.c', 'A');",
        "[[columns.mask]]\ncolumns = \"public.people.email\"\nstars = 3\n",
    )?;
    stage.settle()?;
    check(
        &stage,
        true,
        &[
            "public.grid 1 0 0 0 0",
            "public.people 1 0 0 0 0",
            "masked: columns of public.people were not compared: email",
        ],
    )?;
    stage.sql("INSERT INTO grid VALUES (2, '{{1,2},{3,4}}'); UPDATE people SET name = 'B';")?;
    stage.settle()?;
    check(
        &stage,
        false,
        &[
            "public.grid held",
            "held: public.grid was not compared: a value has no place",
            "public.people 1 0 0 0 0",
        ],
    )
}
