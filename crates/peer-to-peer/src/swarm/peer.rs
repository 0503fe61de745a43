//! One peer of a torrent: what it has, what it lacks, and how it stands with its neighbours.

use std::collections::VecDeque;

use netduel_world::{NodeId, RequestId, SimDuration, SimTime, Stream, TransferId};

use super::{
    announced::Announcements,
    config::Choice,
    links::{LinkSet, Links, OnLinks, Since},
    peer_exchange::Told,
    pieces::{Known, PieceSet, Rarity, Ties, Unread, place},
    roster::Member,
};

/// How many pieces to ask a neighbour for at once that took `pace` for one: one, and as many more as
/// it takes to keep it busy while a request travels, where that time counts.
pub(super) fn pipeline(pace: SimDuration, round_trip: SimDuration) -> u8 {
    if round_trip.0 < pace.0 / ROUND_TRIP_COUNTS {
        return 1;
    }
    let more = round_trip.0.div_ceil(pace.0.max(1));
    1 + u8::try_from(more).map_or(PIPELINE_MAX, |more| more.min(PIPELINE_MAX))
}

/// A round trip counts when it is a tenth of the time that a piece takes: by then a link that
/// serves nobody else would idle a tenth of its time.
const ROUND_TRIP_COUNTS: u64 = 10;

/// Pieces asked for ahead at most: the 500 blocks of 16 KiB that libtorrent asks one neighbour for
/// (`max_out_request_queue`), in pieces of 256 KiB.
pub(super) const PIPELINE_MAX: u8 = 31;

/// Pieces missing when the end game begins.
///
/// BEP 3 begins it when every block, a sixteenth of a piece, has been asked for. Here a piece is
/// asked for as a whole: a longer end game would fetch many of them twice.
const END_GAME_PIECES: u32 = 1;

/// The last piece is asked of one more neighbour when it takes this many times as long as pieces took of
/// late (libtorrent waits for the mean and four times the deviation from it). At once, and of everybody, it
/// would cross a link that all share several times. Blocks would not: each is sent by whoever is first.
const END_GAME_AFTER: u64 = 4;

/// What a new piece counts in the time that pieces take: as much as a new round trip in RFC 6298.
const PACE_SHARE: u64 = 8;

/// A member of a torrent, or a node that may become one.
#[derive(Debug)]
pub(super) struct Peer {
    pub(super) links: Links,
    /// Pieces not on disk.
    pub(super) missing: PieceSet,
    /// Missing pieces that are awaited from nobody.
    open: PieceSet,
    /// How many neighbours are known to have each missing piece.
    rarity: Rarity,
    /// The pieces that were asked for and have not come, with the instant at which they were asked
    /// for or, if that was later, at which the piece before came.
    pub(super) asked: OnLinks<Since>,
    /// The pieces that are being sent, one to a neighbour.
    pub(super) uploads: OnLinks<TransferId>,
    /// The pieces that are to be sent next.
    pub(super) queue: OnLinks<()>,
    /// The pieces that neighbours would like to be asked for, one each.
    pub(super) suggested: OnLinks<()>,
    /// The user's requests for the object, while they are being asked.
    pub(super) requests: Vec<RequestId>,
    /// Whether it takes part.
    pub(super) joined: bool,
    /// When all neighbours were told something last.
    pub(super) announced_at: SimTime,
    /// Reports to the tracker that were not answered.
    pub(super) unanswered: u32,
    /// Rises with every report to the tracker, so that an older timer is told apart.
    pub(super) report: u32,
    /// Members that the tracker named and that were not tried yet.
    pub(super) candidates: Vec<NodeId>,
    /// Connections opened so far.
    pub(super) opened: u32,
    /// How long pieces took of late; nothing before the first.
    usual_pace: SimDuration,
    /// Choices of a piece so far.
    pub(super) choices: u32,
    /// What it has told its neighbours of each other, where neighbours do that.
    pub(super) told: Option<Box<Told>>,
    /// What an origin has not given out yet.
    pub(super) first_copies: Option<Box<FirstCopies>>,
}

