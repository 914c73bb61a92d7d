use serde::Deserialize;

use crate::error::{Error, ErrorKind};

/// The names of `data/reference.yaml`.
#[derive(Debug, Deserialize)]
pub(crate) struct Reference {
    pub(crate) delivery_methods: Vec<String>,
    pub(crate) payment_methods: Vec<String>,
    pub(crate) transaction_types: Vec<String>,
    pub(crate) supplier_categories: Vec<String>,
    pub(crate) customer_categories: Vec<String>,
    pub(crate) buying_groups: Vec<String>,
    pub(crate) package_types: Vec<String>,
    pub(crate) colors: Vec<String>,
    pub(crate) countries: Vec<Country>,
    pub(crate) states: Vec<State>,
    pub(crate) city_prefixes: Vec<String>,
    pub(crate) city_suffixes: Vec<String>,
    pub(crate) first_names: Vec<String>,
    pub(crate) last_names: Vec<String>,
    pub(crate) languages: Vec<String>,
    pub(crate) suppliers: Vec<String>,
    pub(crate) products: Vec<Product>,
}

/// name, formal name, ISO alpha-3, ISO numeric, population, continent, region, subregion
#[derive(Debug, Deserialize)]
pub(crate) struct Country(
    pub(crate) String,
    pub(crate) String,
    pub(crate) String,
    pub(crate) i32,
    pub(crate) i64,
    pub(crate) String,
    pub(crate) String,
    pub(crate) String,
);

#[derive(Debug, Deserialize)]
#[serde(from = "(String, String, String, i64, f64, f64)")]
pub(crate) struct State {
    pub(crate) code: String,
    pub(crate) name: String,
    pub(crate) territory: String,
    pub(crate) population: i64,
    pub(crate) longitude: f64,
    pub(crate) latitude: f64,
}

impl From<(String, String, String, i64, f64, f64)> for State {
    fn from(
        (code, name, territory, population, longitude, latitude): (String, String, String, i64, f64, f64),
    ) -> Self {
        Self { code, name, territory, population, longitude, latitude }
    }
}

/// A kind of stock item; every variant is an item.
#[derive(Debug, Deserialize)]
pub(crate) struct Product {
    pub(crate) name: String,
    pub(crate) category: String,
    pub(crate) supplier: i32,
    pub(crate) package: i32,
    pub(crate) outer: i32,
    pub(crate) per_outer: i32,
    /// Cents.
    pub(crate) price: i64,
    /// Grams.
    pub(crate) weight: u32,
    #[serde(default)]
    pub(crate) sizes: bool,
    #[serde(default)]
    pub(crate) chiller: bool,
    pub(crate) variants: Vec<String>,
}

impl Reference {
    pub(crate) fn read() -> Result<Self, Error> {
        serde_norway::from_str(include_str!("../../data/reference.yaml")).map_err(|cause| {
            Error::new(ErrorKind::ReferenceData, "data/reference.yaml can't be read").caused_by(cause)
        })
    }
}

/// The name at `index`, going round: generators index names by arithmetic.
pub(crate) fn nth<T>(items: &[T], index: usize) -> Result<&T, Error> {
    items
        .get(index.checked_rem(items.len()).unwrap_or(0))
        .ok_or_else(|| Error::new(ErrorKind::ReferenceData, "a list of data/reference.yaml is empty"))
}
