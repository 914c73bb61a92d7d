use bytes::{Buf, Bytes};

use crate::error::{Error, ErrorKind, Result};

/// Reads a message from front to back and never past its end.
pub(crate) struct Cursor {
    rest: Bytes,
}

impl Cursor {
    pub(crate) fn new(message: Bytes) -> Self {
        Self { rest: message }
    }

    pub(crate) fn u8(&mut self, what: &str) -> Result<u8> {
        self.need(1, what)?;
        Ok(self.rest.get_u8())
    }

    pub(crate) fn u16(&mut self, what: &str) -> Result<u16> {
        self.need(2, what)?;
        Ok(self.rest.get_u16())
    }

    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        self.need(4, what)?;
        Ok(self.rest.get_u32())
    }

    pub(crate) fn i32(&mut self, what: &str) -> Result<i32> {
        self.need(4, what)?;
        Ok(self.rest.get_i32())
    }

    pub(crate) fn u64(&mut self, what: &str) -> Result<u64> {
        self.need(8, what)?;
        Ok(self.rest.get_u64())
    }

    pub(crate) fn i64(&mut self, what: &str) -> Result<i64> {
        self.need(8, what)?;
        Ok(self.rest.get_i64())
    }

    /// A text that ends with a zero byte.
    pub(crate) fn text(&mut self, what: &str) -> Result<String> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| cut(what))?;
        let text = self.rest.split_to(end);
        self.rest.advance(1);
        String::from_utf8(text.to_vec())
            .map_err(|cause| Error::new(ErrorKind::Protocol, format!("{what} is not UTF-8")).caused_by(cause))
    }

    /// Bytes with their length in front.
    pub(crate) fn sized(&mut self, what: &str) -> Result<Bytes> {
        let length = self.u32(what)? as usize;
        self.need(length, what)?;
        Ok(self.rest.split_to(length))
    }

    /// Bytes left: bounds what a count in the message may make us reserve.
    pub(crate) fn remaining(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn finish(self, what: &str) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Protocol, format!("{what} message has {} bytes too many", self.rest.len())))
    }

    fn need(&self, bytes: usize, what: &str) -> Result<()> {
        if self.rest.len() < bytes { Err(cut(what)) } else { Ok(()) }
    }
}

fn cut(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("a replication message ends inside its {what}"))
}
