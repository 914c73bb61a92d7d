use super::{Findings, some};
use crate::config::Config;
use crate::metrics::Metrics;
use crate::registry::{Registry, Standing};
use crate::required_topics::RequiredTopic;

/// Whether the registry would take every schema.
pub(super) async fn check(
    registry: &Registry,
    config: &Config,
    wanted: &[RequiredTopic],
    findings: &mut Findings,
) {
    const WHAT: &str = "schemas";
    let Some(metrics) = findings.known("registry", Metrics::new()) else { return };
    if findings.known("registry", registry.ping(&metrics).await).is_none() {
        return;
    }
    findings.ok("registry", format!("reached {}", config.registry.url));
    let checkpoints = RequiredTopic::of_checkpoints(config);
    let (mut known, mut new, mut versions, mut refused) = (0, 0, Vec::new(), 0);
    for required in wanted.iter().chain([&checkpoints]).flat_map(|wanted| &wanted.schemas) {
        let subject = &required.subject;
        match registry.look_up(required).await {
            Ok(Standing::Known) => known += 1,
            Ok(Standing::NewSubject) => new += 1,
            Ok(Standing::NewVersion) => versions.push(subject),
            Ok(Standing::Incompatible) => {
                refused += 1;
                findings.fix(
                    WHAT,
                    format!(
                        "{subject}: the registry would refuse the schema as incompatible with the last one; set the subject's \
                         compatibility to NONE for this change, or undo the change of the table"
                    ),
                );
            }
            Err(error) => {
                findings.fix(WHAT, error.chain());
                return;
            }
        }
    }
    if refused == 0 {
        let versions = match versions.as_slice() {
            [] => "no new version".to_owned(),
            subjects => format!("new versions of {}", some(subjects)),
        };
        findings.ok(WHAT, format!("{known} registered, {new} new, {versions}"));
    }
}
