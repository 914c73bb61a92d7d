//! Foreign keys of silver's rows that lead nowhere.

use std::collections::BTreeSet;

use lakepulse_types::SourceType;
use spark_client::functions::{call_function, col, count, expr, lit, struct_, sum, when};
use spark_client::{Column, DataFrame, JoinType};

use crate::catalog::Constraint;
use crate::compared::{Compared, array_of, quoted, text, union};
use crate::error::{Doing, Result};

/// Types of which PostgreSQL holds values to be equal that are other texts.
const SEVERAL_TEXTS: [&str; 5] = ["numeric", "citext", "character", "interval", "jsonb"];

/// A foreign key between two tables that are compared.
struct ForeignKey<'a> {
    owner: &'a Compared,
    columns: &'a [String],
    other: &'a Compared,
    other_columns: &'a [String],
}

/// For each table of silver that has any: how many of its foreign keys lead nowhere.
pub(crate) async fn count_orphans(
    tables: &[Compared],
    constraints: &[Constraint],
) -> Result<Vec<(String, i64)>> {
    let keys: Vec<ForeignKey<'_>> =
        constraints.iter().filter_map(|constraint| foreign_key(tables, constraint)).collect();
    let Some(given) = union(tables.iter().filter_map(|table| references(table, &keys))) else {
        return Ok(Vec::new());
    };
    let mut wanted = BTreeSet::new();
    let targets = keys.iter().filter(|key| wanted.insert(key.reference())).filter_map(ForeignKey::targets);
    let targets = union(targets).unwrap_or_else(|| given.filter(lit(false)).select(["reference", "key"]));
    let equal = |name: &str| col(&format!("o.{name}")).eq(col(&format!("t.{name}")));
    given
        .group_by(["owner", "reference", "key"])
        .agg([count(lit(1)).alias("n")])
        .alias("o")
        .join(&targets.alias("t"), equal("reference") & equal("key"), JoinType::LeftAnti)
        .group_by(["owner"])
        .agg([sum("n").alias("n")])
        .collect_as()
        .await
        .doing("checking silver's foreign keys")
}

/// None of a constraint that can't be checked here: one of the tables or a column is not compared, the source itself has not checked
/// it, or equal values may be other texts.
fn foreign_key<'a>(tables: &'a [Compared], constraint: &'a Constraint) -> Option<ForeignKey<'a>> {
    let table = |name: &str| tables.iter().find(|compared| compared.table == name);
    let (references, other_columns) = constraint.references.as_ref()?;
    let (owner, other) = (table(&constraint.table)?, table(references)?);
    let is_checkable = constraint.columns.iter().zip(other_columns).all(|(own, referenced)| {
        matches!((owner.column(own), other.column(referenced)), (Some(own), Some(referenced))
            if has_one_text(&own.source) && has_one_text(&referenced.source))
    });
    (constraint.is_validated && is_checkable).then_some(ForeignKey {
        owner,
        columns: &constraint.columns,
        other,
        other_columns,
    })
}

fn has_one_text(source: &SourceType) -> bool {
    match source {
        SourceType::Text(name) => {
            let name = name.split('(').next().unwrap_or_default().trim();
            !SEVERAL_TEXTS.contains(&name)
        }
        _ => true,
    }
}

impl ForeignKey<'_> {
    /// Tells what is referred to from all else.
    fn reference(&self) -> String {
        format!("{}({})", self.other.table, self.other_columns.join(","))
    }

    /// struct<owner string, reference string, key array<string>> of a row; the key is NULL when a NULL is in it.
    fn given(&self) -> Option<Column> {
        let mut values = Vec::new();
        let mut conditions = Vec::new();
        for (own, referenced) in self.columns.iter().zip(self.other_columns) {
            let (own, referenced) = (self.owner.column(own)?, self.other.column(referenced)?);
            let name = quoted(&own.column);
            conditions.push(format!("{name} IS NOT NULL"));
            values.push(text(
                &referenced.source,
                &format!("try_cast({name} AS {})", referenced.source.spark()),
                0,
            ));
        }
        Some(struct_([
            lit(self.owner.table.as_str()).alias("owner"),
            lit(self.reference().as_str()).alias("reference"),
            when(expr(&conditions.join(" AND ")), array_of(values.into_iter())).end().alias("key"),
        ]))
    }

    /// reference string, key array<string>: what can be referred to.
    fn targets(&self) -> Option<DataFrame> {
        let columns: Option<Vec<_>> = self.other_columns.iter().map(|name| self.other.column(name)).collect();
        let values = columns?
            .into_iter()
            .map(|column| text(&column.source, &quoted(&column.column), 0))
            .collect::<Vec<_>>();
        let rows = self.other.silver.as_ref()?;
        Some(rows.select([
            lit(self.reference().as_str()).alias("reference"),
            array_of(values.into_iter()).alias("key"),
        ]))
    }
}

/// owner string, reference string, key array<string>: every foreign key of every row that has no NULL in it. None when
/// the table has none to check.
fn references(table: &Compared, keys: &[ForeignKey<'_>]) -> Option<DataFrame> {
    let rows = table.silver.as_ref()?;
    let of_table = keys.iter().filter(|key| key.owner.table == table.table);
    let all: Vec<Column> = of_table.filter_map(ForeignKey::given).collect();
    if all.is_empty() {
        return None;
    }
    let exploded = rows.select([call_function("inline", [call_function("array", all)])]);
    Some(exploded.filter(col("key").is_not_null()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_types_with_several_texts_are_left_out() {
        let check = |source: &str, expected: bool| {
            assert_eq!(has_one_text(&source.parse().unwrap()), expected, "{source}");
        };
        check("integer", true);
        check("numeric(10,2)", true);
        check("uuid", true);
        check("character varying(9)", true);
        check("numeric", false);
        check("character(9)", false);
        check("interval", false);
    }
}
