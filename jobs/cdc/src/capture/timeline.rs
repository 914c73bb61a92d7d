//! A server that was promoted goes on in a new timeline. Its past is that of the checkpoint only up to where the old
//! timeline ended.

use crate::checkpoint::Checkpoint;
use crate::config::Config;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;
use crate::transport::{Replication, SystemIdentity};

/// Takes a checkpoint over to the server's timeline when all that it knows happened before the timelines parted;
/// otherwise what Kafka has may never have happened here.
pub(crate) async fn follow(
    config: &Config,
    last: Option<Checkpoint>,
    identity: &SystemIdentity,
) -> Result<Option<Checkpoint>> {
    let Some(last) = last else { return Ok(None) };
    if last.system_id != identity.system_id || last.timeline as u32 >= identity.timeline {
        return Ok(Some(last));
    }
    let longest = config.kafka.max_record_bytes as usize;
    let mut session = Replication::connect(&config.source, &config.slot, longest).await?;
    let history = session.timeline_history(identity.timeline).await?;
    let reached = Lsn(last.end_lsn.max(last.commit_lsn).max(last.snapshot_lsn) as u64);
    match end_of(&history, last.timeline as u32) {
        Some(end) if reached <= end => {
            tracing::warn!(
                slot = config.slot,
                from = last.timeline,
                to = identity.timeline,
                ended = %end,
                %reached,
                "the source goes on in a new timeline; all that was captured happened before the old one ended"
            );
            Ok(Some(Checkpoint { timeline: identity.timeline as i32, ..last }))
        }
        Some(end) => Err(Error::new(
            ErrorKind::SourceChanged,
            format!(
                "the source was promoted to timeline {} where timeline {} ended, at {end}, but slot {} was captured up to {reached}: \
                 what came after {end} is in Kafka and not in the source; start over with `lakepulse-cdc drop --topics`, and name \
                 the standbys in synchronized_standby_slots",
                identity.timeline, last.timeline, config.slot
            ),
        )),
        // Of another history, which is refused.
        None => Ok(Some(last)),
    }
}

/// Where a timeline ended in a history file: lines of timeline, position and reason.
fn end_of(history: &str, timeline: u32) -> Option<Lsn> {
    history.lines().find_map(|line| {
        let mut fields = line.split_whitespace();
        let is = fields.next()?.parse() == Ok(timeline);
        fields.next()?.parse().ok().filter(|_| is)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_timelines() {
        let history =
            "1\t0/3000148\tno recovery target specified\n\n2\t16/B374D848\tafter LSN 0/1\n# a comment\n";
        for (timeline, end) in [(1, Some(Lsn(0x300_0148))), (2, Some(Lsn(0x16_B374_D848))), (3, None)] {
            assert_eq!(end_of(history, timeline), end, "{timeline}");
        }
        assert_eq!(end_of("", 1), None);
    }
}
