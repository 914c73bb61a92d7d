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

/// A qualified name such as ``db.`odd.name` `` with every part in back quotes. What is no such name (its back quotes
/// do not pair up, or a part is empty) is quoted as one part, for the server to say that there is no such thing.
pub(crate) fn quoted_qualified_name(name: &str) -> String {
    let parts = name_parts(name).unwrap_or_else(|| vec![name.to_owned()]);
    parts.iter().map(|part| quoted_name(part)).collect::<Vec<_>>().join(".")
}

/// The parts of a qualified name, without their back quotes.
pub(crate) fn name_parts(name: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut rest = name;
    loop {
        let (part, after) = match rest.strip_prefix('`') {
            Some(quoted) => quoted_part(quoted)?,
            None => plain_part(rest)?,
        };
        parts.push(part);
        rest = match after.strip_prefix('.') {
            Some(rest) => rest,
            None if after.is_empty() => return Some(parts),
            None => return None,
        };
    }
}

/// Whether a text can be nothing but a query, as its first word tells: what begins with others may be either.
pub(crate) fn is_query(text: &str) -> bool {
    let mut rest = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            // One comment within another is left to the server.
            match comment.split_once("*/") {
                Some((inner, after)) if !inner.contains("/*") => after,
                _ => return false,
            }
        } else {
            break;
        };
        rest = after.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    }
    let word = rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').next().unwrap_or_default();
    word.eq_ignore_ascii_case("SELECT") || word.eq_ignore_ascii_case("VALUES")
}

/// What stands before the closing back quote, and what comes after it.
fn quoted_part(text: &str) -> Option<(String, &str)> {
    let mut part = String::new();
    let mut rest = text;
    loop {
        let (before, after) = rest.split_once('`')?;
        part.push_str(before);
        match after.strip_prefix('`') {
            Some(after) => {
                part.push('`');
                rest = after;
            }
            None => return (!part.is_empty()).then_some((part, after)),
        }
    }
}

/// What stands before the next dot, and the rest with that dot.
fn plain_part(text: &str) -> Option<(String, &str)> {
    let (part, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    (!part.is_empty() && !part.contains('`')).then(|| (part.to_owned(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_begins_as_a_query_is_one() {
        let queries =
            ["select 1", " SELECT\n*", "(Select 1) UNION (SELECT 2)", "VALUES (1)", "-- a\nSELECT 1"];
        for query in queries.into_iter().chain(["/* a */ /* b */ (SELECT 1)", "SELECT(1)"]) {
            assert!(is_query(query), "{query}");
        }
        let others = ["CREATE TABLE t AS SELECT 1", "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a"];
        let unsure = [
            "FROM t INSERT INTO u SELECT *",
            "SELECTED",
            "-- SELECT",
            "/* a /* b */ */ SELECT 1",
            "/* SELECT",
        ];
        for other in
            others.into_iter().chain(unsure).chain(["", "EXPLAIN SELECT 1", "selec 1", "BEGIN SELECT 1; END"])
        {
            assert!(!is_query(other), "{other}");
        }
    }

    #[test]
    fn qualified_names_are_quoted_part_by_part() {
        let cases = [
            ("t", "`t`"),
            ("db.t", "`db`.`t`"),
            ("spark_catalog.db.`odd.na``me`", "`spark_catalog`.`db`.`odd.na``me`"),
            ("`db`.`größe 1`", "`db`.`größe 1`"),
            ("my table", "`my table`"),
            // No qualified names: one part, so that nothing of them is read as SQL.
            ("t; DROP TABLE u", "`t; DROP TABLE u`"),
            ("`db`x.t", "```db``x.t`"),
            ("`db", "```db`"),
            ("a..b", "`a..b`"),
            ("a`b", "`a``b`"),
            ("", "``"),
        ];
        for (name, expected) in cases {
            assert_eq!(quoted_qualified_name(name), expected, "{name}");
        }
    }
}
