//! The record that tells what no row event tells of a table, and its Avro schema.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::{Schema, from_value};
use serde::Deserialize;

use crate::avro::binary;
use crate::error::{Error, ErrorKind, Result};
use crate::kafka::EventId;
use crate::lsn::Lsn;
use crate::pgoutput::RelationId;
use crate::table::TableName;

/// The record's Avro schema; `docs/relation-records.md` explains each field.
pub(crate) const SCHEMA: &str = include_str!("relation.avsc");

/// The table as described.
pub(crate) const RELATION: &str = "relation";
/// There is no table under this name any more, or it is not captured.
pub(crate) const GONE: &str = "gone";
/// Rows that follow are of an image of the whole table.
pub(crate) const IMAGE_BEGIN: &str = "image_begin";
/// The image is whole: what it does not contain, and no event wrote since it began, is not in the table.
pub(crate) const IMAGE_END: &str = "image_end";

/// One record of the relation topic.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RelationRecord {
    pub(crate) kind: String,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) oid: i64,
    pub(crate) topic: String,
    /// With `ordinal`: it holds from the event of this position on.
    pub(crate) commit_lsn: i64,
    pub(crate) ordinal: i64,
    /// What it was learned from: `start`, `stream`, `catalog`, `trigger` or `snapshot`.
    pub(crate) learned_from: String,
    pub(crate) image: Option<String>,
    pub(crate) changes: Vec<Change>,
    #[serde(flatten)]
    pub(crate) shape: RelationShape,
}

/// What a table looks like.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub(crate) struct RelationShape {
    /// `default`, `nothing`, `full` or `index`.
    pub(crate) identity: String,
    /// Names of columns, in the key's order.
    pub(crate) key: Vec<String>,
    /// `primary_key`, `identity_index`, `unique_index`, `identity`, `configuration` or `none`.
    pub(crate) key_from: String,
    pub(crate) partitioned: bool,
    pub(crate) filenode: i64,
    pub(crate) columns: Vec<RelationColumn>,
    pub(crate) leaves: Vec<Leaf>,
    /// The condition of the rows that are published.
    pub(crate) row_filter: Option<String>,
}

/// A column that is not dropped.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct RelationColumn {
    /// Its number in the table, which stays when it is renamed; 0 while it is not known.
    pub(crate) attnum: i32,
    pub(crate) name: String,
    /// The field's name in the events.
    pub(crate) field: String,
    pub(crate) former_fields: Vec<String>,
    pub(crate) type_oid: i64,
    /// With modifiers, such as `numeric(10,2)`.
    pub(crate) r#type: String,
    /// What a domain, or an array of domains, is made of in the end, written likewise; none for other types.
    pub(crate) base: Option<String>,
    pub(crate) modifier: i32,
    pub(crate) nullable: bool,
    /// Computed by the source, and not in the events.
    pub(crate) generated: bool,
    /// Whether it is in the events.
    pub(crate) captured: bool,
    /// Whether events have a mask of the value instead of it.
    pub(crate) masked: bool,
    /// What rows have that were written before the column existed, in PostgreSQL's text form; none for NULL.
    pub(crate) missing: Option<String>,
    /// Of an enum.
    pub(crate) labels: Vec<Label>,
}

/// A value of an enum.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Label {
    /// Stays when the value is renamed.
    pub(crate) oid: i64,
    pub(crate) label: String,
}

/// A partition that holds rows.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Leaf {
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) oid: i64,
    pub(crate) filenode: i64,
}

/// One difference to the record before.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Change {
    /// One of the words of [`What`](super::What).
    pub(crate) what: String,
    pub(crate) column: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
}

impl RelationRecord {
    pub(crate) fn name(&self) -> TableName {
        TableName { schema: self.schema.clone(), table: self.table.clone() }
    }

    pub(crate) fn id(&self) -> RelationId {
        RelationId(self.oid as u32)
    }

    pub(crate) fn position(&self) -> EventId {
        EventId { commit_lsn: Lsn(self.commit_lsn as u64), ordinal: self.ordinal as u64 }
    }

