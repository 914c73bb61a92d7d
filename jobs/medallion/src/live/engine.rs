//! What Spark's and Trino's SQL write differently.

use lakepulse_types::SourceType;

use crate::lake::{quoted, quoted_table, text_literal};

/// Who reads a view.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine<'a> {
    Spark,
    /// Tables are in this catalog.
    Trino(&'a str),
}

/// Behind the name of `silver.changes` wherever a view of Spark reads it, where [`super::pin()`] puts a version.
const UNPINNED: &str = "/* newest */";

impl Engine<'_> {
    pub(super) fn name(self, name: &str) -> String {
        match self {
            Self::Spark => quoted(name),
            Self::Trino(_) => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    pub(super) fn text(self, text: &str) -> String {
        match self {
            Self::Spark => text_literal(text),
            Self::Trino(_) => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// `database.table`.
    pub(super) fn table(self, table: &str) -> String {
        match self {
            Self::Spark => quoted_table(table),
            Self::Trino(catalog) => {
                let parts = std::iter::once(catalog).chain(table.splitn(2, '.'));
                parts.map(|part| self.name(part)).collect::<Vec<_>>().join(".")
            }
        }
    }

    /// A table as it was at a Delta version.
    pub(super) fn table_at(self, table: &str, version: i64) -> String {
        match self {
            Self::Spark => format!("{} VERSION AS OF {version}", self.table(table)),
            Self::Trino(_) => format!("{} FOR VERSION AS OF {version}", self.table(table)),
        }
    }

    /// `silver.changes` as it is when a query reads it.
    pub(super) fn changes(self, table: &str) -> String {
        match self {
            Self::Spark => format!("{} {UNPINNED}", self.table(table)),
            Self::Trino(_) => self.table(table),
        }
    }

    pub(super) fn type_name(self, source: &SourceType) -> String {
        match self {
            Self::Spark => source.spark(),
            Self::Trino(_) => source.trino(),
        }
    }

    /// A struct of named values; Trino has to be told their types.
    pub(super) fn record(self, fields: &[(&str, String, Field<'_>)]) -> String {
        match self {
            Self::Spark => {
                let fields: Vec<String> =
                    fields.iter().map(|(name, value, _)| format!("{}, {value}", self.text(name))).collect();
                format!("named_struct({})", fields.join(", "))
            }
            Self::Trino(_) => {
                let values: Vec<&str> = fields.iter().map(|(_, value, _)| value.as_str()).collect();
                let types: Vec<String> = fields
                    .iter()
                    .map(|(name, _, field)| format!("{} {}", self.name(name), field.trino()))
                    .collect();
                format!("CAST(ROW({}) AS ROW({}))", values.join(", "), types.join(", "))
            }
        }
    }

    /// The place of an event, which compares as places do.
    pub(super) fn position(self) -> &'static str {
        match self {
            Self::Spark => "struct(commit_lsn, ordinal)",
            Self::Trino(_) => "ROW(commit_lsn, ordinal)",
        }
    }

    /// A JSON object as a map by name; of any names.
    pub(super) fn object(self, json: &str) -> String {
        match self {
            Self::Spark => format!("from_json({json}, 'MAP<STRING,STRING>')"),
            Self::Trino(_) => format!("CAST(json_parse({json}) AS map(varchar, json))"),
        }
    }

    /// The canonical text of a member of such an object.
    pub(super) fn member(self, object: &str, name: &str, source: &SourceType) -> String {
        let name = self.text(name);
        match (self, source) {
            (Self::Spark, SourceType::Array(_)) => {
                format!("from_json({object}[{name}], '{}')", source.canonical_json())
            }
            (Self::Spark, _) => format!("{object}[{name}]"),
            (Self::Trino(_), _) => {
                format!("CAST(element_at({object}, {name}) AS {})", source.trino_text_type())
            }
        }
    }

    /// Canonical text as a value.
    pub(super) fn typed(self, source: &SourceType, text: &str) -> String {
        let value = match self {
            Self::Spark => source.typed_canonical(text),
            Self::Trino(_) => source.trino_canonical(text),
        };
        format!("CAST({value} AS {})", self.type_name(source))
    }

    /// Whether an array of names, or NULL, has one.
    pub(super) fn has_name(self, names: &str, name: &str) -> String {
        let name = self.text(name);
        match self {
            Self::Spark => format!("coalesce(array_contains({names}, {name}), false)"),
            Self::Trino(_) => format!("coalesce(contains({names}, {name}), false)"),
        }
    }
}

/// What a field of [`Engine::record`] holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'a> {
    Canonical(&'a SourceType),
    Text,
    Bigint,
    Integer,
    Time,
    Names,
}

impl Field<'_> {
    /// Its type in Trino.
    fn trino(self) -> String {
        match self {
            Self::Canonical(source) => source.trino_text_type(),
            Self::Text => "varchar".to_owned(),
            Self::Bigint => "bigint".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::Time => "timestamp(3) with time zone".to_owned(),
            Self::Names => "array(varchar)".to_owned(),
        }
    }
}
