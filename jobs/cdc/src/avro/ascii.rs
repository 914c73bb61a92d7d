//! The short way for the values that most rows are made of: read from ASCII, digit by digit. What is not
//! in its plain form is left to the general way (`encode`), which gives the same for what both can read.

use lakepulse_types::{AvroForm, DateForm, TimeForm};

use super::binary;

/// Digits that surely fit into 64 bits.
const SAFE_DIGITS: usize = 18;
const US_PER_SECOND: i64 = 1_000_000;
const SECONDS_PER_DAY: i64 = 86_400;

/// Writes the value; false, with nothing written, when it is for the general way.
#[inline]
pub(crate) fn value(kind: &AvroForm, text: &[u8], out: &mut Vec<u8>) -> bool {
    let number = match kind {
        AvroForm::Int4 | AvroForm::Int8 | AvroForm::Int2 | AvroForm::Oid => integer(text),
        AvroForm::Timestamp(TimeForm::Micros) => timestamp(text),
        AvroForm::Date(DateForm::Days | DateForm::Connect) => date(text),
        AvroForm::Decimal { scale, .. } => return decimal(text, usize::from(*scale), out),
        _ => return false,
    };
    match number {
        Some(number) => {
            binary::long(number, out);
            true
        }
        None => false,
    }
}

#[inline]
fn digits(text: &[u8]) -> Option<i64> {
    if text.is_empty() || text.len() > SAFE_DIGITS {
        return None;
    }
    text.iter().try_fold(0_i64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        (digit <= 9).then_some(value * 10 + i64::from(digit))
    })
}

#[inline]
fn signed(text: &[u8]) -> (bool, &[u8]) {
    match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    }
}

#[inline]
fn integer(text: &[u8]) -> Option<i64> {
    let (negative, text) = signed(text);
    let magnitude = digits(text)?;
    Some(if negative { -magnitude } else { magnitude })
}

/// Two's complement, big-endian, as short as can be, of the unscaled value.
fn decimal(text: &[u8], scale: usize, out: &mut Vec<u8>) -> bool {
    let (negative, text) = signed(text);
    let (mut value, mut whole, mut fraction, mut in_fraction) = (0_i64, 0, 0, false);
    if text.len() > SAFE_DIGITS {
        return false;
    }
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + i64::from(digit);
            *if in_fraction { &mut fraction } else { &mut whole } += 1;
        } else if *byte == b'.' && !in_fraction {
            in_fraction = true;
        } else {
            return false;
        }
    }
    if whole == 0 || fraction > scale || whole + scale > SAFE_DIGITS {
        return false;
    }
    for _ in fraction..scale {
        value *= 10;
    }
    let value = if negative { -value } else { value };
    let redundant = ((value ^ (value >> 63)).leading_zeros() as usize - 1) / 8;
    let bytes = value.to_be_bytes();
    binary::bytes(bytes.get(redundant..).unwrap_or(&bytes), out);
    true
}

/// Days since 1970 of `2020-02-29`.
#[inline]
fn date(text: &[u8]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = text else { return None };
    let (year, month, day) = (digits(&[*y1, *y2, *y3, *y4])?, digits(&[*m1, *m2])?, digits(&[*d1, *d2])?);
    // The ends of months are for the general way, which knows them.
    if year == 0
        || !(1..=12).contains(&month)
        || !(1..=31).contains(&day)
        || (day > 28 && !is_day(year, month, day))
    {
        return None;
    }
    // Years that begin in March, so that the leap day is the last one.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    Some(year * 365 + year / 4 - year / 100 + year / 400 + day_of_year - 719_468)
}

fn is_day(year: i64, month: i64, day: i64) -> bool {
    match month {
        2 => day == 29 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0),
        4 | 6 | 9 | 11 => day <= 30,
        _ => true,
    }
}

/// Microseconds since 1970 of `2020-01-02 03:04:05.678901`.
#[inline]
fn timestamp(text: &[u8]) -> Option<i64> {
    let (day, clock) = text.split_at_checked(10)?;
    let day = date(day)?;
    let (clock, fraction) = clock.split_at_checked(9)?;
    let [b' ', h1, h2, b':', m1, m2, b':', s1, s2] = clock else { return None };
    let (hours, minutes, seconds) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?, digits(&[*s1, *s2])?);
    let micros = match fraction {
        [] => 0,
        [b'.', fraction @ ..] if fraction.len() <= 6 => {
            (fraction.len()..6).fold(digits(fraction)?, |value, _| value * 10)
        }
        _ => return None,
    };
    Some((day * SECONDS_PER_DAY + hours * 3600 + minutes * 60 + seconds) * US_PER_SECOND + micros)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::avro::encode;

    /// When the short way reads a text, it writes what the general way does.
    fn same(kind: &AvroForm, text: &str) -> Result<(), TestCaseError> {
        let (mut short, mut general) = (Vec::new(), Vec::new());
        if value(kind, text.as_bytes(), &mut short) {
            prop_assert!(encode::value(kind, text, &mut general), "{:?} {}", kind, text);
            prop_assert_eq!(short, general, "{:?} {}", kind, text);
        } else {
            prop_assert!(short.is_empty());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn integers(number: i64) {
            same(&AvroForm::Int8, &number.to_string())?;
        }

        #[test]
        fn decimals(text in "-?[0-9]{0,20}(\\.[0-9]{0,8})?", scale in 0_u16..8) {
            same(&AvroForm::Decimal { precision: 30, scale }, &text)?;
        }

        #[test]
        fn timestamps(
            year in 0_u16..2100, month in 0_u8..14, day in 0_u8..33, hour in 0_u8..24, second in 0_u8..60,
            fraction in "(\\.[0-9]{1,7})?", era in "( BC)?",
        ) {
            let date = format!("{year:04}-{month:02}-{day:02}");
            same(&AvroForm::Date(DateForm::Days), &format!("{date}{era}"))?;
            same(&AvroForm::Timestamp(TimeForm::Micros), &format!("{date} {hour:02}:59:{second:02}{fraction}{era}"))?;
        }

        #[test]
        fn anything(text in ".{0,30}") {
            for kind in [
                AvroForm::Int4, AvroForm::Date(DateForm::Days), AvroForm::Timestamp(TimeForm::Micros),
                AvroForm::Decimal { precision: 9, scale: 2 },
            ] {
                same(&kind, &text)?;
            }
        }
    }

    #[test]
    fn the_usual_takes_the_short_way() {
        for (kind, text) in [
            (AvroForm::Int4, "-12"),
            (AvroForm::Decimal { precision: 18, scale: 3 }, "15.000"),
            (AvroForm::Date(DateForm::Days), "2020-02-29"),
            (AvroForm::Timestamp(TimeForm::Micros), "2016-01-01 00:00:00"),
            (AvroForm::Timestamp(TimeForm::Micros), "2026-11-25 12:34:56.789012"),
        ] {
            assert!(value(&kind, text.as_bytes(), &mut Vec::new()), "{text}");
        }
    }
}
