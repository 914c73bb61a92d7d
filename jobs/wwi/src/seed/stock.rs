use rand::Rng;

use super::copy_text::CopyText;
use super::geography::City;
use super::people::{phone, supplier_contacts};
use super::random::{Stream, stream};
use super::reference::{Product, Reference};
use super::{EDITOR, EPOCH, OPEN_END};
use crate::error::Error;
use crate::money::{Cents, Rate};

/// What the sales generator needs of a stock item.
#[derive(Debug, Clone)]
pub(crate) struct StockItem {
    pub(crate) stock_item_id: i32,
    pub(crate) name: String,
    pub(crate) package: i32,
    pub(crate) per_outer: i32,
    pub(crate) chiller: bool,
    pub(crate) tax_rate: Rate,
    pub(crate) unit_price: Cents,
    pub(crate) cost: Cents,
}

pub(crate) fn suppliers(
    seed: u64,
    reference: &Reference,
    cities: i32,
    copy: &mut CopyText,
) -> Result<(), Error> {
    let mut rng = stream(seed, Stream::Stock, 0);
    for (index, name) in reference.suppliers.iter().enumerate() {
        let (primary, alternate) = supplier_contacts(index);
        let city_id = rng.random_range(1..=cities);
        let city = City::of(reference, city_id)?;
        let site = name.to_lowercase().replace(' ', "");
        copy.field(index + 1).field(name).field(index % reference.supplier_categories.len() + 1);
        copy.field(primary).field(alternate).optional((index % 3 != 0).then_some(index % 9 + 1));
        copy.field(city_id).field(city_id).field(format_args!("{:08}", rng.random_range(0..100_000_000)));
        copy.field(name)
            .field(format_args!("Bank of {}", city.name))
            .field(rng.random_range(100_000..999_999));
        copy.field(rng.random_range(1_000_000_000_i64..9_999_999_999))
            .field(rng.random_range(10_000..99_999));
        copy.field([7, 14, 30].get(index % 3).unwrap_or(&30)).null();
        let (phone, fax) = (phone(&mut rng), phone(&mut rng));
        copy.field(phone).field(fax).field(format_args!("http://www.{site}.example"));
        copy.field(format_args!("Suite {}", rng.random_range(1..200)));
        copy.field(format_args!("{} Harbor Road", rng.random_range(1..2000)));
        copy.field(format_args!("9{:04}", rng.random_range(0..10_000))).field(&city.location);
        copy.field(format_args!("PO Box {}", rng.random_range(1..9999))).field(&city.name);
        copy.field(format_args!("9{:04}", rng.random_range(0..10_000)));
        copy.field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
    Ok(())
}

/// Every variant of every product, in the order of the reference data.
pub(crate) fn items(reference: &Reference) -> Vec<StockItem> {
    let variants = reference.products.iter().flat_map(|product| {
        product.variants.iter().enumerate().map(move |(index, variant)| (product, index, variant))
    });
    variants
        .enumerate()
        .map(|(index, (product, position, variant))| {
            let unit_price = Cents(product.price + product.price / 20 * position as i64 / 2);
            StockItem {
                stock_item_id: index as i32 + 1,
                name: format!("{} ({variant})", product.name),
                package: product.package,
                per_outer: product.per_outer,
                chiller: product.chiller,
                tax_rate: Rate(if product.chiller { 10_000 } else { 15_000 }),
                unit_price,
                cost: Cents(unit_price.0 * 55 / 100),
            }
        })
        .collect()
}

pub(crate) fn stock_items(seed: u64, reference: &Reference, items: &[StockItem], copy: &mut CopyText) {
    let mut rng = stream(seed, Stream::Stock, 1);
    let variants = reference
        .products
        .iter()
        .flat_map(|product| product.variants.iter().map(move |variant| (product, variant)));
    for (item, (product, variant)) in items.iter().zip(variants) {
        copy.field(item.stock_item_id).field(&item.name).field(product.supplier);
        copy.optional(color_id(reference, variant)).field(product.package).field(product.outer);
        copy.optional((product.supplier == 2).then_some("Northwind"))
            .optional(product.sizes.then_some(variant));
        copy.field(rng.random_range(2..=20)).field(product.per_outer).field(product.chiller);
        copy.optional(
            (product.supplier == 9).then(|| rng.random_range(1_000_000_000_000_i64..9_999_999_999_999)),
        );
        copy.field(item.tax_rate).field(item.unit_price).field(Cents(item.unit_price.0 * 1495 / 1000));
        copy.field(format_args!("{}.{:03}", product.weight / 1000, product.weight % 1000));
        copy.optional(product.chiller.then_some("Keep cool; melts in the sun.")).null().null();
        copy.field(custom_fields(product));
        copy.field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
}

pub(crate) fn holdings(seed: u64, items: &[StockItem], copy: &mut CopyText) {
    let mut rng = stream(seed, Stream::Stock, 2);
    for item in items {
        let target = item.per_outer * rng.random_range(50..400);
        copy.field(item.stock_item_id).field(rng.random_range(200_000..900_000));
        copy.field(format_args!(
            "{}-{}",
            ['L', 'M', 'N'].get(rng.random_range(0..3_usize)).unwrap_or(&'L'),
            rng.random_range(1..9)
        ));
        copy.field(rng.random_range(100..90_000)).field(item.cost).field(target / 4).field(target);
        copy.field(EDITOR).field(EPOCH).end();
    }
}

fn color_id(reference: &Reference, variant: &str) -> Option<usize> {
    reference.colors.iter().position(|color| variant.starts_with(color.as_str())).map(|index| index + 1)
}

fn custom_fields(product: &Product) -> String {
    let made_in = if product.supplier % 2 == 0 { "USA" } else { "China" };
    format!(r#"{{"CountryOfManufacture":"{made_in}","Tags":["{}","{}"]}}"#, product.category, product.name)
}
