//! Silver's typed tables, and the rounds that bring them to a published cut.

mod alter;
mod load;
mod merge;
mod naming;
mod round;

pub use naming::{MetaColumns, silver_names};
pub use round::{Merged, Rounds, Standing, merged};
