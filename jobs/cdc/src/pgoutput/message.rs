use super::tuple::Tuple;
use crate::lsn::Lsn;

/// The OID of a table, as messages refer to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct RelationId(pub(crate) u32);

/// One message of the stream; rows and texts lie in the receive buffer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Message<'a> {
    Begin(Begin),
    Commit(Commit),
    /// Where a replicated transaction came from.
    Origin {
        commit_lsn: Lsn,
        name: &'a str,
    },
    Relation(Relation),
    /// A type that isn't built in; its facts are read from the catalog instead.
    Type {
        oid: u32,
        schema: &'a str,
        name: &'a str,
    },
    Insert {
        relation: RelationId,
        new: Tuple<'a>,
    },
    Update {
        relation: RelationId,
        old: Option<OldTuple<'a>>,
        new: Tuple<'a>,
    },
    Delete {
        relation: RelationId,
        old: OldTuple<'a>,
    },
    Truncate {
        relations: Vec<RelationId>,
    },
    /// Written by `pg_logical_emit_message`.
    Logical {
        transactional: bool,
        lsn: Lsn,
        prefix: &'a str,
        content: &'a [u8],
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
    pub(crate) identity: ReplicaIdentity,
    pub(crate) columns: Vec<RelationColumn>,
}

/// What old rows tell of the rows that they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplicaIdentity {
    /// The primary key, unless it is deferrable.
    Default,
    Nothing,
    Full,
    Index,
}

impl ReplicaIdentity {
    /// By PostgreSQL's letter in `pg_class.relreplident` and in the stream.
    pub(crate) fn from_letter(letter: u8) -> Option<Self> {
        Some(match letter {
            b'd' => Self::Default,
            b'n' => Self::Nothing,
            b'f' => Self::Full,
            b'i' => Self::Index,
            _ => return None,
        })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RelationColumn {
    pub(crate) name: String,
    pub(crate) type_oid: u32,
    pub(crate) type_modifier: i32,
    /// Whether old rows tell it; all are told where the identity is full.
    pub(crate) in_identity: bool,
}

/// The old row, as much of it as the replica identity gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OldTuple<'a> {
    /// The key's columns; the others are null.
    Key(Tuple<'a>),
    Full(Tuple<'a>),
}
