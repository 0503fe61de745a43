//! What every peer has told its neighbours that it has.
//!
//! An announcement changes nobody's course at once, so it is no event: a peer writes it down, and
//! each neighbour reads on, at its own place, what has reached it by then.
//!
//! What a peer knows of a neighbour is therefore no more than how far it has read: the first
//! `heard` announcements of one life. Everything else follows from what the neighbour wrote.

use netduel_world::{SimDuration, SimTime};
use prefetch_index::prefetch_index;

use super::{
    message::Holdings,
    pieces::{Known, PieceSet, Unread},
    roster::Member,
};

/// Announced pieces, in two bytes each where that is enough.
#[derive(Debug)]
enum Log {
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Log {
    fn new(piece_count: u32) -> Self {
        if u16::try_from(piece_count).is_ok() {
            Self::Narrow(Vec::new())
        } else {
            Self::Wide(Vec::new())
        }
    }

    fn push(&mut self, piece: u32) {
        match self {
            Self::Narrow(log) => {
                log.push(u16::try_from(piece).expect("a narrow log holds small numbers"));
            }
            Self::Wide(log) => log.push(piece),
        }
    }

    fn len(&self) -> u32 {
        let len = match self {
            Self::Narrow(log) => log.len(),
            Self::Wide(log) => log.len(),
        };
        u32::try_from(len).expect("pieces are counted in 32 bits")
    }

    /// Room for `piece_count` in all.
    fn reserve(&mut self, piece_count: u32) {
        let more = piece_count.saturating_sub(self.len()) as usize;
        match self {
            Self::Narrow(log) => log.reserve_exact(more),
            Self::Wide(log) => log.reserve_exact(more),
        }
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Narrow(log) => log.capacity() * size_of::<u16>(),
            Self::Wide(log) => log.capacity() * size_of::<u32>(),
        }
    }

    fn from(&self, first: u32) -> Unread<'_> {
        self.between(first, self.len())
    }

    #[inline]
    fn between(&self, first: u32, end: u32) -> Unread<'_> {
        let range = first as usize..end as usize;
        match self {
            Self::Narrow(log) => Unread::Narrow(&log[range]),
            Self::Wide(log) => Unread::Wide(&log[range]),
        }
    }
}

/// What one peer announced from one start to the next crash.
#[derive(Debug)]
pub(super) struct Life {
    id: u32,
    /// Neighbours with a connection to this life.
    readers: u32,
    /// The announcements, oldest first.
    log: Log,
    /// The same, as a set.
    has: PieceSet,
    /// When the latest announcements were made. What is older has reached every neighbour.
    recent: Vec<SimTime>,
    /// The longest that an announcement takes to any neighbour so far.
    reach: SimDuration,
}

/// All announcements of one peer.
#[derive(Debug)]
struct Announced {
    present: Life,
    /// Earlier lives that somebody still reads, and the last one for handshakes that are still on
    /// their way: whoever hears one does not know of the crash.
    past: Vec<Life>,
}

impl Life {
    fn begin(id: u32, pieces: PieceSet, piece_count: u32) -> Self {
        let mut log = Log::new(piece_count);
        pieces.iter().for_each(|piece| log.push(piece));
        Self {
            id,
            readers: 0,
            log,
            has: pieces,
            recent: Vec::new(),
            reach: SimDuration::ZERO,
        }
    }

    /// Bytes of memory beside its own.
    fn bytes(&self) -> usize {
        self.log.bytes() + self.has.bytes() + self.recent.capacity() * size_of::<SimTime>()
    }

    /// How many announcements there are.
    pub(super) fn len(&self) -> u32 {
        self.log.len()
    }

    /// How many of the announcements have reached a neighbour to which they take `delay`.
    pub(super) fn arrived(&self, now: SimTime, delay: impl FnOnce() -> SimDuration) -> u32 {
        let all = self.log.len();
        let Some(latest) = self.recent.last() else {
            return all;
        };
        if *latest + self.reach <= now {
            return all;
        }
        let delay = delay();
        let under_way = self.recent.iter().rev();
        let under_way = under_way.take_while(|posted| **posted + delay > now);
        all - u32::try_from(under_way.count()).expect("pieces are counted in 32 bits")
    }

