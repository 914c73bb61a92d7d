//! PostgreSQL's logical replication messages, protocol versions 1 and 2 without streaming of
//! transactions in progress: <https://www.postgresql.org/docs/current/protocol-logicalrep-message-formats.html>

mod cursor;
mod decode;
mod message;

pub(crate) use self::decode::{POSTGRES_EPOCH_US, decode};
pub(crate) use self::message::{
    Begin, Commit, Datum, Message, OldTuple, Relation, RelationColumn, RelationId, Tuple,
};
