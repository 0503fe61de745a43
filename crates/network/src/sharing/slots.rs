//! Plain data in vectors indexed by id.

use std::{
    marker::PhantomData,
    ops::{Index, IndexMut},
};

/// A 32-bit index with a type of its own.
pub(super) trait Id: Copy {
    fn new(index: u32) -> Self;
    fn index(self) -> usize;
}

/// Implements [`Id`] for newtypes over `u32`.
macro_rules! ids {
    ($($type:ident),+) => {$(
        impl $crate::sharing::slots::Id for $type {
            fn new(index: u32) -> Self {
                Self(index)
            }

            fn index(self) -> usize {
                self.0 as usize
            }
        }
    )+};
}
pub(super) use ids;

/// The end of the list of free slots.
const NONE: u32 = u32::MAX;

/// A value that can lie in a slot.
pub(super) trait Slotted {
    /// A number that means nothing once the slot is free.
    fn spare(&mut self) -> &mut u32;
}

/// Slots for values that come and go. The slot freed last is taken first.
#[derive(Debug)]
pub(super) struct Slots<I, T> {
    values: Vec<T>,
    /// The slot freed last; the spare number of each free one tells the next.
    free: u32,
    free_count: usize,
    ids: PhantomData<I>,
}

impl<I, T> Default for Slots<I, T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            free: NONE,
            free_count: 0,
            ids: PhantomData,
        }
    }
}

impl<I: Id, T: Slotted> Slots<I, T> {
    pub(super) fn insert(&mut self, value: T) -> I {
        if let Some(slot) = self.values.get_mut(self.free as usize) {
            let id = I::new(self.free);
            self.free = *slot.spare();
            self.free_count -= 1;
            *slot = value;
            return id;
        }
        let id = I::new(u32::try_from(self.values.len()).expect("ids are 32 bits wide"));
        self.values.push(value);
        id
    }

    /// Gives a slot back. Its last value stays readable, but for the spare number, until the slot
    /// is taken again.
    pub(super) fn free(&mut self, id: I) {
        let index = u32::try_from(id.index()).expect("ids are 32 bits wide");
        *self[id].spare() = std::mem::replace(&mut self.free, index);
        self.free_count += 1;
    }

    /// All values, in the order of their ids; those of free slots too.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// How many slots are taken.
    pub(super) fn len(&self) -> usize {
        self.values.len() - self.free_count
    }
}

impl<I: Id, T> Index<I> for Slots<I, T> {
    type Output = T;

    fn index(&self, id: I) -> &T {
        &self.values[id.index()]
    }
}

impl<I: Id, T> IndexMut<I> for Slots<I, T> {
    fn index_mut(&mut self, id: I) -> &mut T {
        &mut self.values[id.index()]
    }
}
