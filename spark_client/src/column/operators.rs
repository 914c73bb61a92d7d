//! Rust's operators on columns.

use super::{Column, IntoLiteral};
use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Rem, Sub};

macro_rules! operators {
    ($($trait:ident::$method:ident = $function:literal;)*) => {$(
        impl<V: IntoLiteral> $trait<V> for Column {
            type Output = Column;

            fn $method(self, other: V) -> Column {
                Column::function($function, vec![self, other.into_literal()])
            }
        }

        impl<V: IntoLiteral> $trait<V> for &Column {
            type Output = Column;

            fn $method(self, other: V) -> Column {
                self.clone().$method(other)
            }
        }
    )*};
}
operators! {
    Add::add = "+";
    Sub::sub = "-";
    Mul::mul = "*";
    Div::div = "/";
    Rem::rem = "%";
    BitAnd::bitand = "and";
    BitOr::bitor = "or";
}

impl Not for Column {
    type Output = Column;

    fn not(self) -> Column {
        Column::function("not", vec![self])
    }
}

impl Neg for Column {
    type Output = Column;

    fn neg(self) -> Column {
        Column::function("negative", vec![self])
    }
}
