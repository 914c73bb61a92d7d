//! Columns, names and whole tables that change.

use crate::compare::equal;
use crate::stage::{Result, Stage};

pub fn columns_come_and_go() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TABLE t (id int PRIMARY KEY, a int, b text, c numeric(6,2));
         INSERT INTO t VALUES (1, 1, 'one', 1.5), (2, 2, 'two', 2.5);",
    )?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql(
        "ALTER TABLE t ADD COLUMN d int DEFAULT 5, ADD COLUMN e text; UPDATE t SET e = 'x' WHERE id = 1;",
    )?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql("ALTER TABLE t RENAME COLUMN a TO z; UPDATE t SET z = 7 WHERE id = 1; INSERT INTO t VALUES (3, 3, 'three', 3.5, 6, 'y');")?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql("UPDATE t SET z = 8 WHERE id = 2; ALTER TABLE t RENAME COLUMN d TO q; ALTER TABLE t RENAME COLUMN z TO d; ALTER TABLE t RENAME COLUMN q TO z; UPDATE t SET d = 9 WHERE id = 3;")?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql("ALTER TABLE t DROP COLUMN e; ALTER TABLE t ALTER COLUMN c TYPE numeric(10,2); INSERT INTO t VALUES (4, 4, 'four', 123456.75, 1);")?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql("ALTER TABLE t RENAME COLUMN id TO key; UPDATE t SET b = 'last' WHERE key = 1; DELETE FROM t WHERE key = 2;")?;
    stage.settle()?;
    equal(&stage, "public.t")
}

pub fn names() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TABLE odd (id int PRIMARY KEY, \"first name\" text, op text, _commit_lsn bigint, \"Größe, {x}\" int, name text, \"Name\" text, \"${a}'`b\" text);
         INSERT INTO odd VALUES (1, 'a b', 'c', 7, 3, 'n', 'N', 'q');
         CREATE TABLE \"my table\" (id int PRIMARY KEY, v text);
         INSERT INTO \"my table\" VALUES (1, 'x');
         CREATE TABLE keyless (a int, b text);
         INSERT INTO keyless VALUES (1, 'x'), (1, 'x');",
    )?;
    stage.settle()?;
    for table in ["odd", "\"my table\"", "keyless"] {
        equal_by(&stage, table)?;
    }
    stage.sql(
        "UPDATE odd SET \"first name\" = 'c', \"Name\" = 'M', _commit_lsn = 8, \"${a}'`b\" = '$'; UPDATE \"my table\" SET v = 'y'; INSERT INTO keyless VALUES (1, 'x'), (2, NULL);
         INSERT INTO odd VALUES (2, 'a b', 'c', 7, 3, 'n', 'N', 'q');",
    )?;
    stage.settle()?;
    for table in ["odd", "\"my table\"", "keyless"] {
        equal_by(&stage, table)?;
    }
    Ok(())
}

fn equal_by(stage: &Stage, table: &str) -> Result<()> {
    equal(stage, &format!("public.{table}"))
}

pub fn tables_are_replaced_and_emptied() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 50) n;
         CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO u VALUES (1, 'x');",
    )?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql("INSERT INTO t VALUES (100, 'gone'); TRUNCATE t; INSERT INTO t VALUES (2, 'again'), (3, 'new'); DELETE FROM t WHERE id = 3;")?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    stage.sql(
        "DROP TABLE u; CREATE TABLE u (id bigint PRIMARY KEY, w numeric); INSERT INTO u VALUES (5, 12.50);",
    )?;
    until(&mut stage, "public.u")?;
    stage.sql("CREATE TABLE later (id int PRIMARY KEY, v text); INSERT INTO later VALUES (1, 'x');")?;
    until(&mut stage, "public.later")
}

/// Settles until a table that capture has to read first is equal.
fn until(stage: &mut Stage, table: &str) -> Result<()> {
    let begun = std::time::Instant::now();
    loop {
        stage.settle()?;
        match equal(stage, table) {
            Err(error) if begun.elapsed().as_secs() > 120 => {
                return Err(format!(
                    "{error}\n{:?}\n{}\n{}",
                    stage.standing(table),
                    stage.told(table),
                    stage.log()
                )
                .into());
            }
            Err(_) => std::thread::sleep(std::time::Duration::from_millis(500)),
            Ok(()) => return Ok(()),
        }
    }
}

/// Values of an enum are renamed; and a key that the registry refuses to be another has its table's events buried.
pub fn enums_and_buried_events() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TYPE mood AS ENUM ('sad', 'ok');
         CREATE TABLE m (id int PRIMARY KEY, mood mood); INSERT INTO m VALUES (1, 'sad'), (2, 'ok');
         CREATE TABLE k (a int PRIMARY KEY, b int NOT NULL, v text); INSERT INTO k VALUES (1, 10, 'x'), (2, 20, 'y');",
    )?;
    stage.settle()?;
    for table in ["m", "k"] {
        equal_by(&stage, table)?;
    }
    stage.sql("ALTER TABLE k DROP CONSTRAINT k_pkey, ADD PRIMARY KEY (b);")?;
    stage.sql("UPDATE k SET v = 'new key' WHERE b = 20;")?;
    stage.sql("INSERT INTO m VALUES (3, 'sad'); ALTER TYPE mood RENAME VALUE 'sad' TO 'blue'; INSERT INTO m VALUES (4, 'blue');")?;
    until(&mut stage, "public.m")?;
    let held = stage.standing("public.k").and_then(|standing| standing.held.clone());
    if !held.as_ref().is_some_and(|reason| reason.contains("dead letters") && reason.contains("incompatible"))
    {
        return Err(format!("{held:?} does not say what is wrong").into());
    }
    stage.sql("UPDATE m SET id = id + 10;")?;
    stage.settle()?;
    equal_by(&stage, "m")
}

/// A table that can't go on stands still, says why, and keeps nobody else.
pub fn one_table_is_held() -> Result<()> {
    let mut stage = Stage::new(
        "CREATE TABLE grid (id int PRIMARY KEY, a int[]); INSERT INTO grid VALUES (1, '{1,2}');
         CREATE TABLE other (id int PRIMARY KEY, v text); INSERT INTO other VALUES (1, 'x');",
    )?;
    stage.settle()?;
    for table in ["grid", "other"] {
        equal_by(&stage, table)?;
    }
    let before = stage.standing("public.grid").cloned();
    stage.sql("INSERT INTO grid VALUES (2, '{{1,2},{3,4}}'); UPDATE other SET v = 'y';")?;
    stage.settle()?;
    equal_by(&stage, "other")?;
    let standing = stage.standing("public.grid").cloned().ok_or("no grid")?;
    if !standing.held.as_ref().is_some_and(|reason| reason.contains("two dimensions")) {
        return Err(format!("{standing:?} does not say what is wrong").into());
    }
    if before.map(|before| (before.cut, before.version)) != Some((standing.cut, standing.version)) {
        return Err(format!("{standing:?} is not where the table stood").into());
    }
    Ok(())
}
