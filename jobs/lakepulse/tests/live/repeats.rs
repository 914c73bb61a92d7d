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

/// A batch whose merges were committed but never published, as when the job is killed before its last step, is run
/// again: no table's contents change.
pub fn same_batch_twice(pipeline: &Pipeline) -> Outcome {
    pipeline.stop("silver")?;
    pipeline.workload(4, 21)?.wait()?;
    let before = pipeline.last_cut()?;
    pipeline.until("a new cut", Duration::from_secs(400), || {
        pipeline.succeed("lakepulse-silver", &["once"])?;
        Ok(pipeline.last_cut()? > before)
    })?;
    let cut = pipeline.last_cut()?;
    let tables =
        ["sales_orders", "sales_order_lines", "sales_invoices", "sales_customers", "sales_customers_history"];
    for table in tables {
        pipeline.sql(&format!(
            "CREATE OR REPLACE TABLE silver.kept_{table} USING DELTA AS SELECT * FROM silver.{table}"
        ))?;
    }
    pipeline.sql(&format!("DELETE FROM silver.published WHERE cut = {cut}"))?;
    pipeline.succeed("lakepulse-silver", &["once", "--until-lsn", &cut.to_string()])?;
    for table in tables {
        for (left, right) in
            [(format!("kept_{table}"), table.to_owned()), (table.to_owned(), format!("kept_{table}"))]
        {
            let query = format!(
                "SELECT count(*) FROM (SELECT * FROM silver.{left} EXCEPT ALL SELECT * FROM silver.{right})"
            );
            let count = pipeline.spark_count(&query)?;
            if count != 0 {
                return Err(format!("{count} rows of {left} are not in {right}").into());
            }
        }
        pipeline.sql(&format!("DROP TABLE silver.kept_{table}"))?;
    }
    pipeline.up(&["silver"])?;
    pipeline.verify()
}
