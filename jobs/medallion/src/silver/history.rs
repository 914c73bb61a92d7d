//! Silver's history (SCD type 2): every version that a row ever had, from every event, not only the last ones.

use spark_client::functions::{call_function, coalesce, col, lead, lit, row_number, struct_, when};
use spark_client::{Column, DataFrame, JoinType, MergeInto, Window, WindowBound};

use super::current::SOURCE;
use super::decode::{SilverColumn, unavailable_name};
use crate::contract::Contract;
use crate::lake::{quoted, quoted_table};

/// The columns that history adds to a table's own. A version is valid from the commit of its event up to, and not
/// including, the commit of the next event of its key; `_valid_to` is NULL for the version of now.
pub(super) const META: [&str; 4] = ["_commit_lsn", "_ordinal", "_valid_from", "_valid_to"];

/// Opens a version (`o`), or closes the one that was open before these events (`c`).
const KIND: &str = "_kind";

/// The rows that [`merge`] merges: one `o` per event but deletes, one `c` per key. Without a history table yet, there
/// is none to take values from that PostgreSQL left out.
pub(super) fn versions(
    rows: &DataFrame,
    history: Option<&DataFrame>,
    contract: &Contract,
    columns: &[SilverColumn],
) -> DataFrame {
    let keys = || contract.key.iter().map(|key| quoted(key));
    let by_key = || Window::partition_by(keys()).order_by(["_commit_lsn", "_ordinal"]);
    let until_now = || by_key().rows_between(WindowBound::Unbounded, WindowBound::CurrentRow);
    let mut known: Vec<Column> =
        ["_commit_lsn", "_ordinal", "_committed_at", "_op"].iter().map(|name| col(name)).collect();
    known.push(lead("_committed_at").over(by_key()).alias("_next_at"));
    known.push(row_number().over(by_key()).alias("_position"));
    for column in columns {
        let name = quoted(&column.name);
        if column.column_type.can_be_toasted() && !contract.key.contains(&column.name) {
            // In a struct, so that a value that is NULL differs from no value.
            let available =
                when(!col(&quoted(&unavailable_name(&column.name))), struct_([name.as_str()])).end();
            let last = call_function("last", [available, lit(true)]).over(until_now());
            known.push(last.alias(&column.name));
        } else {
            known.push(col(&name));
        }
    }
    let known = rows.select(known).alias("k");
    let same_key = contract
        .key
        .iter()
        .map(|key| col(&format!("k.{}", quoted(key))).eq(col(&format!("h.{}", quoted(key)))))
        .reduce(|all, next| all & next)
        .unwrap_or_else(|| lit(false));
    let joined = match history {
        Some(history) => {
            let open = history.filter(col("_valid_to").is_null()).alias("h");
            known.join(&open, same_key, JoinType::LeftOuter)
        }
        None => known,
    };
    let event = |name: &str| col(&format!("k.{name}"));
    let value = |column: &SilverColumn| {
        let name = quoted(&column.name);
        let own = col(&format!("k.{name}"));
        if column.column_type.can_be_toasted() && !contract.key.contains(&column.name) {
            let known = match history {
                Some(_) => coalesce([own, struct_([col(&format!("h.{name}")).alias(&column.name)])]),
                None => own,
            };
            known.get_field(&column.name).alias(&column.name)
        } else {
            own.alias(&column.name)
        }
    };
    let version = |kind: &str, valid_from: Column, valid_to: Column| {
        let meta = [
            lit(kind).alias(KIND),
            event("_commit_lsn").alias("_commit_lsn"),
            event("_ordinal").alias("_ordinal"),
            valid_from.alias("_valid_from"),
            valid_to.alias("_valid_to"),
        ];
        columns.iter().map(value).chain(meta).collect::<Vec<_>>()
    };
    let opened =
        joined.filter(event("_op").neq("d")).select(version("o", event("_committed_at"), event("_next_at")));
    let closed = joined.filter(event("_position").eq(1)).select(version(
        "c",
        lit(None::<&str>).cast("timestamp"),
        event("_committed_at"),
    ));
    opened.union(&closed)
}

/// The rows of a history table that is made of its first versions.
pub(super) fn first_rows(versions: &DataFrame, columns: &[SilverColumn]) -> DataFrame {
    let names = columns.iter().map(|column| quoted(&column.name)).chain(META.map(str::to_owned));
    versions.filter(col(KIND).eq("o")).select(names)
}

/// The merge of versions into the history table. A version is known by its event, so that merging one that is there
/// already changes nothing, or sets its end.
pub(super) fn merge(
    versions: &DataFrame,
    table: &str,
    contract: &Contract,
    columns: &[SilverColumn],
) -> MergeInto {
    let source = |name: &str| col(&format!("{SOURCE}.{}", quoted(name)));
    let target = |name: &str| col(&format!("{}.{}", quoted_table(table), quoted(name)));
    let opens = || source(KIND).eq("o");
    let same_event =
        target("_commit_lsn").eq(source("_commit_lsn")) & target("_ordinal").eq(source("_ordinal"));
    let before = target("_commit_lsn").lt(source("_commit_lsn"))
        | (target("_commit_lsn").eq(source("_commit_lsn")) & target("_ordinal").lt(source("_ordinal")));
    let same_version =
        (opens() & same_event) | (source(KIND).eq("c") & target("_valid_to").is_null() & before);
    let condition =
        contract.key.iter().map(|key| source(key).eq(target(key))).fold(same_version, |all, next| next & all);
    let names: Vec<String> =
        columns.iter().map(|column| column.name.as_str()).chain(META).map(quoted).collect();
    versions
        .alias(SOURCE)
        .merge_into(&quoted_table(table), condition)
        .when_matched(!target("_valid_to").eq_null_safe(source("_valid_to")))
        .update([("_valid_to", source("_valid_to"))])
        .when_not_matched(opens())
        .insert(names.iter().map(|name| (name.as_str(), col(&format!("{SOURCE}.{name}")))))
}
