//! Which topic each table has. No two tables share one, none is that of other records, and a table keeps the one that it was
//! given: relation records tell which that is.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::checkpoint::Checkpoint;
use crate::config::{Config, TopicTemplate};
use crate::error::Result;
use crate::kafka::{ClusterState, recall_relations};
use crate::metrics::Metrics;
use crate::registry::Registry;
use crate::relation::RelationLog;
use crate::table::TableName;

/// Digits of the hash that tells a table from another one whose topic would have the same name.
const DIGITS: usize = 8;

/// The topics of tables.
#[derive(Debug, Clone)]
pub(crate) struct TopicNames {
    template: TopicTemplate,
    prefix: String,
    database: String,
    /// Those of tables that are gone are among them.
    given: HashMap<TableName, Arc<str>>,
    /// Who has a topic, by its name as Kafka compares it.
    owners: HashMap<String, String>,
    /// Topics that the last checkpoint counts.
    counted: HashSet<String>,
    said: HashSet<TableName>,
}

/// A table whose topic is not named by the template alone, since another one has that name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Meeting {
    table: TableName,
    topic: Arc<str>,
    plain: String,
    /// None when it can't be told whose it is.
    owner: Option<String>,
}

impl fmt::Display for Meeting {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, topic, plain, owner } = self;
        match owner {
            Some(owner) => write!(
                out,
                "{owner} and {table} meet in topic {plain}: {owner} keeps it, and {table} has topic {topic}"
            ),
            None => write!(
                out,
                "topic {plain} has events of {table} or of another table, and nobody can tell: {table} has topic {topic}"
            ),
        }
    }
}

impl TopicNames {
    pub(crate) fn new(config: &Config) -> Self {
        let mut owners: HashMap<String, String> =
            ["checkpoint", "relation", "transaction", "dead_letter", "message"]
                .map(|name| (compared(&config.side_topic(name)), format!("the {name} records")))
                .into();
        if let Some(topic) = &config.signals.topic {
            owners.insert(compared(topic), "signals.topic".to_owned());
        }
        Self {
            template: config.topic_name.clone(),
            prefix: config.topic_prefix.clone(),
            database: config.source.database.clone(),
            given: HashMap::new(),
            owners,
            counted: HashSet::new(),
            said: HashSet::new(),
        }
    }

    /// Takes over what relation records tell, as far as the template still gives such names, and what the last checkpoint counts.
    pub(crate) fn recall(&mut self, relations: &RelationLog, counts: &BTreeMap<String, i64>) {
        self.recall_topics(relations.topics());
        self.counted.extend(counts.keys().cloned());
    }

