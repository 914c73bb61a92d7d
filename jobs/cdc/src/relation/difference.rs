//! What differs between two descriptions of a table.

use super::record::{Change, RelationColumn, RelationShape};

/// The words that records use for differences.
pub(crate) struct What;

impl What {
    /// Nothing was told of a table of this name before.
    pub(crate) const FIRST: &'static str = "first";
    /// Another table has the name now: the rows of the one before are gone.
    pub(crate) const REPLACED: &'static str = "replaced";
    /// Rows were changed, added or removed and no event tells it: an image follows.
    pub(crate) const ROWS: &'static str = "rows";
    /// Events of the table are in another topic from here on.
    pub(crate) const TOPIC: &'static str = "topic";
    pub(crate) const ADDED: &'static str = "column_added";
    pub(crate) const DROPPED: &'static str = "column_dropped";
    pub(crate) const RENAMED: &'static str = "column_renamed";
    pub(crate) const RETYPED: &'static str = "column_retyped";
    pub(crate) const NULLABILITY: &'static str = "nullability";
    /// The column is, or is no more, in the events.
    pub(crate) const CAPTURED: &'static str = "captured";
    /// Events have a mask of the value, or the value itself again.
    pub(crate) const MASKED: &'static str = "masked";
    pub(crate) const FIELD: &'static str = "field_renamed";
    pub(crate) const LABEL_ADDED: &'static str = "label_added";
    pub(crate) const LABEL_RENAMED: &'static str = "label_renamed";
    pub(crate) const LABEL_DROPPED: &'static str = "label_dropped";
    pub(crate) const KEY: &'static str = "key";
    pub(crate) const IDENTITY: &'static str = "identity";
    /// The publication chooses other rows.
    pub(crate) const ROW_FILTER: &'static str = "row_filter";
    pub(crate) const LEAF_ATTACHED: &'static str = "leaf_attached";
    pub(crate) const LEAF_DETACHED: &'static str = "leaf_detached";
    /// A leaf was truncated, or written anew.
    pub(crate) const LEAF_REWRITTEN: &'static str = "leaf_rewritten";
}

impl Change {
    pub(crate) fn new(what: &str) -> Self {
        Self { what: what.to_owned(), column: None, before: None, after: None }
    }

    fn of(column: &str, what: &str) -> Self {
        Self { column: Some(column.to_owned()), ..Self::new(what) }
    }

    pub(super) fn changed(mut self, before: impl Into<String>, after: impl Into<String>) -> Self {
        self.before = Some(before.into());
        self.after = Some(after.into());
        self
    }

    /// Whether a value of an enum has another name.
    pub(crate) fn renames_label(&self) -> bool {
        self.what == What::LABEL_RENAMED
    }

    /// Whether nothing was told of the table before.
    pub(crate) fn is_first(&self) -> bool {
        self.what == What::FIRST
    }

    /// Whether the rows are known only once the table has been read as a whole.
    pub(crate) fn needs_image(&self) -> bool {
        matches!(self.what.as_str(), What::FIRST | What::REPLACED | What::ROWS | What::TOPIC)
    }
}

