use std::fmt;

/// An amount in cents; shown as `numeric(18,2)` text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Cents(pub(crate) i64);

impl Cents {
    pub(crate) fn times(self, quantity: i32) -> Self {
        Self(self.0 * i64::from(quantity))
    }

    /// This amount's share at a rate in thousandths of a percent, rounded half away from zero.
    pub(crate) fn at_rate(self, rate: Rate) -> Self {
        let scaled = self.0 * i64::from(rate.0);
        let half = if scaled < 0 { -50_000 } else { 50_000 };
        Self((scaled + half) / 100_000)
    }
}

impl std::ops::Add for Cents {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Sub for Cents {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl std::ops::Neg for Cents {
    type Output = Self;

    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::iter::Sum for Cents {
    fn sum<I: Iterator<Item = Self>>(amounts: I) -> Self {
        amounts.fold(Self::default(), |total, amount| total + amount)
    }
}

impl fmt::Display for Cents {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let amount = self.0.unsigned_abs();
        write!(out, "{sign}{}.{:02}", amount / 100, amount % 100)
    }
}

/// A percentage in thousandths; shown as `numeric(18,3)` text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u32);

impl fmt::Display for Rate {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_shown_with_two_decimals() {
        for (cents, text) in [(0, "0.00"), (5, "0.05"), (-5, "-0.05"), (123_456, "1234.56"), (-100, "-1.00")]
        {
            assert_eq!(Cents(cents).to_string(), text);
        }
    }

    #[test]
    fn tax_is_rounded_half_away_from_zero() {
        for (cents, rate, tax) in
            [(1000, 15_000, 150), (330, 15_000, 50), (-330, 15_000, -50), (10, 12_500, 1)]
        {
            assert_eq!(Cents(cents).at_rate(Rate(rate)), Cents(tax), "{cents} at {rate}");
        }
    }
}