    /// Prefetches the announcement at `index`.
    #[inline]
    pub(super) fn prefetch(&self, index: u32) {
        match &self.log {
            Log::Narrow(log) => prefetch_index(log, index as usize),
            Log::Wide(log) => prefetch_index(log, index as usize),
        }
    }

    /// The announcements from the one at `first` to before the one at `end`.
    #[inline]
    pub(super) fn read(&self, first: u32, end: u32) -> Unread<'_> {
        self.log.between(first, end)
    }

    /// What a neighbour knows that has read the first `heard` announcements.
    pub(super) fn known(&self, heard: u32) -> Known<'_> {
        Known::new(&self.has, self.log.from(heard))
    }
}

impl Announced {
    /// A first life with these pieces.
    fn new(pieces: PieceSet, piece_count: u32) -> Self {
        Self {
            present: Life::begin(0, pieces, piece_count),
            past: Vec::new(),
        }
    }

    /// Bytes of memory that it takes.
    fn bytes(&self) -> usize {
        let past = self
            .past
            .iter()
            .map(|life| size_of::<Life>() + life.bytes());
        size_of::<Self>() + self.present.bytes() + past.sum::<usize>()
    }

    fn drop_unread(&mut self) {
        let latest = self.present.id.saturating_sub(1);
        self.past
            .retain(|life| life.readers > 0 || life.id == latest);
    }

    fn find(&self, id: u32) -> Option<&Life> {
        if self.present.id == id {
            return Some(&self.present);
        }
        self.past.iter().find(|life| life.id == id)
    }

    fn find_mut(&mut self, id: u32) -> Option<&mut Life> {
        let past = self.past.iter_mut();
        past.chain([&mut self.present]).find(|life| life.id == id)
    }
}

/// Where one peer's present life stands. All of these lie side by side: mostly nothing else is needed to
/// see how many announcements have arrived.
#[derive(Clone, Copy, Debug)]
struct Head {
    life: u32,
    /// How many announcements there are.
    len: u32,
    /// From when on all of them have reached every neighbour.
    settled: SimTime,
}

/// The announcements of all peers.
#[derive(Debug)]
pub(super) struct Announcements {
    piece_count: u32,
    heads: Vec<Head>,
    of: Vec<Announced>,
    /// Stands for lives that are no longer kept.
    forgotten: Life,
}

impl Announcements {
    pub(super) fn new(piece_count: u32) -> Self {
        Self {
            piece_count,
            heads: Vec::new(),
            of: Vec::new(),
            forgotten: Life::begin(u32::MAX, PieceSet::none(piece_count), piece_count),
        }
    }

    /// Makes room for so many members.
    pub(super) fn reserve(&mut self, members: usize) {
        self.heads.reserve_exact(members);
        self.of.reserve_exact(members);
    }

    /// Enters the next member, with these pieces.
    pub(super) fn enter(&mut self, pieces: PieceSet) {
        self.heads.push(Head {
            life: 0,
            len: pieces.len(),
            settled: SimTime::ZERO,
        });
        self.of.push(Announced::new(pieces, self.piece_count));
    }

    /// Bytes of memory that they take.
    pub(super) fn bytes(&self) -> usize {
        let all: usize = self.of.iter().map(Announced::bytes).sum();
        all + self.heads.capacity() * size_of::<Head>()
    }

    /// A peer crashed: its connections are gone, and what it still has opens another life.
    pub(super) fn begin_life(&mut self, member: Member, pieces: PieceSet) {
        let announced = &mut self.of[member.index()];
        let next = Life::begin(announced.present.id + 1, pieces, self.piece_count);
        let last = std::mem::replace(&mut announced.present, next);
        announced.past.push(last);
        announced.drop_unread();
        self.heads[member.index()] = Head {
            life: announced.present.id,
            len: announced.present.len(),
            settled: SimTime::ZERO,
        };
    }

    /// Notes that an announcement takes up to `delay` to some neighbour.
    pub(super) fn stretch(&mut self, member: Member, delay: SimDuration) {
        let life = &mut self.of[member.index()].present;
        if delay > life.reach {
            life.reach = delay;
            let last = life.recent.last();
            let settled = last.map_or(SimTime::ZERO, |posted| *posted + delay);
            self.heads[member.index()].settled = settled;
        }
    }

