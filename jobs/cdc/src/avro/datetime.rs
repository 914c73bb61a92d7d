//! PostgreSQL's ISO texts of dates and times into the numbers and texts that Debezium writes.

use chrono::{Datelike, Days, NaiveDate};

/// Debezium's numbers for the ends of time, in milliseconds.
const POSITIVE_INFINITY_MS: i64 = 9_223_372_036_825_200_000;
const NEGATIVE_INFINITY_MS: i64 = -9_223_372_036_832_400_000;
/// The same as texts.
const POSITIVE_INFINITY_ISO: &str = "+292278994-08-16T23:00:00Z";
const NEGATIVE_INFINITY_ISO: &str = "-292275055-05-16T23:00:00Z";
const NS_PER_US: i64 = 1000;

const US_PER_SECOND: i64 = 1_000_000;
const US_PER_DAY: i64 = 86_400 * US_PER_SECOND;
/// Of the mean length that Debezium takes for intervals: 365.25 / 12 days.
const US_PER_MONTH: i128 = 2_629_800_000_000;
/// chrono ends at the year 262142, PostgreSQL at 5874897; the calendar repeats itself after 400 years.
const YEARS_PER_CYCLE: i32 = 400;
const DAYS_PER_CYCLE: i64 = 146_097;

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
    clock(text)?.try_into().ok()
}

/// Microseconds since 1970 of a timestamp without time zone; the infinities, and what is beyond them, are the ends of
/// what a number holds.
pub(crate) fn timestamp(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(i64::MAX),
        "-infinity" => Some(i64::MIN),
        _ => Some(saturated(instant(text)?)),
    }
}

/// Milliseconds since 1970.
pub(crate) fn timestamp_millis(text: &str) -> Option<i64> {
    match text {
        "infinity" => Some(POSITIVE_INFINITY_MS),
        "-infinity" => Some(NEGATIVE_INFINITY_MS),
        _ => Some(saturated(instant(text)?.div_euclid(1000))),
    }
}

/// Nanoseconds since 1970; before 1677 and after 2262 the ends of what a number holds.
pub(crate) fn timestamp_nanos(text: &str) -> Option<i64> {
    timestamp(text).map(|micros| micros.saturating_mul(NS_PER_US))
}

/// `2020-02-29Z`; ISO's year before the first is zero.
pub(crate) fn date_iso(text: &str) -> Option<String> {
    if text.ends_with("infinity") {
        return Some(text.to_owned());
    }
    Some(format!("{}Z", iso_day(date(text)?)?))
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
    let (at, micros) = iso(instant(text)?)?;
    Some(format!("{at}{}Z", fraction(micros)))
}

