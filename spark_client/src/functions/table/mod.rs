//! The table of functions that are a name and arguments, in files by subject.
//!
//! A row is
//!
//! ```text
//! "since" "What it gives."
//! name as "sql_name"(parameter: kind, ...), name_with(parameter: kind = default, ...);
//! ```
//!
//! `as` (or `distinct`, for an aggregate over different values) is left out where the server knows the function by
//! its own name. Parameters that PySpark makes optional are those of the second function, `name_with`: it takes the
//! first one's parameters and, for each of its own, a value or `None`, which stands for the default or, without one,
//! leaves the argument away.
//!
//! Kinds: `col` takes a column or the name of one, `num` a column, the name of one or a number, `cols` any number of
//! columns; `int`, `float`, `flag`, `text` and `lit` take a Rust value as a literal, or a column.

/// A seed where none was given. It has to be part of the plan: the parts of a query must agree on it.
fn random_seed() -> i64 {
    rand::random_range(0..i64::MAX)
}

macro_rules! parameter {
    (col) => { impl $crate::IntoColumn };
    (num) => { impl $crate::IntoOperand };
    (cols) => { impl IntoIterator<Item = impl $crate::IntoColumn> };
    ($literal:ident) => { impl $crate::IntoLiteral };
}

macro_rules! optional_parameter {
    (col) => { impl $crate::OptionalColumn };
    ($literal:ident) => { impl $crate::OptionalLiteral };
}

macro_rules! push {
    ($arguments:ident, $value:ident, col) => {
        $arguments.push($crate::IntoColumn::into_column($value))
    };
    ($arguments:ident, $value:ident, num) => {
        $arguments.push($crate::IntoOperand::into_operand($value))
    };
    ($arguments:ident, $value:ident, cols) => {
        $arguments.extend($value.into_iter().map($crate::IntoColumn::into_column))
    };
    ($arguments:ident, $value:ident, $literal:ident) => {
        $arguments.push($crate::IntoLiteral::into_literal($value))
    };
}

macro_rules! optional {
    ($value:ident, col) => {
        $crate::OptionalColumn::into_optional_column($value)
    };
    ($value:ident, $literal:ident) => {
        $crate::OptionalLiteral::into_optional_literal($value)
    };
    ($value:ident, $kind:ident, $default:expr) => {
        Some(optional!($value, $kind).unwrap_or_else(|| $crate::functions::lit($default)))
    };
}

macro_rules! build {
    ($arguments:ident, $name:ident) => {
        $crate::Column::function(stringify!($name), $arguments)
    };
    ($arguments:ident, $name:ident as $sql:literal) => {
        $crate::Column::function($sql, $arguments)
    };
    ($arguments:ident, $name:ident distinct $sql:literal) => {
        $crate::Column::distinct_function($sql, $arguments)
    };
}

macro_rules! row {
    (
        $since:literal $doc:literal $name:ident $($form:ident $sql:literal)?
        ($($parameter:ident: $kind:ident),*)
        $(, $with:ident)?
        ($($optional:ident: $optional_kind:ident $(= $default:expr)?),*)
    ) => {
        #[doc = concat!($doc, "\n\nSince Spark ", $since, ".", $("\n\n[`", stringify!($with), "`] takes more arguments.")?)]
        #[allow(unused_mut, clippy::vec_init_then_push, clippy::allow_attributes)]
        pub fn $name($($parameter: parameter!($kind)),*) -> $crate::Column {
            let mut arguments = Vec::new();
            $(push!(arguments, $parameter, $kind);)*
            $($(arguments.push($crate::functions::lit($default));)?)*
            build!(arguments, $name $($form $sql)?)
        }
    };
}

macro_rules! row_with {
    (
        $since:literal $doc:literal $name:ident $($form:ident $sql:literal)?
        ($($parameter:ident: $kind:ident),*)
        $with:ident
        ($($optional:ident: $optional_kind:ident $(= $default:expr)?),+)
    ) => {
        #[doc = concat!($doc, "\n\nSince Spark ", $since, ". [`", stringify!($name), "`](fn@", stringify!($name), ") is the short form.")]
        #[allow(clippy::too_many_arguments, clippy::vec_init_then_push, clippy::allow_attributes)]
        pub fn $with(
            $($parameter: parameter!($kind),)* $($optional: optional_parameter!($optional_kind)),+
        ) -> $crate::Column {
            let mut arguments = Vec::new();
            $(push!(arguments, $parameter, $kind);)*
            $(arguments.extend(optional!($optional, $optional_kind $(, $default)?));)+
            build!(arguments, $name $($form $sql)?)
        }
    };
}

macro_rules! functions {
    ($(
        $since:literal $doc:literal
        $name:ident $($form:ident $sql:literal)? ($($parameters:tt)*) $(, $with:ident ($($optionals:tt)*))?;
    )*) => {
        $(
            row! { $since $doc $name $($form $sql)? ($($parameters)*) $(, $with)? ($($($optionals)*)?) }
            functions! { @with $since $doc $name $($form $sql)? ($($parameters)*) $($with ($($optionals)*))? }
        )*

        /// Each function at each number of arguments, called with samples.
        #[cfg(test)]
        pub(super) fn cases() -> Vec<(String, $crate::Column)> {
            let mut cases = Vec::new();
            $(
                case!(cases, $name ($($parameters)*));
                cases!(cases, $name ($($parameters)*) $($with ($($optionals)*))?);
            )*
            cases
        }
    };
    (@with $since:literal $doc:literal $name:ident $($form:ident $sql:literal)? ($($parameters:tt)*)) => {};
    (@with $since:literal $doc:literal $name:ident $($form:ident $sql:literal)? ($($parameters:tt)*) $with:ident ($($optionals:tt)*)) => {
        row_with! { $since $doc $name $($form $sql)? ($($parameters)*) $with ($($optionals)*) }
    };
}

#[cfg(test)]
#[macro_use]
pub(crate) mod samples;
mod aggregates;
mod collections;
mod conditions;
mod documents;
mod hashes;
mod math;
mod others;
mod sketches;
mod text;
mod time;

pub use aggregates::*;
pub use collections::*;
pub use conditions::*;
pub use documents::*;
pub use hashes::*;
pub use math::*;
pub use others::*;
pub use sketches::*;
pub use text::*;
pub use time::*;
