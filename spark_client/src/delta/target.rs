//! Which table is meant, and which state of it.

use crate::{
    Error,
    proto::delta::connect::{self as messages, delta_table},
    sql_text::{quoted_name, quoted_qualified_name, quoted_text},
};

/// A Delta table: in a catalog, or just a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Name(String),
    Path(String),
}

impl Target {
    /// A folder when the text is an absolute path or a URI, else a name.
    pub(super) fn name_or_path(text: &str) -> Self {
        let is_path = text.starts_with('/') || text.contains("://");
        if is_path { Self::Path(text.to_owned()) } else { Self::Name(text.to_owned()) }
    }

    /// The table in a SQL text.
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Name(name) => quoted_qualified_name(name),
            Self::Path(path) => format!("delta.{}", quoted_name(path)),
        }
    }

    #[allow(clippy::unnecessary_wraps, reason = "the messages have it so")]
    pub(super) fn message(&self) -> Option<messages::DeltaTable> {
        let access = match self {
            Self::Name(name) => delta_table::AccessType::TableOrViewName(name.clone()),
            Self::Path(path) => {
                let path = path.clone();
                delta_table::AccessType::Path(delta_table::Path { path, ..Default::default() })
            }
        };
        Some(messages::DeltaTable { access_type: Some(access) })
    }
}

/// An older state of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AsOf {
    Version(i64),
    Timestamp(String),
}

impl AsOf {
    pub(super) fn sql(&self) -> String {
        match self {
            Self::Version(version) => format!("VERSION AS OF {version}"),
            Self::Timestamp(timestamp) => format!("TIMESTAMP AS OF {}", quoted_text(timestamp)),
        }
    }

    pub(super) fn cloned(&self) -> Result<messages::clone_table::VersionOrTimestamp, Error> {
        use messages::clone_table::VersionOrTimestamp as Of;
        match self {
            Self::Version(version) => i32::try_from(*version).map(Of::Version).map_err(|e| {
                let message = format!("Delta Connect cannot clone version {version}: it takes 32 bits");
                Error::invalid_input(message).with_source(e)
            }),
            Self::Timestamp(timestamp) => Ok(Of::Timestamp(timestamp.clone())),
        }
    }

    pub(super) fn restored(&self) -> messages::restore_table::VersionOrTimestamp {
        use messages::restore_table::VersionOrTimestamp as Of;
        match self {
            Self::Version(version) => Of::Version(*version),
            Self::Timestamp(timestamp) => Of::Timestamp(timestamp.clone()),
        }
    }
}

/// `TBLPROPERTIES (...)`.
pub(super) fn table_properties<'a>(properties: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pair = |(key, value)| format!("{} = {}", quoted_text(key), quoted_text(value));
    format!("TBLPROPERTIES ({})", properties.into_iter().map(pair).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_quoted() {
        let cases = [
            (Target::Name("db.t".to_owned()), "`db`.`t`"),
            (Target::Path("/lake/odd `t`".to_owned()), "delta.`/lake/odd ``t```"),
            (Target::name_or_path("/lake/t"), "delta.`/lake/t`"),
            (Target::name_or_path("s3a://lake/t"), "delta.`s3a://lake/t`"),
            (Target::name_or_path("db.t"), "`db`.`t`"),
        ];
        for (target, expected) in cases {
            assert_eq!(target.sql(), expected);
        }
    }

    #[test]
    fn texts_are_escaped() {
        assert_eq!(AsOf::Timestamp("x' OR 'y".to_owned()).sql(), r"TIMESTAMP AS OF 'x\' OR \'y'");
        assert_eq!(
            table_properties([("a", "1"), ("it's", r"\")]),
            r"TBLPROPERTIES ('a' = '1', 'it\'s' = '\\')"
        );
    }
}
