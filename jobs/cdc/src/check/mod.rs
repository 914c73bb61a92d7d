//! Looks at everything that a capture needs, and says what is to be done.

mod ddl;
mod fields;
mod kafka;
mod metrics;
mod publication;
mod registry;
mod replica;
mod rights;
mod server;
mod slot;
mod tables;

use std::fmt;
use std::sync::Arc;

use crate::config::Config;
use crate::error::Result;
use crate::registry::Registry;
use crate::required_topics::RequiredTopic;
use crate::source;
use crate::topic_names::TopicNames;

/// What is to be done about something that was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing.
    Ok,
    /// It is good to know.
    Note,
    /// It is to be put right before a capture can run as the configuration says.
    Fix,
}

/// One thing that was looked at, shown as one line.
#[derive(Debug)]
pub struct Finding {
    pub verdict: Verdict,
    /// What was looked at, in up to 16 characters.
    pub what: &'static str,
    /// What it is like, or what is wrong with it and what to do.
    pub says: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match self.verdict {
            Verdict::Ok => "ok",
            Verdict::Note => "note",
            Verdict::Fix => "fix",
        };
        write!(out, "{verdict:<4}  {:<16}  {}", self.what, self.says)
    }
}

#[derive(Default)]
struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, verdict: Verdict, what: &'static str, says: impl Into<String>) {
        self.0.push(Finding { verdict, what, says: says.into() });
    }

    fn ok(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Ok, what, says);
    }

    fn note(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Note, what, says);
    }

    fn fix(&mut self, what: &'static str, says: impl Into<String>) {
        self.add(Verdict::Fix, what, says);
    }

    /// A failure is to be fixed; what there is goes on.
    fn known<T>(&mut self, what: &'static str, result: Result<T>) -> Option<T> {
        result.map_err(|error| self.fix(what, error.chain())).ok()
    }
}

/// Looks at the source, the registry and Kafka; changes nothing.
pub async fn check(config: &Config) -> Vec<Finding> {
    let mut findings = Findings::default();
    let connected = source::connect(&config.source).await;
    let mut shapes = Vec::new();
    let mut source = None;
    let mut is_running = false;
    if let Some(client) = findings.known("PostgreSQL", connected).map(Arc::new) {
        findings.ok("PostgreSQL", format!("connected to {}", config.source.place()));
        let server = server::check(&client, &mut findings).await;
        server::encoding(&client, &mut findings).await;
        // A user without the right is refused, which was said already.
        let identity = match &server {
            Some(server) if !server.may_replicate() => None,
            _ => server::identify(config, &mut findings).await,
        };
        // Before the checkpoint: a running capture writes that first, and moves the slot after it.
        let slot = slot::check(&client, config, server.as_ref(), &mut findings).await;
        let tables = tables::check(&client, config, &mut findings).await;
        if let Some(server) = &server {
            rights::check(&client, (server, config.snapshot.replica.is_some()), &tables, &mut findings).await;
            let signals = findings.known("signals", source::signal_table(&client, config).await).flatten();
            publication::check(&client, config, server, &tables, signals, &mut findings).await;
        }
        ddl::check(&client, config, &mut findings).await;
        replica::check(&client, config, &mut findings).await;
        fields::check(tables.iter().filter_map(|table| table.shape.as_ref()), &mut findings);
        shapes = tables.into_iter().filter_map(|table| table.shape).collect();
        is_running = slot.as_ref().and_then(Option::as_ref).is_some_and(|slot| slot.active_pid.is_some());
        let slots = server.map(|server| server.slots);
        source = identity.zip(slot.map(|slot| (slot, slots)));
    }
    metrics::check(config, is_running, &mut findings).await;
    let cluster = kafka::brokers(config, &mut findings).await;
    let mut registry = findings.known("registry", Registry::new(&config.registry, false));
    let last = match (&cluster, &mut registry) {
        (Some(cluster), Some(registry)) => {
            slot::last_checkpoint(config, cluster, registry, &mut findings).await
        }
        _ => None,
    };
    let names = match (&cluster, &mut registry) {
        (Some(cluster), Some(registry)) => {
            let last = last.as_ref().and_then(Option::as_ref);
            findings.known("topics", TopicNames::survey(config, cluster, last, registry).await)
        }
        _ => None,
    };
    let mut names = names.unwrap_or_else(|| TopicNames::new(config));
    for meeting in names.give(shapes.iter().map(|shape| &shape.name)) {
        findings.note("topics", meeting.to_string());
    }
    let mut wanted = RequiredTopic::beside(config);
    wanted.extend(shapes.iter().map(|shape| RequiredTopic::of_table(&names, shape)));
    if let Some(registry) = registry {
        registry::check(&registry, config, &wanted, &mut findings).await;
    }
    if let Some(cluster) = &cluster {
        kafka::topics(config, cluster, &wanted, &mut findings).await;
    }
    if let (Some((identity, slot)), Some(last)) = (source, last) {
        slot::check_against_checkpoint(config, &identity, slot, last, &mut findings).await;
    }
    findings.0
}

/// Some names, and how many more there are.
fn some<T: ToString>(names: &[T]) -> String {
    const SHOWN: usize = 10;
    let shown: Vec<String> = names.iter().take(SHOWN).map(ToString::to_string).collect();
    let more = names.len().saturating_sub(SHOWN);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{rest}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_aligned() {
        let mut findings = Findings::default();
        findings.ok("slot", "s");
        findings.fix("replica identity", "t");
        let lines: Vec<String> = findings.0.iter().map(ToString::to_string).collect();
        assert_eq!(lines, ["ok    slot              s", "fix   replica identity  t"]);
    }

    #[test]
    fn long_lists_are_cut() {
        assert_eq!(some(&["a", "b"]), "a, b");
        assert_eq!(some(&(1..=12).collect::<Vec<_>>()), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 2 more");
    }
}
