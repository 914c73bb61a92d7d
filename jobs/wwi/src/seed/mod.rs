//! The generator and its load: the same seed and row count give the same rows, whatever the clock.

mod calendar;
mod copy_text;
mod customers;
mod foreign_keys;
mod geography;
mod people;
pub(crate) mod random;
mod reference;
mod sales;
mod sales_rows;
mod stock;
mod tables;

use std::time::Instant;

use futures::SinkExt;
use tokio_postgres::{Client, Transaction};

use self::copy_text::CopyText;
use self::foreign_keys::Suspended;
use self::reference::Reference;
use self::sales::{Day, Days};
use crate::error::{Error, ErrorKind, statement};
use crate::source::Source;

/// The person who is said to have made every row of reference data, and its lifetime.
const EDITOR: i32 = 1;
const EPOCH: &str = "2013-01-01 00:00:00";
const OPEN_END: &str = "9999-12-31 23:59:59.999999";

/// Rows that an order brings on average: itself, its lines, its invoice with lines, its payments.
const ROWS_PER_ORDER: f64 = 10.2;
const CHUNK_BYTES: usize = 256 * 1024;

/// How much to generate.
#[derive(Debug, Clone, Copy)]
pub struct LoadOptions {
    /// The same seed gives the same rows.
    pub seed: u64,
    /// About this many rows in all tables together, at least some 4,000.
    pub rows: u32,
}

/// Rows loaded, per table in the order of loading.
#[derive(Debug, Default)]
pub struct Loaded {
    tables: Vec<(&'static str, u64)>,
}

impl Loaded {
    /// Rows of all tables together.
    pub fn rows(&self) -> u64 {
        self.tables.iter().map(|(_, rows)| rows).sum()
    }

    /// Each table with its rows.
    pub fn tables(&self) -> &[(&'static str, u64)] {
        &self.tables
    }
}

/// Loads generated rows into the empty tables of [`create_schema`](crate::create_schema), in one transaction.
///
/// # Errors
/// [`ErrorKind::Filled`] when the tables hold rows already; other kinds when the tables are not there or a statement
/// fails. Nothing is loaded then.
pub async fn load(source: &Source, options: LoadOptions) -> Result<Loaded, Error> {
    let mut client = source.connect().await?;
    refuse_rows(&client).await?;
    let reference = Reference::read()?;
    let customers = customers::customers(&reference);
    let items = stock::items(&reference);
    let cities = (options.rows / 100).clamp(200, 37_940) as i32;
    let mut loaded = Loaded::default();

    let transaction = client.transaction().await.map_err(statement("BEGIN"))?;
    let seed = options.seed;
    let named = |names: &[String], copy: &mut CopyText| {
        for (index, name) in names.iter().enumerate() {
            copy.field(index + 1).field(name).field(EDITOR).field(EPOCH).field(OPEN_END).end();
        }
    };
    for table in tables::REFERENCE {
        let mut copy = CopyText::default();
        match table.name {
            "application.people" => people::people(seed, &reference, customers.len(), &mut copy)?,
            "application.countries" => geography::countries(&reference, &mut copy),
            "application.state_provinces" => geography::states(&reference, &mut copy),
            "application.cities" => geography::cities(&reference, 1..=cities, &mut copy)?,
            "application.delivery_methods" => named(&reference.delivery_methods, &mut copy),
            "application.payment_methods" => named(&reference.payment_methods, &mut copy),
            "application.transaction_types" => named(&reference.transaction_types, &mut copy),
            "purchasing.supplier_categories" => named(&reference.supplier_categories, &mut copy),
            "purchasing.suppliers" => stock::suppliers(seed, &reference, cities, &mut copy)?,
            "warehouse.colors" => named(&reference.colors, &mut copy),
            "warehouse.package_types" => named(&reference.package_types, &mut copy),
            "warehouse.stock_items" => stock::stock_items(seed, &reference, &items, &mut copy),
            "warehouse.stock_item_holdings" => stock::holdings(seed, &items, &mut copy),
            "sales.buying_groups" => named(&reference.buying_groups, &mut copy),
            "sales.customer_categories" => named(&reference.customer_categories, &mut copy),
            _ => customers::write(seed, &reference, &customers, cities, calendar::FIRST_DAY, &mut copy)?,
        }
        let chunk = copy.take();
        let mut sink = Box::pin(transaction.copy_in(&table.copy()).await.map_err(failed(table.name))?);
        sink.send(chunk).await.map_err(failed(table.name))?;
        sink.as_mut().finish().await.map_err(failed(table.name))?;
        loaded.tables.push((table.name, copy.rows()));
    }
    tables::move_sequences(&transaction, &tables::REFERENCE).await?;

    let orders = (f64::from(options.rows.saturating_sub(loaded.rows() as u32)) / ROWS_PER_ORDER) as u32;
    let passes: [fn(&Day, &mut CopyText); 5] = [
        sales_rows::orders,
        sales_rows::order_lines,
        sales_rows::invoices,
        sales_rows::invoice_lines,
        sales_rows::customer_transactions,
    ];
    let sales: Vec<&str> = tables::SALES.iter().map(|table| table.name).collect();
    let foreign_keys = Suspended::take_off(&transaction, &sales).await?;
    for (table, rows_of) in tables::SALES.iter().zip(passes) {
        let days = Days::new(seed, orders, &customers, &items);
        let begun = Instant::now();
        let rows = copy_days(&transaction, table, days, rows_of).await?;
        tracing::debug!(table = table.name, rows, took_ms = begun.elapsed().as_millis(), "table loaded");
        loaded.tables.push((table.name, rows));
    }
    foreign_keys.restore(&transaction).await?;
    tables::move_sequences(&transaction, &tables::SALES).await?;
    transaction.commit().await.map_err(statement("COMMIT"))?;
    client.batch_execute("ANALYZE").await.map_err(statement("ANALYZE"))?;
    Ok(loaded)
}

async fn copy_days(
    transaction: &Transaction<'_>,
    table: &tables::Table,
    mut days: Days<'_>,
    rows_of: fn(&Day, &mut CopyText),
) -> Result<u64, Error> {
    let mut copy = CopyText::default();
    let mut sink = Box::pin(transaction.copy_in(&table.copy()).await.map_err(failed(table.name))?);
    while let Some(day) = days.next_day()? {
        rows_of(&day, &mut copy);
        if copy.len() >= CHUNK_BYTES {
            sink.send(copy.take()).await.map_err(failed(table.name))?;
        }
    }
    sink.send(copy.take()).await.map_err(failed(table.name))?;
    sink.as_mut().finish().await.map_err(failed(table.name))?;
    Ok(copy.rows())
}

fn failed(table: &'static str) -> impl FnOnce(tokio_postgres::Error) -> Error {
    statement(format!("cannot load {table}"))
}

async fn refuse_rows(client: &Client) -> Result<(), Error> {
    let there = client
        .query_one("SELECT to_regclass('sales.orders') IS NOT NULL", &[])
        .await
        .map_err(statement("cannot read the catalog"))?;
    if !there.get::<_, bool>(0) {
        return Err(Error::new(
            ErrorKind::Shape,
            "table sales.orders is not there: run `lakepulse-wwi schema` first",
        ));
    }
    let filled = client
        .query_one("SELECT EXISTS (SELECT FROM application.people)", &[])
        .await
        .map_err(statement("cannot read application.people"))?;
    if filled.get::<_, bool>(0) {
        return Err(Error::new(
            ErrorKind::Filled,
            "application.people holds rows already: use another database, or --if-empty to keep them",
        ));
    }
    Ok(())
}
