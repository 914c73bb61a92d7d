use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::catalog::Catalog;
use super::session::Work;
use crate::error::Error;

/// A customer's credit limit, phone number or buying group changes.
#[derive(Debug)]
pub(crate) struct CustomerChange {
    customer_id: i32,
    by: i32,
    what: What,
}

#[derive(Debug)]
enum What {
    CreditLimit,
    Phone(String),
    BuyingGroup(Option<i32>),
}

impl CustomerChange {
    pub(crate) fn decide(catalog: &Catalog, rng: &mut ChaCha8Rng) -> Self {
        let what = match rng.random_range(0..3) {
            0 => What::CreditLimit,
            1 => What::Phone(format!(
                "({:03}) 555-{:04}",
                rng.random_range(201..990),
                rng.random_range(100..9999)
            )),
            _ => What::BuyingGroup(Some(rng.random_range(0..=2)).filter(|group| *group > 0)),
        };
        Self { customer_id: catalog.customer(rng), by: catalog.employee(rng), what }
    }

    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        match &self.what {
            What::CreditLimit => {
                work.run(
                    "cannot change a credit limit",
                    "UPDATE sales.customers SET credit_limit = round(coalesce(credit_limit, 1000) * 1.05, 2),
                            last_edited_by = $2 WHERE customer_id = $1",
                    &[&self.customer_id, &self.by],
                )
                .await?
            }
            What::Phone(number) => {
                work.run(
                    "cannot change a phone number",
                    "UPDATE sales.customers SET phone_number = $3, last_edited_by = $2 WHERE customer_id = $1",
                    &[&self.customer_id, &self.by, number],
                )
                .await?
            }
            What::BuyingGroup(group) => {
                work.run(
                    "cannot change a buying group",
                    "UPDATE sales.customers SET buying_group_id = $3, last_edited_by = $2 WHERE customer_id = $1",
                    &[&self.customer_id, &self.by, group],
                )
                .await?
            }
        };
        Ok(())
    }
}
