use crate::error::{Error, ErrorKind, Result};
use crate::table::TableName;

/// How a table's topic is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicTemplate(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Prefix,
    Database,
    Schema,
    Table,
}

impl TopicTemplate {
    pub(crate) const DEFAULT: &str = "{prefix}.{schema}.{table}";

    /// Reads text with `{prefix}`, `{database}`, `{schema}` and `{table}` in it, the last of them at least.
    pub(crate) fn parse(template: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Err(Error::new(ErrorKind::Configuration, format!("topic_name = {template:?}: {what}")))
        };
        let mut parts = Vec::new();
        let mut rest = template;
        while !rest.is_empty() {
            let end = rest.find('{').unwrap_or(rest.len());
            let (text, after) = rest.split_at(end);
            if !text.is_empty() {
                if !text.chars().all(is_allowed) {
                    return wrong("beside placeholders, use A-Z, a-z, 0-9, '.', '_' and '-'");
                }
                parts.push(Part::Text(text.to_owned()));
            }
            let Some(after) = after.strip_prefix('{') else { break };
            let Some((name, after)) = after.split_once('}') else { return wrong("a brace is not closed") };
            parts.push(match name {
                "prefix" => Part::Prefix,
                "database" => Part::Database,
                "schema" => Part::Schema,
                "table" => Part::Table,
                _ => return wrong("the placeholders are {prefix}, {database}, {schema} and {table}"),
            });
            rest = after;
        }
        if !parts.contains(&Part::Table) {
            return wrong("{table} is missing, without which tables share a topic");
        }
        Ok(Self(parts))
    }

    /// The table's topic, with characters that Kafka refuses as `_`.
    pub(crate) fn topic(&self, prefix: &str, database: &str, table: &TableName) -> String {
        let rendered = self.render(prefix, database, table);
        rendered.chars().map(|c| if is_allowed(c) { c } else { '_' }).collect()
    }

    /// The same, with all characters.
    pub(crate) fn render(&self, prefix: &str, database: &str, table: &TableName) -> String {
        let mut topic = String::new();
        for part in &self.0 {
            topic.push_str(match part {
                Part::Text(text) => text,
                Part::Prefix => prefix,
                Part::Database => database,
                Part::Schema => &table.schema,
                Part::Table => &table.table,
            });
        }
        topic
    }

    /// Whether every topic begins with the prefix and a dot, by which it is found.
    pub(crate) fn begins_with_prefix(&self) -> bool {
        matches!(self.0.as_slice(), [Part::Prefix, Part::Text(text), ..] if text.starts_with('.'))
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "._-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics() {
        let table = TableName { schema: "sales-eu".into(), table: "Order Lines".into() };
        for (template, topic, by_prefix) in [
            (TopicTemplate::DEFAULT, "a.b-c.sales-eu.Order_Lines", true),
            ("{prefix}.{database}.{schema}.{table}", "a.b-c.db.sales-eu.Order_Lines", true),
            ("{prefix}-{table}", "a.b-c-Order_Lines", false),
            ("cdc.{schema}-{table}.v1", "cdc.sales-eu-Order_Lines.v1", false),
            ("{table}", "Order_Lines", false),
        ] {
            let parsed = TopicTemplate::parse(template).unwrap();
            assert_eq!(parsed.topic("a.b-c", "db", &table), topic);
            assert_eq!(parsed.begins_with_prefix(), by_prefix, "{template}");
        }
    }

    #[test]
    fn mistakes() {
        for (template, named) in [
            ("", "{table} is missing"),
            ("{prefix}.{schema}", "{table} is missing"),
            ("{prefix}.{name}", "placeholders"),
            ("{table", "not closed"),
            ("a b.{table}", "use A-Z"),
            ("{table}}", "use A-Z"),
        ] {
            let error = TopicTemplate::parse(template).unwrap_err().to_string();
            assert!(error.contains(named) && error.contains("topic_name"), "{template}: {error}");
        }
    }
}
