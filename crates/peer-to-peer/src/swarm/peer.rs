//! One peer: what it has, what it lacks, and how it stands with its neighbours.

use netduel_world::{
    BitsPerSecond, Bytes, NodeId, RequestId, SimDuration, SimTime, Stream, TransferId,
    uniform_below,
};

use super::{
    config::Choice,
    message::{Connection, Status},
};

/// A connection to a neighbour.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) neighbour: NodeId,
    pub(super) connection: Connection,
    /// The neighbour's life that is read, once the handshake told it.
    pub(super) life: Option<u32>,
    /// How many of the neighbour's announcements arrived.
    pub(super) heard: u32,
    /// Pieces that the neighbour is known to have, that this peer lacks and awaits from nobody.
    pub(super) useful: u32,
    /// What this peer last told the neighbour.
    pub(super) told: Status,
    /// What the neighbour last told this peer.
    pub(super) hears: Status,
    /// The pieces that were asked for and have not come.
    pub(super) requests: Vec<u32>,
    /// When the last piece was asked for or came, and how long it took.
    pub(super) pace: (SimTime, Option<SimDuration>),
    /// The piece that the neighbour would like to be asked for.
    pub(super) suggested: Option<u32>,
    /// The piece that is being sent.
    pub(super) upload: Option<(TransferId, u32)>,
    /// Pieces that are to be sent next.
    pub(super) queue: Vec<u32>,
    /// Pieces sent since the neighbour was let in.
    pub(super) turn: u32,
    /// Bytes received in the present and in the last choke interval.
    pub(super) received: [u64; 2],
    /// When the neighbour was last heard of.
    pub(super) heard_at: SimTime,
    /// When the neighbour was last told something.
    pub(super) told_at: SimTime,
    /// Whether this is the optimistic slot.
    pub(super) optimistic: bool,
}

impl Link {
    pub(super) fn new(neighbour: NodeId, connection: Connection, now: SimTime) -> Self {
        let strangers = Status {
            serial: 0,
            interested: false,
            choking: true,
            heard: 0,
        };
        Self {
            neighbour,
            connection,
            life: None,
            heard: 0,
            useful: 0,
            told: strangers,
            hears: strangers,
            requests: Vec::new(),
            pace: (now, None),
            suggested: None,
            upload: None,
            queue: Vec::new(),
            turn: 0,
            received: [0; 2],
            heard_at: now,
            told_at: now,
            optimistic: false,
        }
    }

    /// Whether the neighbour wants to be served.
    pub(super) fn is_wanted(&self) -> bool {
        self.life.is_some() && self.hears.interested
    }

    /// How many pieces to ask for at once: one, and as many more as it takes to keep the neighbour
    /// busy while a request travels, where that time counts.
    pub(super) fn pipeline(&self, round_trip: SimDuration) -> usize {
        match self.pace.1 {
            Some(pace) if round_trip.0 >= pace.0 / ROUND_TRIP_COUNTS => {
                let more = round_trip.0.div_ceil(pace.0.max(1));
                1 + usize::try_from(more).map_or(PIPELINE_MAX, |n| n.min(PIPELINE_MAX))
            }
            _ => 1,
        }
    }

    /// Notes that a piece came.
    pub(super) fn keep_pace(&mut self, now: SimTime) {
        let (since, _) = self.pace;
        self.pace = (now, Some(now.since(since)));
    }
}

/// A round trip counts when it is a tenth of the time that a piece takes: by then a link that
/// serves nobody else would idle a tenth of its time.
const ROUND_TRIP_COUNTS: u64 = 10;

/// Pieces asked for ahead at most: the 500 blocks of 16 KiB that libtorrent asks one neighbour for
/// (`max_out_request_queue`), in pieces of 256 KiB.
pub(super) const PIPELINE_MAX: usize = 31;

/// Pieces missing when the end game begins.
///
/// BEP 3 begins it when every block, a sixteenth of a piece, has been asked for. Here a piece is
/// asked for as a whole: a longer end game would fetch many of them twice.
const END_GAME_PIECES: usize = 1;

const ON_DISK: u32 = u32::MAX;

