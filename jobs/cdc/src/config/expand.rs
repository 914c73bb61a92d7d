use crate::error::{Error, ErrorKind, Result};

/// Puts the values of environment variables in place of `${NAME}`, in text values only; `$${` stands
/// for a plain `${`.
pub(crate) fn expand(value: toml::Value, variable: &impl Fn(&str) -> Option<String>) -> Result<toml::Value> {
    Ok(match value {
        toml::Value::String(text) => toml::Value::String(expand_text(&text, variable)?),
        toml::Value::Array(items) => {
            toml::Value::Array(items.into_iter().map(|item| expand(item, variable)).collect::<Result<_>>()?)
        }
        toml::Value::Table(entries) => toml::Value::Table(
            entries
                .into_iter()
                .map(|(name, value)| Ok((name, expand(value, variable)?)))
                .collect::<Result<_>>()?,
        ),
        other => other,
    })
}

fn expand_text(text: &str, variable: &impl Fn(&str) -> Option<String>) -> Result<String> {
    let mut expanded = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, after)) = rest.split_once("${") {
        if let Some(escaped) = plain.strip_suffix('$') {
            expanded.push_str(escaped);
            expanded.push_str("${");
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('}').ok_or_else(|| {
            Error::new(ErrorKind::Configuration, format!("{text:?} has a ${{ without its closing brace"))
        })?;
        let value = variable(name).ok_or_else(|| {
            Error::new(
                ErrorKind::Configuration,
                format!("{text:?} needs the environment variable {name}: set it"),
            )
        })?;
        expanded.push_str(plain);
        expanded.push_str(&value);
        rest = after;
    }
    expanded.push_str(rest);
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        let variable = |name: &str| (name == "A").then(|| "1".to_owned());
        for (text, expanded) in
            [("", ""), ("x", "x"), ("${A}", "1"), ("a${A}b${A}c", "a1b1c"), ("$${A}", "${A}"), ("$A", "$A")]
        {
            assert_eq!(expand_text(text, &variable).unwrap(), expanded);
        }
        assert!(expand_text("${B}", &variable).unwrap_err().to_string().contains('B'));
        assert!(expand_text("${A", &variable).is_err());
    }
}
