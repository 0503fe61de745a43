//! Identifiers of nodes and keys: places on a circle of 2^64.

use netduel_world::{Key, NodeId, Stream, uniform_below};

/// How identifiers are given to nodes and keys. Scenarios have no say in it: it is for checks
/// against what theory knows of special cases.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Placing {
    /// Hashes of a node's number and of a key's number.
    #[default]
    Hashed,
    /// Nodes at even distances on a circle of 2^`bits`, in their order; a key lies right behind the
    /// node of the same number.
    Even {
        /// Digits of the circle on which nodes lie; at most 32.
        bits: u32,
    },
    /// Nodes at hashes, and a key where the node of the same number is.
    KeysAtNodes,
}

/// Gives identifiers to nodes and keys.
///
/// Published designs use the 160 bits of SHA-1; 64 bits of another hash are as uniform, and no two
/// nodes share one because the hash is one-to-one. Whoever knows a node's address knows its
/// identifier, so it is never looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identifiers {
    nodes: u64,
    keys: u64,
    placing: Placing,
    /// Nodes are counted from here where they lie in order.
    first: u32,
}

impl Identifiers {
    /// Draws where the hashes of this world begin, so that replications differ.
    pub(crate) fn draw(placing: Placing, first: u32, rng: &mut Stream) -> Self {
        let mut word = || {
            let half = |rng: &mut Stream| u64::from(uniform_below(rng, u32::MAX));
            half(rng) << 32 | half(rng)
        };
        Self {
            nodes: word(),
            keys: word(),
            placing,
            first,
        }
    }

    #[inline]
    pub(crate) fn of_node(&self, node: NodeId) -> u64 {
        match self.placing {
            Placing::Hashed | Placing::KeysAtNodes => mix(self.nodes, u64::from(node.0)),
            Placing::Even { bits } => u64::from(node.0.wrapping_sub(self.first)) << (64 - bits),
        }
    }

    #[inline]
    pub(crate) fn of_key(&self, key: Key) -> u64 {
        let twin = NodeId(self.first + key.0);
        match self.placing {
            Placing::Hashed => mix(self.keys, u64::from(key.0)),
            Placing::Even { .. } => self.of_node(twin) + 1,
            Placing::KeysAtNodes => self.of_node(twin),
        }
    }
}

/// One-to-one for each `salt`, and without a pattern.
///
/// # Source
/// G. L. Steele, D. Lea, C. H. Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[inline]
fn mix(salt: u64, number: u64) -> u64 {
    let mut word = salt.wrapping_add((number + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

#[cfg(test)]
mod tests {
    use netduel_world::Streams;

    use super::*;

    #[test]
    fn hashes_are_uniform_and_differ_between_replications() {
        for seed in 0..6 {
            let mut rng = Streams::new(seed, 0).open("architecture", 0);
            let ids = Identifiers::draw(Placing::Hashed, 0, &mut rng);
            let mut counts = [0_u32; 16];
            for node in 0..16_000 {
                counts[(ids.of_node(NodeId(node)) >> 60) as usize] += 1;
            }
            // 5 standard deviations of a binomial count.
            let off = counts.map(|count| count.abs_diff(1000));
            assert!(off.iter().all(|off| *off < 160), "seed {seed}: {counts:?}");
            let mut rng = Streams::new(seed, 1).open("architecture", 0);
            let others = Identifiers::draw(Placing::Hashed, 0, &mut rng);
            assert_ne!(ids.of_node(NodeId(1)), others.of_node(NodeId(1)));
        }
    }
}
