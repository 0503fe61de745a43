//! A file-sharing swarm after BitTorrent.
//!
//! The object is cut into pieces. A peer asks the tracker who takes part, connects to some of
//! them, tells each what it has, and asks them for the pieces it lacks, rarest first. Whom it
//! serves is decided every few seconds by what they give (tit for tat), with one slot left to
//! chance.
//!
//! Source: B. Cohen, *Incentives Build Robustness in BitTorrent*, Workshop on Economics of
//! Peer-to-Peer Systems, 2003; the BitTorrent protocol specification, BEP 3.

mod announced;
mod choke;
mod config;
mod exchange;
mod known;
mod links;
mod message;
mod neighbourhood;
mod peer;
mod pieces;
mod tracker;

use std::ops::Range;

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, NodeId, Request, RequestKind,
    SimDuration, StateLoss, Stream, TransferEnded, WorldKey, uniform_below,
};

use announced::Announced;
use message::Message;
use peer::{FirstCopies, Owner, Peer};
use pieces::{PieceSet, Ties};
use tracker::Tracker;

pub use config::{Choice, Config};

/// A file-sharing swarm.
pub struct Swarm {
    config: Config,
    object: Bytes,
    piece_count: u32,
    tracker: Tracker,
    peers: Vec<Peer>,
    announced: Vec<Announced>,
    /// Room for a choice among pieces; empty between choices.
    ties: Ties,
}

/// What a peer reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// Review whom to serve.
    Review,
    /// Report to the tracker, unless a later report has been made.
    Report(u32),
}

