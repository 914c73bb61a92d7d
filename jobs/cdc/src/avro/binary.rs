//! Avro's binary encoding: <https://avro.apache.org/docs/1.12.0/specification/#binary-encoding>

/// A zigzag variable-length integer; Avro's `int` and `long` are written alike.
pub(crate) fn long(value: i64, out: &mut Vec<u8>) {
    let mut rest = (value.wrapping_shl(1) ^ (value >> 63)) as u64;
    while rest >= 0x80 {
        out.push((rest as u8 & 0x7F) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// `bytes` and `string`: the length, then the bytes.
pub(crate) fn bytes(value: &[u8], out: &mut Vec<u8>) {
    long(value.len() as i64, out);
    out.extend_from_slice(value);
}

/// The number at the beginning, and what follows it.
pub(crate) fn read_long(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at_checked(length)?;
    let zigzag = number.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7F));
    Some(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64), rest))
}

/// The `bytes` or `string` at the beginning.
pub(crate) fn read_bytes(bytes: &[u8]) -> Option<&[u8]> {
    let (length, rest) = read_long(bytes)?;
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

#[cfg(test)]
mod tests {
    use apache_avro::Schema;
    use apache_avro::reader::datum::GenericDatumReader;
    use apache_avro::types::Value;
    use proptest::prelude::*;

    use super::*;

    fn read(schema: &str, bytes: &[u8]) -> Value {
        GenericDatumReader::builder(&Schema::parse_str(schema).unwrap())
            .build()
            .unwrap()
            .read_value(&mut &bytes[..])
            .unwrap()
    }

    proptest! {
        #[test]
        fn numbers_and_back(number: i64) {
            let mut out = Vec::new();
            long(number, &mut out);
            prop_assert_eq!(read_long(&out), Some((number, &[][..])));
        }

        #[test]
        fn longs(value: i64) {
            let mut out = Vec::new();
            long(value, &mut out);
            prop_assert_eq!(read(r#""long""#, &out), Value::Long(value));
        }

        #[test]
        fn texts(value in ".{0,200}") {
            let mut out = Vec::new();
            bytes(value.as_bytes(), &mut out);
            prop_assert_eq!(read(r#""string""#, &out), Value::String(value));
        }
    }
}
