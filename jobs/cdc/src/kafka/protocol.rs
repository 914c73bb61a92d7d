//! The few requests of Kafka's protocol that a transactional producer sends, in versions that every broker
//! from 2.1 on understands: <https://kafka.apache.org/protocol.html>

use bytes::{Buf, Bytes};

use crate::error::{Error, ErrorKind, Result};

/// A request's name in the protocol, and the version in which it is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Api {
    pub(crate) name: &'static str,
    pub(crate) key: i16,
    pub(crate) version: i16,
}

const fn api(name: &'static str, key: i16, version: i16) -> Api {
    Api { name, key, version }
}

pub(crate) const PRODUCE: Api = api("Produce", 0, 7);
pub(crate) const METADATA: Api = api("Metadata", 3, 4);
pub(crate) const FIND_COORDINATOR: Api = api("FindCoordinator", 10, 1);
pub(crate) const SASL_HANDSHAKE: Api = api("SaslHandshake", 17, 1);
pub(crate) const INIT_PRODUCER_ID: Api = api("InitProducerId", 22, 1);
pub(crate) const ADD_PARTITIONS: Api = api("AddPartitionsToTxn", 24, 2);
pub(crate) const END_TRANSACTION: Api = api("EndTxn", 26, 2);
pub(crate) const SASL_AUTHENTICATE: Api = api("SaslAuthenticate", 36, 0);

/// A request's body being written.
#[derive(Debug, Default)]
pub(crate) struct Request(pub(crate) Vec<u8>);

impl Request {
    pub(crate) fn i8(mut self, value: i8) -> Self {
        self.0.push(value as u8);
        self
    }

    pub(crate) fn i16(mut self, value: i16) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn i32(mut self, value: i32) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn i64(mut self, value: i64) -> Self {
        self.0.extend_from_slice(&value.to_be_bytes());
        self
    }

    pub(crate) fn text(self, text: &str) -> Self {
        let mut request = self.i16(text.len() as i16);
        request.0.extend_from_slice(text.as_bytes());
        request
    }

    /// A text that may be missing.
    pub(crate) fn text_or_none(self, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.text(text),
            None => self.i16(-1),
        }
    }

    pub(crate) fn bytes(self, bytes: &[u8]) -> Self {
        let mut request = self.i32(bytes.len() as i32);
        request.0.extend_from_slice(bytes);
        request
    }
}

/// An answer's body being read.
#[derive(Debug)]
pub(crate) struct Answer {
    rest: Bytes,
    name: &'static str,
}

impl Answer {
    pub(crate) fn new(name: &'static str, rest: Bytes) -> Self {
        Self { rest, name }
    }

    pub(crate) fn i16(&mut self) -> Result<i16> {
        self.rest.try_get_i16().map_err(|_| self.cut())
    }

    pub(crate) fn i32(&mut self) -> Result<i32> {
        self.rest.try_get_i32().map_err(|_| self.cut())
    }

    pub(crate) fn i64(&mut self) -> Result<i64> {
        self.rest.try_get_i64().map_err(|_| self.cut())
    }

    pub(crate) fn skip(&mut self, bytes: usize) -> Result<()> {
        if self.rest.len() < bytes {
            return Err(self.cut());
        }
        self.rest.advance(bytes);
        Ok(())
    }

    /// A text that may be missing.
    pub(crate) fn text(&mut self) -> Result<Option<String>> {
        let Ok(length) = usize::try_from(self.i16()?) else { return Ok(None) };
        if self.rest.len() < length {
            return Err(self.cut());
        }
        let text = self.rest.split_to(length);
        String::from_utf8(text.to_vec()).map(Some).map_err(|_| self.cut())
    }

    pub(crate) fn bytes(&mut self) -> Result<Bytes> {
        let length = usize::try_from(self.i32()?).unwrap_or_default();
        if self.rest.len() < length {
            return Err(self.cut());
        }
        Ok(self.rest.split_to(length))
    }

    /// The number of elements that follow, each of at least one byte.
    pub(crate) fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.i32()?).unwrap_or_default();
        if count > self.rest.len() { Err(self.cut()) } else { Ok(count) }
    }

    fn cut(&self) -> Error {
        Error::new(ErrorKind::Protocol, format!("a broker's answer to {} is cut", self.name))
    }
}
