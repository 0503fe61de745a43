//! The draws of the benchmarks: the same numbers in every simulator that is compared.

/// Steele, Lea and Flood's splitmix64 ("Fast splittable pseudorandom number generators", OOPSLA
/// 2014).
#[derive(Clone, Debug)]
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    #[inline]
    pub(crate) fn word(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        word ^ (word >> 31)
    }

    /// From 0, included, to 1, excluded.
    #[inline]
    pub(crate) fn unit(&mut self) -> f64 {
        (self.word() >> 11) as f64 / 9_007_199_254_740_992.0
    }

    /// Exponential, of mean 1.
    #[inline]
    pub(crate) fn exponential(&mut self) -> f64 {
        -libm::log(1.0 - self.unit())
    }

    /// A whole number below `bound`.
    #[inline]
    pub(crate) fn below(&mut self, bound: u32) -> u32 {
        let wide = u128::from(self.word()) * u128::from(bound);
        u32::try_from(wide >> 64).expect("below the bound")
    }

    /// A whole number below `count` that is not `this`.
    #[inline]
    pub(crate) fn other(&mut self, count: u32, this: u32) -> u32 {
        let drawn = self.below(count - 1);
        drawn + u32::from(drawn >= this)
    }
}
