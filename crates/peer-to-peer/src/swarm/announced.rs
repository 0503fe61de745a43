//! What every peer has told its neighbours that it has.
//!
//! An announcement changes nobody's course at once, so it is no event: a peer writes it down, and
//! each neighbour reads on, at its own place, what has reached it by then ([`Context::hears`]).

use netduel_world::{Architecture, Context, NodeId, Posted};

use super::message::{HAVE, Holdings};

/// What one peer announced from one start to the next crash.
#[derive(Debug)]
struct Life {
    id: u32,
    /// Neighbours with a connection to this life.
    readers: u32,
    /// The announcements, oldest first.
    log: Vec<(u32, Posted)>,
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
    fn begin(id: u32, pieces: impl Iterator<Item = u32>) -> Self {
        let log = pieces.map(|piece| (piece, Posted::BEFORE_START));
        Self {
            id,
            readers: 0,
            log: log.collect(),
        }
    }
}

fn len32<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("pieces are counted in 32 bits")
}

impl Announced {
    /// A first life with these pieces.
    pub(super) fn new(pieces: impl Iterator<Item = u32>) -> Self {
        Self {
            present: Life::begin(0, pieces),
            past: Vec::new(),
        }
    }

    /// The peer crashed: its connections are gone, and what it still has opens another life.
    pub(super) fn begin_life(&mut self, pieces: impl Iterator<Item = u32>) {
        let next = Life::begin(self.present.id + 1, pieces);
        self.past.push(std::mem::replace(&mut self.present, next));
        self.drop_unread();
    }

    fn drop_unread(&mut self) {
        let latest = self.present.id.saturating_sub(1);
        self.past
            .retain(|life| life.readers > 0 || life.id == latest);
    }

    /// Announces a piece.
    pub(super) fn push(&mut self, piece: u32, posted: Posted) {
        self.present.log.push((piece, posted));
    }

    /// What a handshake sent now tells.
    pub(super) fn holdings(&self) -> Holdings {
        Holdings {
            life: self.present.id,
            known: len32(&self.present.log),
        }
    }

    fn life(&self, id: u32) -> Option<&Life> {
        if self.present.id == id {
            return Some(&self.present);
        }
        self.past.iter().find(|life| life.id == id)
    }

    /// Enters a neighbour that reads this life.
    pub(super) fn open(&mut self, id: u32) {
        let past = self.past.iter_mut();
        let found = past.chain([&mut self.present]).find(|life| life.id == id);
        found.expect("a life that is read is kept").readers += 1;
    }

    /// Whether a life is still there to be read.
    pub(super) fn is_kept(&self, life: u32) -> bool {
        self.life(life).is_some()
    }

    /// Strikes out a neighbour that read this life; an earlier life that nobody reads is dropped.
    pub(super) fn close(&mut self, id: u32) {
        let past = self.past.iter_mut();
        let found = past.chain([&mut self.present]).find(|life| life.id == id);
        found.expect("a life that is read is kept").readers -= 1;
        self.drop_unread();
    }

    /// The pieces that a handshake told of.
    pub(super) fn told(&self, holdings: Holdings) -> impl Iterator<Item = u32> {
        let life = self.life(holdings.life);
        let log = &life.expect("a life that is read is kept").log;
        log[..holdings.known as usize]
            .iter()
            .map(|(piece, _)| *piece)
    }

    /// The next announcement of this life after `heard`, once it has reached the node whose turn
    /// it is.
    pub(super) fn next<A: Architecture>(
        &self,
        from: NodeId,
        life: u32,
        heard: u32,
        cx: &mut Context<'_, A>,
    ) -> Option<u32> {
        let life = self.life(life).expect("a life that is read is kept");
        let (piece, posted) = *life.log.get(heard as usize)?;
        cx.hears(posted, from, HAVE).then_some(piece)
    }
}
