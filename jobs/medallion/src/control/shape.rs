//! What a source table looked like, from when to when.

use std::collections::HashSet;

use lakepulse_types::SourceType;

use super::Position;
use super::relation::{Change, GONE, IMAGE_BEGIN, IMAGE_END, RELATION, RelationColumn, RelationRecord};
use crate::lake::text_literal;

/// A column as events have it, and its name in the lakehouse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShapeColumn {
    /// Its number at the source, which stays when it is renamed; 0 while capture does not know it.
    pub attnum: i32,
    /// Its name at the source.
    pub name: String,
    /// Its name in events.
    pub field: String,
    /// Its name in the lakehouse: the source's, unless another column has that but for upper and lower case.
    pub column: String,
    pub source: SourceType,
    /// Events have a mask of the value, which is a text.
    pub masked: bool,
    pub missing: Option<String>,
}

impl ShapeColumn {
    /// What the lakehouse's column is: of masked values, a text.
    pub fn lake_type(&self) -> SourceType {
        if self.masked { SourceType::Text("text".to_owned()) } else { self.source.clone() }
    }

    /// Spark SQL: what rows have that were written before the column existed.
    pub(crate) fn missing_value(&self) -> String {
        let value = |text: &String| self.lake_type().typed_canonical(&text_literal(text));
        self.missing.as_ref().map_or_else(|| "NULL".to_owned(), value)
    }

    /// Whether another shape's column is this one.
    pub fn is(&self, other: &Self) -> bool {
        if self.attnum == 0 || other.attnum == 0 {
            self.name == other.name
        } else {
            self.attnum == other.attnum
        }
    }
}

/// What a table looks like from a position on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Counts the shapes of the table from 1.
    pub version: i32,
    pub from: Position,
    pub columns: Vec<ShapeColumn>,
    /// Names of columns in the lakehouse, in the key's order; empty when nothing identifies a row.
    pub key: Vec<String>,
    /// Events of updates and deletes have the whole row before.
    pub is_identity_full: bool,
    /// Differences to the shape before.
    pub changes: Vec<Change>,
}

impl Shape {
    pub fn column(&self, name: &str) -> Option<&ShapeColumn> {
        self.columns.iter().find(|column| column.column == name)
    }

    /// Whether rows are known by the same columns, whatever their names.
    pub fn has_key_of(&self, other: &Self) -> bool {
        let same = |(name, former): (&String, &String)| match (self.column(name), other.column(former)) {
            (Some(column), Some(former)) => column.is(former),
            _ => false,
        };
        self.key.len() == other.key.len() && self.key.iter().zip(&other.key).all(same)
    }

    /// Whether rows that were there before count no more: an image follows.
    pub fn needs_image(&self) -> bool {
        self.changes
            .iter()
            .any(|change| matches!(change.what.as_str(), "first" | "topic" | "replaced" | "rows"))
    }

    fn of(record: &RelationRecord, version: i32) -> Result<Self, String> {
        let captured: Vec<&RelationColumn> = record.columns.iter().filter(|column| column.captured).collect();
        let columns: Vec<ShapeColumn> = named(&captured)
            .into_iter()
            .zip(captured)
            .map(|(name, column)| {
                let r#type = column.base.as_ref().unwrap_or(&column.r#type);
                ShapeColumn {
                    attnum: column.attnum,
                    name: column.name.clone(),
                    field: column.field.clone(),
                    column: name,
                    source: r#type.parse().unwrap_or_else(|_| SourceType::Text(r#type.clone())),
                    masked: column.masked,
                    missing: column.missing.clone(),
                }
            })
            .collect();
        let key = record
            .key
            .iter()
            .map(|name| {
                let column = columns.iter().find(|column| column.name == *name);
                column
                    .map(|column| column.column.clone())
                    .ok_or_else(|| format!("key column {name} is not in the events"))
            })
            .collect::<Result<Vec<_>, String>>()?;
        Ok(Self {
            version,
            from: record.position(),
            columns,
            key,
            is_identity_full: record.identity == "full",
            changes: record.changes.clone(),
        })
    }
}

