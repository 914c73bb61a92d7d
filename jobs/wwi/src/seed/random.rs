use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// What a stream of random numbers is for. Each part of the data has its own stream, so that a part
/// can be generated again, or changed, without changing the others.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stream {
    People = 1,
    Stock = 2,
    Customers = 3,
    Sales = 4,
    Workload = 5,
}

/// The stream of this seed; `ChaCha` gives the same numbers on every platform and in every version.
pub(crate) fn stream(seed: u64, stream: Stream, part: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream((stream as u64) << 32 | part);
    rng
}
