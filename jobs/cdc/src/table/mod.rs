//! Tables as captured: names, columns, types.

mod lessons;

use std::fmt;

use lakepulse_types::{AvroForm, Conversion};

pub(crate) use self::lessons::{Lesson, Lessons};

use crate::secret::Secret;
use crate::source::quoted;

/// A table's schema and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct TableName {
    pub(crate) schema: String,
    pub(crate) table: String,
}

impl TableName {
    /// The name as SQL writes it.
    pub(crate) fn quoted(&self) -> String {
        format!("{}.{}", quoted(&self.schema), quoted(&self.table))
    }

    /// A text that no other table has: `schema.table`, quoted as SQL does where a dot within a name would make it another's.
    pub(crate) fn key(&self) -> String {
        let has_dot = self.schema.contains('.') || self.table.contains('.');
        if has_dot { self.quoted() } else { self.to_string() }
    }
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
    pub(crate) kind: AvroForm,
    pub(crate) nullable: bool,
    pub(crate) default: ColumnDefault,
    /// How the value is disguised, if at all.
    pub(crate) mask: Option<Mask>,
    /// Whether it is written; else it is known for its place in the rows alone.
    pub(crate) captured: bool,
    /// How keys of it are compared; none for PostgreSQL's own operators.
    pub(crate) operators: Option<KeyOperators>,
    /// The name of its field, which Avro allows and no other column of the table has.
    pub(crate) field: String,
    /// Names that its field had before, so that a reader of this schema finds them in older records.
    pub(crate) former_fields: Vec<String>,
    /// Whether it holds PostgreSQL's texts beside the values of its type, for those that have no form in it.
    pub(crate) texts: bool,
    /// Where the lakehouse takes its values from.
    pub(crate) conversion: Conversion,
}

/// Operators of a type's default order, as SQL writes them with their schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KeyOperators {
    pub(crate) greater: String,
    pub(crate) at_most: String,
    pub(crate) equal: String,
}

impl Default for KeyOperators {
    fn default() -> Self {
        Self {
            greater: "OPERATOR(pg_catalog.>)".to_owned(),
            at_most: "OPERATOR(pg_catalog.<=)".to_owned(),
            equal: "OPERATOR(pg_catalog.=)".to_owned(),
        }
    }
}

#[cfg(test)]
impl Column {
    pub(crate) fn new(name: &str, kind: AvroForm, nullable: bool) -> Self {
        Self {
            name: name.into(),
            type_oid: 23,
            type_modifier: -1,
            kind,
            nullable,
            default: ColumnDefault::None,
            mask: None,
            captured: true,
            operators: None,
            field: crate::avro::field_name(name),
            former_fields: Vec::new(),
            texts: false,
            conversion: Conversion::Avro,
        }
    }
}

/// What the source puts into a column that a statement leaves out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum ColumnDefault {
    #[default]
    None,
    /// The result of an expression, such as a sequence's next number.
    Computed,
    /// A constant, in PostgreSQL's text form.
    Constant(String),
}

/// How the texts of a column are disguised; the column is text, whatever its type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Mask {
    /// SHA-256 of salt and text, in hexadecimal digits.
    Hash(Secret),
    /// So many characters of it.
    Truncate(usize),
    /// So many asterisks instead.
    Stars(usize),
}

/// What a table's rows look like in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TableShape {
    pub(crate) name: TableName,
    pub(crate) columns: Vec<Column>,
    /// Indexes of the key's columns, in the key's order; empty without a key.
    pub(crate) key: Vec<usize>,
    /// Whether the configuration gives the key, whose columns may be null then.
    pub(crate) own_key: bool,
    /// Whether two rows may have the same key for a moment within a transaction: its index is deferrable, or there is none.
    pub(crate) key_is_deferred: bool,
    /// Whether its rows are in partitions.
    pub(crate) partitioned: bool,
    /// The condition of the rows that are published, if not all are.
    pub(crate) row_filter: Option<String>,
}

impl TableShape {
    /// A table whose rows are all published, with an ordinary key or none.
    pub(crate) fn new(name: TableName, columns: Vec<Column>, key: Vec<usize>) -> Self {
        Self {
            name,
            columns,
            key,
            own_key: false,
            key_is_deferred: false,
            partitioned: false,
            row_filter: None,
        }
    }

    /// The key's columns, in the key's order.
    pub(crate) fn key_columns(&self) -> impl Iterator<Item = &Column> {
        self.key.iter().filter_map(|index| self.columns.get(*index))
    }
}
