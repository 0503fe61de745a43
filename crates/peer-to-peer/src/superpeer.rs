//! Well-connected peers keep the index of others and search among themselves.
//!
//! Devices with an uplink that is fast enough offer themselves as superpeers. Every other device, a
//! leaf, hangs on a few of them and tells them what it has. A search goes to one superpeer, which
//! looks it up in its index and failing that asks the other superpeers, as in flooding.
//!
//! Source: B. Yang, H. Garcia-Molina, "Designing a super-peer network", ICDE 2003; A. Singla,
//! C. Rohrs, "Ultrapeers: another step towards Gnutella scalability", 2002.

use std::ops::Range;

use netduel_world::{
    Architecture, BitsPerSecond, Cast, Cause, ConfigError, Context, Down, NodeId, ObjectId,
    Request, RequestKind, Seconds, Share, Stream, TransferEnded, Want, WorldKey, uniform,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    flooding::{Answers, Query},
    unstructured::{
        HIT, Heard, Open, Peers, QUERY, QueryId, Seen, Start, listing,
        mesh::{self, Leaves, Mesh, Role},
        refuse_short, refuse_zero,
    },
    wiring::Wiring,
};

/// Settings of superpeers.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Uplink from which on a device is fit to be a superpeer. 128 kbps is more than the modems and
    /// ISDN lines that Gnutella clients kept out.
    pub upload_min: BitsPerSecond,
    /// Share of fit devices that offer themselves, each by a draw of its own; the first user always
    /// does. A tenth has room for `redundancy` times as many leaves, and a half more.
    pub superpeers: Share,
    /// Superpeers that a leaf hangs on; at least 1. Gnutella leaves look for 3.
    pub redundancy: u32,
    /// Leaves that a superpeer takes; at least 1. 30 to 45 in common Gnutella clients
    /// (D. Stutzbach, R. Rejaie, S. Sen, "Characterizing unstructured overlay topologies in modern
    /// P2P file-sharing systems", IMC 2005).
    pub leaves: u32,
    /// Superpeers that each is linked with, as far as there are so many; at least 2. 30 in common
    /// Gnutella clients (Stutzbach et al., 2005).
    pub neighbours: u32,
    /// Links between superpeers that a question passes at most; at least 1. With 30 neighbours 3
    /// reach some 30,000.
    pub ttl: u32,
    /// Which way answers go.
    pub answers: Answers,
    /// Questions that a superpeer remembers to know them again; at least 1. At ten a second 1,000
    /// hold those of 100 s, longer than any copy is under way.
    pub memory: u32,
    /// Silence after which a leaf asks its next superpeer, or gives up. Ten links of half a second,
    /// there and back at a TTL of 3 and the leaf's own, take 5 s.
    pub query_timeout: Seconds,
    /// Whether devices have their links from the start or join.
    pub start: Start,
    /// Machine under `[infrastructure]` that names superpeers to newcomers; the first user when left
    /// out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// Time between pings to a superpeer. With 30 s and `missed` 3 a dead one is noticed within 2
    /// min, a thirtieth of the hour that peers stay (S. Saroiu, P. Gummadi, S. Gribble, "A
    /// measurement study of peer-to-peer file sharing systems", MMCN 2002).
    pub keep_alive: Seconds,
    /// Pings without an answer after which a superpeer is taken for dead; 1 to 255.
    pub missed: u32,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half a minute is in range");
        Self {
            upload_min: BitsPerSecond::new(128e3).expect("an ISDN line is in range"),
            superpeers: Share::new(0.1).expect("a tenth is a share"),
            redundancy: 3,
            leaves: 45,
            neighbours: 30,
            ttl: 3,
            answers: Answers::default(),
            memory: 1000,
            query_timeout: seconds(10.0),
            start: Start::default(),
            bootstrap: None,
            keep_alive: mesh::keep_alive(),
            missed: mesh::MISSED,
        }
    }
}

