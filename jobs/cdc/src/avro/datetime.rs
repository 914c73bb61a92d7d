//! PostgreSQL's ISO texts of dates and times into the numbers and texts that Debezium writes.

use chrono::{DateTime, NaiveDate};

/// Debezium's numbers for the ends of time, in milliseconds.
const POSITIVE_INFINITY_MS: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY_MS: i64 = -9_223_372_036_832_400_000;
/// The same as texts.
const POSITIVE_INFINITY_ISO: &str = "+292278994-08-16T23:00:00Z";
const NEGATIVE_INFINITY_ISO: &str = "-292275055-05-16T23:00:00Z";
const NS_PER_US: i64 = 1000;

const US_PER_SECOND: i64 = 1_000_000;
const US_PER_DAY: i64 = 86_400 * US_PER_SECOND;
/// The mean length of a month that Debezium takes for intervals.
const DAYS_PER_MONTH: f64 = 365.25 / 12.0;

/// Days since 1970.
pub(crate) fn date(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::from(i32::MAX)),
        "-infinity" => return Some(i64::from(i32::MIN)),
        _ => {}
    }
    let (text, before_christ) = era(text);
    let mut parts = text.splitn(3, '-');
    let mut next = || parts.next()?.parse::<i32>().ok();
    let (year, month, day) = (next()?, next()?, next()?);
    let year = if before_christ { 1 - year } else { year };
    days_of(year, u32::try_from(month).ok()?, u32::try_from(day).ok()?)
}

/// Microseconds since midnight; `24:00:00` is a time of its own.
pub(crate) fn time(text: &str) -> Option<i64> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    Some((hours * 60 + minutes) * 60 * US_PER_SECOND + seconds(parts.next().unwrap_or("0"))?)
}

/// Microseconds since 1970 of a timestamp without time zone; the infinities are the ends of what a number holds.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    match text {
        "infinity" => return Some(i64::MAX),
        "-infinity" => return Some(i64::MIN),
        _ => {}
    }
    let (text, before_christ) = era(text);
    let (day, clock) = text.split_once(' ')?;
    let day = if before_christ { date(&format!("{day} BC"))? } else { date(day)? };
    day.checked_mul(US_PER_DAY)?.checked_add(time(clock)?)
}

/// Milliseconds since 1970.
pub(crate) fn timestamp_millis(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(POSITIVE_INFINITY_MS),
        "-infinity" => Some(NEGATIVE_INFINITY_MS),
        _ => timestamp(text).map(|micros| micros.div_euclid(1000)),
    }
}

/// Nanoseconds since 1970; before 1677 and after 2262 the ends of what a number holds.
pub(crate) fn timestamp_nanos(text: &str) -> Option<i64> {
    timestamp(text).map(|micros| micros.saturating_mul(NS_PER_US))
}

/// `2020-02-29Z`.
pub(crate) fn date_iso(text: &str) -> Option<String> {
    date(text)?;
    Some(match era(text) {
        (text, false) => format!("{text}Z"),
        (text, true) => format!("-{text}Z"),
    })
}

/// `13:14:15.123456Z`; the end of a day is written as its beginning.
pub(crate) fn time_iso(text: &str) -> Option<String> {
    Some(if time(text)? == US_PER_DAY { "00:00:00Z".to_owned() } else { format!("{text}Z") })
}

/// `2020-02-29T13:14:15.123456Z`.
pub(crate) fn timestamp_iso(text: &str) -> Option<String> {
    match text {
        "infinity" => return Some(POSITIVE_INFINITY_ISO.to_owned()),
        "-infinity" => return Some(NEGATIVE_INFINITY_ISO.to_owned()),
        _ => {}
    }
    let micros = timestamp(text)?;
    let at = DateTime::from_timestamp_micros(micros)?;
    Some(format!("{}{}Z", at.format("%Y-%m-%dT%H:%M:%S"), fraction(at.timestamp_subsec_micros())))
}

