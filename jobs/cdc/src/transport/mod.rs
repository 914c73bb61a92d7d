//! Sessions with PostgreSQL whose messages are handed on in whole chunks: the replication stream, behind
//! a trait of our own, and the copies of the snapshot.

mod chunk;
mod connection;
mod failure;
mod replication;

use std::future::Future;

pub(crate) use self::chunk::{Chunk, Received};
pub(crate) use self::connection::{Connection, Purpose};
pub(crate) use self::replication::{ExportedSnapshot, Replication, SlotKind, SystemIdentity};
use crate::error::Result;
use crate::lsn::Lsn;

/// A started stream. It answers the server's keepalives by itself, also while nobody calls
/// [`receive`](Self::receive), so that a slow consumer never runs into `wal_sender_timeout`.
pub(crate) trait ReplicationStream: Send {
    /// What has arrived next; safe to drop and call again.
    fn receive(&mut self) -> impl Future<Output = Result<Chunk>> + Send;

    /// Whether something has arrived that was not received yet.
    fn is_behind(&self) -> bool;

    /// Everything before this position is safe downstream: the server may forget it.
    fn confirm(&self, position: Lsn);

    /// Ends the stream.
    fn close(self) -> impl Future<Output = ()> + Send;
}
