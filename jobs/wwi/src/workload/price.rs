use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::catalog::Catalog;
use super::session::Work;
use crate::error::Error;

/// A stock item's price moves by up to 5 %, not below half a dollar.
#[derive(Debug)]
pub(crate) struct PriceChange {
    stock_item_id: i32,
    by: i32,
    /// Of a thousand.
    share: i32,
}

impl PriceChange {
    pub(crate) fn decide(catalog: &Catalog, rng: &mut ChaCha8Rng) -> Self {
        Self {
            stock_item_id: catalog.item(rng).0,
            by: catalog.employee(rng),
            share: rng.random_range(950..=1050),
        }
    }

    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        work.run(
            "cannot change a price",
            "UPDATE warehouse.stock_items
                SET unit_price = greatest(0.50, round(unit_price * $2::integer / 1000, 2)),
                    recommended_retail_price = greatest(0.75, round(unit_price * $2::integer / 1000 * 1.495, 2)),
                    last_edited_by = $3
              WHERE stock_item_id = $1",
            &[&self.stock_item_id, &self.share, &self.by],
        )
        .await?;
        Ok(())
    }
}