    fn recall_topics<'a>(&mut self, told: impl Iterator<Item = (&'a TableName, &'a str)>) {
        for (table, topic) in told {
            if self.is_free(topic) && self.candidates(table).any(|candidate| candidate == topic) {
                self.assign(table, topic.to_owned());
            }
        }
    }

    /// As [`recall`](Self::recall), from Kafka, without disturbing the instance that works.
    pub(crate) async fn survey(
        config: &Config,
        cluster: &ClusterState,
        last: Option<&Checkpoint>,
        registry: &mut Registry,
    ) -> Result<Self> {
        let topic = config.side_topic("relation");
        let mut relations = RelationLog::new(&topic, 0);
        if cluster.topics.contains_key(&topic) {
            recall_relations(&config.kafka, &topic, &mut relations, registry, &Metrics::new()?).await?;
        }
        let mut names = Self::new(config);
        names.recall(&relations, last.map_or(&BTreeMap::new(), |last| &last.counts));
        Ok(names)
    }

    /// Gives topics to those of these tables that have none. Returns what was not said before: tables that have no topic by
    /// the template alone.
    pub(crate) fn give<'a>(&mut self, tables: impl IntoIterator<Item = &'a TableName>) -> Vec<Meeting> {
        let tables: Vec<&TableName> = tables.into_iter().collect();
        let mut new: Vec<&TableName> =
            tables.iter().copied().filter(|table| !self.given.contains_key(table)).collect();
        new.sort_by_cached_key(|table| {
            let plain = self.plain(table);
            (!self.counted.contains(&plain), plain != self.rendered(table), (*table).clone())
        });
        new.dedup();
        // Relation records may be younger than the topics.
        new.retain(|table| {
            let counted = self.candidates(table).skip(1).find(|topic| self.counted.contains(topic));
            let counted = counted.filter(|topic| self.is_free(topic));
            counted.map(|topic| self.assign(table, topic)).is_none()
        });
        let mut claims: HashMap<String, usize> = HashMap::new();
        for table in &new {
            *claims.entry(self.plain(table)).or_default() += 1;
        }
        for table in new {
            let plain = self.plain(table);
            let is_anyones =
                self.counted.contains(&plain) && claims.get(&plain).is_some_and(|claims| *claims > 1);
            let free = self.candidates(table).skip(usize::from(is_anyones)).find(|topic| self.is_free(topic));
            // All 64 digits are never taken.
            self.assign(table, free.unwrap_or(plain));
        }
        tables.into_iter().filter_map(|table| self.meeting(table)).collect()
    }

    /// The topic of a table that was given one.
    pub(crate) fn of(&self, table: &TableName) -> Arc<str> {
        self.given.get(table).map_or_else(|| self.plain(table).into(), Arc::clone)
    }

    fn meeting(&mut self, table: &TableName) -> Option<Meeting> {
        let (topic, plain) = (self.of(table), self.plain(table));
        let is_news = *topic != *plain && self.said.insert(table.clone());
        let owner = self.owners.get(&compared(&plain)).cloned();
        is_news.then(|| Meeting { table: table.clone(), topic, plain, owner })
    }

    fn assign(&mut self, table: &TableName, topic: String) {
        self.owners.insert(compared(&topic), table.to_string());
        self.given.insert(table.clone(), topic.into());
    }

    fn is_free(&self, topic: &str) -> bool {
        !self.owners.contains_key(&compared(topic))
    }

    fn rendered(&self, table: &TableName) -> String {
        self.template.render(&self.prefix, &self.database, table)
    }

    fn plain(&self, table: &TableName) -> String {
        self.template.topic(&self.prefix, &self.database, table)
    }

    /// The names that a table's topic may have, the best first.
    fn candidates(&self, table: &TableName) -> impl Iterator<Item = String> + use<> {
        let plain = self.plain(table);
        let digits: String = Sha256::digest(table.key()).iter().map(|byte| format!("{byte:02x}")).collect();
        let longer = (DIGITS..=digits.len()).step_by(DIGITS).collect::<Vec<_>>();
        let named = plain.clone();
        std::iter::once(plain).chain(
            longer.into_iter().map(move |end| format!("{named}_{}", digits.get(..end).unwrap_or_default())),
        )
    }
}

