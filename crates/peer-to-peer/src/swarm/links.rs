//! Connections to neighbours.

use std::ops::{BitAnd, BitOr, BitXor, Not};

use netduel_world::SimTime;
use prefetch_index::prefetch_index;

use super::{message::Status, roster::Member};

/// Some of a peer's links, by their places; a bit each.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct LinkSet(u64);

impl LinkSet {
    pub(super) fn contains(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    pub(super) fn set(&mut self, index: usize, member: bool) {
        self.0 = self.0 & !(1 << index) | u64::from(member) << index;
    }

    pub(super) fn len(self) -> u32 {
        self.0.count_ones()
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The places, lowest first.
    pub(super) fn iter(self) -> impl Iterator<Item = usize> {
        let mut bits = self.0;
        std::iter::from_fn(move || {
            let lowest = (bits != 0).then(|| bits.trailing_zeros() as usize);
            bits &= bits.wrapping_sub(1);
            lowest
        })
    }

    /// The places, lowest first, beginning at `first` and going round.
    pub(super) fn iter_from(self, first: usize) -> impl Iterator<Item = usize> {
        let below = Self((1 << first) - 1);
        (self & !below).iter().chain((self & below).iter())
    }

    /// Strikes a link out; the one at `last` takes its place.
    pub(super) fn swap_remove(&mut self, index: usize, last: usize) {
        let moved = self.contains(last);
        self.set(last, false);
        if index != last {
            self.set(index, moved);
        }
    }
}

/// Links at most: as many as a [`LinkSet`] has bits.
pub(super) const LINKS_MAX: usize = 64;

impl BitAnd for LinkSet {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl BitOr for LinkSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitXor for LinkSet {
    type Output = Self;
    fn bitxor(self, other: Self) -> Self {
        Self(self.0 ^ other.0)
    }
}

impl Not for LinkSet {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl FromIterator<usize> for LinkSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut set = Self::default();
        places.into_iter().for_each(|index| set.set(index, true));
        set
    }
}

/// When somebody was last heard of, or told something, in whole seconds: the time-outs are minutes. It
/// goes round after 18 hours, and is looked at once an hour at least.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Moment(u16);

impl Moment {
    pub(super) fn at(now: SimTime) -> Self {
        let seconds = now.0 / 1_000_000_000 % (u64::from(u16::MAX) + 1);
        Self(u16::try_from(seconds).expect("a remainder is small"))
    }

    /// Seconds from this moment to `now`.
    pub(super) fn age(self, now: Self) -> u16 {
        now.0.wrapping_sub(self.0)
    }
}

/// An instant in two halves, which lies beside four bytes without a gap.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since([u32; 2]);

impl From<SimTime> for Since {
    fn from(at: SimTime) -> Self {
        let [high, low] = [at.0 >> 32, at.0 & u64::from(u32::MAX)];
        Self([high, low].map(|half| u32::try_from(half).expect("a half is 32 bits")))
    }
}

impl From<Since> for SimTime {
    fn from(Since([high, low]): Since) -> Self {
        Self(u64::from(high) << 32 | u64::from(low))
    }
}

/// A connection to a neighbour. There are fifty of them per peer: every byte counts.
#[derive(Debug)]
pub(super) struct Link {
    /// The opener's count of connections.
    pub(super) serial: u32,
    /// The neighbour's life that is read, once the handshake told it.
    pub(super) life: u32,
    /// How many of the neighbour's announcements arrived.
    pub(super) heard: u32,
    /// Counts, and goes round, what this peer told the neighbour of how things stand.
    told: u8,
    /// The last of what the neighbour told this peer of it.
    hears: u8,
    /// How many of this peer's announcements the neighbour has heard or was woken for.
    pub(super) woken: u32,
    /// When the neighbour was last heard of.
    pub(super) heard_at: Moment,
    /// When the neighbour was last told something that the others were not.
    pub(super) told_at: Moment,
    /// Pieces that came in the present and in the last choke interval.
    pub(super) received: [u16; 2],
    /// Pieces sent since the neighbour was let in.
    pub(super) turn: u16,
    /// Pieces that came from the neighbour, less those that went to it.
    owed: i16,
    /// How many pieces to ask for at once.
    pub(super) pipeline: u8,
    /// Whether this peer opened the connection.
    pub(super) opened: bool,
}

impl Link {
    pub(super) fn new(serial: u32, opened: bool, now: Moment) -> Self {
        Self {
            serial,
            life: 0,
            heard: 0,
            told: 0,
            hears: 0,
            woken: 0,
            heard_at: now,
            told_at: now,
            received: [0; 2],
            turn: 0,
            owed: 0,
            pipeline: 1,
            opened,
        }
    }

    /// Notes a status; says whether it was not overtaken by a later one (serial numbers as in RFC
    /// 1982: those of two statuses under way at once are close).
    pub(super) fn take_status(&mut self, serial: u8) -> bool {
        let newer = serial.wrapping_sub(self.hears) < u8::MAX / 2;
        if newer {
            self.hears = serial;
        }
        newer
    }

    /// Notes that a piece came.
    pub(super) fn receive(&mut self) {
        self.received[0] = self.received[0].saturating_add(1);
        self.owed = self.owed.saturating_add(1);
    }

    /// Notes that a piece goes out.
    pub(super) fn give(&mut self) {
        self.turn = self.turn.saturating_add(1);
        self.owed = self.owed.saturating_sub(1);
    }

    /// Pieces that came from the neighbour, less those that went to it.
    pub(super) fn owed(&self) -> i16 {
        self.owed
    }

    /// Pieces that came of late.
    pub(super) fn gave(&self) -> u32 {
        self.received.iter().map(|part| u32::from(*part)).sum()
    }
}

/// How a peer stands to its neighbours, link by link.
#[derive(Debug, Default)]
pub(super) struct Links {
    neighbours: Vec<Member>,
    /// For each useful neighbour, a piece by which it is known to be.
    witnesses: Vec<u32>,
    items: Vec<Link>,
    /// Whose handshake has come.
    pub(super) established: LinkSet,
    /// Who was told that this peer is interested.
    pub(super) interesting: LinkSet,
    /// Who was told that it is served.
    pub(super) served: LinkSet,
    /// Who said that it is interested in this peer.
    pub(super) interested: LinkSet,
    /// Who said that it serves this peer.
    pub(super) serving: LinkSet,
    /// Who has the optimistic slot.
    pub(super) optimistic: LinkSet,
    /// Who is known to have a piece that this peer lacks and awaits from nobody.
    pub(super) useful: LinkSet,
    /// Who was asked for pieces that have not come.
    pub(super) asked: LinkSet,
}

impl Links {
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// Bytes of all links.
    pub(super) fn bytes(&self) -> usize {
        self.items.capacity() * size_of::<Link>()
            + self.neighbours.capacity() * size_of::<Member>()
            + self.witnesses.capacity() * size_of::<u32>()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn get(&self, index: usize) -> &Link {
        &self.items[index]
    }

    pub(super) fn get_mut(&mut self, index: usize) -> &mut Link {
        &mut self.items[index]
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (Member, &Link)> {
        self.neighbours.iter().copied().zip(&self.items)
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Link> {
        self.items.iter_mut()
    }

    pub(super) fn neighbour(&self, index: usize) -> Member {
        self.neighbours[index]
    }

    /// The place of the link to `neighbour`.
    pub(super) fn to(&self, neighbour: Member) -> Option<usize> {
        places_of(&self.neighbours, neighbour).next()
    }

    /// Notes a piece by which the neighbour at `index` is useful.
    pub(super) fn set_useful(&mut self, index: usize, witness: u32) {
        self.useful.set(index, true);
        self.witnesses[index] = witness;
    }

    /// The piece by which the neighbour at `index` was known to be useful last.
    pub(super) fn witness(&self, index: usize) -> u32 {
        self.witnesses[index]
    }

    /// Who is known to be useful by this piece.
    pub(super) fn witnessed(&self, piece: u32) -> LinkSet {
        places_of(&self.witnesses, piece).collect::<LinkSet>() & self.useful
    }

    /// Prefetches what is needed to find a link.
    pub(super) fn prefetch(&self) {
        for line in (0..self.neighbours.len()).step_by(LINE) {
            prefetch_index(&self.neighbours, line);
        }
    }

    /// The place of the link to `neighbour` that has this serial number, where it was opened from
    /// this end or the other.
    pub(super) fn on(&self, neighbour: Member, serial: u32, opened: bool) -> Option<usize> {
        let index = self.to(neighbour)?;
        let link = &self.items[index];
        (link.serial == serial && link.opened == opened).then_some(index)
    }

    /// What to tell the neighbour at `index` of how things stand.
    pub(super) fn status(&mut self, index: usize) -> Status {
        let link = &mut self.items[index];
        link.told = link.told.wrapping_add(1);
        Status {
            serial: link.told,
            interested: self.interesting.contains(index),
            choking: !self.served.contains(index),
            heard: link.heard,
        }
    }

    /// Who is not known to want anything.
    pub(super) fn idle(&self) -> LinkSet {
        self.established & !self.interested
    }

    /// How many are served for what they give.
    pub(super) fn regular(&self) -> u32 {
        (self.served & !self.optimistic).len()
    }

    /// Whether somebody is served in the optimistic slot.
    pub(super) fn has_optimistic(&self) -> bool {
        !(self.served & self.optimistic).is_empty()
    }

    /// Who wants to be served and is not.
    pub(super) fn waiting(&self) -> LinkSet {
        self.established & self.interested & !self.served
    }

    pub(super) fn push(&mut self, neighbour: Member, link: Link) {
        if self.items.capacity() == self.items.len() {
            // Doubling would waste a quarter of what all peers keep of their neighbours.
            self.items.reserve_exact(LINKS_MORE);
            self.neighbours.reserve_exact(LINKS_MORE);
            self.witnesses.reserve_exact(LINKS_MORE);
        }
        self.neighbours.push(neighbour);
        self.witnesses.push(0);
        self.items.push(link);
    }

    /// Strikes the link at `index` out; the last link takes its place.
    pub(super) fn swap_remove(&mut self, index: usize) -> (Member, Link) {
        let last = self.items.len() - 1;
        for set in [
            &mut self.established,
            &mut self.interesting,
            &mut self.served,
            &mut self.interested,
            &mut self.serving,
            &mut self.optimistic,
            &mut self.useful,
            &mut self.asked,
        ] {
            set.swap_remove(index, last);
        }
        self.witnesses.swap_remove(index);
        (
            self.neighbours.swap_remove(index),
            self.items.swap_remove(index),
        )
    }
}

/// Where `wanted` is, lowest first. Cache lines are compared as a whole, a few instructions each.
fn places_of<T: Copy + Eq>(all: &[T], wanted: T) -> impl Iterator<Item = usize> {
    let lines = all.chunks(LINE).zip((0..).step_by(LINE));
    let has = move |line: &[T]| line.iter().filter(|item| **item == wanted).count() > 0;
    let found = lines.filter(move |(line, _)| has(line));
    found.flat_map(move |(line, first)| {
        let places = line.iter().zip(first..);
        places
            .filter(move |(item, _)| **item == wanted)
            .map(|(_, place)| place)
    })
}

/// Numbers of four bytes in a cache line.
const LINE: usize = 16;

/// What a neighbour is served for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Slot {
    /// For what it gives.
    Regular,
    /// For nothing: it may turn out to give more than others.
    Optimistic,
}

/// Room that is made for links at a time.
const LINKS_MORE: usize = 4;

/// Pieces that concern some of a peer's links, oldest first, each with something to remember. Few
/// links have anything going on at a time.
#[derive(Debug)]
pub(super) struct OnLinks<T>(Vec<(Spot, T)>);

/// A piece on a link, in four bytes: there are at most 64 links, and a million pieces.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Spot(u32);

impl Spot {
    const PIECE_BITS: u32 = 24;

    fn new(index: usize, piece: u32) -> Self {
        let link = u8::try_from(index).expect("there are at most 64 links");
        assert!(piece >> Self::PIECE_BITS == 0, "a piece's number is small");
        Self(u32::from(link) << Self::PIECE_BITS | piece)
    }

    fn is_on(self, index: usize) -> bool {
        (self.0 >> Self::PIECE_BITS) as usize == index
    }

    fn piece(self) -> u32 {
        self.0 & ((1 << Self::PIECE_BITS) - 1)
    }
}

impl<T> Default for OnLinks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> OnLinks<T> {
    pub(super) fn push(&mut self, index: usize, piece: u32, item: T) {
        if self.0.capacity() == self.0.len() {
            self.0.reserve_exact(ITEMS_MORE + self.0.len() / 4);
        }
        self.0.push((Spot::new(index, piece), item));
    }

    /// Bytes of all pieces.
    pub(super) fn bytes(&self) -> usize {
        self.0.capacity() * size_of::<(Spot, T)>()
    }

    /// What is to be remembered, when there is one piece only, on one link.
    pub(super) fn single(&self) -> Option<&T> {
        match self.0.as_slice() {
            [(_, item)] => Some(item),
            _ => None,
        }
    }

    /// The pieces on any link.
    pub(super) fn pieces(&self) -> impl Iterator<Item = u32> {
        self.0.iter().map(|(spot, _)| spot.piece())
    }

    /// The pieces on the link at `index`.
    pub(super) fn of(&self, index: usize) -> impl Iterator<Item = (u32, &T)> {
        let own = self.0.iter().filter(move |(spot, _)| spot.is_on(index));
        own.map(|(spot, item)| (spot.piece(), item))
    }

    /// The pieces on the link at `index`.
    pub(super) fn of_mut(&mut self, index: usize) -> impl Iterator<Item = (u32, &mut T)> {
        let all = self.0.iter_mut();
        let own = all.filter(move |(spot, _)| spot.is_on(index));
        own.map(|(spot, item)| (spot.piece(), item))
    }

    /// Takes the oldest piece off the link at `index` that fits.
    pub(super) fn take(
        &mut self,
        index: usize,
        fits: impl Fn(u32, &T) -> bool,
    ) -> Option<(u32, T)> {
        let mut all = self.0.iter();
        let found = all.position(|(spot, item)| spot.is_on(index) && fits(spot.piece(), item))?;
        let (spot, item) = self.0.remove(found);
        Some((spot.piece(), item))
    }

    /// Takes the oldest piece off the link at `index`.
    pub(super) fn take_first(&mut self, index: usize) -> Option<(u32, T)> {
        self.take(index, |_, _| true)
    }

    /// Strikes out what is on the link at `index`, whose place the one at `last` takes.
    pub(super) fn swap_remove(&mut self, index: usize, last: usize) {
        self.0.retain(|(spot, _)| !spot.is_on(index));
        for (spot, _) in &mut self.0 {
            if spot.is_on(last) {
                *spot = Spot::new(index, spot.piece());
            }
        }
    }
}

/// Room that is made at a time for pieces on links.
const ITEMS_MORE: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_of_a_set_are_met_once_from_wherever_one_begins() {
        let set: LinkSet = [0, 5, 63].into_iter().collect();
        for first in 0..64 {
            let mut met: Vec<usize> = set.iter_from(first).collect();
            assert!(met[0] >= first || first > 63);
            met.sort_unstable();
            assert_eq!(met, [0, 5, 63]);
        }
    }

    #[test]
    fn the_last_link_takes_the_place_of_the_one_that_is_struck_out() {
        let mut links = Links::default();
        let mut queue = OnLinks::default();
        for (index, neighbour) in (10..13).map(Member).enumerate() {
            let serial = neighbour.0;
            links.push(neighbour, Link::new(serial, true, Moment(0)));
            queue.push(index, serial, ());
        }
        links.served = [0, 2].into_iter().collect();
        links.useful = [0].into_iter().collect();
        let (struck, _) = links.swap_remove(0);
        queue.swap_remove(0, 2);
        assert_eq!(struck, Member(10));
        assert_eq!(links.to(Member(12)), Some(0));
        assert_eq!(links.served.iter().collect::<Vec<_>>(), [0]);
        assert!(links.useful.is_empty());
        assert_eq!(queue.of(0).collect::<Vec<_>>(), [(12, &())]);
        assert_eq!(queue.of(1).collect::<Vec<_>>(), [(11, &())]);
        assert!(queue.of(2).next().is_none());
    }
}
