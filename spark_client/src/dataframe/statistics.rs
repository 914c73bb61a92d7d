//! Samples, statistics and summaries of columns.

use super::{DataFrame, missing::as_literal};
use crate::{
    Error,
    column::{IntoColumn, IntoLiteral, Subqueries},
    proto::{self, relation::RelType, stat_sample_by::Fraction},
};

impl DataFrame {
    /// Statistics of all columns, one a row, as text: `count`, `mean`, `stddev`, `min`, `max` or percentiles such as
    /// `25%`; these and the quartiles when none is named.
    pub fn summary(&self, statistics: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let statistics: Vec<String> = statistics.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            RelType::Summary(Box::new(proto::StatSummary { input, statistics: statistics.clone() }))
        }))
    }

    /// Count, mean, standard deviation, minimum and maximum of columns (all when none is named), one a row, as text.
    pub fn describe(&self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let cols: Vec<String> = columns.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            RelType::Describe(Box::new(proto::StatDescribe { input, cols: cols.clone() }))
        }))
    }

    /// How often each pair of values of two columns occurs: a row for each value of the first, a column for each of
    /// the second.
    pub fn crosstab(&self, rows: &str, columns: &str) -> Self {
        let (col1, col2) = (rows.to_owned(), columns.to_owned());
        self.with_plan(self.plan.then(move |input| {
            let (col1, col2) = (col1.clone(), col2.clone());
            RelType::Crosstab(Box::new(proto::StatCrosstab { input, col1, col2 }))
        }))
    }

    /// The values of columns that occur in more than this fraction of the rows, and perhaps others, as arrays.
    pub fn freq_items(&self, columns: impl IntoIterator<Item = impl Into<String>>, support: f64) -> Self {
        let cols: Vec<String> = columns.into_iter().map(Into::into).collect();
        self.with_plan(self.plan.then(move |input| {
            let (cols, support) = (cols.clone(), Some(support));
            RelType::FreqItems(Box::new(proto::StatFreqItems { input, cols, support }))
        }))
    }

    /// About a fraction (0 to 1) of the rows of each value of a column, none of values that are not listed.
    pub fn sample_by(
        &self,
        column: impl IntoColumn,
        fractions: impl IntoIterator<Item = (impl IntoLiteral, f64)>,
        seed: i64,
    ) -> Self {
        let mut used = Subqueries::default();
        let col = Some(used.expression(column.into_column()));
        let fractions: Vec<_> = fractions
            .into_iter()
            .map(|(value, fraction)| Fraction { stratum: as_literal(value.into_literal()), fraction })
            .collect();
        let plan = self.plan.then(move |input| {
            let (col, fractions) = (col.clone(), fractions.clone());
            RelType::SampleBy(Box::new(proto::StatSampleBy { input, col, fractions, seed: Some(seed) }))
        });
        self.with_plan(plan.referring_to(used))
    }

    /// The rows dealt out at random, in parts as large as the weights, which need not add up to 1. Each row is in
    /// exactly one part. An error for weights that are negative, not numbers or all zero.
    pub fn random_split(&self, weights: &[f64], seed: i64) -> Result<Vec<Self>, Error> {
        let total: f64 = weights.iter().sum();
        if !weights.iter().all(|weight| *weight >= 0.0) || total <= 0.0 || !total.is_finite() {
            return Err(Error::invalid_input(format!(
                "rows cannot be split by the weights {weights:?}: they must be 0 or more, and not all 0"
            )));
        }
        let mut upper_bound = 0.0;
        let part = |weight: &f64| {
            let lower_bound = upper_bound;
            upper_bound += weight / total;
            self.with_plan(self.plan.then(move |input| {
                RelType::Sample(Box::new(proto::Sample {
                    input,
                    lower_bound,
                    upper_bound,
                    with_replacement: Some(false),
                    seed: Some(seed),
                    deterministic_order: true,
                }))
            }))
        };
        Ok(weights.iter().map(part).collect())
    }

    /// The covariance of a sample of two columns.
    pub async fn cov(&self, left: &str, right: &str) -> Result<f64, Error> {
        self.covariance(left, right).value("cov").await
    }

    /// The Pearson correlation of two columns.
    pub async fn corr(&self, left: &str, right: &str) -> Result<f64, Error> {
        self.correlation(left, right).value("corr").await
    }

    /// For each column the values at these probabilities (0 to 1), each within `relative_error` of its rank; an error
    /// of 0 is exact and costly.
    pub async fn approx_quantile(
        &self,
        columns: impl IntoIterator<Item = impl Into<String>>,
        probabilities: &[f64],
        relative_error: f64,
    ) -> Result<Vec<Vec<f64>>, Error> {
        self.quantiles(columns, probabilities, relative_error).value("approx_quantile").await
    }

    fn covariance(&self, left: &str, right: &str) -> Self {
        let (col1, col2) = (left.to_owned(), right.to_owned());
        self.with_plan(self.plan.then(move |input| {
            let (col1, col2) = (col1.clone(), col2.clone());
            RelType::Cov(Box::new(proto::StatCov { input, col1, col2 }))
        }))
    }

    fn correlation(&self, left: &str, right: &str) -> Self {
        let (col1, col2) = (left.to_owned(), right.to_owned());
        self.with_plan(self.plan.then(move |input| {
            let (col1, col2, method) = (col1.clone(), col2.clone(), Some("pearson".to_owned()));
            RelType::Corr(Box::new(proto::StatCorr { input, col1, col2, method }))
        }))
    }

    fn quantiles(
        &self,
        columns: impl IntoIterator<Item = impl Into<String>>,
        probabilities: &[f64],
        relative_error: f64,
    ) -> Self {
        let cols: Vec<String> = columns.into_iter().map(Into::into).collect();
        let probabilities = probabilities.to_vec();
        self.with_plan(self.plan.then(move |input| {
            let (cols, probabilities) = (cols.clone(), probabilities.clone());
            RelType::ApproxQuantile(Box::new(proto::StatApproxQuantile {
                input,
                cols,
                probabilities,
                relative_error,
            }))
        }))
    }

    /// The one value of a result of one row and one column.
    async fn value<T: serde::de::DeserializeOwned>(&self, about: &str) -> Result<T, Error> {
        let rows: Vec<(T,)> = self.collect_as().await?;
        rows.into_iter()
            .next()
            .map(|row| row.0)
            .ok_or_else(|| Error::protocol(format!("{about} gave no row")))
    }
}
