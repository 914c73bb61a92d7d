//! The columns of a new table.

use crate::{
    DataType, Error, Field,
    proto::{
        self,
        data_type::{Kind, Unparsed},
        delta::connect::create_delta_table as messages,
    },
    sql_text::{quoted_name, quoted_text},
};

/// A column of a new Delta table; a pair of name and type is one too.
///
/// ```
/// use spark_client::delta::{DeltaColumn, IdentityGenerator};
/// let key = DeltaColumn::new("key", "BIGINT").generated_always_as_identity(IdentityGenerator::default());
/// let day = DeltaColumn::new("day", "DATE").generated_always_as("CAST(at AS DATE)").comment("of the order");
/// let name = DeltaColumn::from(("name", "STRING")).not_null();
/// # let _ = (key, day, name);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeltaColumn {
    name: String,
    data_type: String,
    /// Where it came as a type and not as a text.
    typed: Option<DataType>,
    nullable: bool,
    generated: Option<Generated>,
    comment: Option<String>,
}

/// The numbers that an identity column gets: `start`, `start + step` and so on, not without gaps.
///
/// ```
/// use spark_client::delta::IdentityGenerator;
/// assert_eq!(IdentityGenerator::default(), IdentityGenerator { start: 1, step: 1 });
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct IdentityGenerator {
    /// The first number.
    pub start: i64,
    /// What is added for the next one; not 0.
    pub step: i64,
}

impl Default for IdentityGenerator {
    fn default() -> Self {
        Self { start: 1, step: 1 }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Generated {
    As(String),
    Identity { generator: IdentityGenerator, always: bool },
}

impl DeltaColumn {
    /// A column that may hold NULL. The type is a [`DataType`] or its SQL name.
    pub fn new(name: &str, data_type: impl ToString) -> Self {
        let (name, data_type) = (name.to_owned(), data_type.to_string());
        Self { name, data_type, typed: None, nullable: true, generated: None, comment: None }
    }

    /// Without NULL.
    pub fn not_null(mut self) -> Self {
        self.nullable = false;
        self
    }

    /// What it holds, for people.
    pub fn comment(mut self, comment: &str) -> Self {
        self.comment = Some(comment.to_owned());
        self
    }

    /// Computed by a SQL expression of other columns.
    pub fn generated_always_as(self, expression: &str) -> Self {
        self.generated(Generated::As(expression.to_owned()))
    }

    /// Numbered by Delta; a value that is given is an error.
    pub fn generated_always_as_identity(self, generator: IdentityGenerator) -> Self {
        self.generated(Generated::Identity { generator, always: true })
    }

    /// Numbered by Delta where no value is given.
    pub fn generated_by_default_as_identity(self, generator: IdentityGenerator) -> Self {
        self.generated(Generated::Identity { generator, always: false })
    }

    fn generated(mut self, generated: Generated) -> Self {
        self.generated = Some(generated);
        self
    }

    pub(super) fn check(&self) -> Result<(), Error> {
        match self.generated {
            Some(Generated::Identity { generator: IdentityGenerator { step: 0, .. }, .. }) => {
                let message = format!(
                    "the identity column `{}` has step 0, so all its numbers would be equal",
                    self.name
                );
                Err(Error::invalid_input(message))
            }
            _ => Ok(()),
        }
    }

    pub(super) fn sql(&self) -> String {
        let not_null = if self.nullable { "" } else { " NOT NULL" };
        let generated = match &self.generated {
            None => String::new(),
            Some(Generated::As(expression)) => format!(" GENERATED ALWAYS AS ({expression}\n)"),
            Some(Generated::Identity { generator: IdentityGenerator { start, step }, always }) => {
                let when = if *always { "ALWAYS" } else { "BY DEFAULT" };
                format!(" GENERATED {when} AS IDENTITY (START WITH {start} INCREMENT BY {step})")
            }
        };
        let comment = self.comment.as_ref().map(|comment| format!(" COMMENT {}", quoted_text(comment)));
        let comment = comment.unwrap_or_default();
        format!("{} {}{not_null}{generated}{comment}", quoted_name(&self.name), self.data_type)
    }

    pub(super) fn message(&self) -> messages::Column {
        let unparsed = || {
            let unparsed = Unparsed { data_type_string: self.data_type.clone() };
            proto::DataType { kind: Some(Kind::Unparsed(unparsed)) }
        };
        let data_type = self.typed.as_ref().map_or_else(unparsed, DataType::to_proto);
        let (generated_always_as, identity_info) = match &self.generated {
            None => (None, None),
            Some(Generated::As(expression)) => (Some(expression.clone()), None),
            Some(Generated::Identity { generator: IdentityGenerator { start, step }, always }) => {
                let allow_explicit_insert = !always;
                let (start, step) = (*start, *step);
                (None, Some(messages::column::IdentityInfo { start, step, allow_explicit_insert }))
            }
        };
        messages::Column {
            name: self.name.clone(),
            data_type: Some(data_type),
            nullable: self.nullable,
            generated_always_as,
            comment: self.comment.clone(),
            identity_info,
        }
    }
}

impl From<(&str, &str)> for DeltaColumn {
    fn from((name, data_type): (&str, &str)) -> Self {
        Self::new(name, data_type)
    }
}

impl From<(&str, DataType)> for DeltaColumn {
    fn from((name, data_type): (&str, DataType)) -> Self {
        Self::new(name, data_type)
    }
}

impl From<&Field> for DeltaColumn {
    fn from(field: &Field) -> Self {
        let typed = Some(field.data_type.clone());
        Self { nullable: field.nullable, typed, ..Self::new(&field.name, &field.data_type) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_written_as_in_create_table() {
        let identity = IdentityGenerator { start: -5, step: 10 };
        let cases = [
            (DeltaColumn::new("odd`name", DataType::Long), "`odd``name` bigint"),
            (DeltaColumn::from(("a", "INT")).not_null().comment("it's"), r"`a` INT NOT NULL COMMENT 'it\'s'"),
            (
                DeltaColumn::new("b", "INT").generated_always_as("a + 1"),
                "`b` INT GENERATED ALWAYS AS (a + 1\n)",
            ),
            (
                DeltaColumn::new("k", "BIGINT").generated_always_as_identity(identity),
                "`k` BIGINT GENERATED ALWAYS AS IDENTITY (START WITH -5 INCREMENT BY 10)",
            ),
            (
                DeltaColumn::new("k", "BIGINT").generated_by_default_as_identity(identity),
                "`k` BIGINT GENERATED BY DEFAULT AS IDENTITY (START WITH -5 INCREMENT BY 10)",
            ),
        ];
        for (column, expected) in cases {
            assert_eq!(column.sql(), expected);
            assert!(column.check().is_ok());
        }
        let still = IdentityGenerator { start: 1, step: 0 };
        assert!(DeltaColumn::new("k", "BIGINT").generated_always_as_identity(still).check().is_err());
    }
}