/// An ISO text in UTC with this many fractional digits, `2020-01-02T01:04:05.678901Z`.
pub(crate) fn timestamp_tz(text: &str, digits: u8) -> Option<String> {
    if text == "infinity" || text == "-infinity" {
        let ms = if text == "infinity" { POSITIVE_INFINITY_MS } else { NEGATIVE_INFINITY_MS };
        return Some(
            DateTime::from_timestamp_millis(ms).map_or_else(|| text.to_owned(), |at| at.to_rfc3339()),
        );
    }
    let (text, before_christ) = era(text);
    let clock = text.find(' ')? + 1;
    let sign = text.get(clock..)?.find(['+', '-'])? + clock;
    let (local, zone) = text.split_at_checked(sign)?;
    let local = if before_christ { timestamp(&format!("{local} BC"))? } else { timestamp(local)? };
    let at = DateTime::from_timestamp_micros(local.checked_sub(zone_offset(zone)?)?)?.naive_utc();
    let micros = format!(".{:06}", at.and_utc().timestamp_subsec_micros());
    let fraction = if digits == 0 { "" } else { micros.get(..usize::from(digits) + 1).unwrap_or(&micros) };
    Some(format!("{}{fraction}Z", at.format("%Y-%m-%dT%H:%M:%S")))
}

/// An ISO text in UTC, `23:02:03.456Z`.
pub(crate) fn time_tz(text: &str) -> Option<String> {
    let sign = text.find(['+', '-'])?;
    let (local, zone) = text.split_at_checked(sign)?;
    let offset = zone_offset(zone)?;
    if local == "24:00:00" && offset == 0 {
        return Some("24:00:00Z".to_owned());
    }
    let at = (time(local)? - offset).rem_euclid(US_PER_DAY);
    let seconds = at / US_PER_SECOND;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(format!("{hours:02}:{minutes:02}:{seconds:02}{}Z", fraction((at % US_PER_SECOND) as u32)))
}

/// Microseconds, a month counting 365.25 / 12 days and a day 24 hours.
pub(crate) fn interval(text: &str) -> Option<i64> {
    let Interval { months, days, micros } = Interval::read(text)?;
    let from_months = (months as f64 * DAYS_PER_MONTH * US_PER_DAY as f64).round() as i64;
    from_months.checked_add(days.checked_mul(US_PER_DAY)?)?.checked_add(micros)
}

/// `P1Y2M3DT4H5M6.789S`.
pub(crate) fn interval_iso(text: &str) -> Option<String> {
    let Interval { months, days, micros } = Interval::read(text)?;
    let (hours, minutes) = (micros / (3600 * US_PER_SECOND), micros / (60 * US_PER_SECOND) % 60);
    let (seconds, rest) = (micros / US_PER_SECOND % 60, micros % US_PER_SECOND);
    let sign = if seconds == 0 && rest < 0 { "-" } else { "" };
    let part = fraction(rest.unsigned_abs() as u32);
    Some(format!("P{}Y{}M{days}DT{hours}H{minutes}M{sign}{seconds}{part}S", months / 12, months % 12))
}

/// An interval as PostgreSQL keeps it.
struct Interval {
    months: i64,
    days: i64,
    micros: i64,
}

impl Interval {
    /// Reads `1 year 2 mons -3 days +04:05:06.789`.
    fn read(text: &str) -> Option<Self> {
        let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i64);
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if word.contains(':') {
                let (sign, clock) = match word.strip_prefix('-') {
                    Some(clock) => (-1, clock),
                    None => (1, word.strip_prefix('+').unwrap_or(word)),
                };
                micros = sign * time(clock)?;
                continue;
            }
            let count: i64 = word.parse().ok()?;
            match words.next()?.trim_end_matches('s') {
                "year" => months = months.checked_add(count.checked_mul(12)?)?,
                "mon" => months = months.checked_add(count)?,
                "day" => days = count,
                _ => return None,
            }
        }
        Some(Self { months, days, micros })
    }
}

