//! Higher-order functions: the Rust closure is called once, with columns that stand for an element, to
//! build the expression that Spark evaluates for each.

use crate::{
    Column, IntoColumn,
    proto::expression::{ExprType, LambdaFunction, UnresolvedNamedLambdaVariable},
};
use std::sync::atomic::{AtomicU64, Ordering};

/// Each element of an array, changed.
pub fn transform(array: impl IntoColumn, change: impl FnOnce(Column) -> Column) -> Column {
    Column::function("transform", vec![array.into_column(), unary(change)])
}

/// Each element of an array, changed with its position from 0.
pub fn transform_with_index(array: impl IntoColumn, change: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("transform", vec![array.into_column(), binary(change)])
}

/// The elements of an array for which the condition holds.
pub fn filter(array: impl IntoColumn, condition: impl FnOnce(Column) -> Column) -> Column {
    Column::function("filter", vec![array.into_column(), unary(condition)])
}

/// Whether the condition holds for an element of an array.
pub fn exists(array: impl IntoColumn, condition: impl FnOnce(Column) -> Column) -> Column {
    Column::function("exists", vec![array.into_column(), unary(condition)])
}

/// The elements of an array for which the condition holds, which also takes their position from 0.
pub fn filter_with_index(array: impl IntoColumn, condition: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("filter", vec![array.into_column(), binary(condition)])
}

/// Whether the condition holds for every element of an array.
pub fn forall(array: impl IntoColumn, condition: impl FnOnce(Column) -> Column) -> Column {
    Column::function("forall", vec![array.into_column(), unary(condition)])
}

/// Folds an array: `merge(state, element)` for each element, beginning with `initial`.
pub fn aggregate(
    array: impl IntoColumn,
    initial: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    fold("aggregate", array, initial, merge, None)
}

/// [`aggregate`] whose result is `finish(state)`.
pub fn aggregate_with(
    array: impl IntoColumn,
    initial: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
    finish: impl FnOnce(Column) -> Column,
) -> Column {
    fold("aggregate", array, initial, merge, Some(unary(finish)))
}

/// The same as [`aggregate`].
pub fn reduce(
    array: impl IntoColumn,
    initial: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    fold("reduce", array, initial, merge, None)
}

/// The same as [`aggregate_with`].
pub fn reduce_with(
    array: impl IntoColumn,
    initial: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
    finish: impl FnOnce(Column) -> Column,
) -> Column {
    fold("reduce", array, initial, merge, Some(unary(finish)))
}

/// The elements of an array in ascending order, NULL last.
pub fn array_sort(array: impl IntoColumn) -> Column {
    Column::function("array_sort", vec![array.into_column()])
}

/// The elements of an array in an order: `compare(left, right)` is negative, zero or positive.
pub fn array_sort_by(array: impl IntoColumn, compare: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("array_sort", vec![array.into_column(), binary(compare)])
}

/// A map with each key changed, from key and value.
pub fn transform_keys(map: impl IntoColumn, change: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("transform_keys", vec![map.into_column(), binary(change)])
}

/// A map with each value changed, from key and value.
pub fn transform_values(map: impl IntoColumn, change: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("transform_values", vec![map.into_column(), binary(change)])
}

/// The entries of a map for whose key and value the condition holds.
pub fn map_filter(map: impl IntoColumn, condition: impl FnOnce(Column, Column) -> Column) -> Column {
    Column::function("map_filter", vec![map.into_column(), binary(condition)])
}

/// Two maps put together: for each key, `merge(key, left value, right value)`, a missing value being NULL.
pub fn map_zip_with(
    left: impl IntoColumn,
    right: impl IntoColumn,
    merge: impl FnOnce(Column, Column, Column) -> Column,
) -> Column {
    let (key, x, y) = (fresh("x"), fresh("y"), fresh("z"));
    let body = merge(variable(&key), variable(&x), variable(&y));
    let merge = lambda(body, vec![key, x, y]);
    Column::function("map_zip_with", vec![left.into_column(), right.into_column(), merge])
}

/// Two arrays put together element by element, the shorter one filled with NULL.
pub fn zip_with(
    left: impl IntoColumn,
    right: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
) -> Column {
    Column::function("zip_with", vec![left.into_column(), right.into_column(), binary(merge)])
}

fn fold(
    name: &str,
    array: impl IntoColumn,
    initial: impl IntoColumn,
    merge: impl FnOnce(Column, Column) -> Column,
    finish: Option<Column>,
) -> Column {
    let arguments = [array.into_column(), initial.into_column(), binary(merge)];
    Column::function(name, arguments.into_iter().chain(finish).collect())
}

fn unary(body: impl FnOnce(Column) -> Column) -> Column {
    let x = fresh("x");
    lambda(body(variable(&x)), vec![x])
}

fn binary(body: impl FnOnce(Column, Column) -> Column) -> Column {
    let (x, y) = (fresh("x"), fresh("y"));
    lambda(body(variable(&x), variable(&y)), vec![x, y])
}

/// Nested lambdas must not share names.
fn fresh(letter: &str) -> UnresolvedNamedLambdaVariable {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let name = format!("{letter}_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    UnresolvedNamedLambdaVariable { name_parts: vec![name] }
}

fn variable(variable: &UnresolvedNamedLambdaVariable) -> Column {
    Column::new(ExprType::UnresolvedNamedLambdaVariable(variable.clone()))
}

fn lambda(body: Column, arguments: Vec<UnresolvedNamedLambdaVariable>) -> Column {
    Column::over_parts(|used| {
        ExprType::LambdaFunction(Box::new(LambdaFunction { function: used.boxed(body), arguments }))
    })
}