impl RelationShape {
    /// What has changed since `before`, in the same table. Where the columns can't be told apart for sure (`!is_certain`), any
    /// change of columns is one of rows too.
    pub(crate) fn changes_since(&self, before: &Self, is_certain: bool) -> Vec<Change> {
        let mut changes = Vec::new();
        let mut rows = false;
        let rewritten = before.filenode != self.filenode;
        for column in &self.columns {
            match before.columns.iter().find(|earlier| earlier.is_same(column)) {
                None => {
                    rows |= rewritten && column.missing.is_none() && !column.generated;
                    changes.push(Change {
                        after: Some(column.r#type.clone()),
                        ..Change::of(&column.name, What::ADDED)
                    });
                }
                Some(earlier) => {
                    rows |= rewritten && !column.has_type_of(earlier);
                    rows |= column.captured && !earlier.captured && !earlier.generated;
                    rows |= column.captured && !column.masked && earlier.masked;
                    column.changes_since(earlier, &mut changes);
                }
            }
        }
        for earlier in &before.columns {
            if !self.columns.iter().any(|column| column.is_same(earlier)) {
                changes.push(Change::of(&earlier.name, What::DROPPED));
            }
        }
        rows |= !is_certain && !changes.is_empty();
        if before.key != self.key {
            changes.push(Change::new(What::KEY).changed(before.key.join(", "), self.key.join(", ")));
        }
        if before.identity != self.identity {
            changes.push(Change::new(What::IDENTITY).changed(&before.identity, &self.identity));
        }
        if before.row_filter != self.row_filter {
            rows = true;
            changes.push(Change {
                before: before.row_filter.clone(),
                after: self.row_filter.clone(),
                ..Change::new(What::ROW_FILTER)
            });
        }
        rows |= self.leaf_changes_since(before, &mut changes);
        if rows {
            changes.push(Change::new(What::ROWS));
        }
        changes
    }

    fn leaf_changes_since(&self, before: &Self, changes: &mut Vec<Change>) -> bool {
        let count = changes.len();
        for leaf in &self.leaves {
            let name = format!("{}.{}", leaf.schema, leaf.table);
            let what = match before.leaves.iter().find(|earlier| earlier.oid == leaf.oid) {
                None => What::LEAF_ATTACHED,
                Some(earlier) if earlier.filenode != leaf.filenode => What::LEAF_REWRITTEN,
                Some(_) => continue,
            };
            changes.push(Change { after: Some(name), ..Change::new(what) });
        }
        for earlier in &before.leaves {
            if !self.leaves.iter().any(|leaf| leaf.oid == earlier.oid) {
                let name = format!("{}.{}", earlier.schema, earlier.table);
                changes.push(Change { before: Some(name), ..Change::new(What::LEAF_DETACHED) });
            }
        }
        changes.len() > count
    }
}

impl RelationColumn {
    /// Whether it is the same column, however it was renamed.
    fn is_same(&self, other: &Self) -> bool {
        if self.attnum == 0 || other.attnum == 0 {
            self.name == other.name
        } else {
            self.attnum == other.attnum
        }
    }

    fn has_type_of(&self, other: &Self) -> bool {
        self.type_oid == other.type_oid && self.modifier == other.modifier
    }

