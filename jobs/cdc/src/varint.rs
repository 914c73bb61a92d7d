//! Zigzag integers of variable length, which Avro's binary encoding and Kafka's records share.

/// Appends a number, in 1 to 10 bytes.
#[inline]
pub(crate) fn write(value: i64, out: &mut Vec<u8>) {
    let mut rest = zigzag(value);
    while rest >= 0x80 {
        out.push((rest as u8 & 0x7F) | 0x80);
        rest >>= 7;
    }
    out.push(rest as u8);
}

/// How many bytes a number takes.
#[inline]
pub(crate) fn length(value: i64) -> usize {
    (64 - (zigzag(value) | 1).leading_zeros() as usize).div_ceil(7)
}

/// The number at the beginning, and what follows it.
pub(crate) fn read(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let length = bytes.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (number, rest) = bytes.split_at_checked(length)?;
    let zigzag = number.iter().rev().fold(0_u64, |value, byte| value << 7 | u64::from(byte & 0x7F));
    Some(((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64), rest))
}

fn zigzag(value: i64) -> u64 {
    (value.wrapping_shl(1) ^ (value >> 63)) as u64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_back(value: i64, shift in 0..64_u32) {
            let (value, mut out) = (value >> shift, Vec::new());
            write(value, &mut out);
            prop_assert_eq!(out.len(), length(value));
            out.push(7);
            prop_assert_eq!(read(&out), Some((value, &[7][..])));
        }
    }
}
