use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::error::{Error, ErrorKind, Result};

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
        Ok(Self { include: set(if include.is_empty() { &all } else { include })?, exclude: set(exclude)? })
    }

    pub(crate) fn matches(&self, schema: &str, table: &str) -> bool {
        let name = format!("{schema}.{table}");
        self.include.is_match(&name) && !self.exclude.is_match(&name)
    }
}

fn set(patterns: &[String]) -> Result<GlobSet> {
    let wrong = |pattern: &str, cause: globset::Error| {
        Error::new(ErrorKind::Configuration, format!("tables: {pattern:?} is not a name or glob"))
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
