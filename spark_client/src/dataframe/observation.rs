//! Figures about the rows that an action computes, beside its result.

use super::DataFrame;
use crate::{
    Error, Value,
    column::{IntoColumn, Subqueries},
    proto::{self, FetchErrorDetailsResponse, execute_plan_response::ObservedMetrics, relation::RelType},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// Aggregates over the rows of a DataFrame that are computed on the way, while an action of another use runs.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// use spark_client::{Observation, functions::{count, lit, max}};
/// let seen = Observation::new("orders");
/// let observed = orders.observe(&seen, [count(lit(1)).alias("rows"), max("amount").alias("largest")]);
/// observed.write().format("delta").save_as_table("silver.orders").await?;
/// let rows = seen.get()?.and_then(|figures| figures["rows"].as_i64());
/// # let _ = rows; Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Observation {
    name: String,
    latest: Arc<Latest>,
}

/// What the last action said.
type Latest = Mutex<Option<ObservedMetrics>>;

impl Observation {
    /// An observation by a name that no other of the same plan has.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), latest: Arc::default() }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The figures of the last action that computed the rows, by their names; `None` before there was one. An error when
    /// the server could not compute them, which does not fail the action.
    pub fn get(&self) -> Result<Option<BTreeMap<String, Value>>, Error> {
        let Some(metrics) = locked(&self.latest).clone() else { return Ok(None) };
        if metrics.root_error_idx.is_some() {
            let details = FetchErrorDetailsResponse {
                root_error_idx: metrics.root_error_idx,
                errors: metrics.errors,
                ..Default::default()
            };
            return Err(Error::of_observation(&self.name, details));
        }
        let values = metrics.keys.into_iter().zip(metrics.values).map(|(key, literal)| {
            let value = literal.literal_type.and_then(Value::from_literal);
            let unknown = || Error::protocol(format!("the value of {key} in an observation cannot be read"));
            Ok((key.clone(), value.ok_or_else(unknown)?))
        });
        values.collect::<Result<_, _>>().map(Some)
    }
}

/// The observations of a session that somebody still holds, by name.
#[derive(Debug, Default)]
pub(crate) struct Observations(Mutex<HashMap<String, Vec<Weak<Latest>>>>);

impl Observations {
    fn add(&self, observation: &Observation) {
        let mut known = locked(&self.0);
        known.retain(|_, holders| {
            holders.retain(|holder| holder.strong_count() > 0);
            !holders.is_empty()
        });
        let holders = known.entry(observation.name.clone()).or_default();
        let latest = Arc::downgrade(&observation.latest);
        if !holders.iter().any(|holder| holder.ptr_eq(&latest)) {
            holders.push(latest);
        }
    }

    /// Hands on what a response says.
    pub(crate) fn observed(&self, metrics: &[ObservedMetrics]) {
        for metrics in metrics {
            let holders = locked(&self.0).get(&metrics.name).cloned().unwrap_or_default();
            for holder in holders.iter().filter_map(Weak::upgrade) {
                *locked(&holder) = Some(metrics.clone());
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl DataFrame {
    /// The same rows; actions of this session on them also compute these aggregates, for the observation. The names of
    /// the figures are the aliases of the aggregates.
    pub fn observe(
        &self,
        observation: &Observation,
        aggregates: impl IntoIterator<Item = impl IntoColumn>,
    ) -> Self {
        self.session.connection().observations().add(observation);
        let (mut used, name) = (Subqueries::default(), observation.name.clone());
        let metrics = used.expressions(aggregates);
        let plan = self.plan.then(move |input| {
            let (name, metrics) = (name.clone(), metrics.clone());
            RelType::CollectMetrics(Box::new(proto::CollectMetrics { input, name, metrics }))
        });
        self.with_plan(plan.referring_to(used))
    }
}