/// What devices say to each other.
#[derive(Debug)]
pub enum Message {
    /// From a leaf: this is what I have.
    Register(Box<[ObjectId]>),
    /// From a leaf: who has this object?
    Ask(Query),
    /// Between superpeers: who has this object?
    Query(Query),
    /// Somebody has it.
    Hit {
        /// The question.
        id: QueryId,
        /// Who has it.
        holder: NodeId,
        /// Whether the superpeer had time to say more than that.
        found: bool,
    },
    /// About links.
    Mesh(mesh::Message),
}

/// What a device reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// The answer to a question is ready.
    Ready {
        /// The question.
        id: QueryId,
        /// Who asks, when answers are to go straight.
        asker: Option<NodeId>,
        /// Who has it.
        holder: NodeId,
    },
    /// Its own user's search is over: who has the object is known here.
    AtHand(QueryId),
    /// A question has been out for long.
    Overdue(QueryId),
    /// About links.
    Mesh(mesh::Timer),
}

impl From<mesh::Message> for Message {
    fn from(message: mesh::Message) -> Self {
        Self::Mesh(message)
    }
}

impl From<mesh::Timer> for Timer {
    fn from(timer: mesh::Timer) -> Self {
        Self::Mesh(timer)
    }
}

/// Well-connected peers keep the index of others and search among themselves.
pub struct Superpeer {
    config: Config,
    peers: Peers,
    desks: Box<[Desk]>,
}

/// What a superpeer keeps for others.
#[derive(Default)]
struct Desk {
    seen: Seen,
    /// Which leaf has what, in ascending order. Leaves that hung on it once may be among them.
    index: Vec<(ObjectId, NodeId)>,
}

