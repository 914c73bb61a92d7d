//! Names and texts as parts of a SQL text.

/// A name in back quotes, so that any character is part of the name and nothing of the SQL around it.
/// A qualified name is quoted part by part.
///
/// ```
/// assert_eq!(spark_client::quoted_name("odd`name"), "`odd``name`");
/// ```
pub fn quoted_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// A text as a SQL string literal.
///
/// ```
/// assert_eq!(spark_client::quoted_text(r"O'Neil \ Sons"), r"'O\'Neil \\ Sons'");
/// ```
pub fn quoted_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// A name as SQL takes it: plain where that is safe, else in back quotes.
pub(crate) fn plain_or_quoted(name: &str) -> String {
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        name.to_owned()
    } else {
        quoted_name(name)
    }
}