    /// Announces a piece.
    pub(super) fn push(&mut self, member: Member, piece: u32, now: SimTime) {
        let life = &mut self.of[member.index()].present;
        if life.log.len() == 0 {
            life.log.reserve(self.piece_count);
        }
        life.log.push(piece);
        life.has.insert(piece);
        let reach = life.reach;
        life.recent.retain(|posted| *posted + reach > now);
        life.recent.push(now);
        let head = &mut self.heads[member.index()];
        head.len += 1;
        head.settled = now + reach;
    }

    /// Prefetches where a member's announcements stand and are.
    #[inline]
    pub(super) fn prefetch(&self, member: Member) {
        prefetch_index(&self.heads, member.index());
        prefetch_index(&self.of, member.index());
        prefetch_index(&self.of, member.index() + 1);
    }

    /// How many of the announcements of a life have reached a neighbour to which they take `delay`.
    #[inline]
    pub(super) fn arrived(
        &self,
        (member, id): (Member, u32),
        now: SimTime,
        delay: impl FnOnce() -> SimDuration,
    ) -> u32 {
        let head = &self.heads[member.index()];
        if head.life == id && head.settled <= now {
            head.len
        } else {
            self.life(member, id).arrived(now, delay)
        }
    }

    /// What a handshake sent now tells.
    pub(super) fn holdings(&self, member: Member) -> Holdings {
        let head = &self.heads[member.index()];
        Holdings {
            life: head.life,
            known: head.len,
        }
    }

    /// A life that is read, or nothing where it is not kept any more.
    #[inline]
    pub(super) fn life(&self, member: Member, id: u32) -> &Life {
        let found = self.of[member.index()].find(id);
        found.unwrap_or(&self.forgotten)
    }

    /// The present life.
    pub(super) fn present(&self, member: Member) -> &Life {
        &self.of[member.index()].present
    }

    /// Enters a neighbour that begins to read where a handshake says; tells how much of that is still kept.
    ///
    /// A handshake may have been under way while its sender crashed twice. What its sender had then is
    /// forgotten, but its receiver cannot know: it finds out as always, once it is told that there is no
    /// such connection.
    pub(super) fn open(&mut self, member: Member, holdings: Holdings) -> u32 {
        match self.of[member.index()].find_mut(holdings.life) {
            Some(life) => {
                life.readers += 1;
                holdings.known
            }
            None => 0,
        }
    }

    /// Strikes out a neighbour that read this life; an earlier life that nobody reads is dropped.
    pub(super) fn close(&mut self, member: Member, id: u32) {
        let announced = &mut self.of[member.index()];
        if let Some(life) = announced.find_mut(id) {
            life.readers -= 1;
            announced.drop_unread();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_read_when_it_has_arrived_and_not_before() {
        let near = SimDuration(10);
        let far = SimDuration(50);
        let me = Member(0);
        let mut announced = Announcements::new(9);
        announced.enter(PieceSet::none(9));
        announced.stretch(me, near);
        announced.stretch(me, far);
        for (piece, at) in (0..5).zip([0, 30, 60, 90, 120]) {
            announced.push(me, piece, SimTime(at));
        }
        let arrived = |now, delay| announced.arrived((me, 0), SimTime(now), || delay);
        assert_eq!([120, 129, 130].map(|now| arrived(now, near)), [4, 4, 5]);
        assert_eq!([120, 139, 140].map(|now| arrived(now, far)), [3, 3, 4]);
        assert_eq!([169, 170].map(|now| arrived(now, far)), [4, 5]);
        let known = announced.life(me, 0).known(3);
        assert!(known.contains(2) && !known.contains(3));
    }

    #[test]
    fn of_a_life_that_is_two_crashes_old_nothing_is_known() {
        let me = Member(0);
        let mut announced = Announcements::new(9);
        announced.enter(PieceSet::all(9));
        let first = announced.holdings(me);
        announced.begin_life(me, PieceSet::all(9));
        assert_eq!(announced.open(me, first), 9);
        announced.close(me, first.life);
        announced.begin_life(me, PieceSet::all(9));
        assert_eq!(announced.open(me, first), 0);
        assert!(!announced.life(me, first.life).known(0).contains(3));
        announced.close(me, first.life);
    }
}
