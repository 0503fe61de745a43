//! What every peer has told its neighbours that it has.
//!
//! An announcement changes nobody's course at once, so it is no event: a peer writes it down, and
//! each neighbour reads on, at its own place, what has reached it by then ([`Context::hears`]).
//! A neighbour that has heard the first `n` announcements knows of a piece when it is among those.

use netduel_world::{Architecture, Context, NodeId, Posted};

use super::message::{HAVE, Holdings};

/// The rank of a piece that was never announced.
const NEVER: u32 = u32::MAX;

/// What one peer announced from one start to the next crash.
#[derive(Debug)]
struct Life {
    id: u32,
    /// Neighbours with a connection to this life.
    readers: u32,
    /// The announcements, oldest first.
    log: Vec<(u32, Posted)>,
    /// The place of each piece in the log.
    rank: Vec<u32>,
}

/// All announcements of one peer.
#[derive(Debug)]
pub(super) struct Announced {
    /// Earlier lives that somebody still reads, and the present one last.
    lives: Vec<Life>,
}

impl Life {
    fn begin(id: u32, pieces: &[u32], piece_count: u32) -> Self {
        let mut life = Self {
            id,
            readers: 0,
            log: Vec::new(),
            rank: vec![NEVER; piece_count as usize],
        };
        for piece in pieces {
            life.push(*piece, Posted::BEFORE_START);
        }
        life
    }

    fn push(&mut self, piece: u32, posted: Posted) {
        self.rank[piece as usize] = len32(&self.log);
        self.log.push((piece, posted));
    }
}

fn len32<T>(items: &[T]) -> u32 {
    u32::try_from(items.len()).expect("pieces are counted in 32 bits")
}

impl Announced {
    /// A first life with these pieces.
    pub(super) fn new(pieces: &[u32], piece_count: u32) -> Self {
        Self {
            lives: vec![Life::begin(0, pieces, piece_count)],
        }
    }

    /// The peer crashed: its connections are gone, and what it still has opens another life.
    pub(super) fn begin_life(&mut self, pieces: &[u32]) {
        let last = self.present();
        let next = Life::begin(last.id + 1, pieces, len32(&last.rank));
        self.lives.retain(|life| life.readers > 0);
        self.lives.push(next);
    }

    /// Announces a piece.
    pub(super) fn push(&mut self, piece: u32, posted: Posted) {
        let last = self.lives.last_mut();
        last.expect("a peer has a present life").push(piece, posted);
    }

    /// What a handshake sent now tells.
    pub(super) fn holdings(&self) -> Holdings {
        let present = self.present();
        Holdings {
            life: present.id,
            known: len32(&present.log),
        }
    }

    fn present(&self) -> &Life {
        self.lives.last().expect("a peer has a present life")
    }

    fn life(&self, id: u32) -> &Life {
        let found = self.lives.iter().rev().find(|life| life.id == id);
        found.expect("a life that is read is kept")
    }

    /// Enters a neighbour that reads this life.
    pub(super) fn open(&mut self, life: u32) {
        let found = self.lives.iter_mut().find(|l| l.id == life);
        found.expect("a life that is read is kept").readers += 1;
    }

    /// Whether a life is still there to be read.
    pub(super) fn is_kept(&self, life: u32) -> bool {
        self.lives.iter().any(|l| l.id == life)
    }

    /// Strikes out a neighbour that read this life; an earlier life that nobody reads is dropped.
    pub(super) fn close(&mut self, life: u32) {
        let present = self.present().id;
        let index = self.lives.iter().position(|l| l.id == life);
        let index = index.expect("a life that is read is kept");
        self.lives[index].readers -= 1;
        if self.lives[index].readers == 0 && life != present {
            self.lives.remove(index);
        }
    }

    /// Whether a reader that has heard the first `heard` announcements of this life knows of
    /// `piece`.
    pub(super) fn knows(&self, life: u32, heard: u32, piece: u32) -> bool {
        self.life(life).rank[piece as usize] < heard
    }

    /// The pieces that a handshake told of.
    pub(super) fn told(&self, holdings: Holdings) -> &[(u32, Posted)] {
        &self.life(holdings.life).log[..holdings.known as usize]
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
        let (piece, posted) = *self.life(life).log.get(heard as usize)?;
        cx.hears(posted, from, HAVE).then_some(piece)
    }
}