/// An origin's care that every piece goes out once before one goes out twice.
///
/// Peers cannot know which pieces the origin is sending to others, so by themselves they ask it
/// for some twice while others wait. Suggesting pieces is what BEP 6 made that message for.
#[derive(Debug)]
pub(super) struct FirstCopies {
    never_sent: PieceSet,
    /// Those pieces, and some that were sent meanwhile, the one suggested longest ago first.
    next: VecDeque<u32>,
}

impl FirstCopies {
    /// Pieces to be given out, in this order.
    pub(super) fn new(order: Vec<u32>) -> Self {
        let count = u32::try_from(order.len()).expect("pieces are counted in 32 bits");
        Self {
            never_sent: PieceSet::all(count),
            next: order.into(),
        }
    }

    pub(super) fn send(&mut self, piece: u32) {
        self.never_sent.remove(piece);
    }

    /// The piece to suggest next: of those never sent, the one suggested longest ago.
    pub(super) fn suggest(&mut self) -> Option<u32> {
        while let Some(piece) = self.next.pop_front() {
            if self.never_sent.contains(piece) {
                self.next.push_back(piece);
                return Some(piece);
            }
        }
        None
    }
}

impl Peer {
    /// A peer that lacks the pieces `missing`.
    pub(super) fn new(missing: PieceSet, piece_count: u32) -> Self {
        Self {
            links: Links::default(),
            open: missing.clone(),
            missing,
            rarity: Rarity::new(piece_count),
            asked: OnLinks::default(),
            uploads: OnLinks::default(),
            queue: OnLinks::default(),
            suggested: OnLinks::default(),
            requests: Vec::new(),
            joined: false,
            announced_at: SimTime::ZERO,
            unanswered: 0,
            report: 0,
            candidates: Vec::new(),
            opened: 0,
            usual_pace: SimDuration::ZERO,
            choices: 0,
            told: None,
            first_copies: None,
        }
    }

    /// Bytes of memory that it takes.
    pub(super) fn bytes(&self) -> usize {
        let lists = self.asked.bytes() + self.uploads.bytes() + self.queue.bytes();
        let pieces = self.missing.bytes() + self.open.bytes() + self.rarity.bytes();
        let candidates = self.candidates.capacity() * size_of::<NodeId>();
        let requests = self.requests.capacity() * size_of::<RequestId>();
        let told = self.told.as_ref().map_or(0, |told| told.bytes());
        size_of::<Self>() + self.links.bytes() + lists + pieces + candidates + requests + told
    }

    pub(super) fn has_all(&self) -> bool {
        self.missing.is_empty()
    }

    pub(super) fn lacks(&self, piece: u32) -> bool {
        self.missing.contains(piece)
    }

