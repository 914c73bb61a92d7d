//! The rows of one day in each of the five tables of the sales chain.

use chrono::NaiveDate;

use super::calendar::delivery_day;
use super::copy_text::CopyText;
use super::sales::Day;
use crate::money::Cents;

/// Who picks, packs and posts.
const CLERK: i32 = 12;
const INVOICED: i32 = 1;
const PAID: i32 = 3;
const BY_TRANSFER: i32 = 4;

fn at(date: NaiveDate, time: &str) -> String {
    format!("{date} {time}")
}

pub(crate) fn orders(day: &Day, copy: &mut CopyText) {
    for order in &day.orders {
        copy.field(order.order_id).field(order.customer.customer_id).field(order.salesperson);
        copy.optional(order.picked_on.map(|_| CLERK))
            .field(order.customer.contact)
            .optional(order.backorder_order_id);
        copy.field(order.date).field(delivery_day(order.date)).field(order.purchase_order).field(true);
        copy.null().null().null().optional(order.picked_on.map(|date| at(date, "11:00:00")));
        copy.field(CLERK).field(at(order.picked_on.unwrap_or(order.date), "11:00:00")).end();
    }
}

pub(crate) fn order_lines(day: &Day, copy: &mut CopyText) {
    for order in &day.orders {
        for line in &order.lines {
            copy.field(line.order_line_id)
                .field(order.order_id)
                .field(line.item.stock_item_id)
                .field(&line.item.name);
            copy.field(line.item.package)
                .field(line.quantity)
                .field(line.item.unit_price)
                .field(line.item.tax_rate);
            copy.field(if order.picked_on.is_some() { line.quantity } else { 0 });
            copy.optional(order.picked_on.map(|date| at(date, "11:00:00")));
            copy.field(CLERK).field(at(order.picked_on.unwrap_or(order.date), "11:00:00")).end();
        }
    }
}

pub(crate) fn invoices(day: &Day, copy: &mut CopyText) {
    for invoice in &day.invoices {
        let customer = invoice.order.customer;
        let chilled: i32 =
            invoice.order.lines.iter().filter(|line| line.item.chiller).map(|line| line.quantity).sum();
        let dry: i32 =
            invoice.order.lines.iter().filter(|line| !line.item.chiller).map(|line| line.quantity).sum();
        copy.field(invoice.invoice_id)
            .field(customer.customer_id)
            .field(customer.bill_to)
            .field(invoice.order.order_id);
        copy.field(customer.delivery_method).field(customer.contact).field(customer.accounts_contact);
        copy.field(invoice.order.salesperson).field(invoice.packed_by).field(invoice.date);
        copy.field(invoice.order.purchase_order).field(false).null().null();
        copy.field(format_args!("Deliver to the back door of shop {}", customer.customer_id)).null();
        copy.field(dry).field(chilled).null().null();
        copy.optional(invoice.paid_on().map(|delivered| {
            format!(
                r#"{{"Events":[{{"Event":"Ready for collection","EventTime":"{}T12:00:00","ConNote":"EAN-125-{}"}}],"DeliveredWhen":"{delivered}T07:05:00","ReceivedBy":"Contact {}"}}"#,
                invoice.date, invoice.invoice_id + 1050, customer.contact
            )
        }));
        copy.field(CLERK).field(at(invoice.paid_on().unwrap_or(invoice.date), "12:00:00")).end();
    }
}

pub(crate) fn invoice_lines(day: &Day, copy: &mut CopyText) {
    for invoice in &day.invoices {
        for (invoice_line_id, line) in (invoice.first_line_id..).zip(&invoice.order.lines) {
            copy.field(invoice_line_id)
                .field(invoice.invoice_id)
                .field(line.item.stock_item_id)
                .field(&line.item.name);
            copy.field(line.item.package)
                .field(line.quantity)
                .field(line.item.unit_price)
                .field(line.item.tax_rate);
            copy.field(line.tax()).field(line.profit()).field(line.net() + line.tax());
            copy.field(CLERK).field(at(invoice.date, "12:00:00")).end();
        }
    }
}

pub(crate) fn customer_transactions(day: &Day, copy: &mut CopyText) {
    for payment in &day.payments {
        copy.field(payment.transaction_id).field(payment.customer_id).field(PAID).null().field(BY_TRANSFER);
        copy.field(payment.date).field(Cents(0)).field(Cents(0)).field(-payment.amount).field(Cents(0));
        copy.field(payment.date).field(CLERK).field(at(payment.date, "11:30:00")).end();
    }
    for invoice in &day.invoices {
        let (net, tax) = (invoice.amount_excluding_tax(), invoice.tax());
        copy.field(invoice.transaction_id)
            .field(invoice.order.customer.bill_to)
            .field(INVOICED)
            .field(invoice.invoice_id);
        copy.null().field(invoice.date).field(net).field(tax).field(net + tax);
        copy.field(if invoice.paid_on().is_some() { Cents(0) } else { net + tax })
            .optional(invoice.paid_on());
        copy.field(CLERK).field(at(invoice.paid_on().unwrap_or(invoice.date), "12:00:00")).end();
    }
}