/// A member of the swarm, or a node that may become one.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) links: Vec<Link>,
    /// Pieces not on disk, in this peer's own random order, which breaks ties between pieces.
    pub(super) missing: Vec<u32>,
    /// The place of each piece among the missing, [`ON_DISK`] for the others.
    place: Vec<u32>,
    /// For each piece, which links' neighbours are known to have it, a bit each.
    holders: Vec<u64>,
    /// From how many neighbours each piece is awaited.
    pub(super) awaited: Vec<u16>,
    /// How many missing pieces are awaited from nobody.
    pub(super) open: u32,
    /// The user's request, while it is being asked.
    pub(super) request: Option<RequestId>,
    /// Whether it takes part.
    pub(super) joined: bool,
    /// Whether its owner lets it give nothing.
    pub(super) free_rider: bool,
    /// Neighbours served at once, beside the optimistic one.
    pub(super) slots: u32,
    /// What it had sent at the last review, and when that was.
    pub(super) sent: (Bytes, SimTime),
    /// Rate of its uplink.
    pub(super) uplink: BitsPerSecond,
    /// Whether a review of whom to serve is due.
    pub(super) reviewing: bool,
    /// Reviews so far.
    pub(super) reviews: u32,
    /// Reports to the tracker that were not answered.
    pub(super) unanswered: u32,
    /// Rises with every report to the tracker, so that an older timer is told apart.
    pub(super) report: u32,
    /// Members that the tracker named and that were not tried yet.
    pub(super) candidates: Vec<NodeId>,
    /// Connections opened so far.
    pub(super) opened: u32,
    /// Choices of a piece so far.
    pub(super) choices: u32,
    /// What an origin has given out of what nobody else had.
    pub(super) first_copies: Option<FirstCopies>,
}

/// What the owner of a device has decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Owner {
    pub(super) free_rider: bool,
    pub(super) slots: u32,
    pub(super) uplink: BitsPerSecond,
}

/// An origin's care that every piece goes out once before one goes out twice.
///
/// Peers cannot know which pieces the origin is sending to others, so by themselves they ask it
/// for some twice while others wait. Suggesting pieces is what BEP 6 made that message for.
#[derive(Debug)]
pub(super) struct FirstCopies {
    /// For each piece, how often it was sent, and how often suggested.
    counts: Vec<(u16, u16)>,
    never_sent: u32,
}

impl FirstCopies {
    pub(super) fn new(piece_count: u32) -> Self {
        Self {
            counts: vec![(0, 0); piece_count as usize],
            never_sent: piece_count,
        }
    }

    pub(super) fn send(&mut self, piece: u32) {
        let (sent, _) = &mut self.counts[piece as usize];
        if *sent == 0 {
            self.never_sent -= 1;
        }
        *sent = sent.saturating_add(1);
    }

    /// The piece to suggest next, the first after `from` among those sent and suggested least;
    /// nothing once all were sent.
    pub(super) fn suggest(&mut self, from: u32) -> Option<u32> {
        if self.never_sent == 0 {
            return None;
        }
        let count = u32::try_from(self.counts.len()).expect("pieces are counted in 32 bits");
        let turn = (from..count).chain(0..from);
        let piece = turn.min_by_key(|piece| self.counts[*piece as usize])?;
        self.counts[piece as usize].1 += 1;
        Some(piece)
    }
}

impl Peer {
    /// A peer that lacks the pieces `missing`.
    pub(super) fn new(missing: Vec<u32>, piece_count: u32, owner: Owner) -> Self {
        let count = piece_count as usize;
        let mut place = vec![ON_DISK; count];
        for (piece, index) in missing.iter().zip(0..) {
            place[*piece as usize] = index;
        }
        Self {
            links: Vec::new(),
            open: u32::try_from(missing.len()).expect("pieces are counted in 32 bits"),
            missing,
            place,
            holders: vec![0; count],
            awaited: vec![0; count],
            request: None,
            joined: false,
            free_rider: owner.free_rider,
            slots: owner.slots,
            sent: (Bytes(0), SimTime::ZERO),
            uplink: owner.uplink,
            reviewing: false,
            reviews: 0,
            unanswered: 0,
            report: 0,
            candidates: Vec::new(),
            opened: 0,
            choices: 0,
            first_copies: None,
        }
    }

    /// The place of the link to `neighbour`.
    pub(super) fn link_to(&self, neighbour: NodeId) -> Option<usize> {
        self.links
            .iter()
            .position(|link| link.neighbour == neighbour)
    }

    /// The place of the link on this connection.
    pub(super) fn link_on(&self, neighbour: NodeId, connection: Connection) -> Option<usize> {
        let index = self.link_to(neighbour)?;
        (self.links[index].connection == connection).then_some(index)
    }

    pub(super) fn has_all(&self) -> bool {
        self.missing.is_empty()
    }

    /// Strikes the link at `index` out; the last link takes its place.
    pub(super) fn remove_link(&mut self, index: usize) -> Link {
        while let Some(piece) = self.links[index].requests.last().copied() {
            self.give_up(index, piece);
        }
        let last = self.links.len() - 1;
        for holders in &mut self.holders {
            let of_last = *holders >> last & 1;
            *holders &= !(1 << last | 1 << index);
            if index != last {
                *holders |= of_last << index;
            }
        }
        self.links.swap_remove(index)
    }

