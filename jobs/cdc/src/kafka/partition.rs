/// The partition of a key: the Java client's hash (MurmurHash2), so that keys land where Debezium's would.
/// Rows of a table without a key all go to the first, so that they stay in order.
pub(crate) fn partition_of(key: Option<&[u8]>, partitions: usize) -> usize {
    match key {
        Some(key) if partitions > 1 => (murmur2(key) & 0x7FFF_FFFF) as usize % partitions,
        _ => 0,
    }
}

fn murmur2(bytes: &[u8]) -> u32 {
    const M: u32 = 0x5BD1_E995;
    let mut hash = 0x9747_B28C ^ bytes.len() as u32;
    let mut words = bytes.chunks_exact(4);
    for word in &mut words {
        let mut k = word.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte)).wrapping_mul(M);
        k = (k ^ k >> 24).wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0, |word, byte| word << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values in the Java client's own test.
    #[test]
    fn as_the_java_client_hashes() {
        for (text, hash) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()) as i32, hash, "{text}");
        }
    }

    #[test]
    fn without_a_key_the_first() {
        assert_eq!(partition_of(None, 8), 0);
        assert_eq!(partition_of(Some(b"x"), 1), 0);
    }
}
