//! Random streams, each opened by what it decides and for whom.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A stream of random draws with a purpose.
pub type Stream = ChaCha8Rng;

/// All streams of one replication.
///
/// The key of a stream is (seed, replication, purpose, entity), so a further peer, metric or
/// purpose changes nobody else's draws, and every contender meets the same ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Streams {
    seed: u64,
    replication: u64,
}

impl Streams {
    /// The streams of replication `replication` under root seed `seed`.
    pub fn new(seed: u64, replication: u64) -> Self {
        Self { seed, replication }
    }

    /// The stream that decides `purpose` for `entity`, for instance `"population/upload"` for the
    /// seventh device.
    pub fn open(&self, purpose: &str, entity: u64) -> Stream {
        let mut key = [0; 32];
        let words = [self.seed, self.replication, fnv1a(purpose), entity];
        for (bytes, word) in key.chunks_exact_mut(8).zip(words) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        ChaCha8Rng::from_seed(key)
    }

    /// A small stream that decides `purpose` for `entity`: for draws made one at a time for each
    /// of very many.
    pub fn open_small(&self, purpose: &str, entity: u64) -> SmallStream {
        SmallStream(self.open(purpose, entity).next_u64())
    }

    /// One draw from the open interval (0, 1) for `purpose` and `entity`.
    pub fn draw(&self, purpose: &str, entity: u64) -> f64 {
        uniform(&mut self.open(purpose, entity))
    }
}

/// A stream of draws that fits into 8 bytes, where a [`Stream`] takes 300.
///
/// A counter and a mixer: splitmix64. Opened from a keyed stream, two small streams share draws
/// only when they happen to start close to each other among 2^64 places.
///
/// # Source
/// G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct SmallStream(u64);

impl SmallStream {
    /// One draw from the open interval (0, 1), on the same grid as [`uniform`].
    #[inline]
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        midpoint(word ^ (word >> 31))
    }
}

/// Fowler, Noll and Vo's hash, variant 1a, of 64 bits: names differ in few letters, and it spreads them.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// One draw from the open interval (0, 1): the midpoints of 2^52 equal cells, so that neither 0
/// nor 1, at which inverse formulas diverge, can come.
#[inline]
pub fn uniform(stream: &mut Stream) -> f64 {
    midpoint(stream.next_u64())
}

/// The middle of the cell that the high bits of `word` number.
#[inline]
fn midpoint(word: u64) -> f64 {
    const CELLS: f64 = 4_503_599_627_370_496.0;
    ((word >> 12) as f64 + 0.5) / CELLS
}

/// A whole number below `bound`, every one equally likely but for a bias below 2^-32 x bound.
///
/// # Panics
/// When `bound` is 0.
pub fn uniform_below(stream: &mut Stream, bound: u32) -> u32 {
    assert!(bound > 0, "there is no whole number below 0");
    let wide = u128::from(stream.next_u64()) * u128::from(bound);
    u32::try_from(wide >> 64).expect("a product with a number below 1 stays below the bound")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_independent_of_the_order_they_are_opened_in() {
        let streams = Streams::new(2026, 3);
        let alone = streams.draw("population/upload", 7);
        for entity in 0..100 {
            streams.draw("population/download", entity);
        }
        assert_eq!(
            alone.to_bits(),
            streams.draw("population/upload", 7).to_bits()
        );
    }

    #[test]
    fn each_part_of_the_key_opens_another_stream() {
        let base = Streams::new(1, 1).draw("a", 1);
        let others = [
            Streams::new(2, 1).draw("a", 1),
            Streams::new(1, 2).draw("a", 1),
            Streams::new(1, 1).draw("b", 1),
            Streams::new(1, 1).draw("a", 2),
        ];
        for other in others {
            assert_ne!(base.to_bits(), other.to_bits());
        }
    }

    #[test]
    fn draws_are_uniform_within_their_binomial_error() {
        for seed in 0..6 {
            let mut stream = Streams::new(seed, 0).open("uniform", 0);
            let n = 100_000;
            let mut counts = [0_u32; 10];
            for _ in 0..n {
                counts[uniform_below(&mut stream, 10) as usize] += 1;
            }
            // 4 standard deviations of a binomial count: 1 false alarm in 16,000 counts.
            let allowed = 4.0 * (f64::from(n) * 0.1 * 0.9).sqrt();
            for count in counts {
                let off = (f64::from(count) - f64::from(n) * 0.1).abs();
                assert!(off < allowed, "seed {seed}: {counts:?}");
            }
        }
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "rounding down is meant"
    )]
    fn tenth(u: f64) -> usize {
        (10.0 * u) as usize
    }

    #[test]
    fn small_streams_are_uniform_and_do_not_follow_each_other() {
        for seed in 0..6 {
            let streams = Streams::new(seed, 0);
            let n = 100_000;
            let mut counts = [0_u32; 100];
            for entity in 0..100 {
                let mut pair = [entity, entity + 1].map(|e| streams.open_small("small", e));
                for _ in 0..n / 100 {
                    let [this, next] = pair.each_mut().map(|stream| tenth(stream.uniform()));
                    counts[10 * this + next] += 1;
                }
            }
            // 4.5 standard deviations of a binomial count: 1 false alarm in 240 runs.
            let allowed = 4.5 * (f64::from(n) * 0.01 * 0.99).sqrt();
            for count in counts {
                let off = (f64::from(count) - f64::from(n) * 0.01).abs();
                assert!(off < allowed, "seed {seed}: {counts:?}");
            }
        }
    }

    #[test]
    fn the_first_small_draw_never_changes() {
        let draw = Streams::new(2026, 0)
            .open_small("network/jitter", 0)
            .uniform();
        assert_eq!(
            draw.to_bits(),
            FIRST_SMALL_DRAW,
            "got {:#x}",
            draw.to_bits()
        );
    }

    const FIRST_SMALL_DRAW: u64 = 0x3fe8_9ea0_e8ad_f821;

    #[test]
    fn the_first_draw_never_changes() {
        let draw = Streams::new(2026, 0).draw("population/upload", 0);
        assert_eq!(draw.to_bits(), FIRST_DRAW, "got {:#x}", draw.to_bits());
    }

    const FIRST_DRAW: u64 = 0x3fc2_9fed_97db_f2a4;
}
