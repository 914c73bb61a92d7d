use crate::error::{Error, ErrorKind, Result};

/// Reads a message from front to back and never past its end.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    #[inline]
    fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((bytes, rest)) => {
                self.rest = rest;
                Ok(*bytes)
            }
            None => Err(cut(what)),
        }
    }

    #[inline]
    pub(crate) fn u8(&mut self, what: &str) -> Result<u8> {
        Ok(u8::from_be_bytes(self.array(what)?))
    }

    #[inline]
    pub(crate) fn u16(&mut self, what: &str) -> Result<u16> {
        Ok(u16::from_be_bytes(self.array(what)?))
    }

    #[inline]
    pub(crate) fn u32(&mut self, what: &str) -> Result<u32> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    #[inline]
    pub(crate) fn i32(&mut self, what: &str) -> Result<i32> {
        Ok(i32::from_be_bytes(self.array(what)?))
    }

    #[inline]
    pub(crate) fn u64(&mut self, what: &str) -> Result<u64> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    #[inline]
    pub(crate) fn i64(&mut self, what: &str) -> Result<i64> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// A text that ends with a zero byte.
    pub(crate) fn text(&mut self, what: &str) -> Result<&'a str> {
        std::str::from_utf8(self.until_zero(what)?)
            .map_err(|cause| Error::new(ErrorKind::Protocol, format!("{what} is not UTF-8")).caused_by(cause))
    }

    /// The bytes before a zero byte.
    pub(crate) fn until_zero(&mut self, what: &str) -> Result<&'a [u8]> {
        let end = self.rest.iter().position(|byte| *byte == 0).ok_or_else(|| cut(what))?;
        let (text, rest) = self.rest.split_at_checked(end).ok_or_else(|| cut(what))?;
        self.rest = rest.get(1..).unwrap_or_default();
        Ok(text)
    }

    /// Bytes with their length in front.
    #[inline]
    pub(crate) fn sized(&mut self, what: &str) -> Result<&'a [u8]> {
        let length = self.u32(what)? as usize;
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or_else(|| cut(what))?;
        self.rest = rest;
        Ok(bytes)
    }

    /// What is left; its length bounds what a count in the message may make us reserve.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(crate) fn finish(self, what: &str) -> Result<()> {
        if self.rest.is_empty() {
            return Ok(());
        }
        Err(Error::new(ErrorKind::Protocol, format!("{what} message has {} bytes too many", self.rest.len())))
    }
}

#[cold]
fn cut(what: &str) -> Error {
    Error::new(ErrorKind::Protocol, format!("a replication message ends inside its {what}"))
}
