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
mod device;
mod exchange;
mod finder;
mod known;
mod links;
mod message;
mod neighbourhood;
mod peer;
mod peer_exchange;
mod pieces;
mod roster;
mod tracker;

use std::ops::Range;

use prefetch_index::prefetch_index;

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, NodeId, ObjectId, Request, RequestKind,
    SimDuration, StateLoss, Stream, TransferEnded, Want, Wants, WorldKey, uniform_below,
};

use crate::Kademlia;

use announced::Announcements;
use config::nested;
use device::Device;
use finder::{Finder, Table};
use message::{Connection, Message};
use peer::{FirstCopies, Peer};
use pieces::{PieceSet, Ties};
use roster::{Member, Roster};
use tracker::Tracker;

pub use config::{Choice, Config, Directory};

/// A file-sharing swarm.
pub struct Swarm {
    config: Config,
    /// Size of each object.
    object: Bytes,
    /// Pieces of each object.
    piece_count: u32,
    finder: Finder,
    devices: Vec<Device>,
    roster: Roster,
    /// By member, as what each announced.
    peers: Vec<Peer>,
    announced: Announcements,
    /// Room for a choice among pieces; empty between choices.
    ties: Ties,
}

/// What a peer reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// Review whom to serve.
    Review,
    /// Tell the neighbours in this torrent of each other.
    Exchange(ObjectId),
    /// What a node of a distributed directory reminds itself of.
    Directory(<Kademlia as Architecture>::Timer),
    /// Report that this node takes part in this torrent, unless a later report has been made.
    Report(ObjectId, u32),
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
        let origins = machines[0].clone();
        let object = cast.object_size();
        let piece_count = u32::try_from(object.0.div_ceil(config.piece.0)).ok();
        let Some(piece_count) = piece_count.filter(|count| *count <= PIECES_MAX) else {
            return Err(ConfigError {
                key: "piece",
                problem: format!("cuts {object} into more than {PIECES_MAX} pieces"),
            });
        };
        // A member that has missed a report, and then another, is taken for gone.
        let expiry = SimDuration::from(config.announce_interval() * 2.0);
        let objects = match cast.wants() {
            Wants::Download { objects, .. } => *objects,
            _ => unreachable!("a swarm serves downloads"),
        };
        let device = |node| Device::new(cast.is_free_rider(node), cast.upload(node), config.slots);
        let nodes = (0..).map(NodeId).take(cast.node_count());
        let finder = match config.directory {
            Directory::Tracker => {
                let mut tracker = Tracker::new(NodeId(machines[1].start), objects, expiry);
                if objects == 1 {
                    tracker.reserve(cast.node_count());
                }
                Finder::Tracker(tracker)
            }
            Directory::Distributed => {
                let table = Table::new(&config.table(*cast)?, objects, *cast, rng)?;
                Finder::Table(Box::new(table))
            }
        };
        let mut swarm = Self {
            config: config.clone(),
            object,
            piece_count,
            finder,
            devices: nodes.clone().map(device).collect(),
            roster: Roster::new(objects, cast.node_count()),
            peers: Vec::new(),
            announced: Announcements::new(piece_count),
            ties: Ties::default(),
        };
        if objects == 1 {
            swarm.peers.reserve_exact(cast.node_count());
            swarm.announced.reserve(cast.node_count());
            for node in nodes {
                swarm.enter(node, ObjectId(0), origins.contains(&node.0), rng);
            }
        } else {
            for object in (0..objects).map(ObjectId) {
                for origin in origins.clone().map(NodeId) {
                    swarm.enter(origin, object, true, rng);
                }
            }
        }
        Ok(swarm)
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let origin = config.origin.as_deref().unwrap_or("the only machine");
        let (mut premises, directory) = match config.directory {
            Directory::Tracker => {
                let tracker = config.tracker.as_deref().unwrap_or(origin);
                let known = vec![
                    format!("every peer knows from the start that {tracker} is the tracker"),
                    "the tracker knows the origin from the start".into(),
                ];
                (known, "tracker")
            }
            Directory::Distributed => (finder::premises(config, origin, *cast), "directory"),
        };
        premises.extend([
            "users' uplinks carry pieces as well as requests".into(),
            format!(
                "a peer that cannot reach the {directory} tries again after 15 s, then 30 s, and \
                 so on (BEP 15); its user's own patience is not asked"
            ),
            "every peer knows the hashes of all pieces".into(),
        ]);
        premises
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let origins = cast.machines("origin", config.origin.as_deref())?;
        if config.directory == Directory::Distributed {
            let others = Kademlia::machines(&config.table(*cast)?, cast).map_err(nested)?;
            let others = others.into_iter().filter(|group| *group != origins);
            return Ok(std::iter::once(origins.clone()).chain(others).collect());
        }
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
        match message {
            Message::Members(_, members) => members.iter().copied().for_each(visit),
            Message::Contacts(_, contacts) => {
                contacts
                    .added
                    .iter()
                    .for_each(|contact| visit(contact.node));
            }
            Message::Directory(message) => Kademlia::mentions(message, visit),
            _ => {}
        }
    }

    fn state_bytes(&self) -> usize {
        known::state_bytes(self)
    }

    fn look_ahead(&self, to: NodeId, _from: NodeId, message: &Message) {
        let object = message.object();
        if let Some(me) = object.and_then(|object| self.roster.find(to, object)) {
            prefetch_index(&self.peers, me.index());
        }
    }

    const LOOKS_FURTHER: bool = true;

    fn look_further(&self, to: NodeId, _from: NodeId, message: &Message) {
        let object = message.object();
        if let Some(me) = object.and_then(|object| self.roster.find(to, object)) {
            self.peers[me.index()].links.prefetch();
        }
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        self.in_table(cx, Kademlia::on_start);
        let node = cx.node();
        let mut nth = 0;
        while let Some(me) = self.roster.part(node, nth) {
            if self.peers[me.index()].joined {
                self.begin_reports(me, cx);
            }
            nth += 1;
        }
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let (node, object) = (cx.node(), object_of(request));
        let me = match self.roster.find(node, object) {
            Some(me) => me,
            None => self.enter(node, object, false, cx.rng()),
        };
        let peer = &mut self.peers[me.index()];
        if peer.has_all() {
            cx.serve(request.id);
            return;
        }
        peer.requests.push(request.id);
        if peer.requests.len() == 1 {
            // Whoever has something to give again is choosy about whom it gives to.
            self.devices[node.index()].slots = self.config.slots;
            self.join(me, cx);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let me = self.member(cx.node(), object_of(request));
        let requests = &mut self.peers[me.index()].requests;
        requests.retain(|id| *id != request.id);
        if requests.is_empty() {
            self.part(me, cx);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Join(object) => self.on_join(from, object, cx),
            Message::Part(object) => {
                let member = self.member(from, object);
                self.finder.tracker().part(member, object);
            }
            Message::Members(object, members) => {
                self.on_members(self.member(cx.node(), object), &members, cx);
            }
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
                if let Some((me, index)) = self.link(from, connection, cx) {
                    self.peers[me.index()].suggest(index, piece);
                }
            }
            Message::Cancel(connection, piece) => self.on_cancel(from, connection, piece, cx),
            Message::Directory(message) => {
                self.in_table(cx, |kademlia, cx| kademlia.on_message(from, *message, cx));
            }
            Message::Contacts(connection, contacts) => {
                self.on_contacts(from, connection, &contacts, cx);
            }
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
            Timer::Exchange(object) => self.tell_contacts(self.member(cx.node(), object), cx),
            Timer::Directory(timer) => {
                self.in_table(cx, |kademlia, cx| kademlia.on_timer(timer, cx));
            }
            Timer::Report(object, report) => {
                self.on_report_due(self.member(cx.node(), object), report, cx);
            }
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let parts = (0..).map_while(|nth| self.roster.part(node, nth));
        let parts: Vec<Member> = parts.collect();
        match down {
            Down::Left => {
                for me in parts {
                    self.part(me, cx);
                }
            }
            Down::Crashed(loss) => {
                for me in parts {
                    self.crash(me, loss, cx);
                }
                let device = &mut self.devices[node.index()];
                *device = Device::new(device.free_rider, device.uplink, self.config.slots);
                if self.finder.tracker_node() == Some(node) && loss == StateLoss::Lost {
                    self.finder.tracker().clear();
                }
            }
        }
        self.in_table(cx, |kademlia, cx| kademlia.on_down(down, cx));
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        self.in_table(cx, Kademlia::on_up);
        let node = cx.node();
        let mut nth = 0;
        while let Some(me) = self.roster.part(node, nth) {
            let peer = &self.peers[me.index()];
            // A leecher comes back with its request; who has given or can give everything at once.
            if peer.joined && peer.has_all() {
                self.report(me, cx);
            }
            nth += 1;
        }
    }
}

