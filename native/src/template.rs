//! Configuration files of `docker/<service>/`, with `${NAME}` in them, made into those that a server reads.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};

/// What `${NAME}` in a template stands for.
#[derive(Debug, Default, Clone)]
pub(crate) struct Values(BTreeMap<String, String>);

impl Values {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_owned(), value.into());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Replaces each `${NAME}`; `$${NAME}` becomes a literal `${NAME}` for the server to expand.
    fn expand(&self, template: &str) -> std::result::Result<String, String> {
        let mut text = String::with_capacity(template.len());
        let mut rest = template;
        while let Some((before, after)) = rest.split_once("${") {
            let (name, tail) =
                after.split_once('}').ok_or_else(|| format!("${{{after} has no closing brace"))?;
            if let Some(literal) = before.strip_suffix('$') {
                text.push_str(literal);
                text.push_str("${");
                text.push_str(name);
                text.push('}');
            } else {
                text.push_str(before);
                text.push_str(self.get(name).ok_or_else(|| format!("${{{name}}} is not a setting"))?);
            }
            rest = tail;
        }
        text.push_str(rest);
        Ok(text)
    }

    /// Expands every file below `from` into `to`, readable only by the stack's user (they hold secrets).
    pub(crate) fn render_folder(&self, from: &Path, to: &Path) -> Result<()> {
        std::fs::create_dir_all(to).map_err(|error| Error::io("create", to, error))?;
        for entry in std::fs::read_dir(from).map_err(|error| Error::io("list", from, error))? {
            let source = entry.map_err(|error| Error::io("list", from, error))?.path();
            let target: PathBuf = to.join(source.file_name().unwrap_or_default());
            if source.is_dir() {
                self.render_folder(&source, &target)?;
            } else {
                self.render_file(&source, &target)?;
            }
        }
        Ok(())
    }

    fn render_file(&self, source: &Path, target: &Path) -> Result<()> {
        let template = std::fs::read_to_string(source).map_err(|error| Error::io("read", source, error))?;
        let text =
            self.expand(&template).map_err(|what| Error::new(format!("{}: {what}", source.display())))?;
        let mut file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(target)
            .map_err(|error| Error::io("create", target, error))?;
        file.write_all(text.as_bytes()).map_err(|error| Error::io("write", target, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: std::result::Result<&str, &str>) {
        let mut values = Values::default();
        values.set("PORT", "9092");
        let expanded = values.expand(template);
        assert_eq!(expanded.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn names_are_replaced() {
        check("listen=${PORT}, again ${PORT}", Ok("listen=9092, again 9092"));
        check("plain $PORT", Ok("plain $PORT"));
        check("key=$${ENV:KEY}", Ok("key=${ENV:KEY}"));
        check("${MISSING}", Err("${MISSING} is not a setting"));
        check("${PORT", Err("${PORT has no closing brace"));
    }
}
