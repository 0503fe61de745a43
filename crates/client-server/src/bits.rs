//! A set of small numbers, a bit each.

/// A set of numbers below some bound.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bits(Box<[u64]>);

impl Bits {
    /// None of `count` numbers.
    pub(crate) fn empty(count: u32) -> Self {
        Self(vec![0; count.div_ceil(64) as usize].into())
    }

    /// All of `count` numbers.
    pub(crate) fn full(count: u32) -> Self {
        let mut all = Self::empty(count);
        for number in 0..count {
            all.set(number);
        }
        all
    }

    pub(crate) fn has(&self, number: u32) -> bool {
        self.0[number as usize / 64] & mask(number) != 0
    }

    /// Adds a number; says whether it is new.
    pub(crate) fn set(&mut self, number: u32) -> bool {
        let word = &mut self.0[number as usize / 64];
        let new = *word & mask(number) == 0;
        *word |= mask(number);
        new
    }

    /// How many there are.
    pub(crate) fn count(&self) -> u32 {
        self.0.iter().map(|word| word.count_ones()).sum()
    }

    pub(crate) fn unset(&mut self, number: u32) {
        self.0[number as usize / 64] &= !mask(number);
    }

    pub(crate) fn clear(&mut self) {
        self.0.fill(0);
    }

    pub(crate) fn state_bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

fn mask(number: u32) -> u64 {
    1 << (number % 64)
}
