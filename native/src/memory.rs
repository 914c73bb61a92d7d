//! Memory of process groups, from /proc.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

/// The largest sum of memory seen so far.
#[derive(Debug, Default)]
pub(crate) struct Peak(AtomicU64);

impl Peak {
    pub(crate) fn bytes(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    pub(crate) fn see(&self, bytes: u64) {
        self.0.fetch_max(bytes, Ordering::Relaxed);
    }
}

/// The proportional set size of the processes of each group, by the group's leader, in bytes. Memory that several
/// processes share, such as PostgreSQL's buffers, is counted once.
pub(crate) fn of_groups(leaders: &[u32]) -> BTreeMap<u32, u64> {
    let mut groups: BTreeMap<u32, u64> = leaders.iter().map(|leader| (*leader, 0)).collect();
    let Ok(entries) = std::fs::read_dir("/proc") else { return groups };
    let pids = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    for pid in pids.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) {
        if let Some(bytes) = group_of(&pid).and_then(|leader| groups.get_mut(&leader)) {
            *bytes += proportional_bytes(&pid).unwrap_or(0);
        }
    }
    groups
}

fn group_of(pid: &str) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; behind it come state, parent and group.
    stat.rsplit_once(')')?.1.split_ascii_whitespace().nth(2)?.parse().ok()
}

fn proportional_bytes(pid: &str) -> Option<u64> {
    let rollup = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_of_one_has_memory() {
        let child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let own_group = group_of(&child.id().to_string()).unwrap();
        assert!(of_groups(&[own_group]).get(&own_group).is_some_and(|bytes| *bytes > 0));
        let mut child = child;
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