fn era(text: &str) -> (&str, bool) {
    text.strip_suffix(" BC").map_or((text, false), |text| (text, true))
}

/// Days since 1970, by the proleptic Gregorian calendar.
fn days_of(year: i32, month: u32, day: u32) -> Option<i64> {
    // chrono ends at the year 262142, PostgreSQL at 5874897; 400 years are 146097 days.
    let cycles = year.div_euclid(400);
    let date = NaiveDate::from_ymd_opt(year.rem_euclid(400) + 2000, month, day)?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    Some((date - epoch).num_days() + (i64::from(cycles) - 5) * 146_097)
}

/// `05`, `05.6`, up to six fractional digits.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    if fraction.len() > 6 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros = fraction
        .bytes()
        .chain(std::iter::repeat(b'0'))
        .take(6)
        .fold(0, |value, digit| value * 10 + i64::from(digit - b'0'));
    Some(whole * US_PER_SECOND + micros)
}

/// `+02`, `-03:30`, `+00:00:30`, in microseconds.
fn zone_offset(text: &str) -> Option<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, text.strip_prefix('+')?),
    };
    let mut factor = 3600;
    let mut offset = 0;
    for part in digits.split(':').take(3) {
        offset += part.parse::<i64>().ok()? * factor;
        factor /= 60;
    }
    Some(sign * offset * US_PER_SECOND)
}

/// As many digits as it takes.
fn fraction(micros: u32) -> String {
    if micros == 0 { String::new() } else { format!(".{micros:06}").trim_end_matches('0').to_owned() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_debezium_writes() {
        assert_eq!(date("2020-02-29"), Some(18321));
        assert_eq!(time("01:02:03.456789"), Some(3_723_456_789));
        assert_eq!(timestamp("2020-01-02 03:04:05.678901"), Some(1_577_934_245_678_901));
        assert_eq!(timestamp_millis("2020-01-02 03:04:05.678"), Some(1_577_934_245_678));
        assert_eq!(
            timestamp_tz("2020-01-02 01:04:05.678901+00", 6).as_deref(),
            Some("2020-01-02T01:04:05.678901Z")
        );
        assert_eq!(
            timestamp_tz("2020-01-01 00:00:00.5+00", 6).as_deref(),
            Some("2020-01-01T00:00:00.500000Z")
        );
        assert_eq!(time_tz("01:02:03.456+02").as_deref(), Some("23:02:03.456Z"));
        assert_eq!(interval("1 year 2 mons 3 days 04:05:06.789"), Some(37_091_106_789_000));
        assert_eq!(timestamp("9999-12-31 23:59:59.999999"), Some(253_402_300_799_999_999));
    }

    #[test]
    fn far_away_and_before_christ() {
        assert_eq!(date("0001-01-01"), Some(-719_162));
        assert_eq!(date("0001-12-31 BC"), Some(-719_163));
        assert_eq!(date("5874897-12-31"), Some(2_145_042_905));
        assert_eq!(timestamp("0001-12-31 00:00:00 BC"), Some(-719_163 * US_PER_DAY));
        assert_eq!(interval("-00:00:01"), Some(-1_000_000));
        assert_eq!(time("24:00:00"), Some(US_PER_DAY));
    }

    proptest! {
        #[test]
        fn timestamps_against_chrono(micros in -62_135_596_800_000_000_i64..253_402_300_800_000_000) {
            let at = DateTime::from_timestamp_micros(micros).unwrap().naive_utc();
            prop_assert_eq!(timestamp(&at.format("%Y-%m-%d %H:%M:%S%.6f").to_string()), Some(micros));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,30}") {
            let _ = (date(&text), time(&text), timestamp(&text), timestamp_tz(&text, 6), time_tz(&text), interval(&text));
        }
    }
}
