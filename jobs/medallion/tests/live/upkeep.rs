//! Small files are rewritten and old events go, and nothing else changes.

use lakepulse_medallion::silver::{Upkeep, UpkeepOptions};

use crate::compare::equal;
use crate::stage::{Result, Stage, options};

pub fn files_become_few_and_old_events_go() -> Result<()> {
    let mut stage = Stage::with_histories(
        "CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 20) n;
         CREATE TABLE keyless (a int); ALTER TABLE keyless REPLICA IDENTITY FULL; INSERT INTO keyless VALUES (1), (1);",
        &["public.t"],
    )?;
    stage.settle()?;
    for number in 0..2 {
        stage.sql(&format!(
            "UPDATE t SET v = 'w{number}' WHERE id % 2 = {number}; INSERT INTO keyless VALUES ({number});"
        ))?;
        stage.settle()?;
    }
    // Published and not merged: these stay.
    stage.sql("DELETE FROM t WHERE id = 3; DELETE FROM keyless WHERE a = 2;")?;
    stage.publish()?;
    let options: UpkeepOptions =
        options(&["--most-files=2", "--keep-days=0", "--upkeep-seconds=0"].map(str::to_owned))?;
    let changes = stage.lake.changes();
    let events = format!("SELECT count(*) FROM {changes} WHERE op <> 'cut'");
    let before = number(&stage, &events)?;
    stage.runtime.block_on(async {
        let mut upkeep = Upkeep::open(&stage.reader, &stage.lake, &options).await?;
        upkeep.after_round(stage.silver.rounds.merged()).await
    })?;
    let after = number(&stage, &events)?;
    let files = number(&stage, &format!("SELECT count(DISTINCT _metadata.file_path) FROM {changes}"))?;
    if before < 12 || after >= before || after < 2 || files > 2 {
        return Err(format!("{before} events have become {after} in {files} files").into());
    }
    // Another process goes on from there.
    stage.silver = stage.another_silver()?;
    stage.sql("UPDATE t SET v = 'end' WHERE id < 10; INSERT INTO keyless VALUES (9);")?;
    stage.settle()?;
    equal(&stage, "public.t")?;
    equal(&stage, "public.keyless")
}

fn number(stage: &Stage, query: &str) -> Result<i64> {
    let rows: Vec<(i64,)> =
        stage.runtime.block_on(async { stage.reader.sql(query).await?.collect_as().await })?;
    Ok(rows.first().ok_or("no row")?.0)
}