impl Architecture for Swarm {
    const KIND: &'static str = "swarm";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str =
        "users pass pieces on to each other: tracker, rarest first, tit for tat";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::FreeRiders, WorldKey::AfterDownload];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        config.check()?;
        let machines = Self::machines(config, cast)?;
        let (origins, tracker) = (machines[0].clone(), machines[1].start);
        let object = cast.object_size();
        let piece_count = u32::try_from(object.0.div_ceil(config.piece.0)).ok();
        let Some(piece_count) = piece_count.filter(|count| *count <= PIECES_MAX) else {
            return Err(ConfigError {
                key: "piece",
                problem: format!("cuts {object} into more than {PIECES_MAX} pieces"),
            });
        };
        // A member that has missed a report, and then another, is taken for gone.
        let expiry = SimDuration::from(config.announce_interval * 2.0);
        let mut swarm = Self {
            config: config.clone(),
            object,
            piece_count,
            tracker: Tracker::new(NodeId(tracker), cast.node_count(), expiry),
            peers: Vec::with_capacity(cast.node_count()),
            announced: Vec::with_capacity(cast.node_count()),
            ties: Ties::default(),
        };
        for node in (0..).map(NodeId).take(cast.node_count()) {
            swarm.add(node, origins.contains(&node.0), *cast, rng);
        }
        Ok(swarm)
    }

    fn premises(config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        let tracker = config.tracker.as_deref().or(config.origin.as_deref());
        let tracker = tracker.unwrap_or("the only machine");
        vec![
            format!("every peer knows from the start that {tracker} is the tracker"),
            "the tracker knows the origin from the start".into(),
            "users' uplinks carry pieces as well as requests".into(),
            "a peer that cannot reach the tracker tries again after 15 s, then 30 s, and so on \
             (BEP 15); its user's own patience is not asked"
                .into(),
            "every peer knows the hashes of all pieces".into(),
        ]
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let origins = cast.machines("origin", config.origin.as_deref())?;
        let tracker = match &config.tracker {
            Some(name) => cast.machines("tracker", Some(name))?.start,
            None => origins.start,
        };
        Ok(vec![origins, tracker..tracker + 1])
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        known::overlay(self, node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        if let Message::Members(members) = message {
            members.iter().copied().for_each(visit);
        }
    }

    fn state_bytes(&self) -> usize {
        known::state_bytes(self)
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        if peer.has_all() {
            cx.serve(request.id);
            return;
        }
        peer.request = Some(request.id);
        self.join(cx);
    }

    fn on_abandoned(&mut self, _request: &Request, cx: &mut Context<'_, Self>) {
        self.part(cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Join => self.on_join(from, cx),
            Message::Part => self.tracker.part(from),
            Message::Members(members) => self.on_members(&members, cx),
            Message::Connect(connection, holdings) => {
                self.on_connect(from, connection, holdings, cx);
            }
            Message::Accept(connection, holdings) => {
                self.on_accept(from, connection, holdings, cx);
            }
            Message::Bye(connection) => self.on_bye(from, connection, cx),
            Message::Status(connection, status) => self.on_status(from, connection, status, cx),
            Message::News(connection) => self.on_news(from, connection, cx),
            Message::Request(connection, piece) => {
                self.on_piece_request(from, connection, piece, cx);
            }
            Message::Reject(connection, piece) => self.on_reject(from, connection, piece, cx),
            Message::Suggest(connection, piece) => {
                let peer = &mut self.peers[cx.node().index()];
                if let Some(index) = peer.links.on(from, connection) {
                    peer.suggest(index, piece);
                }
            }
            Message::Cancel(connection, piece) => self.on_cancel(from, connection, piece, cx),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == ended.from {
            self.on_sent(&ended, cx);
        } else {
            self.on_received(&ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Review => self.review(cx),
            Timer::Report(report) => self.on_report_due(report, cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        match down {
            Down::Left => self.part(cx),
            Down::Crashed(loss) => self.crash(cx.node(), loss, cx),
        }
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &self.peers[node.index()];
        // A leecher comes back with its request; who has given or can give everything at once.
        if peer.joined && peer.has_all() {
            self.report(cx);
        }
    }
}

/// Every peer keeps some bytes for every piece; a million pieces are more than any swarm has.
const PIECES_MAX: u32 = 1 << 20;

impl Swarm {
    fn add(&mut self, node: NodeId, origin: bool, cast: Cast<'_>, rng: &mut Stream) {
        let owner = Owner {
            free_rider: cast.is_free_rider(node),
            slots: self.config.slots,
            uplink: cast.upload(node),
        };
        let count = self.piece_count;
        let (has, missing) = if origin {
            (PieceSet::all(count), PieceSet::none(count))
        } else {
            (PieceSet::none(count), PieceSet::all(count))
        };
        let mut peer = Peer::new(missing, count, owner);
        if origin {
            peer.joined = true;
            peer.first_copies = Some(Box::new(self.first_copies(rng)));
            self.tracker.enrol(node);
        }
        self.peers.push(peer);
        self.announced.push(Announced::new(has, count));
    }

    fn first_copies(&self, rng: &mut Stream) -> FirstCopies {
        let order = shuffled((0..self.piece_count).collect(), rng);
        FirstCopies::new(order)
    }

    /// Forgets what was in memory, and on disk too when that is lost.
    fn crash(&mut self, node: NodeId, loss: StateLoss, cx: &mut Context<'_, Self>) {
        let links = &self.peers[node.index()].links;
        for ((neighbour, link), index) in links.iter().zip(0..) {
            if links.established.contains(index) {
                self.announced[neighbour.index()].close(link.life);
            }
        }
        if node == self.tracker.node && loss == StateLoss::Lost {
            self.tracker.clear();
        }
        let count = self.piece_count;
        let old = &self.peers[node.index()];
        let missing = match loss {
            StateLoss::Kept => old.missing.clone(),
            StateLoss::Lost => PieceSet::all(count),
        };
        let owner = Owner {
            free_rider: old.free_rider,
            slots: self.config.slots,
            uplink: old.uplink,
        };
        let mut peer = Peer::new(missing, count, owner);
        // A leecher takes part again when its user asks again, who may have given up meanwhile.
        peer.joined = old.joined && peer.has_all();
        peer.opened = old.opened;
        if loss == StateLoss::Kept && old.first_copies.is_some() {
            peer.first_copies = Some(Box::new(self.first_copies(cx.rng())));
        }
        let mut kept = PieceSet::all(count);
        peer.missing.iter().for_each(|piece| kept.remove(piece));
        self.announced[node.index()].begin_life(kept, count);
        self.peers[node.index()] = peer;
    }

    /// Size of a piece.
    fn piece_size(&self, piece: u32) -> Bytes {
        let start = u64::from(piece) * self.config.piece.0;
        Bytes(self.config.piece.0.min(self.object.0 - start))
    }

    fn say(&mut self, to: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        let size = message.size(self.piece_count);
        cx.send(to, message, size);
    }
}

/// The items in a random order (Fisher and Yates).
fn shuffled(mut items: Vec<u32>, rng: &mut Stream) -> Vec<u32> {
    for left in (1..items.len()).rev() {
        let bound = u32::try_from(left + 1).expect("items are counted in 32 bits");
        items.swap(left, uniform_below(rng, bound) as usize);
    }
    items
}
