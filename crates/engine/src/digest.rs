//! A fingerprint of a trajectory.

use std::fmt;

/// Folds every event of a run into 64 bits, so that two runs can be told apart at a glance.
///
/// The fold is Fowler, Noll and Vo's (variant 1a) on whole words followed by a rotation, which
/// lets high bits reach low ones. It detects changes; it does not resist an adversary.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Digest(u64);

impl Default for Digest {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Digest {
    /// Folds one word in.
    pub fn fold(&mut self, word: u64) {
        self.0 = (self.0 ^ word)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            .rotate_left(29);
    }

    /// The 64 bits.
    pub fn value(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_and_content_both_count() {
        let fold = |words: &[u64]| {
            let mut digest = Digest::default();
            for word in words {
                digest.fold(*word);
            }
            digest
        };
        assert_ne!(fold(&[1, 2]), fold(&[2, 1]));
        assert_ne!(fold(&[1, 2]), fold(&[1, 3]));
        assert_eq!(fold(&[1, 2]), fold(&[1, 2]));
    }
}
