//! Delta Lake.

mod idempotent;

pub use idempotent::IdempotentWrite;
