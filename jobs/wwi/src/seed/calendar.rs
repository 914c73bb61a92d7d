use chrono::{Datelike, Days, NaiveDate, Weekday};

/// The days of the released sample, first and last.
pub(crate) const FIRST_DAY: NaiveDate = day(2013, 1, 1);
pub(crate) const LAST_DAY: NaiveDate = day(2016, 5, 31);

const fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

/// Each day on which orders come in, with the number of them; the numbers add up to `orders`.
///
/// Volume grows by a tenth a year, swells in the middle of each quarter, is half on Saturdays and
/// nothing on Sundays.
pub(crate) fn orders_by_day(orders: u32) -> Vec<(NaiveDate, u32)> {
    let days: Vec<NaiveDate> = FIRST_DAY.iter_days().take_while(|date| *date <= LAST_DAY).collect();
    let total: f64 = days.iter().map(|date| weight(*date)).sum();
    let mut reached = 0.0;
    let mut given = 0;
    let mut plan = Vec::with_capacity(days.len());
    for date in days {
        reached += weight(date);
        let due = (f64::from(orders) * reached / total).round() as u32;
        if date.weekday() != Weekday::Sun {
            plan.push((date, due.saturating_sub(given)));
            given = due.max(given);
        }
    }
    plan
}

/// The next day that is not a Sunday, or nothing past the last day.
pub(crate) fn next_working_day(date: NaiveDate) -> Option<NaiveDate> {
    let next = date.checked_add_days(Days::new(if date.weekday() == Weekday::Sat { 2 } else { 1 }))?;
    (next <= LAST_DAY).then_some(next)
}

/// The day an order is promised for: the next one that is not at a weekend.
pub(crate) fn delivery_day(date: NaiveDate) -> NaiveDate {
    let days = match date.weekday() {
        Weekday::Fri => 3,
        Weekday::Sat => 2,
        _ => 1,
    };
    date.checked_add_days(Days::new(days)).unwrap_or(date)
}

fn weight(date: NaiveDate) -> f64 {
    let weekday = match date.weekday() {
        Weekday::Sun => 0.0,
        Weekday::Sat => 0.5,
        _ => 1.0,
    };
    let years = f64::from(date.year() - FIRST_DAY.year());
    let into_quarter = f64::from(date.ordinal0() % 91) / 91.0;
    let season = 1.0 + 0.2 * (std::f64::consts::PI * into_quarter).sin();
    weekday * 1.1_f64.powf(years) * season
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_plan_gives_out_every_order_and_none_on_sundays() {
        for orders in [0, 1, 500, 20_000] {
            let plan = orders_by_day(orders);
            assert_eq!(plan.iter().map(|(_, count)| count).sum::<u32>(), orders);
            assert!(plan.iter().all(|(date, _)| date.weekday() != Weekday::Sun));
        }
    }

    #[test]
    fn nothing_is_due_after_the_last_day() {
        assert_eq!(next_working_day(LAST_DAY), None);
        assert_eq!(next_working_day(day(2016, 5, 28)), Some(day(2016, 5, 30)));
    }
}
