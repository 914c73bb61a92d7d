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
