use super::session::Work;
use crate::error::Error;

/// The warehouse picks all lines of an order.
#[derive(Debug)]
pub(crate) struct Pick {
    pub(crate) order_id: i32,
    pub(crate) by: i32,
}

impl Pick {
    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        // Locked in the order of their keys, so that two pickings don't wait for each other.
        work.run(
            "cannot lock stock item holdings",
            "SELECT FROM warehouse.stock_item_holdings
              WHERE stock_item_id IN (SELECT stock_item_id FROM sales.order_lines WHERE order_id = $1)
              ORDER BY stock_item_id FOR NO KEY UPDATE",
            &[&self.order_id],
        )
        .await?;
        work.run(
            "cannot lower stock item holdings",
            "UPDATE warehouse.stock_item_holdings AS holding
                SET quantity_on_hand = holding.quantity_on_hand - line.quantity, last_edited_by = $2,
                    last_edited_when = now() AT TIME ZONE 'UTC'
               FROM sales.order_lines AS line
              WHERE line.order_id = $1 AND holding.stock_item_id = line.stock_item_id",
            &[&self.order_id, &self.by],
        )
        .await?;
        work.run(
            "cannot pick order lines",
            "UPDATE sales.order_lines SET picked_quantity = quantity, picking_completed_when = now() AT TIME ZONE 'UTC',
                    last_edited_by = $2, last_edited_when = now() AT TIME ZONE 'UTC' WHERE order_id = $1",
            &[&self.order_id, &self.by],
        )
        .await?;
        work.run(
            "cannot complete an order's picking",
            "UPDATE sales.orders SET picked_by_person_id = $2, picking_completed_when = now() AT TIME ZONE 'UTC',
                    last_edited_by = $2, last_edited_when = now() AT TIME ZONE 'UTC' WHERE order_id = $1",
            &[&self.order_id, &self.by],
        )
        .await?;
        Ok(())
    }
}
