//! What every peer has told its neighbours that it has.
//!
//! An announcement changes nobody's course at once, so it is no event: a peer writes it down, and
//! each neighbour reads on, at its own place, what has reached it by then.
//!
//! What a peer knows of a neighbour is therefore no more than how far it has read: the first
//! `heard` announcements of one life. Everything else follows from what the neighbour wrote.

use netduel_world::{SimDuration, SimTime};

use super::{
    message::Holdings,
    pieces::{Known, PieceSet, Unread},
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
        match self {
            Self::Narrow(log) => Unread::Narrow(&log[first as usize..]),
            Self::Wide(log) => Unread::Wide(&log[first as usize..]),
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
pub(super) struct Announced {
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

    /// The announcements from the one at `first` to before the one at `end`.
    pub(super) fn read(&self, first: u32, end: u32, mut each: impl FnMut(u32)) {
        let count = (end - first) as usize;
        match self.log.from(first) {
            Unread::Narrow(log) => log[..count]
                .iter()
                .for_each(|piece| each(u32::from(*piece))),
            Unread::Wide(log) => log[..count].iter().for_each(|piece| each(*piece)),
        }
    }

    /// What a neighbour knows that has read the first `heard` announcements.
    pub(super) fn known(&self, heard: u32) -> Known<'_> {
        Known::new(&self.has, self.log.from(heard))
    }
}

impl Announced {
    /// A first life with these pieces.
    pub(super) fn new(pieces: PieceSet, piece_count: u32) -> Self {
        Self {
            present: Life::begin(0, pieces, piece_count),
            past: Vec::new(),
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let past = self
            .past
            .iter()
            .map(|life| size_of::<Life>() + life.bytes());
        size_of::<Self>() + self.present.bytes() + past.sum::<usize>()
    }

    /// The peer crashed: its connections are gone, and what it still has opens another life.
    pub(super) fn begin_life(&mut self, pieces: PieceSet, piece_count: u32) {
        let next = Life::begin(self.present.id + 1, pieces, piece_count);
        self.past.push(std::mem::replace(&mut self.present, next));
        self.drop_unread();
    }

    fn drop_unread(&mut self) {
        let latest = self.present.id.saturating_sub(1);
        self.past
            .retain(|life| life.readers > 0 || life.id == latest);
    }

    /// Notes that an announcement takes up to `delay` to some neighbour.
    pub(super) fn stretch(&mut self, delay: SimDuration) {
        self.present.reach = self.present.reach.max(delay);
    }

    /// Announces a piece of `piece_count` in all.
    pub(super) fn push(&mut self, piece: u32, now: SimTime, piece_count: u32) {
        let life = &mut self.present;
        if life.log.len() == 0 {
            life.log.reserve(piece_count);
        }
        life.log.push(piece);
        life.has.insert(piece);
        let reach = life.reach;
        life.recent.retain(|posted| *posted + reach > now);
        life.recent.push(now);
    }

    /// What a handshake sent now tells.
    pub(super) fn holdings(&self) -> Holdings {
        Holdings {
            life: self.present.id,
            known: self.present.log.len(),
        }
    }

    fn find(&self, id: u32) -> Option<&Life> {
        if self.present.id == id {
            return Some(&self.present);
        }
        self.past.iter().find(|life| life.id == id)
    }

    /// A life that somebody reads.
    pub(super) fn life(&self, id: u32) -> &Life {
        self.find(id).expect("a life that is read is kept")
    }

    /// The present life.
    pub(super) fn present(&self) -> &Life {
        &self.present
    }

    /// Enters a neighbour that reads this life.
    pub(super) fn open(&mut self, id: u32) {
        let past = self.past.iter_mut();
        let found = past.chain([&mut self.present]).find(|life| life.id == id);
        found.expect("a life that is read is kept").readers += 1;
    }

    /// Whether a life is still there to be read.
    pub(super) fn is_kept(&self, life: u32) -> bool {
        self.find(life).is_some()
    }

    /// Strikes out a neighbour that read this life; an earlier life that nobody reads is dropped.
    pub(super) fn close(&mut self, id: u32) {
        let past = self.past.iter_mut();
        let found = past.chain([&mut self.present]).find(|life| life.id == id);
        found.expect("a life that is read is kept").readers -= 1;
        self.drop_unread();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_read_when_it_has_arrived_and_not_before() {
        let near = SimDuration(10);
        let far = SimDuration(50);
        let mut announced = Announced::new(PieceSet::none(9), 9);
        announced.stretch(near);
        announced.stretch(far);
        for (piece, at) in (0..5).zip([0, 30, 60, 90, 120]) {
            announced.push(piece, SimTime(at), 9);
        }
        let life = announced.present();
        let arrived = |now, delay| life.arrived(SimTime(now), || delay);
        assert_eq!([120, 129, 130].map(|now| arrived(now, near)), [4, 4, 5]);
        assert_eq!([120, 139, 140].map(|now| arrived(now, far)), [3, 3, 4]);
        assert_eq!([169, 170].map(|now| arrived(now, far)), [4, 5]);
        let known = life.known(3);
        assert!(known.contains(2) && !known.contains(3));
    }
}
