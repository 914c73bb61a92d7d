use std::collections::BTreeMap;

use chrono::NaiveDate;
use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::calendar::{next_working_day, orders_by_day};
use super::customers::Customer;
use super::people::SALESPERSONS;
use super::random::{Stream, stream};
use super::reference::nth;
use super::stock::StockItem;
use crate::error::Error;
use crate::money::Cents;

/// One line of an order; its item is a copy, so that a line stands by itself.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) order_line_id: i32,
    pub(crate) item: StockItem,
    pub(crate) quantity: i32,
    /// Still on the shelf at the end of the order's own day.
    pub(crate) available: bool,
}

/// An order in its final state.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) order_id: i32,
    pub(crate) backorder_order_id: Option<i32>,
    pub(crate) customer: Customer,
    pub(crate) salesperson: i32,
    pub(crate) date: NaiveDate,
    pub(crate) purchase_order: i32,
    /// The day on which its lines were picked; none when it was still open at the end.
    pub(crate) picked_on: Option<NaiveDate>,
    pub(crate) lines: Vec<Line>,
}

#[derive(Debug, Clone)]
pub(crate) struct Invoice {
    pub(crate) invoice_id: i32,
    pub(crate) transaction_id: i32,
    pub(crate) first_line_id: i32,
    pub(crate) date: NaiveDate,
    pub(crate) packed_by: i32,
    pub(crate) order: Order,
}

impl Invoice {
    pub(crate) fn amount_excluding_tax(&self) -> Cents {
        self.order.lines.iter().map(Line::net).sum()
    }

    pub(crate) fn tax(&self) -> Cents {
        self.order.lines.iter().map(Line::tax).sum()
    }

    /// The day on which it was paid; none when it was still open at the end.
    pub(crate) fn paid_on(&self) -> Option<NaiveDate> {
        next_working_day(self.date)
    }
}

impl Line {
    pub(crate) fn net(&self) -> Cents {
        self.item.unit_price.times(self.quantity)
    }

    pub(crate) fn tax(&self) -> Cents {
        self.net().at_rate(self.item.tax_rate)
    }

    pub(crate) fn profit(&self) -> Cents {
        (self.item.unit_price - self.item.cost).times(self.quantity)
    }
}

/// What a bill-to customer paid on a day: all its invoices of the working day before.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) transaction_id: i32,
    pub(crate) customer_id: i32,
    pub(crate) date: NaiveDate,
    pub(crate) amount: Cents,
}

/// All that happened on one day, in this order: payments, orders, invoices.
#[derive(Debug, Default)]
pub(crate) struct Day {
    pub(crate) payments: Vec<Payment>,
    pub(crate) orders: Vec<Order>,
    pub(crate) invoices: Vec<Invoice>,
}

/// The days one after the other. Generating them again gives the same days, so each table is
/// written by its own pass and memory holds one day only.
pub(crate) struct Days<'a> {
    customers: &'a [Customer],
    items: &'a [StockItem],
    plan: std::vec::IntoIter<(NaiveDate, u32)>,
    rng: ChaCha8Rng,
    next: NextIds,
    /// Orders that wait for stock until the next day.
    waiting: Vec<Order>,
    owed: BTreeMap<i32, Cents>,
}

struct NextIds {
    order: i32,
    order_line: i32,
    invoice: i32,
    invoice_line: i32,
    transaction: i32,
}

/// Gives the current id and moves on by `count`.
fn allocate(next: &mut i32, count: usize) -> i32 {
    let id = *next;
    *next += count as i32;
    id
}

impl<'a> Days<'a> {
    pub(crate) fn new(seed: u64, orders: u32, customers: &'a [Customer], items: &'a [StockItem]) -> Self {
        Self {
            customers,
            items,
            plan: orders_by_day(orders).into_iter(),
            rng: stream(seed, Stream::Sales, 0),
            next: NextIds { order: 1, order_line: 1, invoice: 1, invoice_line: 1, transaction: 1 },
            waiting: Vec::new(),
            owed: BTreeMap::new(),
        }
    }

