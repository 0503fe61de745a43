//! Room in the many short lists of links: little more than they need.

/// Adds to a list, which grows by half: as many links have a list each, doubling would leave a
/// quarter of all memory unused.
pub(super) fn push<T>(list: &mut Vec<T>, value: T) {
    if list.len() == list.capacity() {
        list.reserve_exact((list.len() / 2).max(2));
    }
    list.push(value);
}

/// Gives back what a list that has become much shorter no longer needs.
pub(super) fn give_back<T>(list: &mut Vec<T>) {
    const KEPT: usize = 4;
    const SPARSE: usize = 4;
    if list.capacity() > KEPT && list.len() <= list.capacity() / SPARSE {
        list.shrink_to(list.len() * 2);
    }
}
