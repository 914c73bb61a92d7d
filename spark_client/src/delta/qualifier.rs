//! Columns that are qualified by a table's alias, qualified by its name instead: Spark's MERGE message has no place
//! for an alias of the table.

use crate::{
    Column,
    proto::{Expression, expression::ExprType},
    sql_text::{name_parts, quoted_name},
};
use std::{iter::Peekable, str::CharIndices};

/// What a table is called in expressions, and by what name it has to be called instead.
pub(super) struct Qualifier<'a> {
    pub(super) alias: Option<&'a str>,
    /// The plan that columns of [`crate::DataFrame::col`] name.
    pub(super) plan_id: i64,
    /// The table's name, quoted.
    pub(super) name: &'a str,
}

impl Qualifier<'_> {
    pub(super) fn apply(&self, mut column: Column) -> Column {
        self.rename(&mut column.expression);
        column
    }

    fn rename(&self, expression: &mut Expression) {
        let Some(expression) = &mut expression.expr_type else { return };
        match expression {
            ExprType::UnresolvedAttribute(attribute) => {
                if attribute.plan_id == Some(self.plan_id) {
                    attribute.plan_id = None;
                    let column = &attribute.unparsed_identifier;
                    attribute.unparsed_identifier = format!("{}.{column}", self.name);
                } else if let Some(name) = self.renamed(&attribute.unparsed_identifier) {
                    attribute.unparsed_identifier = name;
                }
            }
            ExprType::UnresolvedStar(star) => {
                let target = star.unparsed_target.as_deref().and_then(|target| target.strip_suffix(".*"));
                if target.is_some_and(|target| self.is_alias(target)) {
                    star.unparsed_target = Some(format!("{}.*", self.name));
                }
            }
            ExprType::ExpressionString(text) => {
                if let Some(alias) = self.alias {
                    text.expression = renamed_in_text(&text.expression, alias, self.name);
                }
            }
            ExprType::UnresolvedFunction(call) => self.rename_all(&mut call.arguments),
            ExprType::CallFunction(call) => self.rename_all(&mut call.arguments),
            ExprType::Alias(alias) => self.rename_one(&mut alias.expr),
            ExprType::Cast(cast) => self.rename_one(&mut cast.expr),
            ExprType::SortOrder(order) => self.rename_one(&mut order.child),
            ExprType::LambdaFunction(lambda) => self.rename_one(&mut lambda.function),
            ExprType::NamedArgumentExpression(argument) => self.rename_one(&mut argument.value),
            ExprType::UnresolvedExtractValue(part) => {
                self.rename_one(&mut part.child);
                self.rename_one(&mut part.extraction);
            }
            ExprType::UpdateFields(update) => {
                self.rename_one(&mut update.struct_expression);
                self.rename_one(&mut update.value_expression);
            }
            // Literals have no columns; windows, regular expressions and sub-queries are not allowed in a MERGE.
            _ => {}
        }
    }

    fn rename_all(&self, expressions: &mut [Expression]) {
        for expression in expressions {
            self.rename(expression);
        }
    }

    fn rename_one(&self, expression: &mut Option<Box<Expression>>) {
        if let Some(expression) = expression {
            self.rename(expression);
        }
    }

    /// A column's name, if the alias qualifies it.
    fn renamed(&self, column: &str) -> Option<String> {
        let parts = name_parts(column)?;
        let (first, rest) = parts.split_first()?;
        let qualified = !rest.is_empty() && self.is_alias(first);
        qualified.then(|| {
            rest.iter().fold(self.name.to_owned(), |name, part| format!("{name}.{}", quoted_name(part)))
        })
    }

    fn is_alias(&self, name: &str) -> bool {
        self.alias.is_some_and(|alias| same_name(alias, name))
    }
}

