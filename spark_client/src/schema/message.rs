//! Schemas and types to and from the messages.

use super::{DataType, Field, Schema};
use crate::{
    Error, proto,
    proto::data_type::{self as message, Kind},
};

impl Schema {
    pub(crate) fn from_proto(data_type: Option<proto::DataType>) -> Result<Self, Error> {
        match DataType::from_proto(data_type)? {
            DataType::Struct(schema) => Ok(schema),
            other => Err(Error::protocol(format!("a schema is a struct, not {other}"))),
        }
    }

    pub(crate) fn to_proto(&self) -> proto::DataType {
        let kind = Kind::Struct(self.to_struct());
        proto::DataType { kind: Some(kind) }
    }

    fn to_struct(&self) -> message::Struct {
        let fields = self.fields.iter().map(Field::to_proto).collect();
        message::Struct { fields, ..Default::default() }
    }
}

impl DataType {
    pub(crate) fn from_proto(data_type: Option<proto::DataType>) -> Result<Self, Error> {
        let boxed = |inner: Option<Box<proto::DataType>>| Self::from_proto(inner.map(|t| *t)).map(Box::new);
        let kind = data_type.and_then(|t| t.kind).ok_or_else(|| Error::protocol("a type is missing"))?;
        Ok(match kind {
            Kind::Null(_) => Self::Null,
            Kind::Boolean(_) => Self::Boolean,
            Kind::Byte(_) => Self::Byte,
            Kind::Short(_) => Self::Short,
            Kind::Integer(_) => Self::Integer,
            Kind::Long(_) => Self::Long,
            Kind::Float(_) => Self::Float,
            Kind::Double(_) => Self::Double,
            Kind::Decimal(d) => {
                Self::Decimal { precision: d.precision.unwrap_or(10), scale: d.scale.unwrap_or(0) }
            }
            Kind::String(_) => Self::String,
            Kind::Char(c) => Self::Char { length: c.length },
            Kind::VarChar(c) => Self::VarChar { length: c.length },
            Kind::Binary(_) => Self::Binary,
            Kind::Date(_) => Self::Date,
            Kind::Time(t) => Self::Time { precision: t.precision.unwrap_or(6) },
            Kind::Timestamp(_) => Self::Timestamp,
            Kind::TimestampNtz(_) => Self::TimestampNtz,
            Kind::CalendarInterval(_) => Self::CalendarInterval,
            Kind::YearMonthInterval(_) => Self::YearMonthInterval,
            Kind::DayTimeInterval(_) => Self::DayTimeInterval,
            Kind::Array(a) => Self::Array { contains_null: a.contains_null, element: boxed(a.element_type)? },
            Kind::Map(m) => Self::Map {
                value_contains_null: m.value_contains_null,
                key: boxed(m.key_type)?,
                value: boxed(m.value_type)?,
            },
            Kind::Struct(s) => {
                let fields = s.fields.into_iter().map(Field::from_proto).collect::<Result<_, _>>()?;
                Self::Struct(Schema { fields })
            }
            Kind::Variant(_) => Self::Variant,
            Kind::Unparsed(u) => Self::Other(u.data_type_string),
            other => Self::Other(format!("{other:?}")),
        })
    }

    pub(crate) fn to_proto(&self) -> proto::DataType {
        let boxed = |inner: &Self| Some(Box::new(inner.to_proto()));
        let kind = match self {
            Self::Null => Kind::Null(message::Null::default()),
            Self::Boolean => Kind::Boolean(message::Boolean::default()),
            Self::Byte => Kind::Byte(message::Byte::default()),
            Self::Short => Kind::Short(message::Short::default()),
            Self::Integer => Kind::Integer(message::Integer::default()),
            Self::Long => Kind::Long(message::Long::default()),
            Self::Float => Kind::Float(message::Float::default()),
            Self::Double => Kind::Double(message::Double::default()),
            Self::Decimal { precision, scale } => Kind::Decimal(message::Decimal {
                precision: Some(*precision),
                scale: Some(*scale),
                ..Default::default()
            }),
            Self::String => {
                Kind::String(message::String { collation: "UTF8_BINARY".to_owned(), ..Default::default() })
            }
            Self::Char { length } => Kind::Char(message::Char { length: *length, ..Default::default() }),
            Self::VarChar { length } => {
                Kind::VarChar(message::VarChar { length: *length, ..Default::default() })
            }
            Self::Binary => Kind::Binary(message::Binary::default()),
            Self::Date => Kind::Date(message::Date::default()),
            Self::Time { precision } => {
                Kind::Time(message::Time { precision: Some(*precision), ..Default::default() })
            }
            Self::Timestamp => Kind::Timestamp(message::Timestamp::default()),
            Self::TimestampNtz => Kind::TimestampNtz(message::TimestampNtz::default()),
            Self::CalendarInterval => Kind::CalendarInterval(message::CalendarInterval::default()),
            Self::YearMonthInterval => Kind::YearMonthInterval(message::YearMonthInterval {
                start_field: Some(0),
                end_field: Some(1),
                ..Default::default()
            }),
            Self::DayTimeInterval => Kind::DayTimeInterval(message::DayTimeInterval {
                start_field: Some(0),
                end_field: Some(3),
                ..Default::default()
            }),
            Self::Array { element, contains_null } => Kind::Array(Box::new(message::Array {
                element_type: boxed(element),
                contains_null: *contains_null,
                ..Default::default()
            })),
            Self::Map { key, value, value_contains_null } => Kind::Map(Box::new(message::Map {
                key_type: boxed(key),
                value_type: boxed(value),
                value_contains_null: *value_contains_null,
                ..Default::default()
            })),
            Self::Struct(schema) => Kind::Struct(schema.to_struct()),
            Self::Variant => Kind::Variant(message::Variant::default()),
            Self::Other(name) => Kind::Unparsed(message::Unparsed { data_type_string: name.clone() }),
        };
        proto::DataType { kind: Some(kind) }
    }
}

impl Field {
    fn from_proto(field: message::StructField) -> Result<Self, Error> {
        let data_type = DataType::from_proto(field.data_type)?;
        Ok(Self { name: field.name, data_type, nullable: field.nullable, metadata: field.metadata })
    }

    fn to_proto(&self) -> message::StructField {
        message::StructField {
            name: self.name.clone(),
            data_type: Some(self.data_type.to_proto()),
            nullable: self.nullable,
            metadata: self.metadata.clone(),
        }
    }
}
