//! What a table looks like at a place in the stream: the stream tells names and types of columns, and the catalog, which
//! may have moved on since, tells the rest.

use super::record::{Leaf, RelationRecord};
use super::shape::{identity_name, identity_named};
use crate::pgoutput::{Relation, RelationColumn, ReplicaIdentity};
use crate::source::{ColumnFacts, KeyFacts, TableFacts};

/// What is believed of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Believed {
    pub(crate) facts: TableFacts,
    /// Whether each column is known to be the one that it is called.
    pub(crate) is_certain: bool,
}

impl Believed {
    /// The catalog's own word.
    pub(crate) fn certain(facts: TableFacts) -> Self {
        Self { facts, is_certain: true }
    }
}

/// Puts together what the stream says now, what was told last, and what the catalog says by now; none when the table is
/// gone.
pub(crate) fn believed(
    relation: &Relation,
    last: Option<&RelationRecord>,
    now: Option<&TableFacts>,
) -> Believed {
    if let Some(now) = now.filter(|now| is_described_by(now, relation)) {
        let mut facts = now.clone();
        keep_labels(&mut facts, last);
        follow_flags(&mut facts, relation, last);
        return Believed::certain(facts);
    }
    let (mut numbers, is_certain) = numbers(relation, last, now);
    // Columns that nothing is known of are told apart nevertheless.
    for (place, number) in numbers.iter_mut().enumerate().filter(|(_, number)| **number == 0) {
        *number = -1 - place as i16;
    }
    let columns: Vec<ColumnFacts> = relation
        .columns
        .iter()
        .zip(numbers)
        .map(|(column, attnum)| column_facts(column, attnum, last, now))
        .collect();
    let flagged: Vec<i16> = relation
        .columns
        .iter()
        .zip(&columns)
        .filter(|(column, _)| column.in_identity)
        .map(|(_, facts)| facts.attnum)
        .collect();
    let by_index = matches!(relation.identity, ReplicaIdentity::Default | ReplicaIdentity::Index);
    let mut facts = TableFacts {
        oid: relation.id.0,
        schema: relation.schema.clone(),
        table: relation.table.clone(),
        partitioned: last
            .map(|last| last.shape.partitioned)
            .or(now.map(|now| now.partitioned))
            .unwrap_or_default(),
        identity: relation.identity,
        // Of a later state nothing may be believed: it may have been written anew since.
        filenode: last
            .map(|last| last.shape.filenode as u32)
            .or(now.map(|now| now.filenode))
            .unwrap_or_default(),
        key: key(&columns, last, now),
        identity_columns: (by_index && !flagged.is_empty()).then_some(flagged),
        leaves: last
            .map(|last| last.shape.leaves.iter().map(Leaf::facts).collect())
            .or_else(|| now.map(|now| now.leaves.clone()))
            .unwrap_or_default(),
        row_filter: match now {
            Some(now) => now.row_filter.clone(),
            None => last.and_then(|last| last.shape.row_filter.clone()),
        },
        columns,
    };
    keep_labels(&mut facts, last);
    follow_flags(&mut facts, relation, last);
    Believed { facts, is_certain }
}

/// The values of an enum stay as they were told last, since events that are still to come may have them under those names.
fn keep_labels(facts: &mut TableFacts, last: Option<&RelationRecord>) {
    for column in &mut facts.columns {
        let told = last.and_then(|last| {
            let mut told = last.shape.columns.iter();
            told.find(|told| {
                told.attnum == i32::from(column.attnum) && told.type_oid == i64::from(column.type_oid)
            })
        });
        if let Some(told) = told.filter(|told| !told.labels.is_empty()) {
            column.labels.clone_from(&told.labels);
        }
    }
}

/// Columns that the stream flags itself are the key, since old rows tell them; in the order of the index, if it has the same
/// ones, or of the key that was told last. Where nothing or everything is flagged, the key stays.
fn follow_flags(facts: &mut TableFacts, relation: &Relation, last: Option<&RelationRecord>) {
    if !matches!(relation.identity, ReplicaIdentity::Default | ReplicaIdentity::Index) {
        return;
    }
    let flagged: Vec<i16> = facts
        .streamed()
        .zip(&relation.columns)
        .filter(|(_, column)| column.in_identity)
        .map(|(known, _)| known.attnum)
        .collect();
    let is_same = |key: &KeyFacts| {
        key.columns.len() == flagged.len() && key.columns.iter().all(|number| flagged.contains(number))
    };
    if !flagged.is_empty() && !facts.key.as_ref().is_some_and(is_same) {
        let told: Option<Vec<i16>> = last.and_then(|last| {
            let number = |name: &String| {
                facts.columns.iter().find(|column| column.name == *name).map(|column| column.attnum)
            };
            last.shape.key.iter().map(number).collect()
        });
        let told = told
            .filter(|told| told.len() == flagged.len() && told.iter().all(|number| flagged.contains(number)));
        facts.key = Some(KeyFacts {
            columns: told.unwrap_or_else(|| flagged.clone()),
            primary: relation.identity == ReplicaIdentity::Default,
            identity: relation.identity == ReplicaIdentity::Index,
            immediate: true,
        });
        facts.identity_columns = Some(flagged.clone());
    }
    for column in facts.columns.iter_mut().filter(|column| flagged.contains(&column.attnum)) {
        column.not_null = true;
    }
}

