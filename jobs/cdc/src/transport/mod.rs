//! The replication connection, behind a trait of our own.

mod pgwire;

use std::future::Future;

pub(crate) use self::pgwire::{ExportedSnapshot, PgWire, SystemIdentity};
use crate::error::Result;
use crate::lsn::Lsn;
use crate::pgoutput::Message;

/// What the server sends once replication has started.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Received {
    /// A message with the position of its WAL record (zero where the transport doesn't know it).
    Message { lsn: Lsn, message: Message },
    /// Every transaction that ends at or before this position has been sent.
    KeepAlive { end: Lsn },
}

/// A started stream. It answers the server's keepalives by itself, also while nobody calls
/// [`receive`](Self::receive), so that a slow consumer never runs into `wal_sender_timeout`.
pub(crate) trait ReplicationStream: Send {
    /// The next message; safe to drop and call again.
    fn receive(&mut self) -> impl Future<Output = Result<Received>> + Send;

    /// Everything before this position is safe downstream: the server may forget it.
    fn confirm(&self, position: Lsn);

    /// Ends the stream.
    fn close(self) -> impl Future<Output = ()> + Send;
}
