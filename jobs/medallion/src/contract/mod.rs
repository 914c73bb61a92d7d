//! Contracts: one YAML file per source table, the single source of truth about it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use lakepulse_types::SourceType;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// What silver keeps of a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scd {
    /// The current rows.
    #[default]
    Type1,
    /// The current rows, and every version that a row ever had.
    Type2,
}

/// What happens to a row that fails an expectation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnFailure {
    /// It passes; the failure is counted.
    Warn,
    /// It is left out; the failure is counted.
    Drop,
    /// It goes to the quarantine table instead.
    Quarantine,
    /// The job stops.
    Fail,
}

/// A column of the source table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type, as PostgreSQL's `format_type` prints it.
    #[serde(rename = "type")]
    pub column_type: SourceType,
    /// Whether it may be NULL.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub nullable: bool,
}

/// A condition that every row is expected to satisfy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expectation {
    /// Its name in metrics and in the quarantine table.
    pub name: String,
    /// A Spark SQL condition over the table's columns; NULL counts as satisfied.
    pub check: String,
    /// What happens to a row that fails it.
    pub on_failure: OnFailure,
}

/// A reference to the key of another table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referring columns.
    pub columns: Vec<String>,
    /// The table that they refer to, `schema.table`.
    pub references: String,
    /// The columns there.
    pub ref_columns: Vec<String>,
}

/// The contract of one source table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// `schema.table` at the source.
    pub table: String,
    /// Who answers for it.
    #[serde(default)]
    pub owner: String,
    /// How old its newest published change may be, in seconds.
    #[serde(default = "one_minute")]
    pub freshness_seconds: u64,
    /// What silver keeps.
    #[serde(default)]
    pub scd: Scd,
    /// The columns that identify a row.
    #[serde(default)]
    pub key: Vec<String>,
    /// All columns in the source's order.
    #[serde(default)]
    pub columns: Vec<Column>,
    /// References to other tables.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign_keys: Vec<ForeignKey>,
    /// Conditions on every row.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expectations: Vec<Expectation>,
}

fn one_minute() -> u64 {
    60
}

fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "the signature that serde asks for")]
fn is_yes(value: &bool) -> bool {
    *value
}

impl Contract {
    /// The column of that name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Reads a contract, and refuses one that contradicts itself.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        let refuse =
            |what: String| Error::new(ErrorKind::Configuration, format!("{}: {what}", file.display()));
        let contract: Self = serde_norway::from_str(text).map_err(|error| refuse(error.to_string()))?;
        if contract.table.split('.').count() != 2 {
            return Err(refuse(format!("table: {} is not schema.table", contract.table)));
        }
        let named = contract.key.iter().chain(contract.foreign_keys.iter().flat_map(|key| &key.columns));
        for name in named {
            if !contract.columns.is_empty() && contract.column(name).is_none() {
                return Err(refuse(format!("column {name} is named but not among the columns")));
            }
        }
        Ok(contract)
    }
}

/// The contracts of a folder by their tables.
#[derive(Debug, Clone, Default)]
pub struct Contracts(BTreeMap<String, Contract>);

impl Contracts {
    /// Reads every `*.yaml` file of a folder.
    pub fn load(folder: &Path) -> Result<Self> {
        let unreadable = |error: std::io::Error, path: &Path| {
            Error::caused(ErrorKind::Configuration, format!("could not read {}", path.display()), error)
        };
        let mut contracts = BTreeMap::new();
        let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
            .map_err(|error| unreadable(error, folder))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
            .collect();
        files.sort();
        for file in files {
            let text = std::fs::read_to_string(&file).map_err(|error| unreadable(error, &file))?;
            let contract = Contract::parse(&text, &file)?;
            contracts.insert(contract.table.clone(), contract);
        }
        Ok(Self(contracts))
    }

    /// The contract of `schema.table`.
    pub fn get(&self, table: &str) -> Option<&Contract> {
        self.0.get(table)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLORS: &str = "
table: warehouse.colors
owner: warehouse
freshness_seconds: 60
scd: type2
key: [color_id]
columns:
  - {name: color_id, type: integer, nullable: false}
  - {name: color_name, type: 'character varying(20)'}
expectations:
  - {name: has_name, check: \"color_name <> ''\", on_failure: quarantine}
";

    #[test]
    fn a_contract_is_read() {
        let contract = Contract::parse(COLORS, Path::new("colors.yaml")).unwrap();
        assert_eq!(contract.table, "warehouse.colors");
        assert_eq!(contract.scd, Scd::Type2);
        assert!(contract.column("color_name").unwrap().nullable);
    }

    #[test]
    fn what_contradicts_itself_is_refused_by_name() {
        let text = COLORS.replace("key: [color_id]", "key: [colour_id]");
        let error = Contract::parse(&text, Path::new("colors.yaml")).unwrap_err().to_string();
        assert_eq!(error, "colors.yaml: column colour_id is named but not among the columns");
    }
}
