//! Dates and times.

use crate::column::decimal;

functions! {
    "1.5.0" "The date that many months later."
    add_months(start: col, months: num);
    "3.5.0" "A time without zone, taken as of the session's zone, in another zone."
    convert_timezone(target_tz: text, source_ts: col);
    "3.5.0" "A time without zone, taken as of one zone, in another zone."
    convert_timezone_from as "convert_timezone"(source_tz: text, target_tz: text, source_ts: col);
    "3.5.0" "The date at the start of the query."
    curdate();
    "1.5.0" "The date at the start of the query."
    current_date();
    "4.1.0" "The time of day at the start of the query, with this many digits of a second."
    current_time(), current_time_with(precision: int);
    "1.5.0" "The time at the start of the query."
    current_timestamp();
    "3.5.0" "The session's time zone."
    current_timezone();
    "1.5.0" "The date that many days later."
    date_add(start: col, days: num);
    "3.5.0" "The days from the second date to the first."
    date_diff(end: col, start: col);
    "1.5.0" "A date or time as text by a pattern such as `yyyy-MM-dd`."
    date_format(date: col, format: text);
    "3.5.0" "The date that many days after 1970-01-01."
    date_from_unix_date(days: col);
    "3.5.0" "A field of a date, time or interval, for example `YEAR`."
    date_part(field: text, source: col);
    "1.5.0" "The date that many days earlier."
    date_sub(start: col, days: num);
    "2.3.0" "A time cut to a unit such as `hour`."
    date_trunc(unit: text, time: col);
    "3.5.0" "The date that many days later."
    dateadd(start: col, days: num);
    "1.5.0" "The days from the second date to the first."
    datediff(end: col, start: col);
    "3.5.0" "A field of a date, time or interval, for example `YEAR`."
    datepart(field: text, source: col);
    "3.5.0" "The day of the month."
    day(column: col);
    "4.0.0" "The short name of the day of the week."
    dayname(column: col);
    "1.5.0" "The day of the month."
    dayofmonth(column: col);
    "2.3.0" "The day of the week, 1 (Sunday) to 7."
    dayofweek(column: col);
    "1.5.0" "The day of the year."
    dayofyear(column: col);
    "3.5.0" "A field of a date, time or interval, for example `YEAR`."
    extract(field: text, source: col);
    "1.5.0" "Seconds since 1970 as text by a pattern, in the session's time zone."
    from_unixtime(timestamp: col), from_unixtime_with(format: text = "yyyy-MM-dd HH:mm:ss");
    "1.5.0" "A time without zone, taken as UTC, in another zone."
    from_utc_timestamp(timestamp: col, tz: text);
    "1.5.0" "The hour."
    hour(column: col);
    "1.5.0" "The last day of the date's month."
    last_day(date: col);
    "3.4.0" "The time at the start of the query, without zone."
    localtimestamp();
    "3.3.0" "A date from year, month and day."
    make_date(year: col, month: col, day: col);
    "3.5.0" "An interval of days, hours, minutes and seconds."
    make_dt_interval(), make_dt_interval_with(days: col = 0, hours: col = 0, mins: col = 0, secs: col = decimal("0", 10, 0));
    "3.5.0" "An interval of years, months, weeks, days, hours, minutes and seconds."
    make_interval(), make_interval_with(years: col = 0, months: col = 0, weeks: col = 0, days: col = 0, hours: col = 0, mins: col = 0, secs: col = decimal("0", 10, 0));
    "4.1.0" "A time of day from hour, minute and second."
    make_time(hour: col, minute: col, second: col);
    "3.5.0" "A time from its fields, given in the session's zone or another."
    make_timestamp(years: col, months: col, days: col, hours: col, mins: col, secs: col), make_timestamp_with(timezone: col);
    "4.1.0" "A time from a date and a time of day, given in the session's zone or another."
    make_timestamp_of as "make_timestamp"(date: col, time: col), make_timestamp_of_with(timezone: col);
    "3.5.0" "A time without zone from its fields."
    make_timestamp_ntz(years: col, months: col, days: col, hours: col, mins: col, secs: col);
    "4.1.0" "A time without zone from a date and a time of day."
    make_timestamp_ntz_of as "make_timestamp_ntz"(date: col, time: col);
    "3.5.0" "A time with the session's zone from its fields, given in a zone."
    make_timestamp_ltz(years: col, months: col, days: col, hours: col, mins: col, secs: col), make_timestamp_ltz_with(timezone: col);
    "3.5.0" "An interval of years and months."
    make_ym_interval(), make_ym_interval_with(years: col = 0, months: col = 0);
    "1.5.0" "The minute."
    minute(column: col);
    "1.5.0" "The month, 1 to 12."
    month(column: col);
    "4.0.0" "The short name of the month."
    monthname(column: col);
    "1.5.0" "The months from the second time to the first, rounded to 8 digits unless told not to."
    months_between(end: col, start: col), months_between_with(round: flag = true);
    "1.5.0" "The first date after this one that is this day of the week, for example `Mon`."
    next_day(date: col, day_of_week: text);
    "3.5.0" "The time at the start of the query."
    now();
    "1.5.0" "The quarter, 1 to 4."
    quarter(column: col);
    "1.5.0" "The second."
    second(column: col);
    "3.2.0" "The window of rows that follow each other with less than a gap between them."
    session_window(time: col, gap: text);
    "4.0.0" "The time that many units later."
    timestamp_add as "timestampadd"(unit: text, quantity: col, time: col);
    "4.0.0" "The whole units from the first time to the second."
    timestamp_diff as "timestampdiff"(unit: text, start: col, end: col);
    "3.5.0" "The time that many microseconds after 1970."
    timestamp_micros(column: col);
    "3.5.0" "The time that many milliseconds after 1970."
    timestamp_millis(column: col);
    "3.1.0" "The time that many seconds after 1970."
    timestamp_seconds(column: col);
    "4.2.0" "The start of the interval of a fixed size that a time falls into, counted from an origin."
    time_bucket(bucket_size: text, time: col), time_bucket_with(origin: text);
    "4.1.0" "The whole units from the first time of day to the second."
    time_diff(unit: col, start: col, end: col);
    "4.2.0" "The time of day that many microseconds after midnight."
    time_from_micros(column: col);
    "4.2.0" "The time of day that many milliseconds after midnight."
    time_from_millis(column: col);
    "4.2.0" "The time of day that many seconds after midnight."
    time_from_seconds(column: col);
    "4.2.0" "The microseconds from midnight to a time of day."
    time_to_micros(column: col);
    "4.2.0" "The milliseconds from midnight to a time of day."
    time_to_millis(column: col);
    "4.2.0" "The seconds from midnight to a time of day."
    time_to_seconds(column: col);
    "4.1.0" "A time of day cut to a unit such as `HOUR`."
    time_trunc(unit: col, time: col);
    "2.2.0" "A date from text, by a pattern or by the rules of a cast."
    to_date(column: col), to_date_with(format: text);
    "4.1.0" "A time of day from text, by a pattern or by the rules of a cast."
    to_time(text: col), to_time_with(format: col);
    "2.2.0" "A time from text, by a pattern or by the rules of a cast."
    to_timestamp(column: col), to_timestamp_with(format: text);
    "3.5.0" "A time with the session's zone from text, by a pattern or by the rules of a cast."
    to_timestamp_ltz(timestamp: col), to_timestamp_ltz_with(format: col);
    "3.5.0" "A time without zone from text, by a pattern or by the rules of a cast."
    to_timestamp_ntz(timestamp: col), to_timestamp_ntz_with(format: col);
    "3.5.0" "Seconds since 1970 from text, by a pattern (`yyyy-MM-dd HH:mm:ss`)."
    to_unix_timestamp(timestamp: col), to_unix_timestamp_with(format: col);
    "1.5.0" "A time without zone, taken as of a zone, in UTC."
    to_utc_timestamp(timestamp: col, tz: text);
    "1.5.0" "A date cut to a unit such as `month`."
    trunc(date: col, unit: text);
    "4.0.0" "[`make_interval`] that gives NULL where it overflows."
    try_make_interval(), try_make_interval_with(years: col = 0, months: col = 0, weeks: col = 0, days: col = 0, hours: col = 0, mins: col = 0, secs: col = decimal("0", 10, 0));
    "4.0.0" "[`make_timestamp`] that gives NULL for fields that make no time."
    try_make_timestamp(years: col, months: col, days: col, hours: col, mins: col, secs: col), try_make_timestamp_with(timezone: col);
    "4.1.0" "[`make_timestamp_of`] that gives NULL for what makes no time."
    try_make_timestamp_of as "try_make_timestamp"(date: col, time: col), try_make_timestamp_of_with(timezone: col);
    "4.0.0" "[`make_timestamp_ntz`] that gives NULL for fields that make no time."
    try_make_timestamp_ntz(years: col, months: col, days: col, hours: col, mins: col, secs: col);
    "4.1.0" "[`make_timestamp_ntz_of`] that gives NULL for what makes no time."
    try_make_timestamp_ntz_of as "try_make_timestamp_ntz"(date: col, time: col);
    "4.0.0" "[`make_timestamp_ltz`] that gives NULL for fields that make no time."
    try_make_timestamp_ltz(years: col, months: col, days: col, hours: col, mins: col, secs: col), try_make_timestamp_ltz_with(timezone: col);
    "4.1.0" "[`to_time`] that gives NULL where the text does not fit."
    try_to_time(text: col), try_to_time_with(format: col);
    "3.5.0" "[`to_timestamp`] that gives NULL where the text does not fit."
    try_to_timestamp(column: col), try_to_timestamp_with(format: col);
    "4.0.0" "[`to_date`] that gives NULL where the text does not fit."
    try_to_date(column: col), try_to_date_with(format: text);
    "3.5.0" "The days since 1970-01-01."
    unix_date(column: col);
    "3.5.0" "The microseconds since 1970."
    unix_micros(column: col);
    "3.5.0" "The milliseconds since 1970."
    unix_millis(column: col);
    "3.5.0" "The seconds since 1970."
    unix_seconds(column: col);
    "3.5.0" "The seconds since 1970 at the start of the query."
    unix_timestamp();
    "1.5.0" "The seconds since 1970 of a time, or of a text by a pattern."
    unix_timestamp_of as "unix_timestamp"(column: col), unix_timestamp_of_with(format: text = "yyyy-MM-dd HH:mm:ss");
    "3.5.0" "The day of the week, 0 (Monday) to 6."
    weekday(column: col);
    "1.5.0" "The ISO week of the year."
    weekofyear(column: col);
    "3.4.0" "The time of a window of an aggregation: the last microsecond in it."
    window_time(window: col);
    "1.5.0" "The year."
    year(column: col);
}
