use tokio::task::block_in_place;

use super::Findings;
use crate::config::Config;
use crate::kafka::{
    ClusterState, TopicSettings, cluster_state, find_coordinator, may_create, topic_settings,
};
use crate::required_topics::RequiredTopic;

/// What the brokers have; none when no broker answers.
pub(super) async fn brokers(config: &Config, findings: &mut Findings) -> Option<ClusterState> {
    let cluster = findings.known("brokers", block_in_place(|| cluster_state(&config.kafka)))?;
    let (brokers, factor) = (cluster.brokers, config.kafka.replication_factor);
    if brokers < factor.max(1) as usize {
        findings.fix(
            "brokers",
            format!(
                "{brokers} at {}: kafka.replication_factor = {factor} needs as many",
                config.kafka.bootstrap
            ),
        );
    } else {
        findings.ok("brokers", format!("{brokers} at {}", config.kafka.bootstrap));
    }
    let coordinator = find_coordinator(&config.kafka, &config.slot).await;
    if let Some(node) = findings.known("producer", coordinator) {
        findings.ok("producer", format!("broker {node} coordinates its transactions"));
    }
    Some(cluster)
}

/// Whether the topics are as they should be, or could be made.
pub(super) async fn topics(
    config: &Config,
    cluster: &ClusterState,
    wanted: &[RequiredTopic],
    findings: &mut Findings,
) {
    let mut topics: Vec<&str> = wanted.iter().map(|wanted| wanted.topic.as_str()).collect();
    let signals = config.signals.topic.as_deref();
    topics.extend(signals.filter(|topic| !cluster.topics.contains_key(*topic)));
    let (there, missing): (Vec<&str>, Vec<&str>) =
        topics.into_iter().partition(|topic| cluster.topics.contains_key(*topic));
    let checkpoints = config.checkpoint_topic();
    let has_checkpoints = cluster.topics.contains_key(&checkpoints);
    // More replicas than brokers was told already.
    if cluster.brokers >= config.kafka.replication_factor.max(1) as usize {
        let new =
            may_create(&config.kafka, (!has_checkpoints).then_some(checkpoints.as_str()), &missing).await;
        if findings.known("topics", new).is_some() {
            findings.ok("topics", format!("{} there, {} will be created", there.len(), missing.len()));
        }
    }
    let mut described = there;
    described.extend(has_checkpoints.then_some(checkpoints.as_str()));
    if described.is_empty() {
        return;
    }
    let settings = topic_settings(&config.kafka, &described).await;
    for (topic, settings) in findings.known("topics", settings).unwrap_or_default() {
        let partitions = cluster.topics.get(&topic).copied().unwrap_or_default();
        if topic == checkpoints {
            kept_topic("checkpoint topic", (&topic, partitions), &settings, findings);
        } else if topic == config.side_topic("relation") {
            kept_topic("relation topic", (&topic, partitions), &settings, findings);
        } else {
            events_topic(config, &topic, partitions, &settings, findings);
        }
    }
}

fn events_topic(
    config: &Config,
    topic: &str,
    partitions: usize,
    settings: &TopicSettings,
    findings: &mut Findings,
) {
    let kafka = &config.kafka;
    if partitions != kafka.partitions as usize {
        findings.note(
            "topics",
            format!(
                "{topic} has {partitions} partitions, kafka.partitions = {} counts for new ones",
                kafka.partitions
            ),
        );
    }
    if settings.cleanup_policy != kafka.cleanup_policy {
        findings.fix(
            "topics",
            format!(
                "{topic} has cleanup.policy = {}: set it to {} there, or set kafka.cleanup_policy",
                settings.cleanup_policy, kafka.cleanup_policy
            ),
        );
    }
    if settings.max_message_bytes < u64::from(kafka.max_record_bytes) {
        findings.fix(
            "topics",
            format!(
                "{topic} has max.message.bytes = {}: raise it to kafka.max_record_bytes = {}, or lower that",
                settings.max_message_bytes, kafka.max_record_bytes
            ),
        );
    }
}

/// Checkpoints and relation records must outlive any pause, and there is one order of them.
fn kept_topic(
    what: &'static str,
    (topic, partitions): (&str, usize),
    settings: &TopicSettings,
    findings: &mut Findings,
) {
    let mut wrong = Vec::new();
    if partitions != 1 {
        wrong.push(format!(
            "it has {partitions} partitions and must have one: start over with another topic_prefix"
        ));
    }
    if settings.cleanup_policy != "delete" {
        wrong.push(format!("cleanup.policy = {}: set it to delete", settings.cleanup_policy));
    }
    if let Some(ms) = settings.retention_ms {
        wrong.push(format!(
            "retention.ms = {ms}: set it to -1, or a capture that stands still loses what it knows"
        ));
    }
    match wrong.as_slice() {
        [] => findings.ok(what, format!("{topic} keeps its records")),
        wrong => findings.fix(what, format!("{topic}: {}", wrong.join("; "))),
    }
}
