//! How far a view follows its table.

use std::collections::BTreeMap;

use crate::control::{Position, Shape, SourceTable};
use crate::typed::Standing;

/// What a view shows of its table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach<'a> {
    /// The shape of the typed table.
    pub(super) from: &'a Shape,
    /// Of events behind the typed table's cut, the oldest first.
    pub(super) shapes: &'a [Shape],
    /// The last of them.
    pub(super) shape: &'a Shape,
    /// Events from here on are not followed; none when all are.
    pub(super) until: Option<Position>,
}

impl<'a> Reach<'a> {
    /// As far as was told up to an LSN; none when the typed table's shape was never told. `has_images`: whether capture reads tables as a
    /// whole.
    pub(super) fn of(
        table: &'a SourceTable,
        standing: &Standing,
        has_images: bool,
        lsn: i64,
    ) -> Option<Self> {
        let begun = table.shapes.iter().position(|shape| shape.version == standing.shape)?;
        let told = table.shapes.iter().take_while(|shape| shape.from <= Position::end_of(lsn)).count();
        let shapes = table.shapes.get(begun..told.max(begun + 1)).unwrap_or_default();
        let broken = shapes.iter().zip(shapes.iter().skip(1)).find(|(shape, later)| {
            !later.has_key_of(shape)
                || !is_converted(shape, later)
                || has_images && later.needs_image() && Some(later.from) > standing.image()
        });
        let broken = broken.map(|(_, later)| later.from);
        // Rows that were told anew as a whole come with the round that loads them.
        let anew = table.images.iter().map(|image| image.begin).find(|begin| Some(*begin) > standing.image());
        let unreadable = table.unreadable.as_ref().map(|(from, _)| *from);
        let until = [broken, anew, unreadable].into_iter().flatten().min();
        let followed = shapes.iter().take_while(|shape| until.is_none_or(|until| shape.from < until)).count();
        let shapes = shapes.get(..followed.max(1))?;
        Some(Self { from: shapes.first()?, shapes, shape: shapes.last()?, until })
    }
}

/// Whether texts of one shape's columns are texts of the other's: those of arrays are JSON.
fn is_converted(shape: &Shape, later: &Shape) -> bool {
    let is_array = |source| matches!(source, lakepulse_types::SourceType::Array(_));
    later.columns.iter().all(|column| {
        let former = shape.columns.iter().find(|former| former.is(column));
        former.is_none_or(|former| is_array(former.lake_type()) == is_array(column.lake_type()))
    })
}

/// Whether capture reads tables as a whole: it does not with `snapshot.mode = "never"`.
pub(super) fn has_images(tables: &BTreeMap<String, SourceTable>) -> bool {
    tables.values().any(|table| !table.images.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::{Change, Image, ShapeColumn};

    fn at(commit_lsn: i64) -> Position {
        Position { commit_lsn, ordinal: 0 }
    }

    fn shape(version: i32, lsn: i64, columns: &[(&str, &str)], key: &str, change: &str) -> Shape {
        let columns = columns.iter().zip(1..).map(|((name, source), attnum)| ShapeColumn {
            attnum,
            name: (*name).to_owned(),
            field: (*name).to_owned(),
            column: (*name).to_owned(),
            source: source.parse().unwrap(),
            masked: false,
            missing: None,
        });
        Shape {
            version,
            from: at(lsn),
            columns: columns.collect(),
            key: vec![key.to_owned()],
            is_identity_full: false,
            changes: vec![Change { what: change.to_owned(), column: None, before: None, after: None }],
        }
    }

    /// The versions of the shapes, and where the view stops; the typed table was loaded from an image at 2.
    fn check(later: Shape, images: &[i64], lsn: i64, versions: &[i32], until: Option<i64>) {
        let first = shape(1, 1, &[("id", "integer"), ("v", "text")], "id", "first");
        let images = images.iter().map(|begin| Image { begin: at(*begin), end: Some(at(begin + 1)) });
        let table = SourceTable {
            name: "s.t".into(),
            schema: "s".into(),
            table: "t".into(),
            shapes: vec![first, later],
            images: images.collect(),
            gone: None,
            unreadable: None,
        };
        let standing = Standing {
            source_table: "s.t".into(),
            silver_table: "s_t".into(),
            cut: 5,
            version: 3,
            shape: 1,
            history: None,
            image_lsn: Some(2),
            image_ordinal: Some(0),
            held: None,
        };
        let reach = Reach::of(&table, &standing, true, lsn).unwrap();
        let found: Vec<i32> = reach.shapes.iter().map(|shape| shape.version).collect();
        assert_eq!((found.as_slice(), reach.until), (versions, until.map(at)));
    }

    #[test]
    fn a_view_follows_as_far_as_rows_can_be_known() {
        let columns = [("id", "integer"), ("v", "text"), ("w", "date")];
        check(shape(2, 8, &columns, "id", "column_added"), &[2], 9, &[1, 2], None);
        check(shape(2, 8, &columns, "id", "column_added"), &[2], 7, &[1], None);
        check(shape(2, 8, &columns, "v", "key"), &[2], 9, &[1], Some(8));
        check(shape(2, 8, &columns, "id", "replaced"), &[2], 9, &[1], Some(8));
        check(shape(2, 8, &[("id", "integer"), ("v", "text[]")], "id", "retyped"), &[2], 9, &[1], Some(8));
        check(shape(2, 8, &columns, "id", "column_added"), &[2, 6], 9, &[1], Some(6));
    }
}
