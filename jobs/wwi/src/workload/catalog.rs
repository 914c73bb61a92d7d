use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::error::{Error, ErrorKind, statement};
use crate::source::Source;

/// The ids that transactions choose from, read once.
#[derive(Debug)]
pub(crate) struct Catalog {
    customers: Vec<i32>,
    payers: Vec<i32>,
    salespersons: Vec<i32>,
    employees: Vec<i32>,
    /// Stock item and its quantity in an outer package.
    items: Vec<(i32, i32)>,
}

impl Catalog {
    pub(crate) async fn read(source: &Source) -> Result<Self, Error> {
        let client = source.connect().await?;
        let ids = async |sql: &str| -> Result<Vec<i32>, Error> {
            let rows = client.query(sql, &[]).await.map_err(statement("cannot read the catalog of ids"))?;
            Ok(rows.iter().map(|row| row.get(0)).collect())
        };
        let items = client
            .query("SELECT stock_item_id, quantity_per_outer FROM warehouse.stock_items ORDER BY 1", &[])
            .await
            .map_err(statement("cannot read warehouse.stock_items"))?;
        Ok(Self {
            customers: ids("SELECT customer_id FROM sales.customers WHERE NOT is_on_credit_hold ORDER BY 1")
                .await?,
            payers: ids("SELECT DISTINCT bill_to_customer_id FROM sales.customers ORDER BY 1").await?,
            salespersons: ids("SELECT person_id FROM application.people WHERE is_salesperson ORDER BY 1")
                .await?,
            employees: ids("SELECT person_id FROM application.people WHERE is_employee ORDER BY 1").await?,
            items: items.iter().map(|row| (row.get(0), row.get(1))).collect(),
        })
        .and_then(Self::complete)
    }

    fn complete(self) -> Result<Self, Error> {
        if self.customers.is_empty()
            || self.salespersons.is_empty()
            || self.employees.is_empty()
            || self.items.len() < 5
        {
            return Err(Error::new(
                ErrorKind::Shape,
                "the database holds no customers or stock items: run `lakepulse-wwi load` first",
            ));
        }
        Ok(self)
    }

    pub(crate) fn customer(&self, rng: &mut ChaCha8Rng) -> i32 {
        one_of(&self.customers, rng)
    }

    pub(crate) fn payer(&self, rng: &mut ChaCha8Rng) -> i32 {
        one_of(&self.payers, rng)
    }

    pub(crate) fn salesperson(&self, rng: &mut ChaCha8Rng) -> i32 {
        one_of(&self.salespersons, rng)
    }

    pub(crate) fn employee(&self, rng: &mut ChaCha8Rng) -> i32 {
        one_of(&self.employees, rng)
    }

    pub(crate) fn item(&self, rng: &mut ChaCha8Rng) -> (i32, i32) {
        one_of(&self.items, rng)
    }
}

fn one_of<T: Copy + Default>(choices: &[T], rng: &mut ChaCha8Rng) -> T {
    choices.get(rng.random_range(0..choices.len().max(1))).copied().unwrap_or_default()
}