/// Kafka refuses a topic whose name differs from another one's in dots and underscores alone.
fn compared(topic: &str) -> String {
    topic.replace('.', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(name: &str) -> TableName {
        let (schema, table) = name.split_once('.').unwrap();
        TableName { schema: schema.into(), table: table.into() }
    }

    fn names(template: &str) -> TopicNames {
        let text = format!(
            "topic_name = \"{template}\"\nslot = \"s\"\npublication = \"p\"\ntopic_prefix = \"wwi\"\n\
             [source]\nhost = \"h\"\ndatabase = \"d\"\nuser = \"u\"\n[kafka]\nbootstrap = \"b\"\n[registry]\nurl = \"http://r\"\n"
        );
        TopicNames::new(&Config::from_toml(&text, |_| None).unwrap())
    }

    /// Gives topics to these tables, when these were told and those counted, and compares what each gets.
    fn check(
        template: &str,
        told: &[(&str, &str)],
        counted: &[&str],
        expected: &[(&str, &str)],
    ) -> Vec<Meeting> {
        let mut names = names(template);
        let told: Vec<(TableName, &str)> = told.iter().map(|(name, topic)| (table(name), *topic)).collect();
        names.recall_topics(told.iter().map(|(name, topic)| (name, *topic)));
        names.counted.extend(counted.iter().map(ToString::to_string));
        let tables: Vec<TableName> = expected.iter().map(|(name, _)| table(name)).collect();
        let meetings = names.give(&tables);
        let given: Vec<Arc<str>> = tables.iter().map(|table| names.of(table)).collect();
        let expected: Vec<&str> = expected.iter().map(|(_, topic)| *topic).collect();
        assert_eq!(given.iter().map(|topic| &**topic).collect::<Vec<_>>(), expected);
        assert!(names.give(&tables).is_empty(), "it was said");
        meetings
    }

    const DEFAULT: &str = TopicTemplate::DEFAULT;
    const BLANK: (&str, &str) = ("a.t 1", "wwi.a.t_1_9f725b2a");
    const SHORT: &str = "{prefix}.{table}";

    #[test]
    fn tables_keep_apart() {
        assert!(check(DEFAULT, &[], &[], &[("a.t", "wwi.a.t"), ("b.t 1", "wwi.b.t_1")]).is_empty());
        let meetings = check(DEFAULT, &[], &[], &[BLANK, ("a.t_1", "wwi.a.t_1")]);
        let said: Vec<String> = meetings.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "a.t_1 and a.t 1 meet in topic wwi.a.t_1: a.t_1 keeps it, and a.t 1 has topic wwi.a.t_1_9f725b2a"
            ]
        );
        check(SHORT, &[], &[], &[("b.t", "wwi.t_57a59be7"), ("a.t", "wwi.t")]);
        // Kafka takes only one of two names that differ in dots and underscores.
        check(DEFAULT, &[], &[], &[("a.b_c", "wwi.a.b_c_5b8f934a"), ("a.b.c", "wwi.a.b.c")]);
    }

    #[test]
    fn other_records_keep_their_topics() {
        let meetings =
            check(SHORT, &[], &[], &[("a.checkpoint", "wwi.checkpoint_1c2df7d2"), ("a.t", "wwi.t")]);
        assert!(
            meetings[0].to_string().starts_with("the checkpoint records and a.checkpoint meet"),
            "{meetings:?}"
        );
    }

    #[test]
    fn who_was_told_a_topic_keeps_it() {
        let first = [("a.t 1", "wwi.a.t_1")];
        check(DEFAULT, &first, &[], &[("a.t 1", "wwi.a.t_1"), ("a.t_1", "wwi.a.t_1_747649c1")]);
        // The first one is gone.
        check(DEFAULT, &first, &[], &[("a.t_1", "wwi.a.t_1_747649c1")]);
        check(DEFAULT, &[BLANK], &[], &[BLANK, ("a.t_1", "wwi.a.t_1")]);
        check(DEFAULT, &[BLANK], &[], &[BLANK]);
        // By another template.
        check(SHORT, &first, &[], &[("a.t 1", "wwi.t_1")]);
    }

    #[test]
    fn topics_older_than_relation_records_are_never_shared() {
        check(DEFAULT, &[], &["wwi.a.t_1"], &[("a.t 1", "wwi.a.t_1")]);
        check(DEFAULT, &[], &["wwi.a.t_1", BLANK.1], &[BLANK, ("a.t_1", "wwi.a.t_1")]);
        let both = [BLANK, ("a.t_1", "wwi.a.t_1_747649c1")];
        let meetings = check(DEFAULT, &[], &["wwi.a.t_1"], &both);
        assert!(meetings.len() == 2 && meetings[0].to_string().contains("nobody can tell"), "{meetings:?}");
        check(DEFAULT, &[], &["wwi.a.b_c"], &[("a.b.c", "wwi.a.b.c_03a70d5b"), ("a.b_c", "wwi.a.b_c")]);
    }
}
