//! Columns and their types, as Spark names them.

mod message;

use crate::sql_text::plain_or_quoted;
use std::fmt;

/// The columns of a DataFrame or the fields of a struct, in order.
///
/// ```no_run
/// # async fn run(spark: spark_client::SparkSession) -> Result<(), spark_client::Error> {
/// let schema = spark.table("silver.orders").schema().await?;
/// if let Some(field) = schema.field("amount") {
///     println!("{} {}", field.name, field.data_type);
/// }
/// # Ok(()) }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// The columns.
    pub fields: Vec<Field>,
}

/// One column.
///
/// ```
/// use spark_client::{DataType, Field, Schema};
/// let id = Field { name: "id".to_owned(), data_type: DataType::Long, nullable: false, metadata: None };
/// assert_eq!(Schema { fields: vec![id] }.to_string(), "id bigint NOT NULL");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// Whether it may hold NULL.
    pub nullable: bool,
    /// What is noted about it, as JSON: comments, identity columns.
    pub metadata: Option<String>,
}

/// A type of Spark. `Display` gives its SQL name, for example `array<struct<id:bigint>>`.
///
/// ```
/// use spark_client::DataType;
/// let prices = DataType::Array {
///     element: Box::new(DataType::Decimal { precision: 10, scale: 2 }),
///     contains_null: true,
/// };
/// assert_eq!(prices.to_string(), "array<decimal(10,2)>");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)]
pub enum DataType {
    Null,
    Boolean,
    Byte,
    Short,
    Integer,
    Long,
    Float,
    Double,
    Decimal { precision: i32, scale: i32 },
    String,
    Char { length: i32 },
    VarChar { length: i32 },
    Binary,
    Date,
    Time { precision: i32 },
    Timestamp,
    TimestampNtz,
    CalendarInterval,
    YearMonthInterval,
    DayTimeInterval,
    Array { element: Box<DataType>, contains_null: bool },
    Map { key: Box<DataType>, value: Box<DataType>, value_contains_null: bool },
    Struct(Schema),
    Variant,
    Other(String),
}

impl Schema {
    /// The column of that name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }
}

/// As the columns of a CREATE TABLE.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, field) in self.fields.iter().enumerate() {
            let comma = if i == 0 { "" } else { ", " };
            let not_null = if field.nullable { "" } else { " NOT NULL" };
            write!(f, "{comma}{} {}{not_null}", plain_or_quoted(&field.name), field.data_type)?;
        }
        Ok(())
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self {
            Self::Null => "void",
            Self::Boolean => "boolean",
            Self::Byte => "tinyint",
            Self::Short => "smallint",
            Self::Integer => "int",
            Self::Long => "bigint",
            Self::Float => "float",
            Self::Double => "double",
            Self::String => "string",
            Self::Binary => "binary",
            Self::Date => "date",
            Self::Timestamp => "timestamp",
            Self::TimestampNtz => "timestamp_ntz",
            Self::CalendarInterval => "interval",
            Self::YearMonthInterval => "interval year to month",
            Self::DayTimeInterval => "interval day to second",
            Self::Variant => "variant",
            Self::Other(name) => name,
            Self::Decimal { precision, scale } => return write!(f, "decimal({precision},{scale})"),
            Self::Char { length } => return write!(f, "char({length})"),
            Self::VarChar { length } => return write!(f, "varchar({length})"),
            Self::Time { precision } => return write!(f, "time({precision})"),
            Self::Array { element, .. } => return write!(f, "array<{element}>"),
            Self::Map { key, value, .. } => return write!(f, "map<{key},{value}>"),
            Self::Struct(schema) => {
                f.write_str("struct<")?;
                for (i, field) in schema.fields.iter().enumerate() {
                    let comma = if i == 0 { "" } else { "," };
                    write!(f, "{comma}{}:{}", plain_or_quoted(&field.name), field.data_type)?;
                }
                return f.write_str(">");
            }
        };
        f.write_str(name)
    }
}
