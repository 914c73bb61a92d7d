use super::session::Work;
use crate::error::Error;

/// A picked order is invoiced: the invoice, its lines, and the customer's transaction.
#[derive(Debug)]
pub(crate) struct Invoice {
    pub(crate) order_id: i32,
    pub(crate) by: i32,
}

impl Invoice {
    pub(crate) async fn run(&self, work: &mut Work<'_>) -> Result<(), Error> {
        let rows = work
            .run(
                "cannot insert an invoice",
                "INSERT INTO sales.invoices (customer_id, bill_to_customer_id, order_id, delivery_method_id,
                   contact_person_id, accounts_person_id, salesperson_person_id, packed_by_person_id, invoice_date,
                   customer_purchase_order_number, is_credit_note, delivery_instructions, total_dry_items,
                   total_chiller_items, last_edited_by)
                 SELECT buyer.customer_id, buyer.bill_to_customer_id, placed.order_id, buyer.delivery_method_id,
                        placed.contact_person_id, payer.primary_contact_person_id, placed.salesperson_person_id, $2,
                        current_date, placed.customer_purchase_order_number, false,
                        buyer.delivery_address_line1 || ', ' || coalesce(buyer.delivery_address_line2, ''),
                        (SELECT coalesce(sum(line.quantity) FILTER (WHERE NOT item.is_chiller_stock), 0)
                           FROM sales.order_lines AS line JOIN warehouse.stock_items AS item USING (stock_item_id)
                          WHERE line.order_id = $1),
                        (SELECT coalesce(sum(line.quantity) FILTER (WHERE item.is_chiller_stock), 0)
                           FROM sales.order_lines AS line JOIN warehouse.stock_items AS item USING (stock_item_id)
                          WHERE line.order_id = $1),
                        $2
                   FROM sales.orders AS placed
                   JOIN sales.customers AS buyer USING (customer_id)
                   JOIN sales.customers AS payer ON payer.customer_id = buyer.bill_to_customer_id
                  WHERE placed.order_id = $1
                 RETURNING invoice_id",
                &[&self.order_id, &self.by],
            )
            .await?;
        let Some(invoice_id) = rows.first().map(|row| row.get::<_, i32>(0)) else { return Ok(()) };
        work.run(
            "cannot insert invoice lines",
            "INSERT INTO sales.invoice_lines (invoice_id, stock_item_id, description, package_type_id, quantity,
               unit_price, tax_rate, tax_amount, line_profit, extended_price, last_edited_by)
             SELECT $2, line.stock_item_id, line.description, line.package_type_id, line.picked_quantity,
                    line.unit_price, line.tax_rate,
                    round(line.picked_quantity * line.unit_price * line.tax_rate / 100, 2),
                    round(line.picked_quantity * (line.unit_price - holding.last_cost_price), 2),
                    round(line.picked_quantity * line.unit_price, 2)
                      + round(line.picked_quantity * line.unit_price * line.tax_rate / 100, 2),
                    $3
               FROM sales.order_lines AS line JOIN warehouse.stock_item_holdings AS holding USING (stock_item_id)
              WHERE line.order_id = $1",
            &[&self.order_id, &invoice_id, &self.by],
        )
        .await?;
        work.run(
            "cannot insert a customer transaction",
            "INSERT INTO sales.customer_transactions (customer_id, transaction_type_id, invoice_id, transaction_date,
               amount_excluding_tax, tax_amount, transaction_amount, outstanding_balance, last_edited_by)
             SELECT invoice.bill_to_customer_id, 1, invoice.invoice_id, current_date,
                    sum(line.extended_price - line.tax_amount), sum(line.tax_amount), sum(line.extended_price),
                    sum(line.extended_price), $2
               FROM sales.invoices AS invoice JOIN sales.invoice_lines AS line USING (invoice_id)
              WHERE invoice.invoice_id = $1 GROUP BY invoice.invoice_id",
            &[&invoice_id, &self.by],
        )
        .await?;
        Ok(())
    }
}
