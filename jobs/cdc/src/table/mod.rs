//! Tables as captured: names, columns, types.

mod column_type;

use std::fmt;

pub(crate) use self::column_type::{ColumnType, TypeRow};

/// A table's schema and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl fmt::Display for TableName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.schema, self.table)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) type_modifier: i32,
    pub(crate) kind: ColumnType,
    pub(crate) nullable: bool,
}

/// What a table's rows look like in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableShape {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    /// Indexes of the primary key's columns, in the key's order; empty without a primary key.
    pub(crate) key: Vec<usize>,
}

impl TableShape {
    /// The key's columns, in the key's order.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|index| self.columns.get(*index))
    }
}
