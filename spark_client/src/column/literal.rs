//! Rust values as literals of a plan.

use super::{CaseWhen, Column};
use crate::proto::{
    DataType, data_type,
    expression::{ExprType, Literal, literal, literal::LiteralType},
};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, TimeZone, Timelike as _};

/// A Rust value that becomes a literal, or a [`Column`] as it is.
///
/// `i8` to `i64` become BYTE to LONG, `u8` to `u32` the next wider type, `f32` and `f64` FLOAT and DOUBLE,
/// strings STRING (never a column name), byte slices BINARY, `NaiveDate` DATE, `DateTime` TIMESTAMP,
/// `NaiveDateTime` TIMESTAMP_NTZ, `NaiveTime` TIME, `TimeDelta` INTERVAL DAY TO SECOND, an array ARRAY, `None` NULL.
///
/// ```
/// use spark_client::{chrono::NaiveDate, functions::{col, lit}};
/// let in_stock = col("quantity").gt(0) & col("sold_out").eq(None::<bool>);
/// let day = lit(NaiveDate::from_ymd_opt(2026, 11, 24));
/// # let _ = (in_stock, day);
/// ```
pub trait IntoLiteral {
    /// The literal.
    fn into_literal(self) -> Column;
}

impl IntoLiteral for Column {
    fn into_literal(self) -> Column {
        self
    }
}

impl IntoLiteral for &Column {
    fn into_literal(self) -> Column {
        self.clone()
    }
}

impl IntoLiteral for CaseWhen {
    fn into_literal(self) -> Column {
        self.end()
    }
}

impl<T: IntoLiteral> IntoLiteral for Option<T> {
    fn into_literal(self) -> Column {
        self.map_or_else(null, IntoLiteral::into_literal)
    }
}

impl<Z: TimeZone> IntoLiteral for DateTime<Z> {
    fn into_literal(self) -> Column {
        literal(LiteralType::Timestamp(self.timestamp_micros()))
    }
}

impl<T: IntoLiteral, const N: usize> IntoLiteral for [T; N] {
    fn into_literal(self) -> Column {
        Column::function("array", self.into_iter().map(IntoLiteral::into_literal).collect())
    }
}

/// A Rust value as a literal or a [`Column`], for an argument that may be left away with `None`.
///
/// ```
/// use spark_client::functions::lag_with;
/// let before = [lag_with("amount", 1, None), lag_with("amount", 1, 0)];
/// # let _ = before;
/// ```
pub trait OptionalLiteral {
    /// The literal, if there is one.
    fn into_optional_literal(self) -> Option<Column>;
}

impl OptionalLiteral for Option<Column> {
    fn into_optional_literal(self) -> Option<Column> {
        self
    }
}

macro_rules! optional_literals {
    ($($rust:ty),*) => {$(
        impl OptionalLiteral for $rust {
            fn into_optional_literal(self) -> Option<Column> {
                Some(self.into_literal())
            }
        }
    )*};
}
optional_literals!(Column, &Column, CaseWhen);

macro_rules! literals {
    ($($rust:ty => |$value:ident| $literal:expr;)*) => {$(
        impl IntoLiteral for $rust {
            fn into_literal(self) -> Column {
                let $value = self;
                literal($literal)
            }
        }

        optional_literals!($rust);
    )*};
}
literals! {
    bool => |value| LiteralType::Boolean(value);
    i8 => |value| LiteralType::Byte(value.into());
    i16 => |value| LiteralType::Short(value.into());
    u8 => |value| LiteralType::Short(value.into());
    i32 => |value| LiteralType::Integer(value);
    u16 => |value| LiteralType::Integer(value.into());
    i64 => |value| LiteralType::Long(value);
    u32 => |value| LiteralType::Long(value.into());
    f32 => |value| LiteralType::Float(value);
    f64 => |value| LiteralType::Double(value);
    &str => |value| LiteralType::String(value.to_owned());
    String => |value| LiteralType::String(value);
    &String => |value| LiteralType::String(value.clone());
    &[u8] => |value| LiteralType::Binary(value.to_vec());
    Vec<u8> => |value| LiteralType::Binary(value);
    NaiveDate => |value| LiteralType::Date(value.to_epoch_days());
    NaiveDateTime => |value| LiteralType::TimestampNtz(value.and_utc().timestamp_micros());
    NaiveTime => |value| LiteralType::Time(literal::Time {
        nano: i64::from(value.num_seconds_from_midnight()) * 1_000_000_000 + i64::from(value.nanosecond()),
        precision: Some(6),
    });
    TimeDelta => |value| LiteralType::DayTimeInterval(value.num_microseconds().unwrap_or(i64::MAX));
}

fn null() -> Column {
    let void = data_type::Kind::Null(data_type::Null::default());
    literal(LiteralType::Null(DataType { kind: Some(void) }))
}

fn literal(literal_type: LiteralType) -> Column {
    Column::new(ExprType::Literal(Literal { data_type: None, literal_type: Some(literal_type) }))
}

/// A DECIMAL literal from its digits, for example `decimal("12.50", 10, 2)`.
pub fn decimal(digits: &str, precision: u8, scale: u8) -> Column {
    literal(LiteralType::Decimal(literal::Decimal {
        value: digits.to_owned(),
        precision: Some(precision.into()),
        scale: Some(scale.into()),
    }))
}
