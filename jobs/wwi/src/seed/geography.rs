use super::copy_text::CopyText;
use super::reference::{Reference, State, nth};
use super::{EDITOR, EPOCH, OPEN_END};
use crate::error::Error;

/// Country id of the United States, the last of the list.
fn home_country(reference: &Reference) -> usize {
    reference.countries.len()
}

pub(crate) fn countries(reference: &Reference, copy: &mut CopyText) {
    for (index, country) in reference.countries.iter().enumerate() {
        copy.field(index + 1).field(&country.0).field(&country.1).field(&country.2).field(country.3);
        copy.field("UN Member State").field(country.4).field(&country.5).field(&country.6).field(&country.7);
        copy.null().field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
}

pub(crate) fn states(reference: &Reference, copy: &mut CopyText) {
    for (index, state) in reference.states.iter().enumerate() {
        let (west, east) = (state.longitude - 1.5, state.longitude + 1.5);
        let (south, north) = (state.latitude - 1.0, state.latitude + 1.0);
        copy.field(index + 1).field(&state.code).field(&state.name).field(home_country(reference));
        copy.field(&state.territory).field(format_args!(
            "MULTIPOLYGON((({west:.1} {south:.1}, {east:.1} {south:.1}, {east:.1} {north:.1}, {west:.1} {north:.1}, {west:.1} {south:.1})))"
        ));
        copy.field(state.population).field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
}

/// A city, computed from its id alone; (name, state) is unique up to 61,480 cities.
#[derive(Debug)]
pub(crate) struct City<'a> {
    pub(crate) name: String,
    pub(crate) state: &'a State,
    pub(crate) state_id: usize,
    pub(crate) location: String,
    population: Option<i64>,
}

impl<'a> City<'a> {
    pub(crate) fn of(reference: &'a Reference, city_id: i32) -> Result<Self, Error> {
        let index = city_id.unsigned_abs() as usize;
        let state = nth(&reference.states, index)?;
        let combination = (index / reference.states.len() * 487 + index * 31)
            % (reference.city_prefixes.len() * reference.city_suffixes.len());
        let suffixes = reference.city_suffixes.len();
        let prefix = nth(&reference.city_prefixes, combination / suffixes)?;
        let suffix = nth(&reference.city_suffixes, combination % suffixes)?;
        let spread = |step: usize| (index * step % 2001) as f64 / 1000.0 - 1.0;
        let (longitude, latitude) = (state.longitude + spread(733), state.latitude + spread(389));
        Ok(Self {
            name: format!("{prefix}{suffix}"),
            state,
            state_id: index % reference.states.len() + 1,
            location: format!("POINT({longitude:.4} {latitude:.4})"),
            population: (!index.is_multiple_of(5)).then(|| ((index * 7919) % 90_000 + 200) as i64),
        })
    }
}

pub(crate) fn cities(
    reference: &Reference,
    ids: std::ops::RangeInclusive<i32>,
    copy: &mut CopyText,
) -> Result<(), Error> {
    for city_id in ids {
        let city = City::of(reference, city_id)?;
        copy.field(city_id).field(&city.name).field(city.state_id).field(&city.location);
        copy.optional(city.population).field(EDITOR).field(EPOCH).field(OPEN_END).end();
    }
    Ok(())
}
