//! Finding an id by what it stands for.

const EMPTY: u32 = u32::MAX;

/// An index from hashes to 32-bit ids; what the ids stand for stays with their owner.
///
/// Open addressing with linear probing. It is only ever asked for one id and never iterated, so
/// that its order reaches nothing.
#[derive(Debug, Default)]
pub(super) struct Lookup {
    slots: Vec<Slot>,
    len: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    id: u32,
}

impl Lookup {
    /// The id with this hash that `is` recognises.
    pub(super) fn find(&self, hash: u32, is: impl Fn(u32) -> bool) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let mut at = self.home(hash);
        loop {
            let slot = self.slots[at];
            if slot.id == EMPTY {
                return None;
            }
            if slot.hash == hash && is(slot.id) {
                return Some(slot.id);
            }
            at = self.next(at);
        }
    }

    /// Adds an id that is not in the index yet.
    pub(super) fn insert(&mut self, hash: u32, id: u32) {
        // Linear probing stays short up to three quarters full.
        if (self.len + 1) * 4 > self.slots.len() * 3 {
            self.grow();
        }
        self.len += 1;
        self.put(Slot { hash, id });
    }

    /// Removes an id that is in the index, and closes the gap it leaves.
    pub(super) fn remove(&mut self, hash: u32, id: u32) {
        let mut gap = self.home(hash);
        while self.slots[gap].id != id {
            assert!(
                self.slots[gap].id != EMPTY,
                "what is removed is in the index"
            );
            gap = self.next(gap);
        }
        self.len -= 1;
        let mask = self.slots.len() - 1;
        let mut at = self.next(gap);
        while self.slots[at].id != EMPTY {
            let home = self.home(self.slots[at].hash);
            // An entry may move back to the gap when that lies between its home and its place.
            if at.wrapping_sub(home) & mask >= at.wrapping_sub(gap) & mask {
                self.slots[gap] = self.slots[at];
                gap = at;
            }
            at = self.next(at);
        }
        self.slots[gap].id = EMPTY;
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & (self.slots.len() - 1)
    }

    fn next(&self, at: usize) -> usize {
        (at + 1) & (self.slots.len() - 1)
    }

    fn put(&mut self, slot: Slot) {
        let mut at = self.home(slot.hash);
        while self.slots[at].id != EMPTY {
            at = self.next(at);
        }
        self.slots[at] = slot;
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(16);
        let empty = Slot { hash: 0, id: EMPTY };
        let old = std::mem::replace(&mut self.slots, vec![empty; size]);
        for slot in old.into_iter().filter(|slot| slot.id != EMPTY) {
            self.put(slot);
        }
    }
}

/// A hash of some words: multiply, and fold the well-mixed upper half onto the lower one.
pub(super) fn hash(words: impl IntoIterator<Item = u64>) -> u32 {
    // 2^64 over the golden ratio, as in Fibonacci hashing: D. E. Knuth, The Art of Computer
    // Programming, volume 3, Addison-Wesley, 1998, section 6.4.
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mixed = words.into_iter().fold(0_u64, |state, word| {
        let product = (state ^ word).wrapping_mul(MULTIPLIER);
        product ^ (product >> 32)
    });
    (mixed.wrapping_mul(MULTIPLIER) >> 32) as u32
}

#[cfg(test)]
mod tests {
    use netduel_engine::{Streams, uniform_below};

    use super::*;

    #[test]
    fn what_is_in_the_index_is_found_and_nothing_else() {
        for bits in [1, 3, 8, 31] {
            // Few distinct hashes make long runs, in which removal has to close gaps.
            let hash_of = |id: u32| hash([u64::from(id)]) & ((1 << bits) - 1);
            let mut rng = Streams::new(bits, 0).open("lookup", 0);
            let mut lookup = Lookup::default();
            let mut present = [false; 100];
            for _ in 0..3000 {
                let id = uniform_below(&mut rng, 100);
                let here = &mut present[id as usize];
                if *here {
                    lookup.remove(hash_of(id), id);
                } else {
                    lookup.insert(hash_of(id), id);
                }
                *here = !*here;
                for id in 0..100 {
                    let found = lookup.find(hash_of(id), |other| other == id);
                    assert_eq!(found.is_some(), present[id as usize]);
                }
            }
        }
    }
}
