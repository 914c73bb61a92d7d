//! Dimensions of type 2: what each consists of, and the plan that makes its versions out of silver's histories.

use spark_client::functions::{col, expr, lit};
use spark_client::{Column, DataFrame};

use super::sources::Sources;
use super::timeline::{OPEN_END, changes, intervals, reaching_back, refer, surrogate};
use crate::error::Result;

/// A table that a dimension's row refers to.
#[derive(Debug)]
pub(super) struct Reference {
    /// Prefix of its columns in the dimension's expressions.
    pub(super) alias: &'static str,
    /// The silver table without `_history`.
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    /// The referring column, with the prefix of the table it is in.
    pub(super) foreign_key: &'static str,
    pub(super) columns: &'static [&'static str],
}

/// A dimension of type 2.
#[derive(Debug)]
pub(super) struct Dimension {
    pub(super) name: &'static str,
    pub(super) surrogate: &'static str,
    /// The business key's column in gold.
    pub(super) business_key: &'static str,
    /// The table whose rows are its members; its columns have the prefix `m_`.
    pub(super) table: &'static str,
    pub(super) key: &'static str,
    pub(super) columns: &'static [&'static str],
    /// Which versions of the member count.
    pub(super) condition: &'static str,
    pub(super) references: &'static [Reference],
    /// Name, Spark SQL expression over the prefixed columns, and the value of the Unknown member.
    pub(super) attributes: &'static [(&'static str, &'static str, &'static str)],
}

const MEMBER: &str = "m";

impl Dimension {
    /// Whether a silver table that it is made of has changed since the refresh before.
    pub(super) fn has_changed(&self, sources: &Sources) -> Result<bool> {
        let tables =
            std::iter::once(self.table).chain(self.references.iter().map(|reference| reference.table));
        for table in tables {
            if sources.has_changed(&format!("{table}_history"))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The attributes' names.
    pub(super) fn attribute_names(&self) -> Vec<String> {
        self.attributes.iter().map(|(name, _, _)| (*name).to_owned()).collect()
    }

    /// All intervals of all members with the columns of everything they refer to: `from`, `to`, prefixed columns.
    fn joined(&self, sources: &Sources) -> Result<DataFrame> {
        let history = sources.table(&format!("{}_history", self.table))?;
        let mut joined = intervals(&history, MEMBER, self.key, self.columns)
            .filter(self.condition)
            .with_columns_renamed([("m_from", "from"), ("m_to", "to")]);
        for reference in self.references {
            let history = sources.table(&format!("{}_history", reference.table))?;
            let versions = intervals(&history, reference.alias, reference.key, reference.columns);
            let versions = reaching_back(&versions, reference.alias, reference.key);
            joined = refer(&joined, reference.foreign_key, &versions, reference.alias, reference.key);
        }
        Ok(joined)
    }

    /// The business keys of members that a changed row is part of, since the refresh before: one column, the key in
    /// gold. None when nothing that the dimension is made of has changed.
    pub(super) fn affected(&self, sources: &Sources) -> Result<Option<DataFrame>> {
        let joined = self.joined(sources)?;
        let member_key = format!("{MEMBER}_{}", self.key);
        let mut affected: Option<DataFrame> = None;
        let parts = std::iter::once((self.table, self.key, member_key.clone())).chain(
            self.references.iter().map(|part| (part.table, part.key, format!("{}_{}", part.alias, part.key))),
        );
        for (table, key, joined_key) in parts {
            let Some(changed) = sources.changed(&format!("{table}_history"), key)? else { continue };
            let changed = changed.select([col(key).alias("_changed")]).distinct();
            let on = col(&joined_key).eq(col("_changed"));
            let hit = joined
                .join(&changed, on, spark_client::JoinType::LeftSemi)
                .select([col(&member_key).alias(self.business_key)]);
            affected = Some(match affected {
                Some(before) => before.union(&hit),
                None => hit,
            });
        }
        Ok(affected.map(|keys| keys.distinct()))
    }

    /// The rows of the dimension: all of them with the Unknown member, or only those of the given business keys.
    pub(super) fn rows(&self, sources: &Sources, only: Option<&DataFrame>) -> Result<DataFrame> {
        let joined = self.joined(sources)?;
        let mut selected: Vec<Column> =
            vec![col(&format!("{MEMBER}_{}", self.key)).alias(self.business_key), col("from"), col("to")];
        selected.extend(self.attributes.iter().map(|(name, value, _)| expr(value).alias(name)));
        let mut versions = joined.select(selected);
        if let Some(keys) = only {
            versions = versions.join(keys, self.business_key, spark_client::JoinType::LeftSemi);
        }
        let rows = changes(&versions, self.business_key, &self.attribute_names());
        let ordered: Vec<Column> =
            [surrogate(self.business_key).alias(self.surrogate), col(self.business_key)]
                .into_iter()
                .chain(self.attributes.iter().map(|(name, _, _)| col(name)))
                .chain([col("valid_from"), col("valid_to")])
                .collect();
        let rows = rows.select(ordered);
        Ok(if only.is_some() { rows } else { rows.union(&self.unknown(sources)) })
    }

    fn unknown(&self, sources: &Sources) -> DataFrame {
        let mut selected = vec![lit(0_i64).alias(self.surrogate), lit(0).alias(self.business_key)];
        selected.extend(self.attributes.iter().map(|(name, _, unknown)| expr(unknown).alias(name)));
        selected.push(expr("timestamp_ntz'2013-01-01 00:00:00'").alias("valid_from"));
        selected.push(expr(OPEN_END).alias("valid_to"));
        sources.one_row().select(selected)
    }
}
