use bytes::Bytes;

use super::connection::HEADER;
use crate::error::{Error, ErrorKind, Result};
use crate::lsn::Lsn;

/// Whole messages of a stream, as they came in one read.
#[derive(Debug, Clone)]
pub(crate) struct Chunk {
    bytes: Bytes,
}

/// What the server sends once replication has started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Received<'a> {
    /// A message of the output plugin with the position of its WAL record.
    Message { lsn: Lsn, body: &'a [u8] },
    /// Every transaction that ends at or before this position has been sent.
    KeepAlive { end: Lsn, reply_requested: bool },
}

impl Chunk {
    pub(crate) fn new(bytes: Bytes) -> Self {
        Self { bytes }
    }

    /// Tag and body of each message.
    pub(crate) fn messages(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let mut rest: &[u8] = &self.bytes;
        std::iter::from_fn(move || {
            let [tag, length @ ..] = *rest.first_chunk::<HEADER>()?;
            let (message, after) = rest.split_at_checked(u32::from_be_bytes(length) as usize + 1)?;
            rest = after;
            Some((tag, message.get(HEADER..)?))
        })
    }

    /// What is in a stream of replication messages; others are passed over.
    pub(crate) fn received(&self) -> impl Iterator<Item = Result<Received<'_>>> {
        self.messages().filter(|(tag, _)| *tag == b'd').map(|(_, body)| received(body))
    }
}

/// Start of the record, end of the WAL, the server's clock.
const XLOG_HEADER: usize = 1 + 8 + 8 + 8;

fn received(body: &[u8]) -> Result<Received<'_>> {
    let cut = || Error::new(ErrorKind::Protocol, "a replication message is cut");
    let position = || {
        body.get(1..)
            .and_then(|rest| rest.first_chunk())
            .map(|bytes| Lsn(u64::from_be_bytes(*bytes)))
            .ok_or_else(cut)
    };
    match body.first() {
        Some(b'w') => {
            Ok(Received::Message { lsn: position()?, body: body.get(XLOG_HEADER..).ok_or_else(cut)? })
        }
        Some(b'k') => Ok(Received::KeepAlive {
            end: position()?,
            reply_requested: body.get(17).is_some_and(|flag| *flag == 1),
        }),
        _ => Err(Error::new(ErrorKind::Protocol, "a replication message is of an unknown kind")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_record_and_a_keepalive() {
        let frame = |body: &[u8]| {
            let mut frame = vec![b'd'];
            frame.extend((body.len() as u32 + 4).to_be_bytes());
            frame.extend(body);
            frame
        };
        let record = [&b"w"[..], &7_u64.to_be_bytes(), &[0; 16], b"body"].concat();
        let keepalive = [&b"k"[..], &9_u64.to_be_bytes(), &[0; 8], &[1]].concat();
        let chunk = Chunk::new([frame(&record), frame(&keepalive)].concat().into());
        let all: Vec<Received<'_>> = chunk.received().map(Result::unwrap).collect();
        assert_eq!(
            all,
            [
                Received::Message { lsn: Lsn(7), body: b"body" },
                Received::KeepAlive { end: Lsn(9), reply_requested: true }
            ]
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let chunk = Chunk::new(bytes.into());
            prop_assert!(chunk.received().count() <= 40);
        }
    }
}
