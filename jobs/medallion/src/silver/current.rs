//! Silver's current rows (SCD type 1): the last event of each key, merged into the table.

use spark_client::functions::{col, lit, max_by, struct_, when};
use spark_client::{Column, DataFrame, MergeInto};

use super::decode::{META, SilverColumn, unavailable_name};
use crate::contract::Contract;
use crate::lake::{quoted, quoted_table};

/// The alias of the events in a merge.
pub(super) const SOURCE: &str = "s";

/// One row a key: its last event's columns, `_op`, the meta columns. A value that the last event left out is taken
/// from the last event that had it; `_unavailable_<column>` is true when none between the cuts had.
pub(super) fn last_events(rows: &DataFrame, contract: &Contract, columns: &[SilverColumn]) -> DataFrame {
    let order = || struct_(["_commit_lsn", "_ordinal"]);
    let plain: Vec<&str> = columns
        .iter()
        .filter(|column| !column.column_type.can_be_toasted() && !contract.key.contains(&column.name))
        .map(|column| column.name.as_str())
        .chain(META)
        .chain(["_op"])
        .collect();
    let out_of_line: Vec<&str> = columns
        .iter()
        .filter(|column| column.column_type.can_be_toasted() && !contract.key.contains(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    let mut aggregates = vec![max_by(struct_(plain.iter().map(|name| quoted(name))), order()).alias("_last")];
    for name in &out_of_line {
        let available = when(!col(&quoted(&unavailable_name(name))), order()).end();
        // In a struct, so that a value that is NULL differs from no value.
        aggregates.push(max_by(struct_([quoted(name)]), available).alias(name));
    }
    let keys: Vec<String> = contract.key.iter().map(|key| quoted(key)).collect();
    let latest = rows.group_by(keys.iter()).agg(aggregates);
    let mut selected: Vec<Column> = keys.iter().map(|key| col(key)).collect();
    selected.extend(plain.iter().map(|name| col(&format!("_last.{}", quoted(name))).alias(name)));
    for name in &out_of_line {
        selected.push(col(&format!("{0}.{0}", quoted(name))).alias(name));
        selected.push(col(&quoted(name)).is_null().alias(&unavailable_name(name)));
    }
    latest.select(selected)
}

/// The rows of a table that is made of its first events: the table's columns and the meta columns.
pub(super) fn first_rows(last: &DataFrame, columns: &[SilverColumn]) -> DataFrame {
    let names = columns.iter().map(|column| quoted(&column.name)).chain(META.map(str::to_owned));
    last.filter(col("_op").neq("d")).select(names)
}

/// The merge of last events into the table. Applying events that the table already has changes nothing, so that a
/// cycle that died half-way may be repeated with a later cut.
///
/// Of inserts alone, a key that is there already was merged before: Delta adds the others in one pass, without
/// looking for rows to rewrite.
pub(super) fn merge(
    last: &DataFrame,
    table: &str,
    contract: &Contract,
    columns: &[SilverColumn],
    only_inserts: bool,
) -> MergeInto {
    let source = |name: &str| col(&format!("{SOURCE}.{}", quoted(name)));
    let target = |name: &str| col(&format!("{}.{}", quoted_table(table), quoted(name)));
    let same_key = contract
        .key
        .iter()
        .map(|key| source(key).eq(target(key)))
        .reduce(|all, next| all & next)
        .unwrap_or_else(|| lit(false));
    let newer = source("_commit_lsn").gt(target("_commit_lsn"))
        | (source("_commit_lsn").eq(target("_commit_lsn")) & source("_ordinal").gt(target("_ordinal")));
    let deleted = || source("_op").eq("d");
    let value = |name: &str, kept: Option<Column>| match kept {
        Some(kept) => when(source(&unavailable_name(name)), kept).otherwise(source(name)),
        None => source(name),
    };
    let assignments = |keep: bool| -> Vec<(String, Column)> {
        let own = columns.iter().map(|column| {
            let in_key = contract.key.contains(&column.name);
            let kept = (keep && column.column_type.can_be_toasted() && !in_key).then(|| target(&column.name));
            (quoted(&column.name), value(&column.name, kept))
        });
        own.chain(META.iter().map(|name| ((*name).to_owned(), source(name)))).collect()
    };
    let (updates, inserts) = (assignments(true), assignments(false));
    let inserts = inserts.iter().map(|(name, value)| (name.as_str(), value.clone()));
    let merge = last.alias(SOURCE).merge_into(&quoted_table(table), same_key);
    if only_inserts {
        return merge.when_not_matched(None).insert(inserts);
    }
    merge
        .when_matched(newer.clone() & deleted())
        .delete()
        .when_matched(newer)
        .update(updates.iter().map(|(name, value)| (name.as_str(), value.clone())))
        .when_not_matched(source("_op").neq("d"))
        .insert(inserts)
}
