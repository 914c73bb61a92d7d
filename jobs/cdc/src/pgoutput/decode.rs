use bytes::Bytes;

use super::cursor::Cursor;
use super::message::{Begin, Commit, Datum, Message, OldTuple, Relation, RelationColumn, RelationId, Tuple};
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
pub(crate) const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// Decodes one message.
///
/// # Errors
/// [`ErrorKind::Protocol`] when the message is cut, has bytes too many, or is of an unknown kind.
pub(crate) fn decode(message: Bytes) -> Result<Message> {
    let mut cursor = Cursor::new(message);
    let (message, what) = match cursor.u8("kind")? {
        b'B' => (begin(&mut cursor)?, "Begin"),
        b'C' => (commit(&mut cursor)?, "Commit"),
        b'O' => (
            Message::Origin { commit_lsn: Lsn(cursor.u64("origin LSN")?), name: cursor.text("origin name")? },
            "Origin",
        ),
        b'R' => (Message::Relation(relation(&mut cursor)?), "Relation"),
        b'Y' => (
            Message::Type {
                oid: cursor.u32("type OID")?,
                schema: cursor.text("type schema")?,
                name: cursor.text("type name")?,
            },
            "Type",
        ),
        b'I' => (insert(&mut cursor)?, "Insert"),
        b'U' => (update(&mut cursor)?, "Update"),
        b'D' => (delete(&mut cursor)?, "Delete"),
        b'T' => (truncate(&mut cursor)?, "Truncate"),
        b'M' => (logical(&mut cursor)?, "Message"),
        other => return Err(unexpected("message kind", other)),
    };
    cursor.finish(what)?;
    Ok(message)
}

fn begin(cursor: &mut Cursor) -> Result<Message> {
    Ok(Message::Begin(Begin {
        commit_lsn: Lsn(cursor.u64("final LSN")?),
        committed_at_us: cursor.i64("commit time")?.saturating_add(POSTGRES_EPOCH_US),
        xid: cursor.u32("transaction id")?,
    }))
}

fn commit(cursor: &mut Cursor) -> Result<Message> {
    cursor.u8("commit flags")?;
    let commit = Commit { commit_lsn: Lsn(cursor.u64("commit LSN")?), end_lsn: Lsn(cursor.u64("end LSN")?) };
    cursor.i64("commit time")?;
    Ok(Message::Commit(commit))
}

fn relation(cursor: &mut Cursor) -> Result<Relation> {
    let id = RelationId(cursor.u32("relation OID")?);
    let schema = cursor.text("schema name")?;
    let table = cursor.text("table name")?;
    cursor.u8("replica identity")?;
    let count = usize::from(cursor.u16("number of columns")?);
    let mut columns = Vec::with_capacity(count.min(cursor.remaining()));
    for _ in 0..count {
        cursor.u8("column flags")?;
        columns.push(RelationColumn {
            name: cursor.text("column name")?,
            type_oid: cursor.u32("column type")?,
            type_modifier: cursor.i32("column type modifier")?,
        });
    }
    Ok(Relation { id, schema, table, columns })
}

fn insert(cursor: &mut Cursor) -> Result<Message> {
    let relation = RelationId(cursor.u32("relation OID")?);
    match cursor.u8("tuple kind")? {
        b'N' => Ok(Message::Insert { relation, new: tuple(cursor)? }),
        other => Err(unexpected("tuple kind in an Insert", other)),
    }
}

fn update(cursor: &mut Cursor) -> Result<Message> {
    let relation = RelationId(cursor.u32("relation OID")?);
    let (old, new_kind) = match cursor.u8("tuple kind")? {
        b'K' => (Some(OldTuple::Key(tuple(cursor)?)), cursor.u8("tuple kind")?),
        b'O' => (Some(OldTuple::Full(tuple(cursor)?)), cursor.u8("tuple kind")?),
        other => (None, other),
    };
    match new_kind {
        b'N' => Ok(Message::Update { relation, old, new: tuple(cursor)? }),
        other => Err(unexpected("tuple kind in an Update", other)),
    }
}

