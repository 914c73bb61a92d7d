//! What turns a typed table of one shape into one of another.

use super::naming::MetaColumns;
use crate::control::{Shape, ShapeColumn};
use crate::lake::{quoted, quoted_table, text_literal};
use crate::typed::load::{SHAPE, replace};

/// The statements, in their order. Each may have been carried out before, as far as the table's columns `present` show; what can't be
/// seen by them is one statement, which makes the table anew with its shape.
///
/// `meta` says which columns the table has beside the source's.
pub(super) fn statements(
    table: &str,
    from: &Shape,
    to: &Shape,
    present: &[String],
    meta: fn(&Shape) -> MetaColumns,
) -> Vec<String> {
    let has = |name: &str| present.iter().any(|column| column == name);
    let former = |column: &ShapeColumn| from.columns.iter().find(|former| former.is(column));
    let is_new_name =
        |name: &str| !from.columns.iter().any(|column| column.column.eq_ignore_ascii_case(name));
    let rewritten = to.columns.iter().any(|column| match former(column) {
        Some(former) => {
            former.lake_type().spark() != column.lake_type().spark()
                || former.column != column.column && !is_new_name(&column.column)
        }
        None => column.missing.is_some() || !is_new_name(&column.column),
    }) || meta(from) != meta(to)
        || from.key != to.key;
    if rewritten {
        return vec![replace(table, to, &converted(table, from, to, meta), &meta(to))];
    }
    let alter = |what: String| format!("ALTER TABLE {} {what}", quoted_table(table));
    let mut statements = Vec::new();
    for column in &from.columns {
        if has(&column.column) && !to.columns.iter().any(|kept| kept.is(column)) {
            statements.push(alter(format!("DROP COLUMN {}", quoted(&column.column))));
        }
    }
    for column in &to.columns {
        let name = quoted(&column.column);
        match former(column) {
            Some(former) if former.column != column.column && has(&former.column) => {
                statements.push(alter(format!("RENAME COLUMN {} TO {name}", quoted(&former.column))));
            }
            None if !has(&column.column) => {
                statements.push(alter(format!("ADD COLUMNS ({name} {})", column.lake_type().spark())));
            }
            _ => {}
        }
    }
    statements
        .push(alter(format!("SET TBLPROPERTIES ('{SHAPE}' = {})", text_literal(&to.version.to_string()))));
    statements
}

/// The rows of a table of one shape as rows of another.
fn converted(table: &str, from: &Shape, to: &Shape, meta: fn(&Shape) -> MetaColumns) -> String {
    let mut columns: Vec<String> = to
        .columns
        .iter()
        .map(|column| {
            let former = from.columns.iter().find(|former| former.is(column));
            let value = former.map_or_else(|| column.missing_value(), |former| quoted(&former.column));
            format!("CAST({value} AS {}) AS {}", column.lake_type().spark(), quoted(&column.column))
        })
        .collect();
    let (before, after) = (meta(from), meta(to));
    for (before, after) in before.names().zip(after.names()) {
        columns.push(format!("{} AS {}", quoted(before), quoted(after)));
    }
    format!("SELECT {} FROM {}", columns.join(", "), quoted_table(table))
}
