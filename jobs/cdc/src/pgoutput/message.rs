use bytes::Bytes;

use crate::lsn::Lsn;

/// The OID of a table, as messages refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RelationId(pub(crate) u32);

/// One message of the stream. Values borrow from the receive buffer by reference counting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message {
    Begin(Begin),
    Commit(Commit),
    /// Where a replicated transaction came from.
    Origin {
        commit_lsn: Lsn,
        name: String,
    },
    Relation(Relation),
    /// A type that isn't built in; its facts are read from the catalog instead.
    Type {
        oid: u32,
        schema: String,
        name: String,
    },
    Insert {
        relation: RelationId,
        new: Tuple,
    },
    Update {
        relation: RelationId,
        old: Option<OldTuple>,
        new: Tuple,
    },
    Delete {
        relation: RelationId,
        old: OldTuple,
    },
    Truncate {
        relations: Vec<RelationId>,
    },
    /// Written by `pg_logical_emit_message`.
    Logical {
        transactional: bool,
        lsn: Lsn,
        prefix: String,
        content: Bytes,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Begin {
    /// Where the commit record begins: the transaction's place in the order of commits.
    pub(crate) commit_lsn: Lsn,
    /// Microseconds since 1970.
    pub(crate) committed_at_us: i64,
    pub(crate) xid: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Commit {
    pub(crate) commit_lsn: Lsn,
    /// Where the next record begins: what may be confirmed once the transaction is safe.
    pub(crate) end_lsn: Lsn,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) id: RelationId,
    pub(crate) schema: String,
    pub(crate) table: String,
    pub(crate) columns: Vec<RelationColumn>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelationColumn {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) type_modifier: i32,
}

/// The old row, as much of it as the replica identity gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OldTuple {
    /// The key's columns; the others are null.
    Key(Tuple),
    Full(Tuple),
}

pub(crate) type Tuple = Vec<Datum>;

/// One column's value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Datum {
    Null,
    /// A toasted value that the update left alone: not in the stream.
    Unchanged,
    /// In PostgreSQL's text form.
    Text(Bytes),
}