    /// The next day, or nothing after the last one.
    pub(crate) fn next_day(&mut self) -> Result<Option<Day>, Error> {
        let Some((date, orders)) = self.plan.next() else { return Ok(None) };
        let mut day = Day::default();
        for (customer_id, amount) in std::mem::take(&mut self.owed) {
            let transaction_id = allocate(&mut self.next.transaction, 1);
            day.payments.push(Payment { transaction_id, customer_id, date, amount });
        }
        let mut picked = std::mem::take(&mut self.waiting);
        for _ in 0..orders {
            self.take_order(date, &mut day, &mut picked)?;
        }
        for order in picked {
            let invoice = self.invoice(date, order);
            *self.owed.entry(invoice.order.customer.bill_to).or_default() =
                self.owed.get(&invoice.order.customer.bill_to).copied().unwrap_or_default()
                    + invoice.amount_excluding_tax()
                    + invoice.tax();
            day.invoices.push(invoice);
        }
        Ok(Some(day))
    }

    /// Takes one order. Lines out of stock move to a backorder, which is picked the next day.
    fn take_order(&mut self, date: NaiveDate, day: &mut Day, picked: &mut Vec<Order>) -> Result<(), Error> {
        let customer = loop {
            let customer = *nth(self.customers, self.rng.random_range(0..self.customers.len()))?;
            if !customer.on_hold {
                break customer;
            }
        };
        let salesperson = self.rng.random_range(SALESPERSONS);
        let purchase_order = self.rng.random_range(10_000..20_000);
        let lines = self.lines()?;
        let order_id = allocate(&mut self.next.order, 1);
        let mut order = Order {
            order_id,
            backorder_order_id: None,
            customer,
            salesperson,
            date,
            purchase_order,
            picked_on: Some(date),
            lines,
        };
        let (available, missing): (Vec<_>, Vec<_>) = order.lines.drain(..).partition(|line| line.available);
        let backorder = (!missing.is_empty()).then(|| Order {
            order_id: allocate(&mut self.next.order, 1),
            picked_on: next_working_day(date),
            lines: missing,
            ..order.clone()
        });
        order.lines = available;
        order.backorder_order_id = backorder.as_ref().map(|backorder| backorder.order_id);
        picked.push(order.clone());
        day.orders.push(order);
        if let Some(backorder) = backorder {
            self.waiting.push(backorder.clone());
            day.orders.push(backorder);
        }
        Ok(())
    }

    /// Two to five lines of distinct items; the first is always there, another is missing now and then.
    fn lines(&mut self) -> Result<Vec<Line>, Error> {
        let count = self.rng.random_range(2..=5);
        let mut lines: Vec<Line> = Vec::with_capacity(count);
        while lines.len() < count {
            let item = nth(self.items, self.rng.random_range(0..self.items.len()))?;
            if lines.iter().any(|line| line.item.stock_item_id == item.stock_item_id) {
                continue;
            }
            let available = lines.is_empty() || self.rng.random_range(0..100) >= 2;
            let quantity = item.per_outer * self.rng.random_range(1..=10);
            let order_line_id = allocate(&mut self.next.order_line, 1);
            lines.push(Line { order_line_id, item: item.clone(), quantity, available });
        }
        Ok(lines)
    }

    fn invoice(&mut self, date: NaiveDate, order: Order) -> Invoice {
        Invoice {
            invoice_id: allocate(&mut self.next.invoice, 1),
            transaction_id: allocate(&mut self.next.transaction, 1),
            first_line_id: allocate(&mut self.next.invoice_line, order.lines.len()),
            date,
            packed_by: self.rng.random_range(super::people::EMPLOYEES),
            order,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::Reference;
    use super::super::{customers, stock};
    use super::*;

    #[test]
    fn payments_settle_what_was_invoiced_and_ids_are_dense() {
        let reference = Reference::read().unwrap();
        let (customers, items) = (customers::customers(&reference), stock::items(&reference));
        let mut days = Days::new(7, 2_000, &customers, &items);
        let (mut invoiced, mut paid, mut orders, mut transactions) = (Cents(0), Cents(0), vec![], vec![]);
        while let Some(day) = days.next_day().unwrap() {
            for payment in &day.payments {
                paid = paid + payment.amount;
                transactions.push(payment.transaction_id);
            }
            for invoice in &day.invoices {
                if invoice.paid_on().is_some() {
                    invoiced = invoiced + invoice.amount_excluding_tax() + invoice.tax();
                }
                transactions.push(invoice.transaction_id);
            }
            orders.extend(day.orders.iter().map(|order| order.order_id));
        }
        assert_eq!(invoiced, paid);
        assert_eq!(orders, (1..=orders.len() as i32).collect::<Vec<_>>());
        assert_eq!(transactions, (1..=transactions.len() as i32).collect::<Vec<_>>());
    }
}
