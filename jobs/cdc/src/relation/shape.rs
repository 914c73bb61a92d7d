use super::record::{Leaf, RelationColumn, RelationShape};
use crate::pgoutput::ReplicaIdentity;
use crate::source::{LeafFacts, TableFacts};
use crate::table::TableShape;

impl RelationShape {
    /// What records say of a table that the catalog knows like this and that is captured in this shape.
    pub(crate) fn new(facts: &TableFacts, shape: &TableShape) -> Self {
        let columns = facts.columns.iter().map(|column| {
            let captured =
                shape.columns.iter().find(|known| known.name == column.name).filter(|_| !column.generated);
            RelationColumn {
                attnum: i32::from(column.attnum.max(0)),
                name: column.name.clone(),
                field: captured.map(|column| column.field.clone()).unwrap_or_default(),
                former_fields: captured.map(|column| column.former_fields.clone()).unwrap_or_default(),
                type_oid: i64::from(column.type_oid),
                r#type: column.type_name.clone(),
                base: column.base.clone(),
                modifier: column.modifier,
                nullable: captured.map_or(!column.not_null, |column| column.nullable),
                generated: column.generated,
                captured: captured.is_some_and(|column| column.captured),
                masked: captured.is_some_and(|column| column.captured && column.mask.is_some()),
                missing: column.missing.clone(),
                labels: column.labels.clone(),
            }
        });
        Self {
            identity: identity_name(facts.identity).to_owned(),
            key: shape.key_columns().map(|column| column.name.clone()).collect(),
            key_from: key_from(facts, shape).to_owned(),
            partitioned: facts.partitioned,
            filenode: i64::from(facts.filenode),
            columns: columns.collect(),
            leaves: facts.leaves.iter().map(Leaf::new).collect(),
            row_filter: facts.row_filter.clone(),
        }
    }

    /// Takes over what only an earlier record knows: the value that old rows have is forgotten by the catalog when the table is
    /// written anew, yet consumers may not have those rows anew. What a domain is made of is lost with the domain.
    pub(super) fn remember(&mut self, before: &Self) {
        for column in &mut self.columns {
            let earlier =
                before.columns.iter().find(|earlier| earlier.attnum == column.attnum && column.attnum > 0);
            if let Some(earlier) = earlier {
                column.missing = column.missing.take().or_else(|| earlier.missing.clone());
                if earlier.type_oid == column.type_oid {
                    column.base = column.base.take().or_else(|| earlier.base.clone());
                }
            }
        }
    }
}

/// PostgreSQL's word.
pub(super) fn identity_name(identity: ReplicaIdentity) -> &'static str {
    match identity {
        ReplicaIdentity::Default => "default",
        ReplicaIdentity::Nothing => "nothing",
        ReplicaIdentity::Full => "full",
        ReplicaIdentity::Index => "index",
    }
}

/// The identity of a word that [`identity_name`] has given.
pub(super) fn identity_named(word: &str) -> ReplicaIdentity {
    match word {
        "nothing" => ReplicaIdentity::Nothing,
        "full" => ReplicaIdentity::Full,
        "index" => ReplicaIdentity::Index,
        _ => ReplicaIdentity::Default,
    }
}

fn key_from(facts: &TableFacts, shape: &TableShape) -> &'static str {
    if shape.key.is_empty() {
        return "none";
    }
    match &facts.key {
        _ if shape.own_key => "configuration",
        Some(key) if key.identity => "identity_index",
        Some(key) if key.primary => "primary_key",
        Some(_) => "unique_index",
        None => "identity",
    }
}

impl Leaf {
    fn new(facts: &LeafFacts) -> Self {
        Self {
            schema: facts.schema.clone(),
            table: facts.table.clone(),
            oid: i64::from(facts.oid),
            filenode: i64::from(facts.filenode),
        }
    }

    pub(super) fn facts(&self) -> LeafFacts {
        LeafFacts {
            oid: self.oid as u32,
            schema: self.schema.clone(),
            table: self.table.clone(),
            filenode: self.filenode as u32,
        }
    }
}
