//! The source is promoted and goes on in a new timeline.

use std::path::Path;

use crate::Outcome;
use crate::capture::{Capture, command};
use crate::compare::all_tables;
use crate::stage::{Stage, eventually};
use crate::storm::Servers;

/// The server comes back from a recovery that ends in a new timeline, with the slot as it was: what a promoted standby is to
/// a failover slot, on a version that has none.
pub fn goes_on_in_a_new_timeline() -> Outcome {
    let mut stage = Stage::new()?;
    stage.create_touched()?;
    stage.sql("CREATE TABLE t (id integer PRIMARY KEY); INSERT INTO t VALUES (1)")?;
    let capture = Capture::streaming(&stage)?;
    stage.sql("INSERT INTO t VALUES (2)")?;
    capture.finish(&stage)?;
    stage.sql("INSERT INTO t VALUES (3)")?;
    let timeline = "SELECT timeline_id FROM pg_control_checkpoint()";
    let before = stage.value(timeline)?;

    let data = stage.value("SELECT current_setting('data_directory')")?.ok_or("no data directory")?;
    // There is nothing to restore: recovery ends where the log does.
    stage.sql("ALTER SYSTEM SET restore_command = 'false'")?;
    std::fs::write(Path::new(&data).join("recovery.signal"), "")?;
    Servers::of(&stage)?.kill("postgres")?;
    stage.reconnect()?;
    stage.sql("ALTER SYSTEM RESET restore_command")?;
    // A checkpoint within the recovery is of the old timeline, and the next one takes its time.
    let in_recovery = "SELECT pg_is_in_recovery()";
    eventually("the recovery to end", || Ok(stage.value(in_recovery)?.as_deref() == Some("f")))?;
    stage.sql("CHECKPOINT")?;
    eventually("the new timeline", || Ok(stage.value(timeline)? != before))?;

    // The registry's own database went away too: what it answers first is 500.
    let checked = String::from_utf8(command(&stage.config(), &["check"], &[])?.stdout)?;
    assert!(checked.contains("ok    checkpoint        the stream goes on at"), "{checked}");
    stage.sql("INSERT INTO t VALUES (4)")?;
    let mut capture = Capture::start(&stage)?;
    capture.wait_for("the source goes on in a new timeline")?;
    capture.wait_for("streaming")?;
    stage.sql("INSERT INTO t VALUES (5)")?;
    capture.finish(&stage)?;
    // The new timeline stands in the checkpoints now.
    let capture = Capture::streaming(&stage)?;
    assert!(!capture.log().contains("new timeline"), "{}", capture.log());
    let topics = capture.finish(&stage)?;
    all_tables(&stage, &topics)
}
