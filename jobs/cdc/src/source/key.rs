//! What identifies a row of a table in the stream.

use crate::pgoutput::{Relation, ReplicaIdentity};
use crate::table::TableShape;

/// A key, and whether two rows may have the same for a moment within a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Key {
    /// Places among the relation's columns, in the key's order.
    pub(super) columns: Vec<usize>,
    pub(super) is_deferred: bool,
}

/// The key that the catalog has now, by the columns' names.
#[derive(Debug, Clone, Default)]
pub(super) struct CatalogKey<'a> {
    pub(super) columns: Vec<&'a str>,
    pub(super) is_deferred: bool,
}

/// The key of a relation as the stream describes it. Columns that the relation flags itself are the key, since old rows
/// tell them; their order is the catalog's when it has the same ones. Without flags, or where all columns have one, it is
/// the catalog's key. A table that was dropped or changed meanwhile keeps the key that it had `before`.
pub(super) fn key_of(relation: &Relation, catalog: &CatalogKey<'_>, before: Option<&TableShape>) -> Key {
    let place = |name: &str| relation.columns.iter().position(|column| column.name == name);
    let now: Option<Vec<usize>> = catalog.columns.iter().map(|name| place(name)).collect();
    let now = now.filter(|columns| !columns.is_empty());
    if let Some(flagged) = flagged(relation) {
        let same = |now: &Vec<usize>| {
            now.len() == flagged.len() && now.iter().all(|column| flagged.contains(column))
        };
        return Key { columns: now.filter(same).unwrap_or(flagged), is_deferred: false };
    }
    if let Some(columns) = now {
        return Key { columns, is_deferred: catalog.is_deferred };
    }
    let Some(before) = before.filter(|before| !before.own_key) else { return Key::default() };
    let by_name: Option<Vec<usize>> = before.key_columns().map(|column| place(&column.name)).collect();
    Key { columns: by_name.unwrap_or_default(), is_deferred: before.key_is_deferred }
}

/// The columns of which an identity by an index says that old rows tell them; none when no index identifies the rows.
pub(super) fn flagged(relation: &Relation) -> Option<Vec<usize>> {
    if !matches!(relation.identity, ReplicaIdentity::Default | ReplicaIdentity::Index) {
        return None;
    }
    let flags = relation.columns.iter().enumerate().filter(|(_, column)| column.in_identity);
    let columns: Vec<usize> = flags.map(|(place, _)| place).collect();
    (!columns.is_empty()).then_some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgoutput::{RelationColumn, RelationId};
    use crate::table::{Column, ColumnType, TableName};

    /// A relation of these columns, those with a star in the identity.
    fn relation(identity: ReplicaIdentity, columns: &[&str]) -> Relation {
        let column = |name: &&str| RelationColumn {
            name: name.trim_end_matches('*').to_owned(),
            type_oid: 23,
            type_modifier: -1,
            in_identity: name.ends_with('*'),
        };
        let (schema, table) = ("s".to_owned(), "t".to_owned());
        let columns = columns.iter().map(column).collect();
        Relation { id: RelationId(1), schema, table, identity, columns }
    }

    fn before(columns: &[&str], key: Vec<usize>) -> TableShape {
        TableShape {
            name: TableName { schema: "s".into(), table: "t".into() },
            columns: columns.iter().map(|name| Column::new(name, ColumnType::Int4, false)).collect(),
            key,
            own_key: false,
            key_is_deferred: true,
            partitioned: false,
        }
    }

    #[test]
    fn keys() {
        use ReplicaIdentity::{Default, Full, Index, Nothing};
        let known = before(&["x", "b", "a"], vec![2, 1]);
        let gone: &[&str] = &[];
        let table: [(_, &[&str], &[&str], Option<&TableShape>, &[usize], bool); 12] = [
            (Default, &["a*", "b"], &["a"], None, &[0], false),
            // In the catalog's order when it has the same ones.
            (Default, &["a*", "b*"], &["b", "a"], None, &[1, 0], false),
            (Default, &["a*", "b*"], &["b"], None, &[0, 1], false),
            // Dropped, renamed or given another primary key meanwhile.
            (Default, &["a", "b*"], gone, None, &[1], false),
            (Default, &["id*", "v"], &["k"], None, &[0], false),
            (Index, &["a", "b*"], &["a"], None, &[1], false),
            // No index identifies the rows.
            (Full, &["a*", "b*"], &["b"], None, &[1], true),
            (Full, &["a*", "b*"], gone, Some(&known), &[0, 1], true),
            (Full, &["a*", "c*"], gone, Some(&known), &[], true),
            (Full, &["a*", "b*"], &["k", "a"], Some(&known), &[0, 1], true),
            (Default, &["a", "b"], &["a"], None, &[0], true),
            (Nothing, &["a", "b"], gone, None, &[], false),
        ];
        for (identity, columns, catalog, before, expected, is_deferred) in table {
            let catalog = CatalogKey { columns: catalog.to_vec(), is_deferred: true };
            let key = key_of(&relation(identity, columns), &catalog, before);
            assert_eq!(
                key,
                Key { columns: expected.to_vec(), is_deferred },
                "{identity:?} {columns:?} {catalog:?}"
            );
        }
    }
}
