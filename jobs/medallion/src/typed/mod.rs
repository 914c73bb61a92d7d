//! Silver's typed tables and their histories, and the rounds that bring them to a published cut.

mod alter;
mod history;
mod load;
mod merge;
mod naming;
mod round;
mod standing;
mod task;

pub use naming::{MetaColumns, history_name, silver_names};
pub use round::Rounds;
pub use standing::{Merged, Standing, merged, merged_at};
