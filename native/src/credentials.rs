//! Generated passwords and keys, in one file that only its owner can read.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rand::Rng;
use rand::distr::Alphanumeric;

use crate::error::{Error, Result};

/// Every secret of the stack, by the name that templates and environments use.
const NAMES: &[&str] = &[
    "POSTGRES_PASSWORD",
    "WWI_PASSWORD",
    "CAPTURE_PASSWORD",
    "REGISTRY_DB_PASSWORD",
    "METASTORE_DB_PASSWORD",
    "S3_ACCESS_KEY",
    "S3_SECRET_KEY",
];

const LENGTH: usize = 32;

/// The secrets of one stack. Its `Debug` names them without their values.
#[derive(Clone)]
pub struct Credentials(BTreeMap<String, String>);

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_map().entries(self.0.keys().map(|name| (name, "***"))).finish()
    }
}

impl Credentials {
    /// Where the secrets of the stack with this home are.
    pub fn file(home: &Path) -> PathBuf {
        home.join("credentials.env")
    }

    /// Reads the file of secrets (lines `NAME=value`, mode 0600), adding those that it lacks.
    pub fn load_or_generate(home: &Path) -> Result<Self> {
        let file = Self::file(home);
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Error::io("read", &file, error)),
        };
        let mut secrets: BTreeMap<String, String> = text
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let known = secrets.len();
        for name in NAMES {
            secrets.entry((*name).to_owned()).or_insert_with(generate);
        }
        if secrets.len() > known {
            write(&file, &secrets)?;
        }
        Ok(Self(secrets))
    }

    /// The secret called `name`; empty when there is none.
    pub fn get(&self, name: &str) -> &str {
        self.0.get(name).map_or("", String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

fn generate() -> String {
    rand::rng().sample_iter(Alphanumeric).take(LENGTH).map(char::from).collect()
}

/// Writes beside the file and renames, so that a crash leaves the old secrets or the new, never half.
fn write(file: &Path, secrets: &BTreeMap<String, String>) -> Result<()> {
    let mut text = String::new();
    for (name, value) in secrets {
        let _ = writeln!(text, "{name}={value}");
    }
    let beside = file.with_extension("new");
    let mut open = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&beside)
        .map_err(|error| Error::io("create", &beside, error))?;
    open.write_all(text.as_bytes()).map_err(|error| Error::io("write", &beside, error))?;
    std::fs::rename(&beside, file).map_err(|error| Error::io("write", file, error))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_stay_the_same_and_private() {
        let home = tempfile::tempdir().unwrap();
        let first = Credentials::load_or_generate(home.path()).unwrap();
        let second = Credentials::load_or_generate(home.path()).unwrap();
        assert_eq!(first.get("POSTGRES_PASSWORD"), second.get("POSTGRES_PASSWORD"));
        assert_eq!(first.get("POSTGRES_PASSWORD").len(), LENGTH);
        let mode = std::fs::metadata(Credentials::file(home.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(!format!("{first:?}").contains(first.get("WWI_PASSWORD")));
    }
}
