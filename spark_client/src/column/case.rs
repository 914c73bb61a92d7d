//! `CASE WHEN ... THEN ... ELSE ... END`.

use super::{Column, IntoColumn, IntoLiteral};

/// A conditional expression that takes further branches. As a column it gives NULL when no branch holds.
///
/// ```
/// use spark_client::functions::{col, when};
/// let size = when(col("amount").gt(1000), "large").when(col("amount").gt(10), "medium").otherwise("small");
/// # let _ = size;
/// ```
#[derive(Clone, Debug)]
pub struct CaseWhen {
    arguments: Vec<Column>,
}

impl CaseWhen {
    pub(crate) fn new(condition: Column, value: impl IntoLiteral) -> Self {
        Self { arguments: Vec::new() }.when(condition, value)
    }

    /// Another branch, taken when no branch before it holds.
    pub fn when(mut self, condition: Column, value: impl IntoLiteral) -> Self {
        self.arguments.extend([condition, value.into_literal()]);
        self
    }

    /// The value when no branch holds.
    pub fn otherwise(mut self, value: impl IntoLiteral) -> Column {
        self.arguments.push(value.into_literal());
        self.end()
    }

    /// The expression without an ELSE.
    pub fn end(self) -> Column {
        Column::function("when", self.arguments)
    }
}

impl IntoColumn for CaseWhen {
    fn into_column(self) -> Column {
        self.end()
    }
}