fn delete(cursor: &mut Cursor) -> Result<Message> {
    let relation = RelationId(cursor.u32("relation OID")?);
    let old = match cursor.u8("tuple kind")? {
        b'K' => OldTuple::Key(tuple(cursor)?),
        b'O' => OldTuple::Full(tuple(cursor)?),
        other => return Err(unexpected("tuple kind in a Delete", other)),
    };
    Ok(Message::Delete { relation, old })
}

fn truncate(cursor: &mut Cursor) -> Result<Message> {
    let count = cursor.u32("number of relations")? as usize;
    cursor.u8("truncate options")?;
    let mut relations = Vec::with_capacity(count.min(cursor.remaining() / 4));
    for _ in 0..count {
        relations.push(RelationId(cursor.u32("relation OID")?));
    }
    Ok(Message::Truncate { relations })
}

fn logical(cursor: &mut Cursor) -> Result<Message> {
    Ok(Message::Logical {
        transactional: cursor.u8("message flags")? & 1 == 1,
        lsn: Lsn(cursor.u64("message LSN")?),
        prefix: cursor.text("message prefix")?,
        content: cursor.sized("message content")?,
    })
}

fn tuple(cursor: &mut Cursor) -> Result<Tuple> {
    let count = usize::from(cursor.u16("number of values")?);
    let mut values = Vec::with_capacity(count.min(cursor.remaining()));
    for _ in 0..count {
        values.push(match cursor.u8("value kind")? {
            b'n' => Datum::Null,
            b'u' => Datum::Unchanged,
            b't' => Datum::Text(cursor.sized("value")?),
            other => return Err(unexpected("value kind", other)),
        });
    }
    Ok(values)
}

fn unexpected(what: &str, byte: u8) -> Error {
    Error::new(ErrorKind::Protocol, format!("unexpected {what} {:?}", char::from(byte)))
}

#[cfg(test)]
mod tests {
    use bytes::{BufMut, BytesMut};
    use proptest::prelude::*;

    use super::*;

    /// The inverse of `decode`, the oracle of the tests below.
    fn encode(message: &Message) -> Bytes {
        let mut out = BytesMut::new();
        let text = |out: &mut BytesMut, text: &str| {
            out.put_slice(text.as_bytes());
            out.put_u8(0);
        };
        let tuple = |out: &mut BytesMut, values: &Tuple| {
            out.put_u16(values.len() as u16);
            for value in values {
                match value {
                    Datum::Null => out.put_u8(b'n'),
                    Datum::Unchanged => out.put_u8(b'u'),
                    Datum::Text(bytes) => {
                        out.put_u8(b't');
                        out.put_u32(bytes.len() as u32);
                        out.put_slice(bytes);
                    }
                }
            }
        };
        let old = |out: &mut BytesMut, old: &OldTuple| match old {
            OldTuple::Key(values) => {
                out.put_u8(b'K');
                tuple(out, values);
            }
            OldTuple::Full(values) => {
                out.put_u8(b'O');
                tuple(out, values);
            }
        };
        match message {
            Message::Begin(begin) => {
                out.put_u8(b'B');
                out.put_u64(begin.commit_lsn.0);
                out.put_i64(begin.committed_at_us - POSTGRES_EPOCH_US);
                out.put_u32(begin.xid);
            }
            Message::Commit(commit) => {
                out.put_slice(b"C\0");
                out.put_u64(commit.commit_lsn.0);
                out.put_u64(commit.end_lsn.0);
                out.put_i64(0);
            }
            Message::Origin { commit_lsn, name } => {
                out.put_u8(b'O');
                out.put_u64(commit_lsn.0);
                text(&mut out, name);
            }
            Message::Relation(relation) => {
                out.put_u8(b'R');
                out.put_u32(relation.id.0);
                text(&mut out, &relation.schema);
                text(&mut out, &relation.table);
                out.put_u8(b'd');
                out.put_u16(relation.columns.len() as u16);
                for column in &relation.columns {
                    out.put_u8(0);
                    text(&mut out, &column.name);
                    out.put_u32(column.type_oid);
                    out.put_i32(column.type_modifier);
                }
            }
            Message::Type { oid, schema, name } => {
                out.put_u8(b'Y');
                out.put_u32(*oid);
                text(&mut out, schema);
                text(&mut out, name);
            }
            Message::Insert { relation, new } => {
                out.put_u8(b'I');
                out.put_u32(relation.0);
                out.put_u8(b'N');
                tuple(&mut out, new);
            }
            Message::Update { relation, old: before, new } => {
                out.put_u8(b'U');
                out.put_u32(relation.0);
                if let Some(before) = before {
                    old(&mut out, before);
                }
                out.put_u8(b'N');
                tuple(&mut out, new);
            }
            Message::Delete { relation, old: before } => {
                out.put_u8(b'D');
                out.put_u32(relation.0);
                old(&mut out, before);
            }
            Message::Truncate { relations } => {
                out.put_u8(b'T');
                out.put_u32(relations.len() as u32);
                out.put_u8(0);
                for relation in relations {
                    out.put_u32(relation.0);
                }
            }
            Message::Logical { transactional, lsn, prefix, content } => {
                out.put_u8(b'M');
                out.put_u8(u8::from(*transactional));
                out.put_u64(lsn.0);
                text(&mut out, prefix);
                out.put_u32(content.len() as u32);
                out.put_slice(content);
            }
        }
        out.freeze()
    }

