//! Expressions over the columns of a DataFrame.

mod case;
mod literal;
mod operators;
mod predicates;
mod shaping;
mod sorting;
mod subqueries;
mod window;

pub use case::CaseWhen;
pub use literal::{IntoLiteral, OptionalLiteral, decimal};
pub(crate) use subqueries::Subqueries;
pub use window::{Window, WindowBound};

use crate::{
    plan::Plan,
    proto::{
        Expression,
        expression::{ExprType, UnresolvedAttribute, UnresolvedFunction, UnresolvedStar},
    },
};

/// An expression over the columns of a DataFrame, resolved by the server when the plan runs.
///
/// Arithmetic and logic are Rust's operators (`+ - * / % ! & |` and unary `-`); comparisons are methods
/// ([`Column::eq`], [`Column::gt`], ...), since they give a column and not a `bool`.
///
/// ```
/// use spark_client::functions::{col, lit};
/// let net = (col("quantity") * col("unit_price")).alias("net");
/// let large = col("net").gt(1000) & col("cancelled").is_null();
/// # let _ = (net, large, lit(1));
/// ```
#[derive(Clone, Debug)]
pub struct Column {
    pub(crate) expression: Expression,
    /// The plans that the expression refers to by their ids.
    subqueries: Vec<Plan>,
}

impl Column {
    /// An expression without others in it.
    pub(crate) fn new(expr_type: ExprType) -> Self {
        Self::over_parts(|_| expr_type)
    }

    /// An expression of other columns, which `build` takes apart.
    pub(crate) fn over_parts(build: impl FnOnce(&mut Subqueries) -> ExprType) -> Self {
        let mut used = Subqueries::default();
        let expr_type = Some(build(&mut used));
        Self { expression: Expression { common: None, expr_type }, subqueries: used.into_plans() }
    }

    /// A reference by name; `*` and `table.*` stand for all columns.
    pub(crate) fn named(name: &str) -> Self {
        Self::of_plan(name, None)
    }

    pub(crate) fn of_plan(name: &str, plan_id: Option<i64>) -> Self {
        if name == "*" || name.ends_with(".*") {
            let unparsed_target = (name != "*").then(|| name.to_owned());
            return Self::new(ExprType::UnresolvedStar(UnresolvedStar { unparsed_target, plan_id }));
        }
        Self::new(ExprType::UnresolvedAttribute(UnresolvedAttribute {
            unparsed_identifier: name.to_owned(),
            plan_id,
            is_metadata_column: Some(false),
        }))
    }

    pub(crate) fn function(name: &str, arguments: Vec<Self>) -> Self {
        Self::function_over(name, arguments, false)
    }

    pub(crate) fn distinct_function(name: &str, arguments: Vec<Self>) -> Self {
        Self::function_over(name, arguments, true)
    }

    fn function_over(name: &str, arguments: Vec<Self>, is_distinct: bool) -> Self {
        Self::over_parts(|used| {
            ExprType::UnresolvedFunction(UnresolvedFunction {
                function_name: name.to_owned(),
                arguments: used.expressions(arguments),
                is_distinct,
                is_user_defined_function: false,
                is_internal: None,
            })
        })
    }
}

/// A [`Column`], or the name of one: what PySpark calls `ColumnOrName`.
///
/// ```
/// use spark_client::functions::{col, sum};
/// let totals = [sum("amount"), sum(col("amount") * 2)];
/// # let _ = totals;
/// ```
pub trait IntoColumn {
    /// The column itself.
    fn into_column(self) -> Column;
}

impl IntoColumn for Column {
    fn into_column(self) -> Column {
        self
    }
}

impl IntoColumn for &Column {
    fn into_column(self) -> Column {
        self.clone()
    }
}

impl IntoColumn for &str {
    fn into_column(self) -> Column {
        Column::named(self)
    }
}

impl IntoColumn for &&str {
    fn into_column(self) -> Column {
        Column::named(self)
    }
}

impl IntoColumn for String {
    fn into_column(self) -> Column {
        Column::named(&self)
    }
}

impl IntoColumn for &String {
    fn into_column(self) -> Column {
        Column::named(self)
    }
}

/// A [`Column`], the name of one, or a number as a literal.
///
/// ```
/// use spark_client::functions::{atan2, col};
/// let angles = [atan2("y", "x"), atan2(col("y"), 1.0)];
/// # let _ = angles;
/// ```
pub trait IntoOperand {
    /// The column or literal.
    fn into_operand(self) -> Column;
}

impl<T: IntoColumn> IntoOperand for T {
    fn into_operand(self) -> Column {
        self.into_column()
    }
}

macro_rules! numbers {
    ($($rust:ty),*) => {$(
        impl IntoOperand for $rust {
            fn into_operand(self) -> Column {
                self.into_literal()
            }
        }
    )*};
}
numbers!(i8, i16, i32, i64, u8, u16, u32, f32, f64);

/// A [`Column`] or the name of one, for an argument that may be left away with `None`.
///
/// ```no_run
/// # async fn run(orders: spark_client::DataFrame) -> Result<(), spark_client::Error> {
/// let turned = orders.transpose(None);
/// let by_day = orders.transpose("day");
/// # let _ = (turned, by_day);
/// # Ok(()) }
/// ```
pub trait OptionalColumn {
    /// The column, if there is one.
    fn into_optional_column(self) -> Option<Column>;
}

impl OptionalColumn for Option<Column> {
    fn into_optional_column(self) -> Option<Column> {
        self
    }
}

impl<T: IntoColumn> OptionalColumn for T {
    fn into_optional_column(self) -> Option<Column> {
        Some(self.into_column())
    }
}

/// Each item as a column.
pub(crate) fn into_columns(items: impl IntoIterator<Item = impl IntoColumn>) -> Vec<Column> {
    items.into_iter().map(IntoColumn::into_column).collect()
}