/// An ISO text in UTC with this many fractional digits, `2020-01-02T01:04:05.678901Z`.
pub(crate) fn timestamp_tz(text: &str, digits: u8) -> Option<String> {
    if text == "infinity" || text == "-infinity" {
        return Some(text.to_owned());
    }
    let (text, before_christ) = era(text);
    let clock = text.find(' ')? + 1;
    let sign = text.get(clock..)?.find(['+', '-'])? + clock;
    let (local, zone) = text.split_at_checked(sign)?;
    let local = if before_christ { instant(&format!("{local} BC"))? } else { instant(local)? };
    let (at, micros) = iso(local - i128::from(zone_offset(zone)?))?;
    let micros = format!(".{micros:06}");
    let fraction = if digits == 0 { "" } else { micros.get(..usize::from(digits) + 1).unwrap_or(&micros) };
    Some(format!("{at}{fraction}Z"))
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

/// Microseconds, a month counting 365.25 / 12 days and a day 24 hours; at most what a number holds.
pub(crate) fn interval(text: &str) -> Option<i64> {
    let Interval { months, days, micros } = Interval::read(text)?;
    let days = i128::from(days) * i128::from(US_PER_DAY);
    Some(saturated(i128::from(months) * US_PER_MONTH + days + micros))
}

/// `P1Y2M3DT4H5M6.789S`.
pub(crate) fn interval_iso(text: &str) -> Option<String> {
    let Interval { months, days, micros } = Interval::read(text)?;
    let (seconds, rest) = (micros / i128::from(US_PER_SECOND), micros % i128::from(US_PER_SECOND));
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let sign = if seconds == 0 && rest < 0 { "-" } else { "" };
    let part = fraction(rest.unsigned_abs() as u32);
    Some(format!("P{}Y{}M{days}DT{hours}H{minutes}M{sign}{seconds}{part}S", months / 12, months % 12))
}

/// An interval as PostgreSQL keeps it.
struct Interval {
    months: i64,
    days: i64,
    micros: i128,
}

impl Interval {
    /// Reads `1 year 2 mons -3 days +04:05:06.789`.
    fn read(text: &str) -> Option<Self> {
        let (mut months, mut days, mut micros) = (0_i64, 0_i64, 0_i128);
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        while let Some(word) = words.next() {
            if word.contains(':') {
                micros = match word.strip_prefix('-') {
                    Some(word) => -clock(word)?,
                    None => clock(word.strip_prefix('+').unwrap_or(word))?,
                };
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

/// Microseconds since 1970 of a finite timestamp; PostgreSQL's last years are more than 64 bits hold.
fn instant(text: &str) -> Option<i128> {
    let (text, before_christ) = era(text);
    let (day, time) = text.split_once(' ')?;
    let day = if before_christ { date(&format!("{day} BC"))? } else { date(day)? };
    Some(i128::from(day) * i128::from(US_PER_DAY) + clock(time)?)
}

/// Microseconds of `13:14:15.123456`, which may have more hours than a day.
fn clock(text: &str) -> Option<i128> {
    let mut parts = text.splitn(3, ':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next()?.parse().ok()?;
    let minutes = i128::from(hours) * 60 + i128::from(minutes);
    Some(minutes * i128::from(60 * US_PER_SECOND) + i128::from(seconds(parts.next().unwrap_or("0"))?))
}

fn saturated(number: i128) -> i64 {
    number.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

/// `2020-02-29T13:14:15` of microseconds since 1970, and the microseconds that are left.
fn iso(micros: i128) -> Option<(String, u32)> {
    let (seconds, rest) =
        (micros.div_euclid(US_PER_SECOND.into()), micros.rem_euclid(US_PER_SECOND.into()) as u32);
    let (day, second) = (i64::try_from(seconds.div_euclid(86_400)).ok()?, seconds.rem_euclid(86_400));
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    Some((format!("{}T{hour:02}:{minute:02}:{second:02}", iso_day(day)?), rest))
}

/// `2020-02-29` of days since 1970, a year of more than four digits with a sign.
fn iso_day(days: i64) -> Option<String> {
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    let date = epoch.checked_add_days(Days::new(days.rem_euclid(DAYS_PER_CYCLE) as u64))?;
    let year = i64::from(date.year()) + days.div_euclid(DAYS_PER_CYCLE) * i64::from(YEARS_PER_CYCLE);
    let year = match year {
        0..=9999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", year.unsigned_abs()),
    };
    Some(format!("{year}-{:02}-{:02}", date.month(), date.day()))
}

/// Days since 1970, by the proleptic Gregorian calendar.
fn days_of(year: i32, month: u32, day: u32) -> Option<i64> {
    let cycles = year.div_euclid(YEARS_PER_CYCLE);
    let date = NaiveDate::from_ymd_opt(year.rem_euclid(YEARS_PER_CYCLE) + 2000, month, day)?;
    let epoch = NaiveDate::from_ymd_opt(1970, 1, 1)?;
    Some((date - epoch).num_days() + (i64::from(cycles) - 5) * DAYS_PER_CYCLE)
}

/// `05`, `05.6`, up to six fractional digits.
fn seconds(text: &str) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse::<i32>().ok()?.into();
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
        offset += i64::from(part.parse::<i32>().ok()?) * factor;
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
    use chrono::DateTime;
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
        assert_eq!(date_iso("0044-03-15 BC").as_deref(), Some("-0043-03-15Z"));
        assert_eq!(date_iso("-infinity").as_deref(), Some("-infinity"));
        assert_eq!(
            timestamp_tz("294276-12-31 23:59:59+00", 0).as_deref(),
            Some("+294276-12-31T23:59:59Z"),
            "later than chrono's last year"
        );
    }

    #[test]
    fn beyond_what_a_number_holds() {
        assert_eq!(timestamp("294276-12-31 23:59:59"), Some(i64::MAX));
        assert_eq!(timestamp_millis("294276-12-31 23:59:59"), Some(9_224_318_015_999_000));
        assert_eq!(interval("178000000 years"), Some(i64::MAX));
        assert_eq!(interval("-2562047788:00:54.775808"), Some(i64::MIN));
        assert_eq!(
            interval_iso("-178000000 years -2562047788:00:54.775808").as_deref(),
            Some("P-178000000Y0M0DT-2562047788H0M-54.775808S")
        );
        assert_eq!(time("99999999999999999:00:00"), None);
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
