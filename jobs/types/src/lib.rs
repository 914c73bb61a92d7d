//! What a column of PostgreSQL is on its way: its type at the source, Debezium's forms of it in Avro, and what Spark makes of it.

mod avro_form;
mod avro_schema;
mod conversion;
mod options;
#[cfg(test)]
mod page;
mod source_type;
mod spark_sql;
mod told_form;
mod trino_sql;

pub use avro_form::{AvroForm, DateForm, TimeForm, TypeRow};
pub use avro_schema::Defined;
pub use conversion::Conversion;
pub use options::{BinaryMode, DecimalMode, HstoreMode, IntervalMode, TimeMode, TypeOptions};
pub use source_type::SourceType;
