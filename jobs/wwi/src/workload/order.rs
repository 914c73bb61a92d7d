use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::catalog::Catalog;
use super::session::Work;
use crate::error::{Error, ErrorKind};

/// A customer orders two to five items.
#[derive(Debug)]
pub(crate) struct NewOrder {
    customer_id: i32,
    salesperson: i32,
    purchase_order: String,
    items: Vec<i32>,
    quantities: Vec<i32>,
}

impl NewOrder {
    pub(crate) fn decide(catalog: &Catalog, rng: &mut ChaCha8Rng) -> Self {
        let count = rng.random_range(2..=5);
        let mut order = Self {
            customer_id: catalog.customer(rng),
            salesperson: catalog.salesperson(rng),
            purchase_order: rng.random_range(10_000..20_000).to_string(),
            items: Vec::with_capacity(count),
            quantities: Vec::with_capacity(count),
        };
        while order.items.len() < count {
            let (item, per_outer) = catalog.item(rng);
            if !order.items.contains(&item) {
                order.items.push(item);
                order.quantities.push(per_outer * rng.random_range(1..=10));
            }
        }
        order
    }

    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<i32, Error> {
        let rows = work
            .run(
                "cannot place an order",
                "WITH placed AS (
                   INSERT INTO sales.orders (customer_id, salesperson_person_id, contact_person_id, order_date,
                     expected_delivery_date, customer_purchase_order_number, is_undersupply_backordered, last_edited_by)
                   SELECT customer_id, $2, primary_contact_person_id, current_date, current_date + 1, $3, true, $2
                     FROM sales.customers WHERE customer_id = $1
                   RETURNING order_id),
                 lines AS (
                   INSERT INTO sales.order_lines (order_id, stock_item_id, description, package_type_id, quantity,
                     unit_price, tax_rate, picked_quantity, last_edited_by)
                   SELECT placed.order_id, item.stock_item_id, item.stock_item_name, item.unit_package_id,
                          wanted.quantity, item.unit_price, item.tax_rate, 0, $2
                     FROM placed, unnest($4::integer[], $5::integer[]) AS wanted (stock_item_id, quantity)
                     JOIN warehouse.stock_items AS item USING (stock_item_id))
                 SELECT order_id FROM placed",
                &[&self.customer_id, &self.salesperson, &self.purchase_order, &self.items, &self.quantities],
            )
            .await?;
        rows.first().map(|row| row.get(0)).ok_or_else(|| {
            Error::new(
                ErrorKind::Statement,
                format!("customer {} is gone: no order was placed", self.customer_id),
            )
        })
    }
}
