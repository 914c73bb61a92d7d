//! Names, types and parts of values.

use super::{Column, IntoLiteral};
use crate::proto::expression::{Alias, Cast, ExprType, UnresolvedExtractValue, UpdateFields, cast};

impl Column {
    /// The same values under another name.
    pub fn alias(self, name: &str) -> Column {
        self.aliased(vec![name.to_owned()])
    }

    /// Names for an expression that gives several columns, such as `posexplode`.
    pub fn aliases(self, names: impl IntoIterator<Item = impl Into<String>>) -> Column {
        self.aliased(names.into_iter().map(Into::into).collect())
    }

    fn aliased(self, name: Vec<String>) -> Column {
        Column::over_parts(|used| {
            ExprType::Alias(Box::new(Alias { expr: used.boxed(self), name, metadata: None }))
        })
    }

    /// As another type, named as in SQL: `"bigint"`, `"decimal(18,2)"`, `"array<string>"`. A value that does
    /// not fit is an error under ANSI mode, which is Spark's default.
    pub fn cast(self, data_type: &str) -> Column {
        self.cast_by(data_type, cast::EvalMode::Unspecified)
    }

    /// As another type, NULL for a value that does not fit.
    pub fn try_cast(self, data_type: &str) -> Column {
        self.cast_by(data_type, cast::EvalMode::Try)
    }

    fn cast_by(self, data_type: &str, mode: cast::EvalMode) -> Column {
        Column::over_parts(|used| {
            ExprType::Cast(Box::new(Cast {
                expr: used.boxed(self),
                cast_to_type: Some(cast::CastToType::TypeStr(data_type.to_owned())),
                eval_mode: mode as i32,
            }))
        })
    }

    /// An element of an array (from 0), a value of a map by its key, or a field of a struct by its name.
    pub fn get_item(self, key: impl IntoLiteral) -> Column {
        Column::over_parts(|used| {
            ExprType::UnresolvedExtractValue(Box::new(UnresolvedExtractValue {
                child: used.boxed(self),
                extraction: used.boxed(key.into_literal()),
            }))
        })
    }

    /// A field of a struct.
    pub fn get_field(self, name: &str) -> Column {
        self.get_item(name)
    }

    /// A struct with a field added or replaced.
    pub fn with_field(self, name: &str, value: Column) -> Column {
        self.update_field(name, Some(value))
    }

    /// A struct without a field.
    pub fn drop_field(self, name: &str) -> Column {
        self.update_field(name, None)
    }

    fn update_field(self, name: &str, value: Option<Column>) -> Column {
        Column::over_parts(|used| {
            ExprType::UpdateFields(Box::new(UpdateFields {
                struct_expression: used.boxed(self),
                field_name: name.to_owned(),
                value_expression: value.and_then(|value| used.boxed(value)),
            }))
        })
    }

    /// A part of a text: `length` characters from position `start`, counted from 1.
    pub fn substr(self, start: impl IntoLiteral, length: impl IntoLiteral) -> Column {
        Column::function("substr", vec![self, start.into_literal(), length.into_literal()])
    }

    /// What a function makes of this column: keeps a chain of calls readable.
    pub fn transform(self, change: impl FnOnce(Self) -> Self) -> Self {
        change(self)
    }
}