    fn changes_since(&self, before: &Self, changes: &mut Vec<Change>) {
        let change = |what| Change::of(&self.name, what);
        if self.name != before.name {
            changes.push(change(What::RENAMED).changed(&before.name, &self.name));
        }
        if !self.has_type_of(before) {
            changes.push(change(What::RETYPED).changed(&before.r#type, &self.r#type));
        }
        if self.nullable != before.nullable {
            let word = |nullable| if nullable { "null" } else { "not null" };
            changes.push(change(What::NULLABILITY).changed(word(before.nullable), word(self.nullable)));
        }
        if self.captured != before.captured {
            changes
                .push(change(What::CAPTURED).changed(before.captured.to_string(), self.captured.to_string()));
        }
        if self.masked != before.masked {
            changes.push(change(What::MASKED).changed(before.masked.to_string(), self.masked.to_string()));
        }
        if self.field != before.field {
            changes.push(change(What::FIELD).changed(&before.field, &self.field));
        }
        // Of another type, nothing is known of the labels before.
        if self.type_oid != before.type_oid {
            return;
        }
        for label in &self.labels {
            match before.labels.iter().find(|earlier| earlier.oid == label.oid) {
                None => {
                    changes.push(Change { after: Some(label.label.clone()), ..change(What::LABEL_ADDED) });
                }
                Some(earlier) if earlier.label != label.label => {
                    changes.push(change(What::LABEL_RENAMED).changed(&earlier.label, &label.label));
                }
                Some(_) => {}
            }
        }
        for earlier in
            before.labels.iter().filter(|earlier| !self.labels.iter().any(|now| now.oid == earlier.oid))
        {
            changes.push(Change { before: Some(earlier.label.clone()), ..change(What::LABEL_DROPPED) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::{Label, Leaf};
    use super::*;

    fn column(attnum: i32, name: &str, kind: &str) -> RelationColumn {
        RelationColumn {
            attnum,
            name: name.into(),
            field: name.into(),
            former_fields: Vec::new(),
            type_oid: kind.bytes().map(i64::from).sum(),
            r#type: kind.into(),
            base: None,
            modifier: -1,
            nullable: true,
            generated: false,
            captured: true,
            masked: false,
            missing: None,
            labels: Vec::new(),
        }
    }

    fn shape(columns: Vec<RelationColumn>) -> RelationShape {
        RelationShape {
            identity: "default".into(),
            key: vec!["id".into()],
            filenode: 1,
            columns,
            ..RelationShape::default()
        }
    }

    fn check(after: &RelationShape, certain: bool, expected: &[&str]) {
        let before = shape(vec![column(1, "id", "int4"), column(2, "v", "text")]);
        let changes = after.changes_since(&before, certain);
        let words: Vec<String> = changes
            .iter()
            .map(|change| format!("{} {}", change.what, change.column.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(words, expected);
    }

    #[test]
    fn columns_are_told_apart_by_their_numbers() {
        check(&shape(vec![column(1, "id", "int4"), column(2, "v", "text")]), true, &[]);
        check(
            &shape(vec![column(1, "id", "int4"), column(2, "w", "text")]),
            true,
            &["column_renamed w", "field_renamed w"],
        );
        check(
            &shape(vec![column(1, "id", "int4"), column(3, "v", "text")]),
            true,
            &["column_added v", "column_dropped v"],
        );
        check(&shape(vec![column(1, "id", "int8"), column(2, "v", "text")]), true, &["column_retyped id"]);
        check(&shape(vec![column(1, "id", "int4")]), false, &["column_dropped v", "rows -"]);
    }

    #[test]
    fn rows_written_anew_need_an_image_where_values_may_have_changed() {
        let rewritten = |columns| RelationShape { filenode: 2, ..shape(columns) };
        check(&rewritten(vec![column(1, "id", "int4"), column(2, "v", "text")]), true, &[]);
        check(
            &rewritten(vec![column(1, "id", "int8"), column(2, "v", "text")]),
            true,
            &["column_retyped id", "rows -"],
        );
        let added = column(3, "c", "int4");
        let all = |added| vec![column(1, "id", "int4"), column(2, "v", "text"), added];
        check(&rewritten(all(added.clone())), true, &["column_added c", "rows -"]);
        check(&shape(all(added.clone())), true, &["column_added c"]);
        check(
            &rewritten(all(RelationColumn { missing: Some("5".into()), ..added })),
            true,
            &["column_added c"],
        );
    }

    #[test]
    fn a_mask_that_is_taken_away_needs_an_image() {
        let with = |masked| shape(vec![RelationColumn { masked, ..column(2, "v", "text") }]);
        let words = |before: bool, after: bool| -> Vec<String> {
            with(after).changes_since(&with(before), true).into_iter().map(|change| change.what).collect()
        };
        assert_eq!(words(false, true), ["masked"]);
        assert_eq!(words(true, false), ["masked", "rows"]);
    }

    #[test]
    fn leaves_that_come_and_go_change_rows() {
        let leaf = |oid, filenode| Leaf { schema: "s".into(), table: format!("l{oid}"), oid, filenode };
        let with = |leaves| RelationShape { leaves, ..shape(Vec::new()) };
        let before = with(vec![leaf(1, 1), leaf(2, 2)]);
        let words = |after: RelationShape| -> Vec<String> {
            after.changes_since(&before, true).into_iter().map(|change| change.what).collect()
        };
        assert!(words(before.clone()).is_empty());
        assert_eq!(words(with(vec![leaf(1, 7), leaf(2, 2)])), ["leaf_rewritten", "rows"]);
        assert_eq!(words(with(vec![leaf(1, 1), leaf(3, 3)])), ["leaf_attached", "leaf_detached", "rows"]);
    }

    #[test]
    fn labels_are_told_apart_by_their_oids() {
        let label = |oid, label: &str| Label { oid, label: label.into() };
        let with = |labels| shape(vec![RelationColumn { labels, ..column(1, "m", "mood") }]);
        let before = with(vec![label(1, "a"), label(2, "b")]);
        let words: Vec<String> = with(vec![label(1, "z"), label(3, "c")])
            .changes_since(&before, true)
            .into_iter()
            .map(|change| format!("{} {:?} {:?}", change.what, change.before, change.after))
            .collect();
        assert_eq!(
            words,
            [
                "label_renamed Some(\"a\") Some(\"z\")",
                "label_added None Some(\"c\")",
                "label_dropped Some(\"b\") None"
            ]
        );
    }
}