/// As Spark compares names unless told otherwise.
fn same_name(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// A SQL expression in which `alias.column` has become `name.column`. Strings, comments and what comes after a dot
/// stay as they are.
fn renamed_in_text(sql: &str, alias: &str, name: &str) -> String {
    let mut written = String::with_capacity(sql.len());
    let mut rest = sql;
    while let Some(token) = first_token(rest) {
        let (token, after) = rest.split_at(token);
        let identifier = token.strip_prefix('`').and_then(|token| token.strip_suffix('`'));
        let identifier = identifier.map_or_else(|| token.to_owned(), |quoted| quoted.replace("``", "`"));
        let qualifies = after.trim_start().starts_with('.') && !written.trim_end().ends_with('.');
        written.push_str(if qualifies && same_name(&identifier, alias) { name } else { token });
        rest = after;
    }
    written
}

/// The length of the first token in bytes; None at the end of the text.
fn first_token(sql: &str) -> Option<usize> {
    let mut chars = sql.char_indices().peekable();
    let (_, first) = chars.next()?;
    let next = chars.peek().map(|(_, next)| *next);
    let end = match (first, next) {
        ('r' | 'R', Some(quote @ ('\'' | '"'))) => {
            chars.next();
            closed(&mut chars, quote, false)
        }
        ('\'' | '"', _) => closed(&mut chars, first, true),
        ('`', _) => return Some(quoted_identifier(sql)),
        ('-', Some('-')) => sql.find('\n'),
        ('/', Some('*')) => sql.find("*/").map(|at| at + 2),
        (letter, _) if is_word(letter) => sql.find(|c| !is_word(c)),
        _ => chars.peek().map(|(at, _)| *at),
    };
    Some(end.unwrap_or(sql.len()))
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Where the text goes on after the closing quote.
fn closed(chars: &mut Peekable<CharIndices<'_>>, quote: char, escapes: bool) -> Option<usize> {
    while let Some((_, c)) = chars.next() {
        if c == '\\' && escapes {
            chars.next();
        } else if c == quote {
            return chars.peek().map(|(at, _)| *at);
        }
    }
    None
}

/// The length of a name in back quotes, a doubled one of which is part of the name.
fn quoted_identifier(sql: &str) -> usize {
    let mut chars = sql.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == '`' && chars.next_if(|(_, next)| *next == '`').is_none() {
            return at + 1;
        }
    }
    sql.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::{call_function, col, expr, lit, upper, when};

    fn check(sql: &str, expected: &str) {
        assert_eq!(renamed_in_text(sql, "t", "`db`.`x`"), expected, "{sql}");
    }

    #[test]
    fn the_alias_in_a_text_becomes_the_name() {
        check("t.id = s.id", "`db`.`x`.id = s.id");
        check("T.id=s.id AND `t`.`a` > 1.5", "`db`.`x`.id=s.id AND `db`.`x`.`a` > 1.5");
        check("t . id = s.t.id", "`db`.`x` . id = s.t.id");
        check("s . t . id", "s . t . id");
        check("t = 1 AND at.id = tt.id", "t = 1 AND at.id = tt.id");
    }

    #[test]
    fn texts_and_comments_stay() {
        check("'t.id' || t.a", "'t.id' || `db`.`x`.a");
        check(r"'it\'s t.id' || t.a", r"'it\'s t.id' || `db`.`x`.a");
        check(r"r'\' || t.a", r"r'\' || `db`.`x`.a");
        check("\"t.id\" || t.a", "\"t.id\" || `db`.`x`.a");
        check("1 -- t.id\n + t.a /* t.b */", "1 -- t.id\n + `db`.`x`.a /* t.b */");
        check("`odd``t.id` + t.ü", "`odd``t.id` + `db`.`x`.ü");
        check("'open t.id", "'open t.id");
        check("`open t.id", "`open t.id");
    }

    #[test]
    fn the_alias_in_an_expression_becomes_the_name() {
        let qualifier = Qualifier { alias: Some("t"), plan_id: 7, name: "`x`" };
        let same = |column: Column, expected: Column| {
            assert_eq!(qualifier.apply(column).expression, expected.expression);
        };
        same(col("t.`odd.name`"), col("`x`.`odd.name`"));
        same(col("T.a.b"), col("`x`.`a`.`b`"));
        same(col("t"), col("t"));
        same(col("s.t"), col("s.t"));
        same(col("t.*"), col("`x`.*"));
        same(Column::of_plan("id", Some(7)), col("`x`.id"));
        same(Column::of_plan("id", Some(8)), Column::of_plan("id", Some(8)));
        same(
            when(col("t.a").gt(1), upper("t.b")).otherwise(lit("t.c")),
            when(col("`x`.`a`").gt(1), upper("`x`.`b`")).otherwise(lit("t.c")),
        );
        same(
            call_function("f", [expr("t.a + 1").cast("int").alias("b")]),
            call_function("f", [expr("`x`.a + 1").cast("int").alias("b")]),
        );
        same(col("t.a").get_item("k").with_field("g", col("t.b")), {
            col("`x`.`a`").get_item("k").with_field("g", col("`x`.`b`"))
        });
    }
}
