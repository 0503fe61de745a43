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

/// Slots for values that come and go. The slot freed last is taken first.
#[derive(Debug)]
pub(super) struct Slots<I, T> {
    values: Vec<T>,
    free: Vec<I>,
    ids: PhantomData<I>,
}

impl<I, T> Default for Slots<I, T> {
    fn default() -> Self {
        Self {
            values: Vec::new(),
            free: Vec::new(),
            ids: PhantomData,
        }
    }
}

impl<I: Id, T> Slots<I, T> {
    pub(super) fn insert(&mut self, value: T) -> I {
        if let Some(id) = self.free.pop() {
            self.values[id.index()] = value;
            return id;
        }
        let id = I::new(u32::try_from(self.values.len()).expect("ids are 32 bits wide"));
        self.values.push(value);
        id
    }

    /// Gives a slot back. Its last value stays readable until the slot is taken again.
    pub(super) fn free(&mut self, id: I) {
        self.free.push(id);
    }

    /// All values, in the order of their ids; those of free slots too.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.values.iter()
    }

    /// How many slots are taken.
    pub(super) fn len(&self) -> usize {
        self.values.len() - self.free.len()
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
