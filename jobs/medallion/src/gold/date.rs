//! `dim_date`: one row per calendar day, which nothing changes once it is made.

use spark_client::functions::expr;
use spark_client::{DataFrame, SparkSession};

pub(super) const NAME: &str = "dim_date";

/// First and last day.
const DAYS: (&str, &str) = ("2013-01-01", "2035-12-31");

/// Name and Spark SQL expression over `d`, a date. The fiscal year begins on 1 July.
const COLUMNS: &[(&str, &str)] = &[
    ("date", "d"),
    ("date_key", "cast(date_format(d, 'yyyyMMdd') AS int)"),
    ("day_number", "day(d)"),
    ("day", "cast(day(d) AS string)"),
    ("day_of_year_number", "dayofyear(d)"),
    ("day_of_week", "date_format(d, 'EEEE')"),
    ("day_of_week_number", "dayofweek(d)"),
    ("month", "date_format(d, 'MMMM')"),
    ("short_month", "date_format(d, 'MMM')"),
    ("quarter", "concat('Q', quarter(d))"),
    ("beginning_of_month", "cast(date_trunc('MONTH', d) AS date)"),
    ("beginning_of_quarter", "cast(date_trunc('QUARTER', d) AS date)"),
    ("beginning_of_year", "cast(date_trunc('YEAR', d) AS date)"),
    ("calendar_month_number", "month(d)"),
    ("calendar_month_label", "concat('CY', year(d), '-', date_format(d, 'MMM'))"),
    ("calendar_quarter_number", "quarter(d)"),
    ("calendar_year", "year(d)"),
    ("calendar_year_label", "concat('CY', year(d))"),
    ("fiscal_month_number", "month(add_months(d, 6))"),
    ("fiscal_month_label", "concat('FY', year(add_months(d, 6)), '-', date_format(d, 'MMM'))"),
    ("fiscal_quarter_number", "quarter(add_months(d, 6))"),
    ("fiscal_year", "year(add_months(d, 6))"),
    ("fiscal_year_label", "concat('FY', year(add_months(d, 6)))"),
    ("iso_week_number", "weekofyear(d)"),
    ("year_month_key", "year(d) * 100 + month(d)"),
];

/// All days: the columns above, `date` being the key.
pub(super) fn rows(spark: &SparkSession) -> DataFrame {
    let (first, last) = DAYS;
    let days = format!("explode(sequence(date'{first}', date'{last}')) AS d");
    spark
        .range(0..1)
        .select([expr(&days)])
        .select(COLUMNS.iter().map(|(name, value)| expr(value).alias(name)))
}
