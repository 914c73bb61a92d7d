use std::fmt;
use std::str::FromStr;

/// A position in the write-ahead log.
///
/// A commit's LSN is where its commit record *begins*, so positions that PostgreSQL reports as ends
/// (a slot's consistent point, a keepalive) can equal the LSN of the next commit. Where such an end
/// is used as an identity or a watermark, this crate uses [`Lsn::before`], which is the LSN of no commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lsn(pub u64);

impl Lsn {
    /// The position one byte earlier: the largest below this one.
    pub fn before(self) -> Self {
        Self(self.0.saturating_sub(1))
    }
}

impl fmt::Display for Lsn {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

/// The text is not of the form `16/B374D848`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a log sequence number such as 16/B374D848")]
pub struct ParseLsnError(String);

impl FromStr for Lsn {
    type Err = ParseLsnError;

    fn from_str(text: &str) -> Result<Self, ParseLsnError> {
        let wrong = || ParseLsnError(text.to_owned());
        let half = |digits: &str| {
            let valid =
                (1..=8).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_hexdigit());
            valid.then(|| u64::from_str_radix(digits, 16).ok()).flatten().ok_or_else(wrong)
        };
        let (high, low) = text.split_once('/').ok_or_else(wrong)?;
        Ok(Self(half(high)? << 32 | half(low)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn text_and_back(position: u64) {
            prop_assert_eq!(Lsn(position).to_string().parse(), Ok(Lsn(position)));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,24}") {
            let _ = text.parse::<Lsn>();
        }
    }

    #[test]
    fn what_postgresql_writes() {
        assert_eq!("16/B374D848".parse(), Ok(Lsn(0x16_B374_D848)));
        for wrong in ["", "16", "16/", "/1", "1/2/3", "g/1", "+1/2", "123456789/0"] {
            assert!(wrong.parse::<Lsn>().is_err(), "{wrong:?}");
        }
    }
}