    /// Appends Avro bytes by [`SCHEMA`], without a wire header.
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let text = |text: &str, out: &mut Vec<u8>| binary::bytes(text.as_bytes(), out);
        for value in [&self.kind, &self.schema, &self.table] {
            text(value, out);
        }
        binary::long(self.oid, out);
        text(&self.topic, out);
        binary::long(self.commit_lsn, out);
        binary::long(self.ordinal, out);
        text(&self.learned_from, out);
        binary::option(self.image.as_deref(), out, text);
        binary::items(&self.changes, out, |change, out| {
            text(&change.what, out);
            for value in [&change.column, &change.before, &change.after] {
                binary::option(value.as_deref(), out, text);
            }
        });
        let shape = &self.shape;
        text(&shape.identity, out);
        binary::items(&shape.key, out, |name, out| text(name, out));
        text(&shape.key_from, out);
        binary::boolean(shape.partitioned, out);
        binary::long(shape.filenode, out);
        binary::items(&shape.columns, out, |column, out| {
            binary::long(i64::from(column.attnum), out);
            text(&column.name, out);
            text(&column.field, out);
            binary::items(&column.former_fields, out, |field, out| text(field, out));
            binary::long(column.type_oid, out);
            text(&column.r#type, out);
            binary::option(column.base.as_deref(), out, text);
            binary::long(i64::from(column.modifier), out);
            for flag in [column.nullable, column.generated, column.captured, column.masked] {
                binary::boolean(flag, out);
            }
            binary::option(column.missing.as_deref(), out, text);
            binary::items(&column.labels, out, |label, out| {
                binary::long(label.oid, out);
                text(&label.label, out);
            });
        });
        binary::items(&shape.leaves, out, |leaf, out| {
            text(&leaf.schema, out);
            text(&leaf.table, out);
            binary::long(leaf.oid, out);
            binary::long(leaf.filenode, out);
        });
        binary::option(shape.row_filter.as_deref(), out, text);
    }

    /// Reads Avro bytes that were written by `writer`.
    pub(crate) fn decode(writer: &Schema, reader: &Schema, mut bytes: &[u8]) -> Result<Self> {
        let wrong = |cause: apache_avro::Error| {
            let what = "a relation record can't be read: was it written by another program?";
            Error::new(ErrorKind::Protocol, what).caused_by(cause)
        };
        let value = GenericDatumReader::builder(writer)
            .reader_schema(reader)
            .build()
            .map_err(wrong)?
            .read_value(&mut bytes)
            .map_err(wrong)?;
        from_value(&value).map_err(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_back_by_the_avro_library() {
        let column = RelationColumn {
            attnum: 3,
            name: "größe".into(),
            field: "gr__e".into(),
            former_fields: vec!["size".into()],
            type_oid: 1700,
            r#type: "price".into(),
            base: Some("numeric(10,2)".into()),
            modifier: 655_366,
            nullable: true,
            generated: false,
            captured: true,
            masked: true,
            missing: Some("5.00".into()),
            labels: vec![Label { oid: 9, label: "a".into() }],
        };
        let record = RelationRecord {
            kind: RELATION.into(),
            schema: "public".into(),
            table: "t".into(),
            oid: 4_000_000_000,
            topic: "p.public.t".into(),
            commit_lsn: 77,
            ordinal: 2,
            learned_from: "stream".into(),
            image: Some("1@0/4D".into()),
            changes: vec![Change { column: Some("größe".into()), ..Change::new("column_added") }],
            shape: RelationShape {
                identity: "default".into(),
                key: vec!["id".into()],
                key_from: "primary_key".into(),
                partitioned: true,
                filenode: 5,
                columns: vec![column],
                leaves: vec![Leaf { schema: "public".into(), table: "l".into(), oid: 6, filenode: 7 }],
                row_filter: Some("id < 5".into()),
            },
        };
        let mut bytes = Vec::new();
        record.encode(&mut bytes);
        let schema = Schema::parse_str(SCHEMA).unwrap();
        assert_eq!(RelationRecord::decode(&schema, &schema, &bytes).unwrap(), record);

        // Before records told of masks.
        let older: String = SCHEMA.lines().filter(|line| !line.contains("masked")).collect();
        let flags = bytes.windows(7).position(|bytes| bytes == [1, 0, 1, 1, 2, 8, b'5']).unwrap();
        bytes.remove(flags + 3);
        let mut unmasked = record;
        unmasked.shape.columns[0].masked = false;
        let older = Schema::parse_str(&older).unwrap();
        assert_eq!(RelationRecord::decode(&older, &schema, &bytes).unwrap(), unmasked);
    }
}
