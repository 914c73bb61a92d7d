//! Live views: of Spark and of Trino, before and after what they show is merged.

use std::cell::Cell;

use lakepulse_medallion::control::Position;
use lakepulse_medallion::live::{pin, spark_database, trino_schema};

use crate::compare::{equal, live_differences};
use crate::stage::{Result, Stage};
use crate::{shapes, values};

thread_local! {
    static TESTED: Cell<bool> = const { Cell::new(false) };
}

/// Whether this thread's stages have live views.
pub fn are_tested() -> bool {
    TESTED.get()
}

/// Runs another test with live views, which it then compares wherever it compares a typed table.
fn with_views(test: fn() -> Result<()>) -> Result<()> {
    TESTED.set(true);
    test()
}

pub fn plain_and_unusual_types() -> Result<()> {
    with_views(values::plain_and_unusual_types)
}

pub fn kept_as_text() -> Result<()> {
    with_views(values::kept_as_text)
}

pub fn out_of_line() -> Result<()> {
    with_views(values::out_of_line)
}

pub fn columns_come_and_go() -> Result<()> {
    with_views(shapes::columns_come_and_go)
}

pub fn names() -> Result<()> {
    with_views(shapes::names)
}

pub fn enums_and_buried_events() -> Result<()> {
    with_views(shapes::enums_and_buried_events)
}

pub fn tables_are_replaced_and_emptied() -> Result<()> {
    with_views(shapes::tables_are_replaced_and_emptied)
}

/// A table that a live view follows.
#[derive(Clone)]
pub struct Followed {
    /// `schema.table`.
    name: String,
    /// As PostgreSQL reads it.
    source: String,
    view: String,
}

/// Finds the tables that their live views follow, and compares these.
pub fn check(stage: &mut Stage, when: &str) -> Result<()> {
    let cut = stage.silver.changes.cut().commit_lsn;
    let merged = stage.silver.rounds.merged();
    let followed = stage.silver.control.tables().iter().filter_map(|(topic, table)| {
        let standing = merged.standings.get(topic)?;
        let loaded = standing
            .image_lsn
            .zip(standing.image_ordinal)
            .map(|(commit_lsn, ordinal)| Position { commit_lsn, ordinal });
        let is_followed = standing.version >= 0
            && standing.held.is_none()
            && !table.waits_for_image(cut)
            && table.image_at(cut).map(|image| image.begin) <= loaded
            && table.gone.is_none_or(|gone| gone > Position::end_of(cut))
            && table.table != "touched";
        is_followed.then(|| Followed {
            name: table.name.clone(),
            source: format!("{}.\"{}\"", table.schema, table.table),
            view: standing.silver_table.clone(),
        })
    });
    let followed: Vec<Followed> = followed.collect();
    let Some(live) = &mut stage.live else { return Ok(()) };
    live.followed = followed;
    check_again(stage, when)
}

/// Compares the live views that were compared before, and notes what is wrong.
pub fn check_again(stage: &mut Stage, when: &str) -> Result<()> {
    let Some(live) = &stage.live else { return Ok(()) };
    let mut found = Vec::new();
    for Followed { name, source, view } in &live.followed {
        for difference in live_differences(stage, source, view)? {
            found.push((name.clone(), format!("{source}, {when}, {difference}")));
        }
    }
    if let Some(live) = &mut stage.live {
        live.wrong.extend(found);
    }
    Ok(())
}

/// A table that can't be followed shows what it was before, until a round goes on or its views say why not.
pub fn a_view_stands_still() -> Result<()> {
    TESTED.set(true);
    let mut stage = Stage::new(
        "CREATE TABLE grid (id int PRIMARY KEY, a int[]); INSERT INTO grid VALUES (1, '{1,2}'), (2, '{3}');
         CREATE TABLE bare (v text); ALTER TABLE bare REPLICA IDENTITY FULL; INSERT INTO bare VALUES ('x');
         CREATE TABLE going (id int PRIMARY KEY);",
    )?;
    stage.settle()?;
    for table in ["public.grid", "public.bare", "public.going"] {
        equal(&stage, table)?;
    }
    stage.sql("UPDATE grid SET a = '{4}' WHERE id = 1; INSERT INTO bare VALUES ('y');")?;
    stage.sql("UPDATE grid SET a = '{{1,2},{3,4}}' WHERE id = 2; UPDATE bare SET v = 'z';")?;
    stage.sql(
        "UPDATE grid SET a = '{5}' WHERE id = 1; INSERT INTO bare VALUES ('later'); DROP TABLE going;",
    )?;
    for round in ["before", "after"] {
        stage.publish()?;
        let grid = lines(&stage, "public_grid", "id, a[0]", "id, a[1]")?;
        expect(&grid, "1 4|2 3", "1 4|2 3", round)?;
        let bare = lines(&stage, "public_bare", "v, 0", "v, 0")?;
        let expected = if round == "before" { "x 0|y 0" } else { "later 0|z 0|z 0" };
        expect(&bare, expected, expected, round)?;
        let begun = std::time::Instant::now();
        while round == "before" && stage.silver.control.tables().values().all(|table| table.gone.is_none()) {
            if begun.elapsed().as_secs() > 60 {
                return Err(
                    format!("nobody told that a table is gone: {}", stage.told("public.going")).into()
                );
            }
            stage.publish()?;
        }
        stage.settle()?;
    }
    let live = stage.live.as_ref().ok_or("no live views")?;
    let schema = trino_schema(&stage.lake);
    let comments = format!(
        "SELECT table_name, comment FROM system.metadata.table_comments WHERE catalog_name = 'lakehouse' AND schema_name = '{schema}' ORDER BY 1"
    );
    let comments = format!("{:?}", stage.runtime.block_on(live.trino.run(&comments))?);
    if !comments.contains("held: a value has no place") || comments.contains("going") {
        return Err(format!("comments in Trino: {comments}").into());
    }
    Ok(())
}