/// The names of columns in the lakehouse. Spark and Trino do not tell upper from lower case: the first of columns that differ in
/// case alone, in the order of their numbers, keeps its name, and the others get their number behind it.
fn named(columns: &[&RelationColumn]) -> Vec<String> {
    let mut order: Vec<usize> = (0..columns.len()).collect();
    order.sort_by_key(|index| columns.get(*index).map(|column| column.attnum));
    let sources: HashSet<String> = columns.iter().map(|column| column.name.to_lowercase()).collect();
    let mut taken = HashSet::new();
    let mut names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
    for index in order {
        let (Some(name), Some(column)) = (names.get_mut(index), columns.get(index)) else { continue };
        if !taken.insert(name.to_lowercase()) {
            let mut number = column.attnum.to_string();
            while sources.contains(&format!("{name}_{number}").to_lowercase()) {
                number.push('_');
            }
            *name = format!("{name}_{number}");
            taken.insert(name.to_lowercase());
        }
    }
    names
}

/// Rows of a whole table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Its rows, and all events since then that make up the table, are from here on.
    pub begin: Position,
    /// From here on it is whole; none while it is being read.
    pub end: Option<Position>,
}

/// All that was told of a source table, in its order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceTable {
    /// `schema.table`.
    pub name: String,
    pub schema: String,
    pub table: String,
    pub shapes: Vec<Shape>,
    pub images: Vec<Image>,
    /// Since when there is no such table, or it is not captured.
    pub gone: Option<Position>,
    /// Why its shape can't be followed.
    pub unreadable: Option<(Position, String)>,
}

impl SourceTable {
    pub(super) fn new(record: &RelationRecord) -> Self {
        Self {
            name: format!("{}.{}", record.schema, record.table),
            schema: record.schema.clone(),
            table: record.table.clone(),
            shapes: Vec::new(),
            images: Vec::new(),
            gone: None,
            unreadable: None,
        }
    }

    /// Where the last thing was told of it; the start if nothing was.
    pub(crate) fn last_told(&self) -> Position {
        let shapes = self.shapes.last().map(|shape| shape.from);
        let image = self.images.last().map(|image| image.end.unwrap_or(image.begin));
        let unreadable = self.unreadable.as_ref().map(|(position, _)| *position);
        let start = Position { commit_lsn: -1, ordinal: -1 };
        [shapes, image, self.gone, unreadable].into_iter().flatten().max().unwrap_or(start)
    }

    pub(super) fn tell(&mut self, record: &RelationRecord) {
        let position = record.position();
        match record.kind.as_str() {
            RELATION => {
                self.gone = None;
                match Shape::of(record, self.shapes.len() as i32 + 1) {
                    Ok(shape) => self.shapes.push(shape),
                    Err(reason) => {
                        self.unreadable.get_or_insert((position, reason));
                    }
                }
            }
            GONE => self.gone = Some(position),
            IMAGE_BEGIN => self.images.push(Image { begin: position, end: None }),
            IMAGE_END => {
                if let Some(image) = self.images.last_mut() {
                    image.end = Some(position);
                }
            }
            _ => {}
        }
    }

    /// The shapes that events above one LSN and not above another may have, the oldest first.
    pub fn shapes_between(&self, above: i64, to: i64) -> &[Shape] {
        let end = self.shapes.iter().take_while(|shape| shape.from <= Position::end_of(to)).count();
        let shapes = self.shapes.get(..end).unwrap_or_default();
        let begun = shapes.iter().take_while(|shape| shape.from <= Position::end_of(above)).count();
        shapes.get(begun.saturating_sub(1)..).unwrap_or_default()
    }

    /// The shape at an LSN.
    pub fn shape_at(&self, lsn: i64) -> Option<&Shape> {
        self.shapes.iter().take_while(|shape| shape.from <= Position::end_of(lsn)).last()
    }

    /// Whether the table as it is at an LSN is told by an image that is not whole then, or has not begun.
    pub fn waits_for_image(&self, lsn: i64) -> bool {
        let end = Position::end_of(lsn);
        let since = self
            .shapes
            .iter()
            .rev()
            .filter(|shape| shape.from <= end)
            .find(|shape| shape.needs_image())
            .map(|shape| shape.from);
        let begun = || self.images.iter().filter(|image| image.begin <= end);
        let is_missing = since.is_some_and(|since| begun().all(|image| image.begin < since));
        is_missing || begun().next_back().is_some_and(|image| image.end.is_none_or(|whole| whole > end))
    }

