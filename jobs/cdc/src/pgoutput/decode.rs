use super::cursor::Cursor;
use super::message::{
    Begin, Commit, Message, OldTuple, Relation, RelationColumn, RelationId, ReplicaIdentity,
};
use super::tuple::Tuple;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;

/// Microseconds from 1970 to 2000, where PostgreSQL counts from.
pub(crate) const POSTGRES_EPOCH_US: i64 = 946_684_800_000_000;

/// Decodes one message.
///
/// # Errors
/// [`ErrorKind::Protocol`] when the message is cut, has bytes too many, or is of an unknown kind.
pub(crate) fn decode(message: &[u8]) -> Result<Message<'_>> {
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

fn begin<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    Ok(Message::Begin(Begin {
        commit_lsn: Lsn(cursor.u64("final LSN")?),
        committed_at_us: cursor.i64("commit time")?.saturating_add(POSTGRES_EPOCH_US),
        xid: cursor.u32("transaction id")?,
    }))
}

fn commit<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    cursor.u8("commit flags")?;
    let commit = Commit { commit_lsn: Lsn(cursor.u64("commit LSN")?), end_lsn: Lsn(cursor.u64("end LSN")?) };
    cursor.i64("commit time")?;
    Ok(Message::Commit(commit))
}

fn relation(cursor: &mut Cursor<'_>) -> Result<Relation> {
    let id = RelationId(cursor.u32("relation OID")?);
    let schema = cursor.text("schema name")?.to_owned();
    let table = cursor.text("table name")?.to_owned();
    let letter = cursor.u8("replica identity")?;
    let identity =
        ReplicaIdentity::from_letter(letter).ok_or_else(|| unexpected("replica identity", letter))?;
    let count = usize::from(cursor.u16("number of columns")?);
    let mut columns = Vec::with_capacity(count.min(cursor.rest().len()));
    for _ in 0..count {
        let in_identity = cursor.u8("column flags")? & 1 == 1;
        columns.push(RelationColumn {
            in_identity,
            name: cursor.text("column name")?.to_owned(),
            type_oid: cursor.u32("column type")?,
            type_modifier: cursor.i32("column type modifier")?,
        });
    }
    Ok(Relation { id, schema, table, identity, columns })
}

fn insert<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    let relation = RelationId(cursor.u32("relation OID")?);
    match cursor.u8("tuple kind")? {
        b'N' => Ok(Message::Insert { relation, new: Tuple::read(cursor)? }),
        other => Err(unexpected("tuple kind in an Insert", other)),
    }
}

fn update<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    let relation = RelationId(cursor.u32("relation OID")?);
    let (old, new_kind) = match cursor.u8("tuple kind")? {
        b'K' => (Some(OldTuple::Key(Tuple::read(cursor)?)), cursor.u8("tuple kind")?),
        b'O' => (Some(OldTuple::Full(Tuple::read(cursor)?)), cursor.u8("tuple kind")?),
        other => (None, other),
    };
    match new_kind {
        b'N' => Ok(Message::Update { relation, old, new: Tuple::read(cursor)? }),
        other => Err(unexpected("tuple kind in an Update", other)),
    }
}

fn delete<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    let relation = RelationId(cursor.u32("relation OID")?);
    let old = match cursor.u8("tuple kind")? {
        b'K' => OldTuple::Key(Tuple::read(cursor)?),
        b'O' => OldTuple::Full(Tuple::read(cursor)?),
        other => return Err(unexpected("tuple kind in a Delete", other)),
    };
    Ok(Message::Delete { relation, old })
}

fn truncate<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    let count = cursor.u32("number of relations")? as usize;
    cursor.u8("truncate options")?;
    let mut relations = Vec::with_capacity(count.min(cursor.rest().len() / 4));
    for _ in 0..count {
        relations.push(RelationId(cursor.u32("relation OID")?));
    }
    Ok(Message::Truncate { relations })
}

fn logical<'a>(cursor: &mut Cursor<'a>) -> Result<Message<'a>> {
    Ok(Message::Logical {
        transactional: cursor.u8("message flags")? & 1 == 1,
        lsn: Lsn(cursor.u64("message LSN")?),
        prefix: cursor.text("message prefix")?,
        content: cursor.sized("message content")?,
    })
}

#[cold]
fn unexpected(what: &str, byte: u8) -> Error {
    Error::new(ErrorKind::Protocol, format!("unexpected {what} {:?}", char::from(byte)))
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
