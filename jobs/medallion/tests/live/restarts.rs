//! Silver that ends at any point, and two at once.

use lakepulse_medallion::{Error, ErrorKind};

use crate::compare::equal;
use crate::stage::{Result, Stage};

const TABLES: &str = "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 20) n;
    CREATE TABLE keyless (a int); ALTER TABLE keyless REPLICA IDENTITY FULL; INSERT INTO keyless VALUES (1), (1);";

/// Changes one of the equal rows.
const ONE_OF_THEM: &str = "WHERE ctid = (SELECT min(ctid) FROM keyless WHERE a = 1)";

/// What was published and not merged is merged by the next process, and what was merged is not merged again.
pub fn goes_on_where_it_stood() -> Result<()> {
    let mut stage = Stage::new(TABLES)?;
    stage.settle()?;
    stage.sql(&format!(
        "UPDATE t SET v = 'a' WHERE id < 5; DELETE FROM t WHERE id = 6; INSERT INTO keyless VALUES (1), (2); UPDATE keyless SET a = 3 {ONE_OF_THEM};",
    ))?;
    stage.publish()?;
    stage.silver = stage.another_silver()?;
    stage.settle()?;
    for table in ["public.t", "public.keyless"] {
        equal(&stage, table)?;
    }
    let before = stage.standing("public.t").cloned();
    stage.silver = stage.another_silver()?;
    if stage.standing("public.t") != before.as_ref() {
        return Err(format!("{before:?} was recorded as {:?}", stage.standing("public.t")).into());
    }
    stage.sql(&format!(
        "INSERT INTO t VALUES (100, 'b'); INSERT INTO keyless VALUES (3); DELETE FROM keyless {ONE_OF_THEM};"
    ))?;
    stage.settle()?;
    for table in ["public.t", "public.keyless"] {
        equal(&stage, table)?;
    }
    Ok(())
}

/// A round that was carried out and not recorded is carried out once more, with the same result: columns that took each other's
/// names keep them.
pub fn a_round_is_repeated() -> Result<()> {
    let mut stage = Stage::new(TABLES)?;
    stage.sql("ALTER TABLE t ADD COLUMN w text; UPDATE t SET w = 'w' || id;")?;
    stage.settle()?;
    let mut other = stage.another_silver()?;
    stage.sql("ALTER TABLE t RENAME v TO x; ALTER TABLE t RENAME w TO v; ALTER TABLE t RENAME x TO w;")?;
    stage.sql(&format!(
        "UPDATE t SET v = 'a' WHERE id < 5; INSERT INTO keyless VALUES (1); DELETE FROM keyless {ONE_OF_THEM};"
    ))?;
    stage.settle()?;
    stage.sql(&format!(
        "UPDATE t SET v = 'b' WHERE id < 3; DELETE FROM t WHERE id = 4; INSERT INTO keyless VALUES (1); UPDATE keyless SET a = 2 {ONE_OF_THEM};",
    ))?;
    stage.publish()?;
    // The other one knows of no round since it began.
    let cut = stage.silver.changes.cut().clone();
    let control = &stage.silver.control;
    let repeated = stage.runtime.block_on(other.rounds.run(control.tables(), &cut));
    if repeated.as_ref().err().map(Error::kind) != Some(ErrorKind::Fenced) {
        return Err(format!("a round under a number that is taken ended with {repeated:?}").into());
    }
    stage.settle()?;
    for table in ["public.t", "public.keyless"] {
        equal(&stage, table)?;
    }
    Ok(())
}

/// Of two that publish the same slice one does, and the other is told.
pub fn two_at_once() -> Result<()> {
    let mut stage = Stage::new(TABLES)?;
    stage.settle()?;
    let mut other = stage.another_silver()?;
    stage.sql("UPDATE t SET v = 'a'")?;
    stage.publish()?;
    let begun = std::time::Instant::now();
    let failed = loop {
        match stage.runtime.block_on(other.publish()) {
            Ok(()) if begun.elapsed().as_secs() < 60 => {}
            Ok(()) => return Err("the other one noticed nothing".into()),
            Err(error) => break error,
        }
    };
    if failed.downcast_ref::<Error>().map(Error::kind) != Some(ErrorKind::Fenced) {
        return Err(format!("the other one ended with {failed:?}").into());
    }
    stage.settle()?;
    equal(&stage, "public.t")
}