/// Every peer keeps some bytes for every piece; a million pieces are more than any swarm has.
const PIECES_MAX: u32 = 1 << 20;

impl Swarm {
    /// Gives a node a part in the torrent of an object.
    fn enter(&mut self, node: NodeId, object: ObjectId, origin: bool, rng: &mut Stream) -> Member {
        let count = self.piece_count;
        let (has, missing) = if origin {
            (PieceSet::all(count), PieceSet::none(count))
        } else {
            (PieceSet::none(count), PieceSet::all(count))
        };
        let me = self.roster.enter(node, object);
        let mut peer = Peer::new(missing, count);
        if origin {
            peer.joined = true;
            peer.first_copies = Some(Box::new(self.first_copies(rng)));
            if let Finder::Tracker(tracker) = &mut self.finder {
                tracker.enrol(me, object);
            }
        }
        self.peers.push(peer);
        self.announced.enter(has);
        me
    }

    /// The part of a node that is known to have one.
    fn member(&self, node: NodeId, object: ObjectId) -> Member {
        let found = self.roster.find(node, object);
        found.expect("whoever was heard of in a torrent has a part in it")
    }

    /// This node's part in the torrent of a connection, and the place of its link.
    fn link(
        &self,
        from: NodeId,
        connection: Connection,
        cx: &Context<'_, Self>,
    ) -> Option<(Member, usize)> {
        let me = self.roster.find(cx.node(), connection.object)?;
        let neighbour = self.roster.find(from, connection.object)?;
        let links = &self.peers[me.index()].links;
        let opened = connection.opener != from;
        let index = links.on(neighbour, connection.serial, opened)?;
        Some((me, index))
    }

