//! Values that come outside of rows.

use crate::proto::expression::literal::LiteralType;
use chrono::{DateTime, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Utc};

/// A value of any of Spark's types, as an [`Observation`](crate::Observation) gives it.
///
/// ```
/// use spark_client::Value;
/// assert_eq!(Value::Integer(7).as_i64(), Some(7));
/// assert_eq!(Value::Decimal("12.50".to_owned()).as_str(), Some("12.50"));
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// NULL.
    Null,
    /// BOOLEAN.
    Boolean(bool),
    /// BYTE, SHORT, INTEGER or LONG.
    Integer(i64),
    /// FLOAT or DOUBLE.
    Float(f64),
    /// DECIMAL, as its digits.
    Decimal(String),
    /// STRING.
    String(String),
    /// BINARY.
    Binary(Vec<u8>),
    /// DATE.
    Date(NaiveDate),
    /// TIME.
    Time(NaiveTime),
    /// TIMESTAMP.
    Timestamp(DateTime<Utc>),
    /// TIMESTAMP_NTZ.
    TimestampNtz(NaiveDateTime),
    /// INTERVAL DAY TO SECOND.
    Interval(TimeDelta),
    /// INTERVAL YEAR TO MONTH, in months.
    Months(i32),
    /// ARRAY.
    Array(Vec<Value>),
    /// MAP, its entries in the server's order.
    Map(Vec<(Value, Value)>),
    /// STRUCT, the values of its fields.
    Struct(Vec<Value>),
}

impl Value {
    /// The number of an INTEGER or one of its kin.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Integer(value) => Some(*value),
            _ => None,
        }
    }

    /// The number of an INTEGER, a DOUBLE or one of their kin.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Float(value) => Some(*value),
            Self::Integer(value) => Some(*value as f64),
            _ => None,
        }
    }

    /// The text of a STRING, or the digits of a DECIMAL.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) | Self::Decimal(text) => Some(text),
            _ => None,
        }
    }

    /// `None` for what no value of Spark has: a type that is not known, a date out of range.
    pub(crate) fn from_literal(literal: LiteralType) -> Option<Self> {
        let all = |items: Vec<crate::proto::expression::Literal>| -> Option<Vec<Self>> {
            items.into_iter().map(|item| Self::from_literal(item.literal_type?)).collect()
        };
        Some(match literal {
            LiteralType::Null(_) => Self::Null,
            LiteralType::Boolean(value) => Self::Boolean(value),
            LiteralType::Byte(value) | LiteralType::Short(value) | LiteralType::Integer(value) => {
                Self::Integer(value.into())
            }
            LiteralType::Long(value) => Self::Integer(value),
            LiteralType::Float(value) => Self::Float(value.into()),
            LiteralType::Double(value) => Self::Float(value),
            LiteralType::Decimal(decimal) => Self::Decimal(decimal.value),
            LiteralType::String(text) => Self::String(text),
            LiteralType::Binary(bytes) => Self::Binary(bytes),
            LiteralType::Date(days) => Self::Date(date(days)?),
            LiteralType::Time(time) => Self::Time(NaiveTime::MIN + TimeDelta::nanoseconds(time.nano)),
            LiteralType::Timestamp(micros) => Self::Timestamp(DateTime::from_timestamp_micros(micros)?),
            LiteralType::TimestampNtz(micros) => {
                Self::TimestampNtz(DateTime::from_timestamp_micros(micros)?.naive_utc())
            }
            LiteralType::DayTimeInterval(micros) => Self::Interval(TimeDelta::microseconds(micros)),
            LiteralType::YearMonthInterval(months) => Self::Months(months),
            LiteralType::Array(array) => Self::Array(all(array.elements)?),
            LiteralType::Struct(fields) => Self::Struct(all(fields.elements)?),
            LiteralType::Map(map) => Self::Map(all(map.keys)?.into_iter().zip(all(map.values)?).collect()),
            LiteralType::CalendarInterval(_) | LiteralType::SpecializedArray(_) => return None,
        })
    }
}

fn date(days: i32) -> Option<NaiveDate> {
    let (epoch, distance) = (NaiveDate::default(), Days::new(days.unsigned_abs().into()));
    if days < 0 { epoch.checked_sub_days(distance) } else { epoch.checked_add_days(distance) }
}
