use chrono::{Duration, NaiveDate};
use rand::Rng;

use super::copy_text::CopyText;
use super::geography::City;
use super::people::{customer_contacts, name_of, phone};
use super::random::{Stream, stream};
use super::reference::{Reference, nth};
use super::{EDITOR, EPOCH, OPEN_END};
use crate::error::Error;

/// Customers of the released sample.
pub(crate) const CUSTOMERS: usize = 663;
/// Branches of each of the two buying groups; the rest trade for themselves.
const BRANCHES: usize = 201;

/// What the sales generator needs of a customer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Customer {
    pub(crate) customer_id: i32,
    pub(crate) bill_to: i32,
    pub(crate) contact: i32,
    pub(crate) accounts_contact: i32,
    pub(crate) delivery_method: i32,
    pub(crate) on_hold: bool,
}

/// The buying group (from 0) of customer number `index`, `None` for an independent one.
fn buying_group(reference: &Reference, index: usize) -> Option<usize> {
    Some(index / BRANCHES).filter(|group| *group < reference.buying_groups.len())
}

pub(crate) fn customers(reference: &Reference) -> Vec<Customer> {
    let one = |index: usize| {
        let head_office = buying_group(reference, index).map_or(index, |group| group * BRANCHES);
        let (contact, alternate) = customer_contacts(reference, index);
        Customer {
            customer_id: index as i32 + 1,
            bill_to: head_office as i32 + 1,
            contact,
            accounts_contact: if head_office == index {
                alternate
            } else {
                customer_contacts(reference, head_office).0
            },
            delivery_method: 3,
            on_hold: index % 97 == 96,
        }
    };
    (0..CUSTOMERS).map(one).collect()
}

pub(crate) fn write(
    seed: u64,
    reference: &Reference,
    customers: &[Customer],
    cities: i32,
    first_day: NaiveDate,
    copy: &mut CopyText,
) -> Result<(), Error> {
    let mut rng = stream(seed, Stream::Customers, 0);
    for (index, customer) in customers.iter().enumerate() {
        let group = buying_group(reference, index);
        let city_id = ((index * 37) % cities.max(1) as usize) as i32 + 1;
        let city = City::of(reference, city_id)?;
        let name = match group {
            Some(group) if group * BRANCHES == index => {
                format!("{} (Head Office)", nth(&reference.buying_groups, group)?)
            }
            Some(group) => format!(
                "{} ({}, {} #{index})",
                nth(&reference.buying_groups, group)?,
                city.name,
                city.state.code
            ),
            None => name_of(reference, customer.contact)?.1,
        };
        let (primary, alternate) = customer_contacts(reference, index);
        let (phone, fax) = (phone(&mut rng), phone(&mut rng));
        copy.field(customer.customer_id).field(name).field(customer.bill_to);
        copy.field(if group.is_some() { 3 } else { index % 8 + 1 }).optional(group.map(|group| group + 1));
        copy.field(primary).optional(group.is_some().then_some(alternate)).field(customer.delivery_method);
        copy.field(city_id).field(city_id);
        copy.optional(group.is_none().then(|| format!("{}.00", rng.random_range(10..50) * 100)));
        copy.field(first_day + Duration::days(rng.random_range(0..300) - 300)).field("0.000").field(false);
        copy.field(customer.on_hold).field(7).field(phone).field(fax);
        copy.field("").field("").field(format_args!("http://www.customer{}.example", customer.customer_id));
        copy.field(format_args!("Shop {}", rng.random_range(1..300)));
        copy.field(format_args!(
            "{} {} Street",
            rng.random_range(1..2000),
            nth(&reference.last_names, index)?
        ));
        copy.field(format_args!("9{:04}", rng.random_range(0..10_000))).field(&city.location);
        copy.field(format_args!("PO Box {}", rng.random_range(1..9999))).field(&city.name);
        copy.field(format_args!("9{:04}", rng.random_range(0..10_000)));
        copy.field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
    Ok(())
}
