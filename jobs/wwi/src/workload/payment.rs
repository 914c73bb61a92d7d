use super::session::Work;
use crate::error::Error;

/// A customer pays all that it owes.
#[derive(Debug)]
pub(crate) struct Payment {
    pub(crate) customer_id: i32,
    pub(crate) by: i32,
}

impl Payment {
    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        work.run(
            "cannot settle customer transactions",
            "WITH open AS (
               SELECT customer_transaction_id, outstanding_balance AS owed FROM sales.customer_transactions
                WHERE customer_id = $1 AND NOT is_finalized
                ORDER BY customer_transaction_id FOR NO KEY UPDATE),
             settled AS (
               UPDATE sales.customer_transactions AS one
                  SET outstanding_balance = 0, finalization_date = current_date, last_edited_by = $2,
                      last_edited_when = now() AT TIME ZONE 'UTC'
                 FROM open WHERE one.customer_transaction_id = open.customer_transaction_id
               RETURNING open.owed)
             INSERT INTO sales.customer_transactions (customer_id, transaction_type_id, payment_method_id,
               transaction_date, amount_excluding_tax, tax_amount, transaction_amount, outstanding_balance,
               finalization_date, last_edited_by)
             SELECT $1, 3, 4, current_date, 0, 0, -sum(owed), 0, current_date, $2 FROM settled HAVING count(*) > 0",
            &[&self.customer_id, &self.by],
        )
        .await?;
        Ok(())
    }
}