    fn tuples() -> impl Strategy<Value = Tuple> {
        let value = prop_oneof![
            Just(Datum::Null),
            Just(Datum::Unchanged),
            prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Datum::Text(bytes.into())),
        ];
        prop::collection::vec(value, 0..8)
    }

    fn olds() -> impl Strategy<Value = OldTuple> {
        prop_oneof![tuples().prop_map(OldTuple::Key), tuples().prop_map(OldTuple::Full)]
    }

    fn messages() -> impl Strategy<Value = Message> {
        let id = any::<u32>().prop_map(RelationId);
        let name = "[^\0]{0,12}";
        let column = (name, any::<u32>(), any::<i32>())
            .prop_map(|(name, type_oid, type_modifier)| RelationColumn { name, type_oid, type_modifier });
        prop_oneof![
            (any::<u64>(), any::<i32>(), any::<u32>()).prop_map(|(lsn, time, xid)| Message::Begin(Begin {
                commit_lsn: Lsn(lsn),
                committed_at_us: i64::from(time),
                xid
            })),
            (any::<u64>(), any::<u64>())
                .prop_map(|(lsn, end)| Message::Commit(Commit { commit_lsn: Lsn(lsn), end_lsn: Lsn(end) })),
            (any::<u64>(), name).prop_map(|(lsn, name)| Message::Origin { commit_lsn: Lsn(lsn), name }),
            (any::<u32>(), name, name).prop_map(|(oid, schema, name)| Message::Type { oid, schema, name }),
            (id.clone(), name, name, prop::collection::vec(column, 0..6)).prop_map(
                |(id, schema, table, columns)| Message::Relation(Relation { id, schema, table, columns })
            ),
            (id.clone(), tuples()).prop_map(|(relation, new)| Message::Insert { relation, new }),
            (id.clone(), prop::option::of(olds()), tuples())
                .prop_map(|(relation, old, new)| Message::Update { relation, old, new }),
            (id.clone(), olds()).prop_map(|(relation, old)| Message::Delete { relation, old }),
            prop::collection::vec(id, 0..5).prop_map(|relations| Message::Truncate { relations }),
            (any::<bool>(), any::<u64>(), name, prop::collection::vec(any::<u8>(), 0..20)).prop_map(
                |(transactional, lsn, prefix, content)| Message::Logical {
                    transactional,
                    lsn: Lsn(lsn),
                    prefix,
                    content: content.into()
                }
            ),
        ]
    }

    proptest! {
        #[test]
        fn every_message_and_back(message in messages()) {
            prop_assert_eq!(decode(encode(&message)).unwrap(), message);
        }

        #[test]
        fn a_cut_message_is_refused(message in messages(), at in any::<prop::sample::Index>()) {
            let whole = encode(&message);
            prop_assert!(decode(whole.slice(..at.index(whole.len()))).is_err());
        }

        #[test]
        fn any_bytes_are_decoded_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = decode(bytes.into());
        }
    }

    #[test]
    fn a_large_count_reserves_nothing() {
        assert!(decode(Bytes::from_static(b"T\xff\xff\xff\xff\0")).is_err());
    }
}