    /// The last image that is whole at an LSN.
    pub fn image_at(&self, lsn: i64) -> Option<Image> {
        let is_whole = |image: &&Image| image.end.is_some_and(|end| end <= Position::end_of(lsn));
        self.images.iter().rev().find(is_whole).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(attnum: i32, name: &str) -> RelationColumn {
        RelationColumn {
            attnum,
            name: name.into(),
            field: name.into(),
            r#type: "integer".into(),
            base: None,
            captured: true,
            masked: false,
            missing: None,
        }
    }

    fn record(kind: &str, commit_lsn: i64, columns: Vec<RelationColumn>) -> RelationRecord {
        RelationRecord {
            kind: kind.into(),
            schema: "s".into(),
            table: "t".into(),
            topic: "p.s.t".into(),
            commit_lsn,
            ordinal: 0,
            changes: Vec::new(),
            identity: "default".into(),
            key: vec!["id".into()],
            columns,
        }
    }

    #[test]
    fn columns_that_differ_in_case_have_names_of_their_own() {
        let check = |names: &[&str], expected: &[&str]| {
            let columns: Vec<RelationColumn> =
                names.iter().zip(1..).map(|(name, number)| column(number, name)).collect();
            assert_eq!(named(&columns.iter().collect::<Vec<_>>()), expected);
        };
        check(&["id", "a b", "größe"], &["id", "a b", "größe"]);
        check(&["id", "ID", "Id"], &["id", "ID_2", "Id_3"]);
        check(&["a", "A", "a_2"], &["a", "A_2_", "a_2"]);
    }

    #[test]
    fn shapes_hold_from_their_position_on() {
        let mut table = SourceTable::new(&record(RELATION, 1, Vec::new()));
        for lsn in [1, 5, 9] {
            table.tell(&record(RELATION, lsn, vec![column(1, "id")]));
        }
        let versions =
            |above, to| table.shapes_between(above, to).iter().map(|shape| shape.version).collect::<Vec<_>>();
        assert_eq!(versions(-1, 9), [1, 2, 3]);
        assert_eq!(versions(5, 8), [2]);
        assert_eq!(versions(4, 5), [1, 2]);
        assert_eq!(versions(9, 20), [3]);
        assert_eq!(versions(-1, 0), Vec::<i32>::new());
    }

    #[test]
    fn an_image_counts_once_it_is_whole() {
        let mut table = SourceTable::new(&record(RELATION, 1, Vec::new()));
        for (kind, lsn) in [(IMAGE_BEGIN, 2), (IMAGE_END, 4), (IMAGE_BEGIN, 6)] {
            table.tell(&record(kind, lsn, Vec::new()));
        }
        assert_eq!(table.image_at(3), None);
        assert_eq!(table.image_at(9).map(|image| image.begin.commit_lsn), Some(2));
    }

    #[test]
    fn a_table_that_was_replaced_waits_for_its_image() {
        let change = |what: &str| Change { what: what.into(), column: None, before: None, after: None };
        let shape = |lsn, what: &str| RelationRecord {
            changes: vec![change(what)],
            ..record(RELATION, lsn, vec![column(1, "id")])
        };
        let mut table = SourceTable::new(&shape(1, "first"));
        for told in [
            shape(1, "first"),
            record(IMAGE_BEGIN, 2, Vec::new()),
            record(IMAGE_END, 4, Vec::new()),
            shape(6, "replaced"),
            record(IMAGE_BEGIN, 8, Vec::new()),
            record(IMAGE_END, 9, Vec::new()),
            shape(11, "column_added"),
        ] {
            table.tell(&told);
        }
        let waits: Vec<i64> = (0..12).filter(|lsn| table.waits_for_image(*lsn)).collect();
        assert_eq!(waits, [1, 2, 3, 6, 7, 8]);
    }
}
