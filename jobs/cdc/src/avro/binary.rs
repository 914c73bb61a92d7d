//! Avro's binary encoding: <https://avro.apache.org/docs/1.12.0/specification/#binary-encoding>

use crate::varint;

/// A zigzag variable-length integer; Avro's `int` and `long` are written alike.
#[inline]
pub(crate) fn long(value: i64, out: &mut Vec<u8>) {
    varint::write(value, out);
}

/// `bytes` and `string`: the length, then the bytes.
pub(crate) fn bytes(value: &[u8], out: &mut Vec<u8>) {
    long(value.len() as i64, out);
    out.extend_from_slice(value);
}

/// The `bytes` or `string` at the beginning.
pub(crate) fn read_bytes(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = varint::read(bytes)?;
    rest.get(..usize::try_from(length).ok()?)
}

pub(crate) fn boolean(value: bool, out: &mut Vec<u8>) {
    out.push(u8::from(value));
}

pub(crate) fn float(value: f32, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes());
}

pub(crate) fn double(value: f64, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_le_bytes());
}

/// A `["null", T]` field: its value follows `Some`.
pub(crate) fn option<T>(value: Option<T>, out: &mut Vec<u8>, write: impl FnOnce(T, &mut Vec<u8>)) {
    match value {
        None => out.push(0),
        Some(value) => {
            out.push(2);
            write(value, out);
        }
    }
}

/// An array or a map, as one block and the end.
pub(crate) fn items<I>(items: I, out: &mut Vec<u8>, mut each: impl FnMut(I::Item, &mut Vec<u8>))
where
    I: IntoIterator<IntoIter: ExactSizeIterator>,
{
    let items = items.into_iter();
    if items.len() > 0 {
        long(items.len() as i64, out);
        items.for_each(|item| each(item, out));
    }
    out.push(0);
}

#[cfg(test)]
mod tests {
    use apache_avro::types::Value;
    use proptest::prelude::*;

    use super::*;
    use crate::avro::read_back::read_back;

    proptest! {
        #[test]
        fn longs(value: i64) {
            let mut out = Vec::new();
            long(value, &mut out);
            prop_assert_eq!(read_back(r#""long""#, &out), Value::Long(value));
        }

        #[test]
        fn texts(value in ".{0,200}") {
            let mut out = Vec::new();
            bytes(value.as_bytes(), &mut out);
            prop_assert_eq!(read_back(r#""string""#, &out), Value::String(value));
        }
    }
}