/// Whether the stream describes the table as the catalog does.
pub(super) fn is_described_by(facts: &TableFacts, relation: &Relation) -> bool {
    facts.schema == relation.schema
        && facts.table == relation.table
        && facts.identity == relation.identity
        && facts.streamed().count() == relation.columns.len()
        && facts.streamed().zip(&relation.columns).all(|(known, column)| {
            known.name == column.name
                && known.type_oid == column.type_oid
                && known.modifier == column.type_modifier
        })
}

/// Whether the key is what old rows tell, by an index.
fn has_identity_as_key(record: &RelationRecord) -> bool {
    matches!(record.shape.key_from.as_str(), "primary_key" | "identity_index" | "identity")
}

/// What the stream said of a table when it was told like this.
pub(super) fn described(record: &RelationRecord) -> Relation {
    let tells_key = has_identity_as_key(record);
    let columns = record.shape.columns.iter().filter(|column| !column.generated);
    Relation {
        id: record.id(),
        schema: record.schema.clone(),
        table: record.table.clone(),
        identity: identity_named(&record.shape.identity),
        columns: columns
            .map(|column| RelationColumn {
                name: column.name.clone(),
                type_oid: column.type_oid as u32,
                type_modifier: column.modifier,
                in_identity: tells_key && record.shape.key.contains(&column.name),
            })
            .collect(),
    }
}

/// Whether the stream describes the table as the record does.
pub(super) fn is_described_by_record(record: &RelationRecord, relation: &Relation) -> bool {
    let columns = || record.shape.columns.iter().filter(|column| !column.generated);
    let tells_key = has_identity_as_key(record)
        && matches!(relation.identity, ReplicaIdentity::Default | ReplicaIdentity::Index);
    record.oid == i64::from(relation.id.0)
        && record.shape.identity == identity_name(relation.identity)
        && columns().count() == relation.columns.len()
        && columns().zip(&relation.columns).all(|(told, column)| {
            told.name == column.name
                && told.type_oid == i64::from(column.type_oid)
                && told.modifier == column.type_modifier
                && (!tells_key || record.shape.key.contains(&told.name) == column.in_identity)
        })
}

/// The numbers of the relation's columns, 0 for those that nothing is known of. Columns stand in the order of their
/// numbers.
fn numbers(relation: &Relation, last: Option<&RelationRecord>, now: Option<&TableFacts>) -> (Vec<i16>, bool) {
    let told: Vec<(&str, i16)> = last
        .map(|last| {
            let columns = last.shape.columns.iter().filter(|column| !column.generated && column.attnum > 0);
            columns.map(|column| (column.name.as_str(), column.attnum as i16)).collect()
        })
        .unwrap_or_default();
    let found: Vec<(&str, i16)> = now
        .map(|now| now.streamed().map(|column| (column.name.as_str(), column.attnum)).collect())
        .unwrap_or_default();
    let by_name = |name: &str| {
        let named =
            |known: &[(&str, i16)]| known.iter().find(|(other, _)| *other == name).map(|(_, number)| *number);
        named(&told).or_else(|| named(&found))
    };
    let mut numbers: Vec<i16> =
        relation.columns.iter().map(|column| by_name(&column.name).unwrap_or_default()).collect();
    if numbers.iter().all(|number| *number > 0) && numbers.is_sorted_by(|a, b| a < b) {
        return (numbers, true);
    }
    let is_sorted = numbers.iter().filter(|number| **number > 0).is_sorted();
    if is_sorted && told.iter().all(|(_, number)| numbers.contains(number)) {
        // Whatever was told is there: the others were added, and are gone from the catalog by now.
        return (numbers, true);
    }
    // Some were renamed. Each stands between its neighbours.
    let mut candidates: Vec<i16> = told.iter().chain(&found).map(|(_, number)| *number).collect();
    candidates.sort_unstable();
    candidates.dedup();
    let known: Vec<i16> = numbers.iter().copied().filter(|number| *number > 0).collect();
    if !known.is_sorted_by(|a, b| a < b) {
        // Names have changed places: by their order, if that fits.
        numbers = if told.len() == relation.columns.len() {
            told.iter().map(|(_, number)| *number).collect()
        } else {
            vec![0; relation.columns.len()]
        };
        return (numbers, false);
    }
    // So do several in a row, if as many are missing there.
    let (mut known, mut candidates) = (known.into_iter().peekable(), candidates.into_iter().peekable());
    for columns in numbers.chunk_by_mut(|a, b| (*a > 0) == (*b > 0)) {
        let is_known = columns.first().is_some_and(|number| *number > 0);
        if is_known {
            known.by_ref().take(columns.len()).for_each(drop);
            let last = columns.last().copied().unwrap_or_default();
            while candidates.next_if(|candidate| *candidate <= last).is_some() {}
        } else {
            let after = known.peek().copied().unwrap_or(i16::MAX);
            let between: Vec<i16> =
                std::iter::from_fn(|| candidates.next_if(|candidate| *candidate < after)).collect();
            if between.len() == columns.len() {
                columns.copy_from_slice(&between);
            }
        }
    }
    (numbers, false)
}