    /// A piece awaited from nobody until now is awaited, or the other way round: what the
    /// neighbours can give changes.
    fn recount(&mut self, piece: u32, open: bool) {
        self.open = if open { self.open + 1 } else { self.open - 1 };
        let mut holders = self.holders[piece as usize];
        while holders != 0 {
            let useful = &mut self.links[holders.trailing_zeros() as usize].useful;
            *useful = if open { *useful + 1 } else { *useful - 1 };
            holders &= holders - 1;
        }
    }

    /// Whether the neighbour at `index` is known to have `piece`.
    pub(super) fn knows(&self, index: usize, piece: u32) -> bool {
        self.holders[piece as usize] >> index & 1 == 1
    }

    /// Notes that `piece` was asked for on the link at `index`.
    pub(super) fn await_piece(&mut self, index: usize, piece: u32) {
        self.links[index].requests.push(piece);
        self.awaited[piece as usize] += 1;
        if self.awaited[piece as usize] == 1 {
            self.recount(piece, false);
        }
    }

    /// Notes that `piece` is no longer awaited on the link at `index`; says whether it was.
    pub(super) fn give_up(&mut self, index: usize, piece: u32) -> bool {
        let given_up = self.settle(index, piece);
        if given_up && self.awaited[piece as usize] == 0 && self.lacks(piece) {
            self.recount(piece, true);
        }
        given_up
    }

    /// Takes a request off the link at `index`.
    fn settle(&mut self, index: usize, piece: u32) -> bool {
        let requests = &mut self.links[index].requests;
        let Some(place) = requests.iter().position(|asked| *asked == piece) else {
            return false;
        };
        requests.swap_remove(place);
        self.awaited[piece as usize] -= 1;
        true
    }

    pub(super) fn lacks(&self, piece: u32) -> bool {
        self.place[piece as usize] != ON_DISK
    }

    /// Notes that a missing piece is on disk; `from` is the link on which it was asked for and
    /// came.
    pub(super) fn keep(&mut self, piece: u32, from: Option<usize>) {
        let awaited = self.awaited[piece as usize] > 0;
        if let Some(index) = from {
            self.settle(index, piece);
        }
        if !awaited {
            self.recount(piece, false);
        }
        let place = std::mem::replace(&mut self.place[piece as usize], ON_DISK);
        self.missing.swap_remove(place as usize);
        if let Some(moved) = self.missing.get(place as usize) {
            self.place[*moved as usize] = place;
        }
    }

    /// Notes that the neighbour at `index` has one more piece.
    pub(super) fn hear(&mut self, index: usize, piece: u32) {
        self.holders[piece as usize] |= 1 << index;
        if self.awaited[piece as usize] == 0 && self.lacks(piece) {
            self.links[index].useful += 1;
        }
    }

    /// Whether the neighbour at `index` has something that this peer would ask for: a piece
    /// awaited from nobody or, when all are awaited, any that is missing.
    pub(super) fn wants(&self, index: usize, end_game: bool) -> bool {
        if !(end_game && self.is_at_end()) {
            return self.links[index].useful > 0;
        }
        self.missing.iter().any(|piece| self.knows(index, *piece))
    }

    /// Whether the last pieces are on their way.
    fn is_at_end(&self) -> bool {
        self.open == 0 && self.missing.len() <= END_GAME_PIECES
    }

    /// The piece to ask the neighbour at `index` for.
    pub(super) fn choose(
        &self,
        index: usize,
        choice: Choice,
        end_game: bool,
        rng: &mut Stream,
    ) -> Option<u32> {
        let link = &self.links[index];
        let again = end_game && self.is_at_end();
        if link.useful == 0 && !again {
            return None;
        }
        let fits = |piece: &&u32| {
            let free = self.awaited[**piece as usize] == 0;
            (free || again && !link.requests.contains(piece)) && self.knows(index, **piece)
        };
        match choice {
            Choice::RarestFirst
                if link
                    .suggested
                    .as_ref()
                    .is_some_and(|p| fits(&p) && self.lacks(*p)) =>
            {
                link.suggested
            }
            Choice::RarestFirst => self
                .missing
                .iter()
                .filter(fits)
                .min_by_key(|piece| {
                    (
                        self.awaited[**piece as usize],
                        self.holders[**piece as usize].count_ones(),
                    )
                })
                .copied(),
            Choice::Random => {
                let count = u32::try_from(self.missing.len()).expect("pieces fit 32 bits");
                let (before, after) = self
                    .missing
                    .split_at(uniform_below(rng, count.max(1)) as usize);
                after.iter().chain(before).find(fits).copied()
            }
        }
    }
}
