//! PostgreSQL's logical replication messages, protocol version 1: <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>

mod cursor;
mod decode;
mod message;
mod recode;
mod tuple;

pub(crate) use self::decode::{POSTGRES_EPOCH_US, decode};
pub(crate) use self::message::{
    Begin, Commit, Message, OldTuple, Relation, RelationColumn, RelationId, ReplicaIdentity,
};
pub(crate) use self::recode::{recode, recode_tuple};
pub(crate) use self::tuple::{Datum, Tuple, TupleBuffer, Values};
