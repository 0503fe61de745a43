//! A heap that knows where its entries are, so that their keys can change in place.

use super::room;

const ARITY: usize = 4;

/// The position of what is in no heap.
pub(super) const NOWHERE: u32 = u32::MAX;

/// A 4-ary heap, smallest key first, of ids whose positions their owner writes down.
///
/// Every operation that moves entries reports each new position to `moved`. Up to five entries
/// make a heap of depth one, which costs no more than a short list. It allocates nothing while
/// it is empty from the start. Which of several equal keys comes first is not defined.
#[derive(Debug)]
pub(super) struct Heap<K, I> {
    entries: Vec<(K, I)>,
}

impl<K, I> Default for Heap<K, I> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
        }
    }
}

impl<K: Copy + Ord, I: Copy> Heap<K, I> {
    pub(super) fn first(&self) -> Option<(K, I)> {
        self.entries.first().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = I> {
        self.entries.iter().map(|(_, id)| *id)
    }

    /// The key at position `at`.
    pub(super) fn key(&self, at: u32) -> K {
        self.entries[at as usize].0
    }

    /// Appends the ids of all keys up to `limit`, in no order, at a cost that grows with their
    /// number alone.
    pub(super) fn up_to(&self, limit: K, ids: &mut Vec<I>) {
        self.up_to_below(0, limit, ids);
    }

    fn up_to_below(&self, at: usize, limit: K, ids: &mut Vec<I>) {
        let Some((key, id)) = self.entries.get(at).copied() else {
            return;
        };
        if key <= limit {
            ids.push(id);
            for child in at * ARITY + 1..=at * ARITY + ARITY {
                self.up_to_below(child, limit, ids);
            }
        }
    }

    pub(super) fn push(&mut self, key: K, id: I, moved: impl FnMut(I, u32)) {
        room::push(&mut self.entries, (key, id));
        self.rise(self.entries.len() - 1, (key, id), moved);
    }

    /// Takes out the entry at position `at`.
    pub(super) fn remove(&mut self, at: u32, moved: impl FnMut(I, u32)) {
        let last = self
            .entries
            .pop()
            .expect("what has a position is in the heap");
        let at = at as usize;
        if at < self.entries.len() {
            self.put(at, last, moved);
        } else {
            // Often enough: it is always so for the last one.
            room::give_back(&mut self.entries);
        }
    }

    /// Gives the entry at position `at` another key.
    pub(super) fn rekey(&mut self, at: u32, key: K, moved: impl FnMut(I, u32)) {
        let at = at as usize;
        let (old, id) = self.entries[at];
        if old != key {
            self.put(at, (key, id), moved);
        }
    }

    fn put(&mut self, at: usize, entry: (K, I), moved: impl FnMut(I, u32)) {
        if at > 0 && entry.0 < self.entries[(at - 1) / ARITY].0 {
            self.rise(at, entry, moved);
        } else {
            self.sink(at, entry, moved);
        }
    }

    fn rise(&mut self, mut at: usize, entry: (K, I), mut moved: impl FnMut(I, u32)) {
        while at > 0 {
            let parent = (at - 1) / ARITY;
            let above = self.entries[parent];
            if above.0 <= entry.0 {
                break;
            }
            self.entries[at] = above;
            moved(above.1, position(at));
            at = parent;
        }
        self.entries[at] = entry;
        moved(entry.1, position(at));
    }

    fn sink(&mut self, mut at: usize, entry: (K, I), mut moved: impl FnMut(I, u32)) {
        loop {
            let children = at * ARITY + 1;
            let end = (children + ARITY).min(self.entries.len());
            let Some(least) = (children..end).min_by_key(|child| self.entries[*child].0) else {
                break;
            };
            let below = self.entries[least];
            if entry.0 <= below.0 {
                break;
            }
            self.entries[at] = below;
            moved(below.1, position(at));
            at = least;
        }
        self.entries[at] = entry;
        moved(entry.1, position(at));
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a heap holds ids, which are 32 bits wide"
)]
fn position(at: usize) -> u32 {
    at as u32
}

#[cfg(test)]
mod tests {
    use netduel_engine::{Streams, uniform_below};

    use super::*;

    #[test]
    fn keys_that_change_in_place_leave_in_order() {
        for seed in 0..200 {
            let mut rng = Streams::new(seed, 0).open("heap", 0);
            let mut heap = Heap::default();
            let mut keys: Vec<Option<u32>> = vec![None; 40];
            let mut places = [NOWHERE; 40];
            for _ in 0..400 {
                let id = uniform_below(&mut rng, 40);
                let key = uniform_below(&mut rng, 30);
                let slot = id as usize;
                let at = places[slot];
                let moved = |id: u32, at| places[id as usize] = at;
                match (keys[slot], key % 3) {
                    (None, _) => heap.push(key, id, moved),
                    (Some(_), 0) => heap.remove(at, moved),
                    (Some(_), _) => heap.rekey(at, key, moved),
                }
                keys[slot] = match (keys[slot], key % 3) {
                    (Some(_), 0) => None,
                    _ => Some(key),
                };
                let least = keys.iter().flatten().min().copied();
                assert_eq!(heap.first().map(|(key, _)| key), least, "seed {seed}");
                let mut found = Vec::new();
                heap.up_to(key, &mut found);
                found.sort_unstable();
                let expected: Vec<u32> = (0..40)
                    .filter(|id| keys[*id as usize].is_some_and(|other| other <= key))
                    .collect();
                assert_eq!(found, expected, "seed {seed}");
            }
        }
    }
}
