//! Whether every version of a row is kept.

use crate::stage::{Result, Stage};

/// id, value, number of characters of what is out of line, and whether a later version, a DELETE or a TRUNCATE has ended it.
type Version = (i32, Option<String>, Option<i32>, bool);

const TABLE: &str = "CREATE TABLE t (id int PRIMARY KEY, v text, large text);
    ALTER TABLE t ALTER large SET STORAGE EXTERNAL;
    INSERT INTO t SELECT n, 'v' || n, repeat('x', 10000 * n) FROM generate_series(1, 3) n;";

/// Several events of a row in one round, values out of line that were told long before, rows that were deleted and came back, TRUNCATE with
/// events before and behind it, columns that come and are renamed, keys that change, a table that is read again, and a round that is repeated.
pub fn every_version_is_kept() -> Result<()> {
    let mut stage = Stage::with_histories(TABLE, &["public.t"])?;
    stage.settle()?;
    let mut expected = vec![open(1, "v1", 10_000), open(2, "v2", 20_000), open(3, "v3", 30_000)];
    check(&stage, &expected)?;
    for v in ["a", "b"] {
        stage.sql(&format!("UPDATE t SET v = '{v}' WHERE id = 1"))?;
    }
    stage.sql("DELETE FROM t WHERE id = 2")?;
    stage.sql("INSERT INTO t VALUES (2, 'c', 'y')")?;
    stage.sql("DELETE FROM t WHERE id = 3")?;
    stage.settle()?;
    end(&mut expected, |_| true);
    expected.extend([ended(1, "a", 10_000), open(1, "b", 10_000), open(2, "c", 1)]);
    check(&stage, &expected)?;

    stage.sql("UPDATE t SET id = 4 WHERE id = 1; UPDATE t SET v = 'k' WHERE id = 4; UPDATE t SET id = 7 WHERE id = 4;")?;
    stage.settle()?;
    stage.sql("UPDATE t SET id = 1, v = 'b' WHERE id = 7;")?;
    stage.settle()?;
    end(&mut expected, |version| version.0 == 1);
    expected.extend([
        ended(4, "b", 10_000),
        ended(4, "k", 10_000),
        ended(7, "k", 10_000),
        open(1, "b", 10_000),
    ]);
    check(&stage, &expected)?;

    let mut other = stage.another_silver()?;
    stage.sql(
        "UPDATE t SET v = 'd'; ALTER TABLE t ADD COLUMN more int DEFAULT 7; ALTER TABLE t RENAME v TO w;",
    )?;
    stage.sql("UPDATE t SET w = 'e' WHERE id = 2; TRUNCATE t; INSERT INTO t VALUES (2, 'f', 'z', 1), (5, 'g', 'z', 2);")?;
    stage.sql("UPDATE t SET w = 'h' WHERE id = 5")?;
    stage.settle()?;
    end(&mut expected, |_| true);
    expected.extend([
        ended(1, "d", 10_000),
        ended(2, "d", 1),
        ended(2, "e", 1),
        open(2, "f", 1),
        ended(5, "g", 1),
        open(5, "h", 1),
    ]);
    check(&stage, &expected)?;
    // The other one knows of no round since it began: it merges the same events once more, and is refused in the end.
    let cut = stage.silver.changes.cut().clone();
    let repeated = stage.runtime.block_on(other.rounds.run(stage.silver.control.tables(), &cut));
    if repeated.is_ok() {
        return Err("a round under a number that is taken was recorded".into());
    }
    check(&stage, &expected)?;

    stage.sql("CREATE TABLE other (LIKE t INCLUDING ALL); INSERT INTO other VALUES (2, 'f', 'z', 1), (5, 'i', 'zz', 2), (6, 'j', 'z', 3);")?;
    stage.sql("DROP TABLE t; ALTER TABLE other RENAME TO t;")?;
    stage.settle_until(|stage| {
        stage.standing("public.t").and_then(|standing| standing.image_lsn) > Some(cut.commit_lsn)
    })?;
    end(&mut expected, |version| version.0 == 5);
    expected.extend([open(5, "i", 2), open(6, "j", 1)]);
    check(&stage, &expected)
}

fn open(id: i32, v: &str, large: i32) -> Version {
    (id, Some(v.to_owned()), Some(large), false)
}

fn ended(id: i32, v: &str, large: i32) -> Version {
    (id, Some(v.to_owned()), Some(large), true)
}

fn end(versions: &mut [Version], which: impl Fn(&Version) -> bool) {
    for version in versions.iter_mut().filter(|version| which(version)) {
        version.3 = true;
    }
}

fn check(stage: &Stage, expected: &[Version]) -> Result<()> {
    let history = stage.lake.silver("public_t_history");
    let (found, overlaps): (Vec<Version>, Vec<(i64,)>) = stage.runtime.block_on(async {
        let columns = stage.reader.table(&history).columns().await?;
        let v = if columns.iter().any(|column| column == "w") { "w" } else { "v" };
        let versions = format!("SELECT id, {v}, length(large), _valid_to IS NOT NULL FROM {history}");
        let overlaps = format!(
            "SELECT count(*) FROM (SELECT *, lead(_valid_from) OVER (PARTITION BY id ORDER BY _commit_lsn, _ordinal) AS next FROM {history}) \
             WHERE _valid_to < _valid_from OR next < _valid_to OR next IS NOT NULL AND _valid_to IS NULL"
        );
        Ok::<_, spark_client::Error>((
            stage.reader.sql(&versions).await?.collect_as().await?,
            stage.reader.sql(&overlaps).await?.collect_as().await?,
        ))
    })?;
    let sorted = |versions: &[Version]| {
        let mut versions = versions.to_vec();
        versions.sort();
        versions
    };
    if sorted(&found) != sorted(expected) {
        let standing = stage.standing("public.t");
        return Err(
            format!("{standing:?}: expected {:?}, found {:?}", sorted(expected), sorted(&found)).into()
        );
    }
    if overlaps != [(0,)] {
        return Err(format!("{overlaps:?} versions overlap, or are open although others follow").into());
    }
    Ok(())
}
