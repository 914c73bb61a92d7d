//! What is done twice changes nothing the second time, and what is done in steps equals what is done at once.

use std::time::Duration;

use super::Outcome;
use super::pipeline::Pipeline;

/// Refreshes after changes, then compares every gold table with its full rebuild.
pub fn gold_equals_its_rebuild(pipeline: &Pipeline) -> Outcome {
    pipeline.succeed("lakepulse-gold", &["refresh"])?;
    for seed in [11, 12] {
        pipeline.workload(4, seed)?.wait()?;
        pipeline.verify()?;
        pipeline.succeed("lakepulse-gold", &["refresh"])?;
    }
    let printed = pipeline.succeed("lakepulse-gold", &["check"])?;
    let facts = printed.lines().find_map(|line| line.strip_prefix("fact_sale")).unwrap_or_default();
    let rows: i64 = facts.split_whitespace().next().unwrap_or("0").parse()?;
    if rows > 0 { Ok(()) } else { Err(format!("no facts:\n{printed}").into()) }
}

/// A column that the source gains in mid-stream is in silver, with its values, without a restart.
pub fn new_column_arrives(pipeline: &Pipeline) -> Outcome {
    pipeline.source("alter table warehouse.colors add column shade text; update warehouse.colors set shade = 'dark' where color_id = 3")?;
    pipeline.until("the new column's value in silver", Duration::from_secs(400), || {
        pipeline
            .spark_count("SELECT count(*) FROM silver.warehouse_colors WHERE shade = 'dark'")
            .or(Ok(0))
            .map(|count| count == 1)
    })?;
    pipeline.source("alter table warehouse.colors drop column shade")?;
    Ok(())
}

/// What somebody changes in silver by hand is found, and is gone when the table is restored.
pub fn changes_by_hand_are_found(pipeline: &Pipeline) -> Outcome {
    pipeline.verify()?;
    pipeline.stop("silver")?;
    let version = pipeline.version("silver.warehouse_colors")?;
    let colors = pipeline.spark_count("SELECT count(*) FROM silver.warehouse_colors")?;
    pipeline.sql("DELETE FROM silver.warehouse_colors WHERE color_id = 3")?;
    pipeline.sql("UPDATE silver.warehouse_colors SET color_name = 'no such color' WHERE color_id = 4")?;
    pipeline.verify_finds(&format!("warehouse.colors {colors} 1 0 1 0"))?;
    pipeline.sql(&format!("RESTORE TABLE silver.warehouse_colors TO VERSION AS OF {version}"))?;
    pipeline.verify()?;
    pipeline.up(&["silver"])?;
    pipeline.verify()
}
