//! Rows that are there already, read for themselves: the initial snapshot, and the incremental one of single tables
//! while the stream goes on ([`incremental`]).
//!
//! The initial snapshot: every table read in key ranges at one exported snapshot, wave by wave.
//!
//! A *wave* is a handful of ranges that several connections read side by side, and one Kafka
//! transaction: it ends with a checkpoint that says how far each table is. After a crash the rest is
//! read at a new, later snapshot. Ranges follow the primary key, not the place on disk, so that a row
//! which moves between the two reads is found by one of them or is in the stream with all its columns.

mod copy_row;
pub(crate) mod incremental;
mod plan;
mod read;
mod standby;
mod visibility;
mod wave;

pub(crate) use self::standby::Standby;
pub(crate) use self::wave::{Snapshot, run};
