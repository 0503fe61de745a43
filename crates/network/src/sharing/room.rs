//! Room in the many short lists of links: little more than they need.

/// Adds to a list, which grows by half: as many links have a list each, doubling would leave a
/// quarter of all memory unused.
#[inline]
pub(super) fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() {
        grow(list);
    }
    list.push(value);
}

/// Gives back what a list that has become much shorter no longer needs.
#[inline]
pub(super) fn give_back<T>(list: &mut Vec<T>) {
    /// Lists this short come and go too often to be worth it.
    const KEPT: usize = 8;
    const SPARSE: usize = 4;
    if list.capacity() > KEPT && list.len() <= list.capacity() / SPARSE {
        shrink(list);
    }
}

#[cold]
#[inline(never)]
fn grow<T>(list: &mut Vec<T>) {
    list.reserve_exact((list.len() / 2).max(2));
}

#[cold]
#[inline(never)]
fn shrink<T>(list: &mut Vec<T>) {
    list.shrink_to(list.len() * 2);
}
