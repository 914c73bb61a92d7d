use std::str::FromStr;

use crate::lsn::Lsn;

/// Which transactions a snapshot of PostgreSQL holds: those that had ended when it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Visibility {
    xmin: u64,
    xmax: u64,
    in_progress: Vec<u64>,
}

/// Which transactions a snapshot holds, as the server tells that it was taken at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Holds {
    /// A primary tells their numbers.
    Numbers(Visibility),
    /// A standby tells the numbers of those that have ended, but not all of them; it holds those with a commit before
    /// this position.
    Commits { before: Lsn, ended: Visibility },
}

/// The transactions of a primary at some time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) visible: Visibility,
    /// All that have ended have their commits before it.
    pub(crate) end: Lsn,
}

impl Holds {
    /// Whether the snapshot holds what the transaction of this number, whose commit is there, has done.
    pub(crate) fn holds(&self, xid: u32, commit: Lsn) -> bool {
        match self {
            Self::Numbers(visible) => visible.holds(xid),
            Self::Commits { before, .. } => commit < *before,
        }
    }

    /// Whether it holds whatever had ended then, and all transactions have ended that were in progress.
    pub(crate) fn has_outlived(&self, earlier: &Standing) -> bool {
        match self {
            Self::Numbers(visible) => visible.has_outlived(&earlier.visible),
            Self::Commits { before, ended } => *before >= earlier.end && ended.has_outlived(&earlier.visible),
        }
    }
}

/// A text that is not what `pg_current_snapshot()` gives.
#[derive(Debug, thiserror::Error)]
#[error("{0:?} is not a snapshot as pg_current_snapshot() gives it")]
pub(crate) struct ParseVisibilityError(String);

impl Visibility {
    /// Whether the snapshot holds what the transaction of this number, which has committed, has done.
    pub(crate) fn holds(&self, xid: u32) -> bool {
        self.knows(self.with_epoch(xid))
    }

    /// What a standby tells: below `xmin` all have ended, and above it the list of those in progress is not whole.
    pub(crate) fn of_standby(self) -> Self {
        Self { xmax: self.xmin, in_progress: Vec::new(), ..self }
    }

    /// Whether all transactions have ended that were in progress in an earlier snapshot.
    pub(crate) fn has_outlived(&self, earlier: &Self) -> bool {
        earlier.in_progress.iter().all(|xid| self.knows(*xid))
    }

    fn knows(&self, xid: u64) -> bool {
        xid < self.xmin || (xid < self.xmax && !self.in_progress.contains(&xid))
    }

    /// The stream has the lower half of a number alone: the upper half is that of the nearest one.
    fn with_epoch(&self, xid: u32) -> u64 {
        const EPOCH: u64 = 1 << 32;
        let near = (self.xmax & !(EPOCH - 1)) | u64::from(xid);
        if near > self.xmax.saturating_add(EPOCH / 2) {
            near.saturating_sub(EPOCH)
        } else if near.saturating_add(EPOCH / 2) < self.xmax {
            near + EPOCH
        } else {
            near
        }
    }
}

impl FromStr for Visibility {
    type Err = ParseVisibilityError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let read = || {
            let mut parts = text.splitn(3, ':');
            let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let list = parts.next()?;
            let numbers = list.split(',').filter(|number| !number.is_empty());
            let in_progress = numbers.map(|number| number.parse().ok()).collect::<Option<_>>()?;
            Some(Self { xmin, xmax, in_progress })
        };
        read().ok_or_else(|| ParseVisibilityError(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_held() {
        let snapshot: Visibility = "100:120:100,110".parse().unwrap();
        for (xid, held) in
            [(99, true), (100, false), (101, true), (110, false), (119, true), (120, false), (500, false)]
        {
            assert_eq!(snapshot.holds(xid), held, "{xid}");
        }
        let empty: Visibility = "7:7:".parse().unwrap();
        assert!(empty.holds(6) && !empty.holds(7));
    }

    #[test]
    fn numbers_go_round() {
        let low = u64::from(u32::MAX) + 5;
        let snapshot: Visibility = format!("{low}:{}:{low}", low + 2).parse().unwrap();
        for (xid, held) in
            [(u32::MAX, true), (4, false), (5, true), (6, false), ((1 << 31) + 100, true), (1 << 30, false)]
        {
            assert_eq!(snapshot.holds(xid), held, "{xid}");
        }
        let before: Visibility = format!("{0}:{0}:", u64::from(u32::MAX)).parse().unwrap();
        assert!(!before.holds(3), "the next epoch's");
    }

    #[test]
    fn ends_are_waited_for() {
        let earlier: Visibility = "5:9:5,7".parse().unwrap();
        for (later, outlived) in
            [("5:12:5", false), ("7:12:7,11", false), ("11:12:11", true), ("12:12:", true)]
        {
            assert_eq!(later.parse::<Visibility>().unwrap().has_outlived(&earlier), outlived, "{later}");
        }
    }

    #[test]
    fn standbys_go_by_positions() {
        let earlier = Standing { visible: "5:9:5,7".parse().unwrap(), end: Lsn(100) };
        for (before, snapshot, outlived) in
            [(100, "8:12:", true), (99, "8:12:", false), (100, "7:12:", false), (100, "12:12:", true)]
        {
            let ended = snapshot.parse::<Visibility>().unwrap().of_standby();
            let holds = Holds::Commits { before: Lsn(before), ended };
            assert_eq!(holds.has_outlived(&earlier), outlived, "{before} {snapshot}");
            assert!(holds.holds(900, Lsn(before - 1)) && !holds.holds(1, Lsn(before)));
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "1", "1:2", "a:2:", "1:2:x", "1:2:3;4"] {
            assert!(text.parse::<Visibility>().is_err(), "{text}");
        }
    }
}