    /// The node at the other end of a link, and the connection with it.
    fn end(&self, me: Member, index: usize) -> (NodeId, Connection) {
        let links = &self.peers[me.index()].links;
        let neighbour = self.roster.node(links.neighbour(index));
        let link = links.get(index);
        let connection = Connection {
            object: self.roster.object(me),
            opener: if link.opened {
                self.roster.node(me)
            } else {
                neighbour
            },
            serial: link.serial,
        };
        (neighbour, connection)
    }

    fn first_copies(&self, rng: &mut Stream) -> FirstCopies {
        let order = shuffled((0..self.piece_count).collect(), rng);
        FirstCopies::new(order)
    }

    /// Forgets what was in memory, and on disk too when that is lost.
    fn crash(&mut self, me: Member, loss: StateLoss, cx: &mut Context<'_, Self>) {
        let links = &self.peers[me.index()].links;
        if !links.is_empty() {
            self.roster.rest(me);
        }
        for ((neighbour, link), index) in links.iter().zip(0..) {
            if links.established.contains(index) {
                self.announced.close(neighbour, link.life);
            }
        }
        let count = self.piece_count;
        let old = &self.peers[me.index()];
        let missing = match loss {
            StateLoss::Kept => old.missing.clone(),
            StateLoss::Lost => PieceSet::all(count),
        };
        let mut peer = Peer::new(missing, count);
        // A leecher takes part again when its user asks again, who may have given up meanwhile.
        peer.joined = old.joined && peer.has_all();
        peer.opened = old.opened;
        if loss == StateLoss::Kept && old.first_copies.is_some() {
            peer.first_copies = Some(Box::new(self.first_copies(cx.rng())));
        }
        let mut kept = PieceSet::all(count);
        peer.missing.iter().for_each(|piece| kept.remove(piece));
        self.announced.begin_life(me, kept);
        self.peers[me.index()] = peer;
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

/// The object that a request is for.
fn object_of(request: &Request) -> ObjectId {
    match request.want {
        Want::Download(object) => object,
        _ => unreachable!("a swarm is asked for downloads only"),
    }
}
