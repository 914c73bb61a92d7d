//! Snapshot modes other than `initial`.

use crate::Outcome;
use crate::capture::Capture;
use crate::compare::all_tables;
use crate::refusals::refused;
use crate::stage::Stage;

const ROWS: &str = "CREATE TABLE rows (id integer PRIMARY KEY, v text); INSERT INTO rows SELECT n, 'v' FROM generate_series(1, 5000) AS n";

fn settings(stage: &Stage, mode: &str) -> String {
    stage.config().replace("[snapshot]\n", &format!("[snapshot]\nmode = \"{mode}\"\n"))
}

pub fn never() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ROWS)?;
    let capture = Capture::streaming_with(&settings(&stage, "never"), &[])?;
    stage.sql("INSERT INTO rows VALUES (0, 'new'); UPDATE rows SET v = 'changed' WHERE id = 7")?;
    let topics = capture.finish(&stage)?;
    let operations: Vec<_> =
        topics.table(&stage, "public.rows").iter().filter_map(|record| record.operation()).collect();
    assert_eq!(operations, ["c", "u"]);
    Ok(())
}

/// Ends by itself, as often as it is started; the stream goes on from there later.
pub fn only() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ROWS)?;
    for _ in 0..2 {
        let mut capture = Capture::start_with(&settings(&stage, "only"), &[])?;
        capture.wait_for("snapshot.mode = only")?;
        assert!(capture.end()?.success());
        stage.sql("INSERT INTO rows SELECT max(id) + 1, 'later' FROM rows")?;
    }
    let capture = Capture::streaming(&stage)?;
    let topics = capture.finish(&stage)?;
    let records = topics.table(&stage, "public.rows");
    let read = records.iter().filter(|record| record.operation().as_deref() == Some("r")).count();
    assert_eq!((read, records.len()), (5000, 5002));
    all_tables(&stage, &topics)
}

pub fn when_needed() -> Outcome {
    let stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql(ROWS)?;
    let capture = Capture::streaming_with(&settings(&stage, "when_needed"), &[])?;
    capture.terminate()?;
    stage.drop_slot()?;
    stage.sql("UPDATE rows SET v = 'while nobody looked' WHERE id <= 100")?;
    refused(&stage.config(), &[], &["events lost"])?;
    let mut capture = Capture::start_with(&settings(&stage, "when_needed"), &[])?;
    capture.wait_for("a new snapshot is read")?;
    capture.wait_for("streaming")?;
    let topics = capture.finish(&stage)?;
    let read = topics.table(&stage, "public.rows");
    let read = read.iter().filter(|record| record.operation().as_deref() == Some("r")).count();
    assert_eq!(read, 10_000);
    all_tables(&stage, &topics)
}