fn column_facts(
    column: &RelationColumn,
    attnum: i16,
    last: Option<&RelationRecord>,
    now: Option<&TableFacts>,
) -> ColumnFacts {
    let is_it = |number: i16, name: &str| if attnum > 0 { number == attnum } else { name == column.name };
    let told =
        last.and_then(|last| last.shape.columns.iter().find(|known| is_it(known.attnum as i16, &known.name)));
    let found = now.and_then(|now| now.columns.iter().find(|known| is_it(known.attnum, &known.name)));
    let same_type = |oid: u32, modifier: i32| oid == column.type_oid && modifier == column.type_modifier;
    let found_type = found
        .filter(|known| same_type(known.type_oid, known.modifier))
        .map(|known| (known.type_name.clone(), known.base.clone()));
    let told_type = told
        .filter(|known| same_type(known.type_oid as u32, known.modifier))
        .map(|known| (known.r#type.clone(), known.base.clone()));
    let (type_name, base) =
        told_type.or(found_type).unwrap_or_else(|| (format!("type {}", column.type_oid), None));
    ColumnFacts {
        attnum,
        name: column.name.clone(),
        type_oid: column.type_oid,
        modifier: column.type_modifier,
        type_name,
        base,
        not_null: told.map(|known| !known.nullable).or(found.map(|known| known.not_null)).unwrap_or_default(),
        generated: false,
        default: found
            .filter(|known| known.type_oid == column.type_oid)
            .and_then(|known| known.default.clone()),
        missing: told
            .and_then(|known| known.missing.clone())
            .or_else(|| found.and_then(|known| known.missing.clone())),
        labels: found
            .filter(|known| known.type_oid == column.type_oid)
            .map(|known| known.labels.clone())
            .unwrap_or_default(),
    }
}

/// The key that was told last, if its columns are still there under these numbers, else the catalog's.
fn key(columns: &[ColumnFacts], last: Option<&RelationRecord>, now: Option<&TableFacts>) -> Option<KeyFacts> {
    let is_there = |key: &KeyFacts| {
        key.columns.iter().all(|number| columns.iter().any(|column| column.attnum == *number))
    };
    let found = now.and_then(|now| now.key.clone()).filter(&is_there);
    let told = last.filter(|last| !last.shape.key.is_empty() && last.shape.key_from != "configuration").map(
        |last| {
            let number = |name: &String| {
                let column = last.shape.columns.iter().find(|column| column.name == *name);
                column.map_or(0, |column| column.attnum as i16)
            };
            KeyFacts {
                columns: last.shape.key.iter().map(number).collect(),
                primary: last.shape.key_from == "primary_key",
                identity: last.shape.key_from == "identity_index",
                immediate: found.as_ref().is_none_or(|found| found.immediate),
            }
        },
    );
    found.clone().or(told.filter(&is_there))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pgoutput::RelationId;
    use crate::relation::record::{self, RelationShape};

    fn relation(names: &[&str]) -> Relation {
        Relation {
            id: RelationId(7),
            schema: "s".into(),
            table: "t".into(),
            identity: ReplicaIdentity::Default,
            columns: names
                .iter()
                .map(|name| RelationColumn {
                    name: (*name).into(),
                    type_oid: 25,
                    type_modifier: -1,
                    in_identity: *name == "id",
                })
                .collect(),
        }
    }

    fn facts(columns: &[(i16, &str)]) -> TableFacts {
        TableFacts {
            oid: 7,
            schema: "s".into(),
            table: "t".into(),
            partitioned: false,
            identity: ReplicaIdentity::Default,
            filenode: 2,
            columns: columns
                .iter()
                .map(|(attnum, name)| ColumnFacts {
                    attnum: *attnum,
                    name: (*name).into(),
                    type_oid: 25,
                    modifier: -1,
                    type_name: "text".into(),
                    base: None,
                    not_null: false,
                    generated: false,
                    default: None,
                    missing: None,
                    labels: Vec::new(),
                })
                .collect(),
            key: Some(KeyFacts { columns: vec![1], primary: true, identity: false, immediate: true }),
            identity_columns: Some(vec![1]),
            leaves: Vec::new(),
            row_filter: None,
        }
    }

    fn told(columns: &[(i16, &str)]) -> RelationRecord {
        let columns = facts(columns).columns.into_iter().map(|column| record::RelationColumn {
            attnum: i32::from(column.attnum),
            field: column.name.clone(),
            name: column.name,
            former_fields: Vec::new(),
            type_oid: 25,
            r#type: "text".into(),
            base: None,
            modifier: -1,
            nullable: false,
            generated: false,
            captured: true,
            masked: false,
            missing: Some("m".into()),
            labels: Vec::new(),
        });
        RelationRecord {
            kind: record::RELATION.into(),
            schema: "s".into(),
            table: "t".into(),
            oid: 7,
            topic: String::new(),
            commit_lsn: 0,
            ordinal: 0,
            learned_from: String::new(),
            image: None,
            changes: Vec::new(),
            shape: RelationShape {
                identity: "default".into(),
                key: vec!["id".into()],
                key_from: "primary_key".into(),
                filenode: 1,
                columns: columns.collect(),
                ..RelationShape::default()
            },
        }
    }

    fn check(
        names: &[&str],
        last: Option<&[(i16, &str)]>,
        now: Option<&[(i16, &str)]>,
        expected: &[i16],
        certain: bool,
    ) {
        let (last, now) = (last.map(told), now.map(facts));
        let believed = believed(&relation(names), last.as_ref(), now.as_ref());
        let numbers: Vec<i16> = believed.facts.columns.iter().map(|column| column.attnum.max(0)).collect();
        assert_eq!((numbers.as_slice(), believed.is_certain), (expected, certain), "{names:?}");
    }

    #[test]
    fn columns_get_their_numbers() {
        let last: Option<&[(i16, &str)]> = Some(&[(1, "id"), (2, "v")]);
        // As the catalog has it.
        check(&["id", "w"], last, Some(&[(1, "id"), (2, "w")]), &[1, 2], true);
        // As it was told, and the catalog has moved on.
        check(&["id", "v"], last, Some(&[(1, "id"), (3, "x")]), &[1, 2], true);
        check(&["id", "v"], last, None, &[1, 2], true);
        // In between: renamed to `w`, and the catalog calls it `x` by now.
        check(&["id", "w"], last, Some(&[(1, "id"), (2, "x")]), &[1, 2], false);
        // Both, and both have other names by now.
        check(&["k", "w"], last, Some(&[(1, "id2"), (2, "x")]), &[1, 2], false);
        check(&["k", "w"], last, None, &[1, 2], false);
        check(&["id", "w", "y"], last, Some(&[(1, "id"), (2, "x")]), &[1, 0, 0], false);
        let three: Option<&[(i16, &str)]> = Some(&[(1, "id"), (2, "v"), (4, "z")]);
        check(&["k", "v", "y"], three, None, &[1, 2, 4], false);
        // Added, and dropped again by now.
        check(&["id", "v", "a"], last, Some(&[(1, "id"), (2, "v"), (3, "b"), (4, "c")]), &[1, 2, 0], true);
        check(&["v", "id"], last, None, &[1, 2], false);
        check(&["id"], None, None, &[0], true);
    }

    #[test]
    fn what_was_told_outlives_the_table() {
        let believed = believed(&relation(&["id", "v"]), Some(&told(&[(1, "id"), (2, "v")])), None).facts;
        assert_eq!(believed.filenode, 1);
        assert_eq!(believed.identity_columns, Some(vec![1]));
        assert_eq!(believed.key.map(|key| (key.columns, key.primary)), Some((vec![1], true)));
        assert!(
            believed.columns.iter().all(|column| column.not_null && column.missing.as_deref() == Some("m"))
        );
    }
}