impl Architecture for Superpeer {
    const KIND: &'static str = "superpeer";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "well-connected peers index the others and search among themselves";
    const SERVES: &'static [RequestKind] = &[RequestKind::Search];
    const USES: &'static [WorldKey] = &[WorldKey::FreeRiders, WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        config.check()?;
        let first = cast.machine_count();
        let offers: Vec<bool> = (0..cast.user_count())
            .map(|user| {
                let node = NodeId(first + user);
                let fit = cast.upload(node) >= config.upload_min && !cast.is_free_rider(node);
                // Everybody draws, so that a faster uplink changes nobody else's choice.
                let willing = uniform(rng) < config.superpeers.get();
                user == 0 || (fit && willing)
            })
            .collect();
        let count = offers.iter().filter(|offers| **offers).count();
        let count = u32::try_from(count).expect("users are counted in 32 bits");
        let wiring = Wiring::regular(config.neighbours, count);
        let settings = mesh::Settings {
            wiring: Some(&wiring),
            start: config.start,
            bootstrap: config.bootstrap.as_deref(),
            keep_alive: config.keep_alive,
            missed: config.missed,
        };
        let role = |user: u32| {
            if offers[user as usize] {
                Role::Peer
            } else {
                Role::Leaf
            }
        };
        let leaves = Leaves {
            redundancy: config.redundancy,
            most: config.leaves,
        };
        let peers = Peers::new(&settings, *cast, role, Some(leaves), rng)?;
        let desk = |node| {
            let mut desk = Desk::default();
            for leaf in peers.mesh.leaves(node) {
                let objects = peers.shelves.shared_by(leaf).iter();
                desk.index.extend(objects.map(|object| (*object, leaf)));
            }
            desk.index.sort_unstable();
            desk
        };
        let nodes = (0..).map(NodeId).take(cast.node_count());
        Ok(Self {
            desks: nodes.map(desk).collect(),
            peers,
            config: config.clone(),
        })
    }

    fn premises(config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        let mut premises = Mesh::premises(config.start, config.bootstrap.as_deref());
        premises.push("who is a superpeer is settled at the start".into());
        if config.start == Start::Converged {
            premises.push("superpeers know what their leaves have from the start".into());
        }
        premises
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        mesh::machines(config.bootstrap.as_deref(), *cast)
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.peers.mesh.overlay(node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        match message {
            Message::Register(_) => {}
            Message::Ask(query) | Message::Query(query) => query.asker.into_iter().for_each(visit),
            Message::Hit { holder, .. } => visit(*holder),
            Message::Mesh(message) => message.mentions(visit),
        }
    }

    fn state_bytes(&self) -> usize {
        let desk = |desk: &Desk| {
            desk.seen.state_bytes() + desk.index.capacity() * size_of::<(ObjectId, NodeId)>()
        };
        self.peers.state_bytes()
            + size_of_val(&*self.desks)
            + self.desks.iter().map(desk).sum::<usize>()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        self.peers.mesh.on_start(cx);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let Want::Search(object) = request.want else {
            unreachable!("it serves searches only");
        };
        let node = cx.node();
        let open = Open::new(request, object, cx.now());
        let id = open.id();
        if self.peers.shelves.has(node, object) || self.holder_of(node, object).is_some() {
            let then = Timer::AtHand(id);
            self.peers.take_from_home(open, request.work, then, cx);
        } else if self.peers.mesh.degree(node) == 0 {
            // A lone superpeer knows what there is to know.
            let alone =
                self.peers.mesh.is_peer(node) && self.peers.mesh.leaves(node).next().is_some();
            let cause = if alone {
                Cause::NotFound
            } else {
                Cause::NoAnswer
            };
            cx.fail(request.id, cause);
        } else {
            self.peers.open.add(node, open);
            self.ask(id, cx);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.peers.on_abandoned(cx.node(), request);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Register(objects) => self.on_register(from, &objects, cx),
            Message::Ask(query) => self.on_ask(from, query, cx),
            Message::Query(query) => self.on_query(from, query, cx),
            Message::Hit { id, holder, found } => self.on_hit(id, holder, found, cx),
            Message::Mesh(message) => {
                let accepted = matches!(message, mesh::Message::Accept);
                self.peers.mesh.on_message(from, message, cx);
                if accepted {
                    self.register(from, cx);
                }
            }
        }
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {
        unreachable!("nothing is transferred");
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Ready { id, asker, holder } => self.answer(id, asker, (holder, true), cx),
            Timer::AtHand(id) => self.peers.on_at_hand(id, cx),
            Timer::Overdue(id) => self.on_overdue(id, cx),
            Timer::Mesh(timer) => self.peers.mesh.on_timer(timer, cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        self.desks[cx.node().index()] = Desk::default();
        self.peers.on_down(down, cx);
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        self.peers.mesh.on_up(cx);
    }
}

impl Config {
    fn check(&self) -> Result<(), ConfigError> {
        for (key, count) in [
            ("redundancy", self.redundancy),
            ("leaves", self.leaves),
            ("ttl", self.ttl),
            ("memory", self.memory),
        ] {
            refuse_zero(key, count)?;
        }
        if self.neighbours < 2 {
            return Err(ConfigError {
                key: "neighbours",
                problem: format!("is {}; expected at least 2", self.neighbours),
            });
        }
        if self.superpeers.get() == 0.0 {
            return Err(ConfigError {
                key: "superpeers",
                problem: "is 0; expected a share above 0".into(),
            });
        }
        refuse_short("query-timeout", self.query_timeout)
    }
}

/// What a leaf does, and a superpeer for its own user.
impl Superpeer {
    /// Tells a superpeer what this leaf has.
    fn register(&mut self, superpeer: NodeId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if self.peers.mesh.is_peer(node) {
            return;
        }
        let objects: Box<[ObjectId]> = self.peers.shelves.shared_by(node).into();
        let size = listing(objects.len());
        cx.send(superpeer, Message::Register(objects), size);
    }

    /// Asks one superpeer, each time another, or as a superpeer all of them.
    fn ask(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let degree = self.peers.mesh.degree(node);
        let open = self
            .peers
            .open
            .find(node, id)
            .expect("only what is open is asked");
        let query = Query {
            id,
            object: open.object,
            ttl: self.config.ttl,
            work: open.work,
            asker: (self.config.answers == Answers::Direct).then_some(node),
        };
        // Searches of one user begin with one superpeer or another.
        let turn = (open.request.0 as usize + open.count as usize) % degree;
        open.count += 1;
        if self.peers.mesh.is_peer(node) {
            let most = self.config.memory as usize;
            self.desks[node.index()].seen.note(id, node, most);
            self.peers.pass_on(|| Message::Query(query), node, cx);
        } else if let Some(superpeer) = self.peers.mesh.neighbours(node).nth(turn) {
            cx.send(superpeer, Message::Ask(query), QUERY);
        }
        cx.after(self.config.query_timeout.into(), Timer::Overdue(id));
    }

    fn on_overdue(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let degree = self.peers.mesh.degree(node);
        let Some(open) = self.peers.open.find(node, id) else {
            return;
        };
        if (open.count as usize) < degree && !self.peers.mesh.is_peer(node) {
            let id = QueryId { at: cx.now(), ..id };
            self.ask(id, cx);
            return;
        }
        self.peers.give_up(id, cx);
    }
}

/// What a superpeer does.
impl Superpeer {
    /// Who has this object, as far as a superpeer knows.
    fn holder_of(&self, node: NodeId, object: ObjectId) -> Option<NodeId> {
        if self.peers.shelves.shares(node, object) {
            return Some(node);
        }
        let index = &self.desks[node.index()].index;
        let begin = index.partition_point(|(known, _)| *known < object);
        let holders = index[begin..]
            .iter()
            .take_while(|(known, _)| *known == object);
        let mut holders = holders.map(|(_, leaf)| *leaf);
        holders.find(|holder| self.peers.mesh.leaves(node).any(|leaf| leaf == *holder))
    }

    fn on_register(&mut self, leaf: NodeId, objects: &[ObjectId], cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let mut here: Vec<NodeId> = self.peers.mesh.leaves(node).collect();
        here.sort_unstable();
        // It may have gone before its list came.
        if here.binary_search(&leaf).is_err() {
            return;
        }
        let index = &mut self.desks[node.index()].index;
        index.retain(|(_, known)| *known != leaf && here.binary_search(known).is_ok());
        index.extend(objects.iter().map(|object| (*object, leaf)));
        index.sort_unstable();
    }

    /// A leaf's question is answered from the index or passed on.
    fn on_ask(&mut self, leaf: NodeId, query: Query, cx: &mut Context<'_, Self>) {
        let most = self.config.memory as usize;
        let desk = &mut self.desks[cx.node().index()];
        if desk.seen.note(query.id, leaf, most) && !self.look_up(query, cx) {
            self.peers.pass_on(|| Message::Query(query), leaf, cx);
        }
    }

    fn on_query(&mut self, from: NodeId, query: Query, cx: &mut Context<'_, Self>) {
        let most = self.config.memory as usize;
        let desk = &mut self.desks[cx.node().index()];
        if !desk.seen.note(query.id, from, most) {
            return;
        }
        if query.ttl > 1 {
            let further = Query {
                ttl: query.ttl - 1,
                ..query
            };
            self.peers.pass_on(|| Message::Query(further), from, cx);
        }
        self.look_up(query, cx);
    }

    /// Answers what the index can answer; says whether it can.
    fn look_up(&mut self, query: Query, cx: &mut Context<'_, Self>) -> bool {
        let Some(holder) = self.holder_of(cx.node(), query.object) else {
            return false;
        };
        let (id, asker) = (query.id, query.asker);
        let timer = Timer::Ready { id, asker, holder };
        if cx.work(query.work, timer).is_err() {
            self.answer(id, asker, (holder, false), cx);
        }
        true
    }

    /// Sends the answer on its way.
    fn answer(
        &mut self,
        id: QueryId,
        asker: Option<NodeId>,
        (holder, found): (NodeId, bool),
        cx: &mut Context<'_, Self>,
    ) {
        let back = self.desks[cx.node().index()].seen.came_from(id);
        if let Some(next) = asker.or(back) {
            cx.send(next, Message::Hit { id, holder, found }, HIT);
        }
    }

    fn on_hit(&mut self, id: QueryId, holder: NodeId, found: bool, cx: &mut Context<'_, Self>) {
        if self.peers.on_hit(id, found, cx) != Heard::ForOthers {
            return;
        }
        let node = cx.node();
        let back = self.desks[node.index()].seen.came_from(id);
        // Its own question is answered already.
        if let Some(next) = back.filter(|next| *next != node) {
            cx.send(next, Message::Hit { id, holder, found }, HIT);
        }
    }
}
