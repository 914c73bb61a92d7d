use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher, GlobSet, GlobSetBuilder};
use lakepulse_types::TypeOptions;

use crate::error::{Error, ErrorKind, Result};
use crate::table::{Mask, TableName};

/// Which tables are captured: `schema.table` names or globs.
#[derive(Debug, Clone)]
pub(crate) struct TableFilter {
    include: GlobSet,
    exclude: GlobSet,
}

impl TableFilter {
    /// No `include` means every table.
    pub(crate) fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        let all = ["*".to_owned()];
        Ok(Self {
            include: set("tables.include", if include.is_empty() { &all } else { include })?,
            exclude: set("tables.exclude", exclude)?,
        })
    }

    pub(crate) fn matches(&self, schema: &str, table: &str) -> bool {
        let name = format!("{schema}.{table}");
        self.include.is_match(&name) && !self.exclude.is_match(&name)
    }
}

/// How partitioned tables are captured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Partitions {
    /// Under the partitioned table's own name.
    Root,
    /// Each partition as a table of its own.
    Leaves,
}

/// How the rows of tables are written.
#[derive(Debug, Clone)]
pub(crate) struct RowOptions {
    /// The publications whose row filters and column lists are followed.
    pub(crate) publications: Vec<String>,
    pub(crate) types: TypeOptions,
    /// Columns that are written; all when there are none.
    pub(crate) include: GlobSet,
    pub(crate) exclude: GlobSet,
    /// The first that matches counts.
    pub(crate) masks: Vec<(GlobMatcher, Mask)>,
    /// Keys that are not those of the source: names of columns.
    pub(crate) keys: BTreeMap<String, Vec<String>>,
}

impl RowOptions {
    /// Whether a column is written.
    pub(crate) fn captures(&self, table: &TableName, column: &str) -> bool {
        let name = format!("{table}.{column}");
        (self.include.is_empty() || self.include.is_match(&name)) && !self.exclude.is_match(&name)
    }

    /// How a column is disguised.
    pub(crate) fn mask(&self, table: &TableName, column: &str) -> Option<&Mask> {
        let name = format!("{table}.{column}");
        self.masks.iter().find(|(pattern, _)| pattern.is_match(&name)).map(|(_, mask)| mask)
    }

    /// The key that the configuration gives a table.
    pub(crate) fn key(&self, table: &TableName) -> Option<&[String]> {
        self.keys.get(&table.to_string()).map(Vec::as_slice)
    }
}

/// A name or glob.
pub(crate) fn pattern(setting: &str, pattern: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(pattern).build().map_err(|cause| {
        Error::new(ErrorKind::Configuration, format!("{setting}: {pattern:?} is not a name or glob"))
            .caused_by(cause)
    })?;
    Ok(glob.compile_matcher())
}

/// Names or globs, of which one has to match.
pub(crate) fn set(setting: &str, patterns: &[String]) -> Result<GlobSet> {
    let wrong = |pattern: &str, cause: globset::Error| {
        Error::new(ErrorKind::Configuration, format!("{setting}: {pattern:?} is not a name or glob"))
            .caused_by(cause)
    };
    let mut builder = GlobSetBuilder::new();
    for pattern in patterns {
        builder.add(GlobBuilder::new(pattern).build().map_err(|cause| wrong(pattern, cause))?);
    }
    builder.build().map_err(|cause| wrong("all together", cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matching() {
        let filter = |include: &[&str], exclude: &[&str]| {
            let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
            TableFilter::new(&owned(include), &owned(exclude)).unwrap()
        };
        assert!(filter(&[], &[]).matches("sales", "orders"));
        assert!(filter(&["sales.*"], &[]).matches("sales", "orders"));
        assert!(!filter(&["sales.*"], &[]).matches("warehouse", "colors"));
        assert!(!filter(&["sales.*"], &["*_archive"]).matches("sales", "customers_archive"));
        assert!(filter(&["sales.orders"], &[]).matches("sales", "orders"));
        assert!(!filter(&["sales.orders"], &[]).matches("sales", "orders2"));
    }
}
