//! What no row event tells: how tables look and how that changed, which rows are gone, and where the image of a whole
//! table begins and ends. Records go to `<prefix>.relation`, in the Kafka transaction of the events around them.

mod alignment;
mod difference;
mod log;
mod record;
mod shape;

pub(crate) use self::alignment::{Believed, believed};
pub(crate) use self::log::{RelationLog, Telling};
pub(crate) use self::record::{Change, Label, RelationRecord, RelationShape, SCHEMA};
