//! Comparisons and other conditions.

use super::{Column, IntoLiteral};

macro_rules! predicates {
    ($($(#[$doc:meta])* $method:ident = $function:literal;)*) => {
        /// Conditions. Rust values are literals here, also strings; another column is `col("name")`.
        impl Column {$(
            $(#[$doc])*
            pub fn $method(self, other: impl IntoLiteral) -> Column {
                Column::function($function, vec![self, other.into_literal()])
            }
        )*}
    };
}
predicates! {
    /// Equal; NULL when either side is.
    eq = "==";
    /// Equal, where NULL equals NULL: never NULL itself.
    eq_null_safe = "<=>";
    /// Greater than.
    gt = ">";
    /// Greater than or equal.
    geq = ">=";
    /// Less than.
    lt = "<";
    /// Less than or equal.
    leq = "<=";
    /// Both. The same as `&`.
    and = "and";
    /// Either. The same as `|`.
    or = "or";
    /// A text holds another.
    contains = "contains";
    /// A text begins with another.
    starts_with = "startsWith";
    /// A text ends with another.
    ends_with = "endsWith";
    /// SQL's LIKE, with `%` and `_`.
    like = "like";
    /// LIKE in any case.
    ilike = "ilike";
    /// A part of the text matches a Java regular expression.
    rlike = "rlike";
    /// Bitwise and of integers.
    bitwise_and = "&";
    /// Bitwise or of integers.
    bitwise_or = "|";
    /// Bitwise exclusive or of integers.
    bitwise_xor = "^";
}

impl Column {
    /// Not equal; NULL when either side is.
    pub fn neq(self, other: impl IntoLiteral) -> Column {
        !self.eq(other)
    }

    /// At least `lower` and at most `upper`.
    pub fn between(self, lower: impl IntoLiteral, upper: impl IntoLiteral) -> Column {
        self.clone().geq(lower) & self.leq(upper)
    }

    /// Equal to one of the values.
    pub fn isin(self, values: impl IntoIterator<Item = impl IntoLiteral>) -> Column {
        let values = values.into_iter().map(IntoLiteral::into_literal);
        Column::function("in", std::iter::once(self).chain(values).collect())
    }

    /// Is NULL.
    pub fn is_null(self) -> Column {
        Column::function("isNull", vec![self])
    }

    /// Is not NULL.
    pub fn is_not_null(self) -> Column {
        Column::function("isNotNull", vec![self])
    }

    /// Is the floating point value NaN.
    pub fn is_nan(self) -> Column {
        Column::function("isNaN", vec![self])
    }
}
