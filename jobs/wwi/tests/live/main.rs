//! Live tests: schema, load and workload on a real PostgreSQL, given by `LAKEPULSE_TEST_PG_URL`
//! (postgresql://user@host:port, a superuser; password in `PGPASSWORD`).

// A panic fails the test, as it should.
#![allow(clippy::panic)]

mod stage;

use std::time::Duration;

use lakepulse_wwi::{
    ErrorKind, LoadOptions, SchemaOutcome, WorkloadOptions, create_schema, load, run_workload,
};
use libtest_mimic::{Arguments, Failed, Trial};

use crate::stage::{Result, Stage};

/// The error and its causes.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join(": ")
}

fn trial(name: &str, test: fn() -> Result<()>) -> Trial {
    Trial::test(name, move || test().map_err(|error| Failed::from(chain(&*error))))
}

fn main() {
    let mut arguments = Arguments::from_args();
    arguments.test_threads = arguments.test_threads.or(Some(2));
    let tests = vec![
        trial("schema_is_created_once", schema_is_created_once),
        trial("altered_schema_is_refused", altered_schema_is_refused),
        trial("same_seed_same_rows", same_seed_same_rows),
        trial("loaded_rows_keep_the_books", loaded_rows_keep_the_books),
        trial("load_refuses_filled_tables", load_refuses_filled_tables),
        trial("temporal_tables_keep_old_versions", temporal_tables_keep_old_versions),
        trial("workload_reaches_its_rate", workload_reaches_its_rate),
    ];
    libtest_mimic::run(&arguments, tests).exit();
}

const SMALL: LoadOptions = LoadOptions { seed: 11, rows: 12_000 };

/// A database with the schema and, when asked for, rows.
fn stage(options: Option<LoadOptions>) -> Result<Stage> {
    let stage = Stage::new()?;
    stage.runtime.block_on(create_schema(&stage.source))?;
    if let Some(options) = options {
        stage.runtime.block_on(load(&stage.source, options))?;
    }
    Ok(stage)
}

fn schema_is_created_once() -> Result<()> {
    let stage = Stage::new()?;
    let create = || stage.runtime.block_on(create_schema(&stage.source));
    assert_eq!((create()?, create()?), (SchemaOutcome::Created, SchemaOutcome::Unchanged));
    Ok(())
}

fn altered_schema_is_refused() -> Result<()> {
    let stage = stage(None)?;
    stage.sql("ALTER TABLE sales.orders ADD COLUMN surprise integer")?;
    match stage.runtime.block_on(create_schema(&stage.source)) {
        Err(error) if error.kind() == ErrorKind::Shape => {
            assert!(error.to_string().contains("sales.orders"), "{error}");
            Ok(())
        }
        other => Err(format!("expected a refusal, got {other:?}").into()),
    }
}

fn same_seed_same_rows() -> Result<()> {
    let digests = |options| -> Result<String> { stage(Some(options))?.digest() };
    let first = digests(SMALL)?;
    assert_eq!(first, digests(SMALL)?);
    assert_ne!(first, digests(LoadOptions { seed: 12, ..SMALL })?);
    Ok(())
}

/// Queries that find rows that break a rule; foreign keys are enforced by the database itself.
const RULES: [(&str, &str); 6] = [
    (
        "an invoice's lines add up to its transaction",
        "SELECT invoice_id FROM sales.invoice_lines JOIN sales.customer_transactions USING (invoice_id)
          GROUP BY invoice_id, transaction_amount, customer_transactions.tax_amount, amount_excluding_tax
         HAVING sum(extended_price) <> transaction_amount OR amount_excluding_tax <> transaction_amount - customer_transactions.tax_amount",
    ),
    ("a finalized transaction owes nothing", "SELECT 1 FROM sales.customer_transactions WHERE is_finalized AND outstanding_balance <> 0"),
    (
        "an order is picked exactly when all its lines are",
        "SELECT order_id FROM sales.orders JOIN sales.order_lines USING (order_id) GROUP BY order_id, orders.picking_completed_when
         HAVING (orders.picking_completed_when IS NOT NULL) <> bool_and(order_lines.picking_completed_when IS NOT NULL)",
    ),
    (
        "extended price and tax follow from quantity and price",
        "SELECT 1 FROM sales.invoice_lines WHERE tax_amount <> round(quantity * unit_price * tax_rate / 100, 2)
            OR extended_price <> quantity * unit_price + tax_amount",
    ),
    (
        "versions of a customer don't overlap",
        "SELECT 1 FROM sales.customers AS now JOIN sales.customers_archive AS old USING (customer_id) WHERE old.valid_to > now.valid_from
         UNION ALL SELECT 1 FROM sales.customers_archive WHERE valid_from >= valid_to",
    ),
    ("sequences stand past the keys", "SELECT 1 WHERE nextval('sequences.order_id') <= (SELECT max(order_id) FROM sales.orders)"),
];

fn keeps_the_books(stage: &Stage) -> Result<()> {
    for (rule, broken) in RULES {
        if stage.value(broken)?.is_some() {
            return Err(format!("not true: {rule}").into());
        }
    }
    Ok(())
}

fn loaded_rows_keep_the_books() -> Result<()> {
    let stage = stage(Some(SMALL))?;
    let rows: i64 = stage.value("SELECT sum(n) FROM (SELECT count(*) AS n FROM sales.orders UNION ALL SELECT count(*) FROM sales.order_lines) AS t")?.unwrap_or_default().parse()?;
    assert!(rows > 2_000, "{rows}");
    keeps_the_books(&stage)
}

fn load_refuses_filled_tables() -> Result<()> {
    let stage = stage(Some(SMALL))?;
    let again = stage.runtime.block_on(load(&stage.source, SMALL));
    assert_eq!(again.map_err(|error| error.kind()).map(|loaded| loaded.rows()), Err(ErrorKind::Filled));
    Ok(())
}

fn temporal_tables_keep_old_versions() -> Result<()> {
    let stage = stage(Some(SMALL))?;
    stage.sql("UPDATE sales.customers SET phone_number = 'new' WHERE customer_id = 1")?;
    stage.sql("DELETE FROM warehouse.colors WHERE color_name = 'Puce'")?;
    let versions = "SELECT count(*) || ' ' || max(phone_number) FROM (SELECT phone_number FROM sales.customers_archive WHERE customer_id = 1) AS t";
    assert!(stage.value(versions)?.is_some_and(|text| text.starts_with("1 (")));
    assert_eq!(stage.value("SELECT color_name FROM warehouse.colors_archive")?.as_deref(), Some("Puce"));
    keeps_the_books(&stage)
}

fn workload_reaches_its_rate() -> Result<()> {
    let stage = stage(Some(SMALL))?;
    let options = WorkloadOptions { rate: 50.0, duration: Duration::from_secs(6), connections: 3, seed: 1 };
    let summary = stage.runtime.block_on(run_workload(&stage.source, options))?;
    assert!((280..=302).contains(&summary.transactions()), "{summary}");
    keeps_the_books(&stage)
}
