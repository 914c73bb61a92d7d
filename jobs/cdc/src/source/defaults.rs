//! What the source puts into a column that a statement leaves out, as far as schemas tell it.

use tokio_postgres::types::Type;
use tokio_postgres::{Client, SimpleQueryMessage};

use super::facts::TableFacts;
use crate::table::ColumnDefault;

/// The defaults of the table's columns, in their order. Constants are asked for in their text form.
pub(super) async fn read_defaults(client: &Client, facts: &TableFacts) -> Vec<ColumnDefault> {
    let mut defaults = Vec::with_capacity(facts.columns.len());
    let mut constants = Vec::new();
    for (index, column) in facts.columns.iter().enumerate() {
        defaults.push(match &column.default {
            Some(expression) if is_constant(expression) => {
                constants.push((index, format!("({expression})::{}", column.type_name)));
                ColumnDefault::None
            }
            Some(expression) if is_call(expression) => ColumnDefault::Computed,
            Some(_) | None => ColumnDefault::None,
        });
    }
    if constants.is_empty() {
        return defaults;
    }
    let expressions: Vec<&str> = constants.iter().map(|(_, expression)| expression.as_str()).collect();
    match client.simple_query(&format!("SELECT {}", expressions.join(", "))).await {
        Ok(messages) => {
            for message in messages {
                let SimpleQueryMessage::Row(row) = message else { continue };
                for (place, (index, _)) in constants.iter().enumerate() {
                    if let (Some(column), Some(default), Some(text)) =
                        (facts.columns.get(*index), defaults.get_mut(*index), row.get(place))
                    {
                        // A `char(5)` is told without the spaces that fill it up.
                        let padded = column.type_oid == Type::BPCHAR.oid();
                        let text = if padded { text.trim_end_matches(' ') } else { text };
                        *default = ColumnDefault::Constant(text.to_owned());
                    }
                }
            }
        }
        // They are for readers of the schema, and stand for what a delete does not tell.
        Err(cause) => {
            tracing::warn!(table = %facts.name(), "the defaults of columns are left out: {cause}");
        }
    }
    defaults
}

/// Whether an expression as PostgreSQL prints it is a literal, perhaps in parentheses and cast to types.
fn is_constant(expression: &str) -> bool {
    let mut rest = expression.trim();
    while let Some(inner) = rest.strip_prefix('(') {
        rest = inner;
    }
    let after = if let Some(text) = rest.strip_prefix("E'").or_else(|| rest.strip_prefix('\'')) {
        end_of_text(text, rest.starts_with('E'))
    } else {
        let word = rest.strip_prefix('-').unwrap_or(rest);
        let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(word.len());
        let (word, after) = word.split_at(end);
        let literal =
            word.starts_with(|c: char| c.is_ascii_digit()) || matches!(word, "true" | "false" | "NULL");
        literal.then_some(after)
    };
    // Casts are names, perhaps quoted, with numbers or brackets.
    after.is_some_and(|casts| {
        casts.is_empty()
            || casts.trim_start_matches(')').is_empty()
            || (casts.trim_start_matches(')').starts_with("::")
                && casts.chars().all(|c| c.is_alphanumeric() || " :_.,\"()[]".contains(c)))
    })
}

/// Whether an expression is a function's call, such as `nextval(…)`, or one of those that need no brackets, such as
/// `CURRENT_DATE`.
fn is_call(expression: &str) -> bool {
    let rest = expression.trim_start_matches('(');
    let end = rest.find(|c: char| !c.is_alphanumeric() && !"_.\"".contains(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    !name.is_empty() && (after.starts_with('(') || name.starts_with("CURRENT_") || name.starts_with("LOCAL"))
}

/// What follows the quote that ends a text.
fn end_of_text(text: &str, escapes: bool) -> Option<&str> {
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if escapes => drop(characters.next()),
            '\'' if characters.next_if(|(_, next)| *next == '\'').is_none() => return text.get(at + 1..),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants() {
        for constant in [
            "1",
            "'-1'::integer",
            "(-1)",
            "1.5",
            "'a'::text",
            "'it''s'::character varying(9)",
            "true",
            "NULL::text",
            "'{1,2}'::integer[]",
            "('now'::text)::date",
            "E'a\\'b'::text",
            "'x'::\"Own\".mood",
            "(1)::numeric(10,2)",
        ] {
            assert!(is_constant(constant), "{constant}");
        }
        for computed in [
            "nextval('s'::regclass)",
            "now()",
            "CURRENT_DATE",
            "(1 + 1)",
            "upper('x'::text)",
            "'a'::text || 'b'::text",
            "('now'::text)::date + 1",
            "'open",
            "gen_random_uuid()",
            "-x",
        ] {
            assert!(!is_constant(computed), "{computed}");
        }
        for call in
            ["nextval('s'::regclass)", "now()", "CURRENT_DATE", "\"Own\".make(1)", "CURRENT_TIMESTAMP(3)"]
        {
            assert!(is_call(call), "{call}");
        }
        for other in ["(1 + 1)", "'a'::text || 'b'::text", "x"] {
            assert!(!is_call(other), "{other}");
        }
    }
}