    /// What the neighbour at `index`, whose handshake has come, is known to have.
    pub(super) fn known<'a>(&self, index: usize, announced: &'a Announcements) -> Known<'a> {
        let link = self.links.get(index);
        let life = announced.life(self.links.neighbour(index), link.life);
        life.known(link.heard)
    }

    /// Prefetches what the neighbour at `index` announced next.
    pub(super) fn prefetch(&self, index: usize, announced: &Announcements) {
        let link = self.links.get(index);
        let life = announced.life(self.links.neighbour(index), link.life);
        life.prefetch(link.heard);
    }

    /// Notes what the handshake of the neighbour at `index` told.
    pub(super) fn learn(&mut self, index: usize, announced: &Announcements) {
        let known = self.known(index, announced);
        for word in 0..self.missing.word_count() {
            let pieces = known.word(word) & self.missing.word(word);
            self.rarity.count_word(word, pieces);
        }
        self.look_for_use(index, announced);
    }

    /// Notes that the neighbour at `index` has more pieces.
    pub(super) fn hear(&mut self, index: usize, pieces: Unread<'_>) {
        match pieces {
            Unread::Narrow(pieces) => self.hear_each(index, pieces),
            Unread::Wide(pieces) => self.hear_each(index, pieces),
        }
    }

    fn hear_each<T: Copy + Into<u32>>(&mut self, index: usize, pieces: &[T]) {
        let mut use_found = self.links.useful.contains(index);
        for piece in pieces {
            let piece = (*piece).into();
            let (word, bit) = place(piece);
            if self.missing.word(word) & bit == 0 {
                continue;
            }
            self.rarity.count_word(word, bit);
            if !use_found && self.open.word(word) & bit != 0 {
                use_found = true;
                self.links.set_useful(index, piece);
            }
        }
    }

    /// Looks whether the neighbour at `index` is known to have a piece that this peer lacks and
    /// awaits from nobody.
    pub(super) fn look_for_use(&mut self, index: usize, announced: &Announcements) {
        let from = self.links.witness(index);
        // Some other piece for each link, so that few look for another when one is shut.
        let turn = u32::try_from(index).expect("there are at most 64 links");
        let found = self.known(index, announced).common(&self.open, from, turn);
        match found {
            Some(piece) => self.links.set_useful(index, piece),
            None => self.links.useful.set(index, false),
        }
    }

    /// Strikes the link at `index` out; the last link takes its place.
    pub(super) fn remove_link(&mut self, index: usize, announced: &Announcements) -> Removed {
        while let Some((piece, _)) = self.asked.take_first(index) {
            self.reopen(piece, announced);
        }
        let life = self.links.established.contains(index);
        let life = life.then(|| self.links.get(index).life);
        if life.is_some() {
            let known = self.known(index, announced);
            for word in 0..self.missing.word_count() {
                let pieces = known.word(word) & self.missing.word(word);
                self.rarity.discount_word(word, pieces);
            }
        }
        let upload = self.upload(index);
        let last = self.links.len() - 1;
        self.asked.swap_remove(index, last);
        self.uploads.swap_remove(index, last);
        self.queue.swap_remove(index, last);
        self.suggested.swap_remove(index, last);
        if let Some(told) = &mut self.told {
            told.greeted.swap_remove(index, last);
        }
        let (neighbour, _) = self.links.swap_remove(index);
        Removed {
            neighbour,
            life,
            upload,
        }
    }

    /// What is being sent over the link at `index`.
    pub(super) fn upload(&self, index: usize) -> Option<TransferId> {
        self.uploads.of(index).next().map(|(_, id)| *id)
    }

    /// Notes that `piece` was asked for on the link at `index`.
    pub(super) fn await_piece(
        &mut self,
        index: usize,
        piece: u32,
        now: SimTime,
        announced: &Announcements,
    ) {
        self.asked.push(index, piece, now.into());
        self.links.asked.set(index, true);
        self.shut(piece, announced);
    }

    /// A piece is on its way or on disk: whoever seemed useful because of it may be so no more.
    fn shut(&mut self, piece: u32, announced: &Announcements) {
        if !self.open.contains(piece) {
            return;
        }
        self.open.remove(piece);
        for index in self.links.witnessed(piece).iter() {
            self.look_for_use(index, announced);
        }
    }

    /// A piece is no longer awaited on some link.
    fn reopen(&mut self, piece: u32, announced: &Announcements) {
        let awaited = self.asked.pieces().any(|asked| asked == piece);
        if awaited || !self.lacks(piece) || self.open.contains(piece) {
            return;
        }
        self.open.insert(piece);
        for index in (self.links.established & !self.links.useful).iter() {
            if self.known(index, announced).contains(piece) {
                self.links.set_useful(index, piece);
            }
        }
    }

    /// Notes that `piece` is no longer awaited on the link at `index`; says whether it was.
    pub(super) fn give_up(&mut self, index: usize, piece: u32, announced: &Announcements) -> bool {
        let given_up = self.settle(index, piece);
        if given_up {
            self.reopen(piece, announced);
        }
        given_up
    }

    /// Takes a request off the link at `index`.
    fn settle(&mut self, index: usize, piece: u32) -> bool {
        let settled = self.asked.take(index, |asked, _| asked == piece);
        let more = self.asked.of(index).next().is_some();
        self.links.asked.set(index, more);
        settled.is_some()
    }

    /// Whether the neighbour at `index` was asked for `piece`.
    pub(super) fn asks(&self, index: usize, piece: u32) -> bool {
        self.asked.of(index).any(|(asked, _)| asked == piece)
    }

    /// Whether more could be asked of the neighbour at `index`.
    pub(super) fn has_room(&self, index: usize) -> bool {
        let pipeline = usize::from(self.links.get(index).pipeline);
        !self.links.asked.contains(index) || pipeline > 1 && self.asked.of(index).count() < pipeline
    }

    /// How long the neighbour at `index` took for `piece`, which comes now.
    pub(super) fn pace(&mut self, index: usize, piece: u32, now: SimTime) -> SimDuration {
        let mut pace = SimDuration::ZERO;
        for (asked, since) in self.asked.of_mut(index) {
            if asked == piece {
                pace = now.since(SimTime::from(*since));
            }
            *since = now.into();
        }
        let usual = self.usual_pace.0;
        self.usual_pace = match usual {
            0 => pace,
            usual => SimDuration(usual - usual / PACE_SHARE + pace.0 / PACE_SHARE),
        };
        pace
    }

    /// Notes that a missing piece is on disk; `from` is the link on which it was asked for and
    /// came.
    pub(super) fn keep(&mut self, piece: u32, from: Option<usize>, announced: &Announcements) {
        if let Some(index) = from {
            self.settle(index, piece);
        }
        self.shut(piece, announced);
        self.missing.remove(piece);
    }

    /// The neighbours that have something this peer would ask for: a piece awaited from nobody or,
    /// when all are awaited, any that is missing. Whoever is being asked is still of interest.
    pub(super) fn wanted(
        &self,
        end_game: bool,
        now: SimTime,
        announced: &Announcements,
    ) -> LinkSet {
        let mut wanted = self.links.useful | self.links.asked;
        if end_game && self.is_at_end(now) {
            let has_last = |index: &usize| {
                let known = self.known(*index, announced);
                self.missing.iter().any(|piece| known.contains(piece))
            };
            wanted = wanted | self.links.established.iter().filter(has_last).collect();
        }
        wanted & self.links.established
    }

    /// Whether the last piece is late, and awaited from one neighbour only: for a block, too, there
    /// are two requests at most in Transmission.
    fn is_at_end(&self, now: SimTime) -> bool {
        let last = self.open.is_empty() && self.missing.len() <= END_GAME_PIECES;
        let late = SimDuration(self.usual_pace.0.saturating_mul(END_GAME_AFTER));
        let is_late = |since: &Since| {
            self.usual_pace > SimDuration::ZERO && SimTime::from(*since) + late <= now
        };
        last && self.asked.single().is_some_and(is_late)
    }

    /// Whether there may be a piece to ask the neighbour at `index` for.
    pub(super) fn may_choose(&self, index: usize, end_game: bool, now: SimTime) -> bool {
        self.links.useful.contains(index) || end_game && self.is_at_end(now)
    }

    /// The piece to ask the neighbour at `index` for, where there may be one.
    pub(super) fn choose(
        &self,
        index: usize,
        choice: Choice,
        announced: &Announcements,
        ties: &mut Ties,
        rng: &mut Stream,
    ) -> Option<u32> {
        let known = self.known(index, announced);
        let among = if self.links.useful.contains(index) {
            &self.open
        } else {
            // The last piece is asked of one more neighbour.
            let fits = |piece: &u32| known.contains(*piece) && !self.asks(index, *piece);
            return self.missing.iter().find(fits);
        };
        if choice == Choice::RarestFirst
            && let Some((piece, ())) = self.suggested.of(index).next()
            && among.contains(piece)
            && known.contains(piece)
        {
            return Some(piece);
        }
        ties.clear();
        for word in 0..among.word_count() {
            let pieces = among.word(word) & known.word(word);
            match choice {
                Choice::RarestFirst => ties.add_rarest(word, pieces, &self.rarity),
                Choice::Random => ties.add(word, pieces),
            }
        }
        ties.draw(rng)
    }

    /// Notes the piece that the neighbour at `index` would like to be asked for.
    pub(super) fn suggest(&mut self, index: usize, piece: u32) {
        self.suggested.take_first(index);
        self.suggested.push(index, piece, ());
    }
}

/// What a link that was struck out leaves behind.
#[derive(Clone, Copy, Debug)]
pub(super) struct Removed {
    pub(super) neighbour: Member,
    /// The neighbour's life that was read.
    pub(super) life: Option<u32>,
    /// What was being sent.
    pub(super) upload: Option<TransferId>,
}
