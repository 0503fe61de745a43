//! The few keys that are due next, sorted.

use super::key::Key;

/// Keys for which room is kept even if there are far fewer.
const KEPT: usize = 1024;
/// When there are fewer keys than one in so many that have room, room is given back.
const SPARSE: usize = 4;

/// Keys in rising order, taken from the front.
#[derive(Debug, Default)]
pub(super) struct Near {
    /// Those before `head` have been taken.
    keys: Vec<Key>,
    head: usize,
}

impl Near {
    pub(super) fn as_slice(&self) -> &[Key] {
        &self.keys[self.head..]
    }

    pub(super) fn len(&self) -> usize {
        self.keys.len() - self.head
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.head == self.keys.len()
    }

    #[inline]
    pub(super) fn first(&self) -> Option<Key> {
        self.keys.get(self.head).copied()
    }

    /// Takes the first key, when it is not after `limit`.
    #[inline]
    pub(super) fn pop_until(&mut self, limit: u64) -> Option<Key> {
        let key = self.first()?;
        if key.time() > limit {
            return None;
        }
        self.head += 1;
        if self.is_empty() {
            self.keys.clear();
            self.head = 0;
        }
        Some(key)
    }

    /// Adds a key that is to be sorted later.
    #[inline]
    pub(super) fn push(&mut self, key: Key) {
        self.keys.push(key);
    }

    /// Sorts what has been pushed.
    pub(super) fn sort(&mut self) {
        self.keys[self.head..].sort_unstable();
    }

    /// Inserts a key where it belongs, moving those before it or those after it, whichever are
    /// fewer.
    #[inline]
    pub(super) fn insert(&mut self, key: Key) {
        let before = self.as_slice().partition_point(|other| *other < key);
        let at = self.head + before;
        if self.head > 0 && before <= self.len() / 2 {
            self.keys.copy_within(self.head..at, self.head - 1);
            self.head -= 1;
            self.keys[at - 1] = key;
            return;
        }
        self.keys.insert(at, key);
        // What was taken makes room before more is asked for.
        if self.keys.len() == self.keys.capacity() && self.head >= self.keys.len() / 2 {
            self.keys.drain(..self.head);
            self.head = 0;
        }
    }

    /// Takes out every key.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Key> {
        let taken = std::mem::take(&mut self.head);
        self.keys.drain(..).skip(taken)
    }

    /// Takes out the keys after the first `kept`.
    pub(super) fn drain_after(&mut self, kept: usize) -> impl Iterator<Item = Key> {
        self.keys.drain(self.head + kept..)
    }

    /// Keys for which there is room.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.keys.capacity()
    }

    /// Whether it has room for many times as many keys as there will be.
    #[inline]
    pub(super) fn is_sparse(&self, keys: usize) -> bool {
        self.keys.capacity() > KEPT && keys < self.keys.capacity() / SPARSE
    }

    /// Gives back room that no key needs.
    #[cold]
    pub(super) fn give_back(&mut self) {
        self.keys.shrink_to(KEPT);
    }

    /// Drops the keys that are not to be kept.
    pub(super) fn retain(&mut self, keep: impl FnMut(&Key) -> bool) {
        self.keys.drain(..self.head);
        self.head = 0;
        self.keys.retain(keep);
    }
}
