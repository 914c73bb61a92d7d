//! What a column of PostgreSQL is on its way: Debezium's Avro forms.

mod avro_form;
mod avro_schema;
mod options;

pub use avro_form::{AvroForm, DateForm, TimeForm, TypeRow};
pub use avro_schema::Defined;
pub use options::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, TypeOptions};
