use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};

use super::Kind;

/// What a workload did.
#[derive(Debug, Default)]
pub struct Summary {
    committed: BTreeMap<Kind, u64>,
    latencies: Vec<Duration>,
    pub(crate) retries: u64,
    pub(crate) elapsed: Duration,
}

impl Summary {
    /// Transactions committed, of all kinds.
    pub fn transactions(&self) -> u64 {
        self.committed.values().sum()
    }

    /// Transactions a second, over the whole run.
    pub fn rate(&self) -> f64 {
        self.transactions() as f64 / self.elapsed.as_secs_f64().max(f64::EPSILON)
    }

    /// Tries that lost against another transaction and were made again.
    pub fn retries(&self) -> u64 {
        self.retries
    }

    pub(crate) fn committed(&mut self, kind: Kind, latency: Duration) {
        *self.committed.entry(kind).or_default() += 1;
        self.latencies.push(latency);
    }

    pub(crate) fn add(&mut self, other: Self) {
        for (kind, count) in other.committed {
            *self.committed.entry(kind).or_default() += count;
        }
        self.latencies.extend(other.latencies);
        self.retries += other.retries;
    }

    fn percentile_ms(&self, percent: usize) -> f64 {
        let mut sorted = self.latencies.clone();
        sorted.sort_unstable();
        let index = (sorted.len() * percent / 100).min(sorted.len().saturating_sub(1));
        sorted.get(index).map_or(0.0, |latency| latency.as_secs_f64() * 1000.0)
    }
}

impl Serialize for Summary {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Summary", 7)?;
        out.serialize_field("transactions", &self.transactions())?;
        out.serialize_field("committed", &self.committed)?;
        out.serialize_field("elapsed_s", &self.elapsed.as_secs_f64())?;
        out.serialize_field("rate", &self.rate())?;
        out.serialize_field("retries", &self.retries)?;
        out.serialize_field("latency_p50_ms", &self.percentile_ms(50))?;
        out.serialize_field("latency_p99_ms", &self.percentile_ms(99))?;
        out.end()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            out,
            "{} transactions in {:.1} s ({:.1}/s), {} retried, latency p50 {:.1} ms, p99 {:.1} ms",
            self.transactions(),
            self.elapsed.as_secs_f64(),
            self.rate(),
            self.retries,
            self.percentile_ms(50),
            self.percentile_ms(99)
        )?;
        for (kind, count) in &self.committed {
            writeln!(out, "  {:<15} {count}", format!("{kind:?}"))?;
        }
        Ok(())
    }
}