/// Rows of a view in Spark and in Trino: the values of a row with spaces between them, rows with bars.
fn lines(stage: &Stage, view: &str, spark: &str, trino: &str) -> Result<[String; 2]> {
    let live = stage.live.as_ref().ok_or("no live views")?;
    let (database, schema) = (spark_database(&stage.lake), trino_schema(&stage.lake));
    let in_spark = format!("SELECT concat_ws(' ', {spark}) FROM {database}.{view} ORDER BY 1");
    let in_trino: Vec<String> = trino.split(", ").map(|value| format!("CAST({value} AS varchar)")).collect();
    let in_trino =
        format!("SELECT concat_ws(' ', {}) FROM lakehouse.{schema}.{view} ORDER BY 1", in_trino.join(", "));
    stage.runtime.block_on(async {
        let rows: Vec<(String,)> = stage.reader.sql(&in_spark).await?.collect_as().await?;
        let of_spark: Vec<String> = rows.into_iter().map(|(row,)| row).collect();
        let rows = live.trino.run(&in_trino).await?;
        let of_trino: Vec<&str> = rows.iter().filter_map(|row| row.first()?.as_str()).collect();
        Ok([of_spark.join("|"), of_trino.join("|")])
    })
}

fn expect(lines: &[String; 2], spark: &str, trino: &str, when: &str) -> Result<()> {
    if lines[0] == spark && lines[1] == trino {
        return Ok(());
    }
    Err(format!("{when}: {lines:?} are not {spark} and {trino}").into())
}

/// Views of a session that are pinned stay at their cut while others move on.
pub fn all_at_one_cut() -> Result<()> {
    TESTED.set(true);
    let mut stage = Stage::new(
        "CREATE TABLE a (id int PRIMARY KEY, n int); INSERT INTO a VALUES (1, 0);
         CREATE TABLE b (id int PRIMARY KEY, n int, \"${x}'`\" text); INSERT INTO b VALUES (1, 0);",
    )?;
    stage.settle()?;
    stage.sql("UPDATE a SET n = 1; UPDATE b SET n = 1;")?;
    stage.publish()?;
    let session = stage.runtime.block_on(lakepulse_medallion::job::own_session(&stage.reader))?;
    let pinned = stage.runtime.block_on(pin(&session, &stage.lake, &[]))?;
    let sums = |stage: &Stage, prefix: &str| -> Result<(i64, i64)> {
        let query =
            format!("SELECT (SELECT sum(n) FROM {prefix}public_a), (SELECT sum(n) FROM {prefix}public_b)");
        let rows: Vec<(i64, i64)> =
            stage.runtime.block_on(async { session.sql(&query).await?.collect_as().await })?;
        Ok(*rows.first().ok_or("no row")?)
    };
    let live = format!("{}.", spark_database(&stage.lake));
    for (n, merges) in [(2, false), (3, true), (4, false)] {
        stage.sql(&format!("UPDATE a SET n = {n}; UPDATE b SET n = {n};"))?;
        if merges {
            stage.settle()?
        } else {
            stage.publish()?
        }
        let found = (sums(&stage, "")?, sums(&stage, &live)?);
        if found != ((1, 1), (n, n)) {
            return Err(format!("{pinned:?} and live at {n}: {found:?}").into());
        }
    }
    let again = stage.runtime.block_on(pin(&session, &stage.lake, &[]))?;
    if again.version <= pinned.version || sums(&stage, "")? != (4, 4) {
        return Err(format!("{pinned:?}, then {again:?}").into());
    }
    Ok(())
}
