//! Neighbours of peers: found, kept, missed and replaced.
//!
//! Peers ping their neighbours; one that stays silent is replaced by a node known from pongs and
//! hits, and failing these by one that the bootstrap node names. The mesh is a part of an
//! architecture, which carries its messages and timers.
//!
//! Source: The Annotated Gnutella Protocol Specification v0.4, rev. 1.6.

use std::collections::VecDeque;

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, NodeId, Seconds, SimDuration, StateLoss,
    Stream, uniform, uniform_below,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{BARE, HEADER, TCP, refuse_short, refuse_zero};
use crate::wiring::{Graph, Wiring};

/// How an overlay starts.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Start {
    /// Everybody has neighbours from the start.
    #[default]
    Converged,
    /// Everybody knows the bootstrap node only.
    Join,
}

/// Settings of a mesh, as its host has read them.
pub(crate) struct Settings<'a> {
    /// As is usual when nothing is said.
    pub(crate) wiring: Option<&'a Wiring>,
    pub(crate) start: Start,
    pub(crate) bootstrap: Option<&'a str>,
    pub(crate) keep_alive: Seconds,
    pub(crate) missed: u32,
}

/// Time between pings when nothing is said. With 30 s and [`MISSED`] a dead neighbour is noticed
/// within 2 min, a thirtieth of the hour that peers stay (S. Saroiu, P. Gummadi, S. Gribble, "A
/// measurement study of peer-to-peer file sharing systems", MMCN 2002).
pub(crate) fn keep_alive() -> Seconds {
    Seconds::new(30.0).expect("half a minute is in range")
}

/// Pings without an answer that are too many when nothing is said.
pub(crate) const MISSED: u32 = 3;

/// What a user's device is in the mesh.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) enum Role {
    /// It has neighbours.
    #[default]
    Peer,
    /// It hangs on peers, and nothing hangs on it.
    Leaf,
}

/// How leaves hang on peers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Leaves {
    /// Peers that each looks for.
    pub(crate) redundancy: u32,
    /// Leaves that a peer takes.
    pub(crate) most: u32,
}

/// What peers say to keep the mesh together.
#[derive(Clone, Debug)]
pub enum Message {
    /// Are you there?
    Ping,
    /// Yes, and so is, as far as I know, this node.
    Pong(Option<NodeId>),
    /// Be my neighbour.
    Connect {
        /// Whether the sender is a leaf.
        leaf: bool,
    },
    /// Agreed.
    Accept,
    /// No room; try this node.
    Decline(Option<NodeId>),
    /// No longer your neighbour.
    Bye,
    /// To the bootstrap node: whom can I connect with? I take connections myself, or not.
    Join {
        /// Whether the node may be named to others.
        open: bool,
    },
    /// From the bootstrap node: these.
    Hosts(Box<[NodeId]>),
}

impl Message {
    /// The nodes that it tells about.
    pub(crate) fn mentions(&self, visit: &mut dyn FnMut(NodeId)) {
        match self {
            Self::Pong(known) | Self::Decline(known) => known.iter().copied().for_each(visit),
            Self::Hosts(hosts) => hosts.iter().copied().for_each(visit),
            _ => {}
        }
    }

    /// Pongs have a payload of 14 bytes for each node (§3.2.2). The handshake is "GNUTELLA
    /// CONNECT/0.4" and "GNUTELLA OK", each with two line ends (§2). An address takes 6 bytes.
    fn size(&self) -> Bytes {
        let pong = HEADER + 14;
        match self {
            Self::Ping | Self::Bye | Self::Join { .. } => BARE,
            Self::Pong(known) => Bytes(TCP + pong + if known.is_some() { pong } else { 0 }),
            Self::Connect { .. } => Bytes(TCP + 22),
            Self::Accept => Bytes(TCP + 13),
            Self::Decline(known) => Bytes(TCP + 13 + if known.is_some() { 6 } else { 0 }),
            Self::Hosts(hosts) => Bytes(TCP + HEADER + 6 * hosts.len() as u64),
        }
    }
}

/// What a peer reminds itself of.
#[derive(Clone, Copy, Debug)]
pub enum Timer {
    /// To ping its neighbours.
    KeepAlive,
    /// That this node should have answered by now.
    Unanswered(NodeId),
}

/// An architecture with a mesh in it.
pub(crate) trait Host: Architecture<Message: From<Message>, Timer: From<Timer>> {}

impl<A: Architecture<Message: From<Message>, Timer: From<Timer>>> Host for A {}

/// Nodes known beside the neighbours; more than a peer needs to replace all of them.
const CACHE: usize = 30;
/// Nodes that the bootstrap node names at a time, and those from which it chooses: its latest
/// guests.
const NAMED: usize = 10;
const GUESTS: usize = 1000;
/// Time to answer a connection request: as long as common clients wait, a third of a minute.
const CONNECT_SECONDS: f64 = 20.0;

/// The neighbours of all peers.
pub(crate) struct Mesh {
    first: u32,
    peers: Box<[Peer]>,
    bootstrap: NodeId,
    /// Who asked the bootstrap node last, the newest at the end.
    guests: VecDeque<u32>,
    keep_alive: Seconds,
    missed: u8,
    leaves_most: u32,
}

#[derive(Default)]
struct Peer {
    role: Role,
    /// Neighbours that it looks for.
    wanted: u32,
    links: Vec<Link>,
    /// Nodes that it has heard of.
    cache: Vec<u32>,
}

struct Link {
    node: u32,
    /// Pings since it was heard.
    missed: u8,
    /// Whether it agreed.
    agreed: bool,
    /// Whether it is a leaf that hangs on this peer.
    leaf: bool,
}

impl Peer {
    fn link(&mut self, node: NodeId) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.node == node.0)
    }

    fn drop_link(&mut self, node: NodeId) -> bool {
        let before = self.links.len();
        self.links.retain(|link| link.node != node.0);
        self.links.len() < before
    }

    fn add(&mut self, node: NodeId, leaf: bool) {
        self.links.push(Link {
            node: node.0,
            missed: 0,
            agreed: true,
            leaf,
        });
    }

    fn count(&self, leaves: bool) -> usize {
        self.links.iter().filter(|link| link.leaf == leaves).count()
    }
}

impl Mesh {
    /// Links the users with each other: peers by their wiring, leaves with peers at random.
    pub(crate) fn new(
        settings: &Settings<'_>,
        cast: Cast<'_>,
        role: impl Fn(u32) -> Role,
        leaves: Option<Leaves>,
        rng: &mut Stream,
    ) -> Result<Self, ConfigError> {
        refuse_zero("missed", settings.missed)?;
        let Ok(missed) = u8::try_from(settings.missed) else {
            return Err(ConfigError {
                key: "missed",
                problem: format!("is {}; expected at most 255", settings.missed),
            });
        };
        refuse_short("keep-alive", settings.keep_alive)?;
        let bootstrap = bootstrap(settings.bootstrap, cast)?;
        let users = 0..cast.user_count();
        let peers: Vec<u32> = users.clone().filter(|u| role(*u) == Role::Peer).collect();
        let count = u32::try_from(peers.len()).expect("users are counted in 32 bits");
        let wiring = settings.wiring.cloned();
        let wiring = wiring.unwrap_or_else(|| Wiring::usual(count));
        let graph = wiring.link(count, rng)?;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a degree lies between 0 and the number of peers"
        )]
        let mean = wiring.mean_degree(count).round() as u32;
        let mean = mean.min(count.saturating_sub(1)).max(1);
        let redundancy = leaves.map_or(0, |leaves| leaves.redundancy);
        let newcomer = |user| Peer {
            role: role(user),
            wanted: match role(user) {
                Role::Peer => mean,
                Role::Leaf => redundancy,
            },
            ..Peer::default()
        };
        let mut mesh = Self {
            first: cast.machine_count(),
            peers: users.map(newcomer).collect(),
            bootstrap,
            guests: VecDeque::new(),
            keep_alive: settings.keep_alive,
            missed,
            leaves_most: leaves.map_or(0, |leaves| leaves.most),
        };
        if settings.start == Start::Converged {
            mesh.link_peers(&peers, &graph, rng);
            mesh.hang_leaves(&peers, rng);
        }
        mesh.fill_guests(settings.start, &peers, rng);
        Ok(mesh)
    }

    /// Makes those neighbours whom the graph links. Of each neighbour's neighbours one has been heard
    /// of.
    fn link_peers(&mut self, peers: &[u32], graph: &Graph, rng: &mut Stream) {
        for (index, user) in (0..).zip(peers) {
            let peer = &mut self.peers[*user as usize];
            let neighbours = graph.neighbours(index);
            peer.wanted = u32::try_from(neighbours.len().max(1)).expect("as many as peers");
            peer.links.reserve_exact(neighbours.len());
            for other in neighbours {
                peer.add(NodeId(self.first + peers[*other as usize]), false);
            }
            for other in neighbours {
                let near = graph.neighbours(*other);
                let bound = u32::try_from(near.len()).expect("as many as peers");
                let known = peers[near[uniform_below(rng, bound) as usize] as usize];
                let own = NodeId(self.first + *user);
                remember(peer, own, NodeId(self.first + known), rng);
            }
        }
    }

    /// Hangs every leaf on peers that have room.
    fn hang_leaves(&mut self, peers: &[u32], rng: &mut Stream) {
        let mut taken = vec![0; self.peers.len()];
        let bound = u32::try_from(peers.len()).expect("users are counted in 32 bits");
        for leaf in 0..self.peers.len() {
            if self.peers[leaf].role != Role::Leaf || bound == 0 {
                continue;
            }
            let own = NodeId(self.first + u32::try_from(leaf).expect("a user"));
            let wanted = self.peers[leaf].wanted;
            // Where peers are few or full, a leaf finds fewer than it wants; it goes on looking.
            for _ in 0..20 * wanted {
                if self.peers[leaf].links.len() == wanted as usize {
                    break;
                }
                let user = peers[uniform_below(rng, bound) as usize] as usize;
                let node = NodeId(self.first + u32::try_from(user).expect("a user"));
                let full = taken[user] >= self.leaves_most;
                if full || self.peers[leaf].link(node).is_some() {
                    continue;
                }
                taken[user] += 1;
                self.peers[leaf].add(node, false);
                self.peers[user].add(own, true);
            }
        }
    }

    /// The bootstrap node's latest guests, had all peers joined in a random order; before anybody
    /// joined, itself if it takes part.
    fn fill_guests(&mut self, start: Start, members: &[u32], rng: &mut Stream) {
        let own = self.bootstrap.0.checked_sub(self.first);
        let own = own.filter(|user| self.peers[*user as usize].role == Role::Peer);
        if start == Start::Converged && members.len() <= GUESTS {
            self.guests.extend(members.iter().map(|m| self.first + m));
        } else if start == Start::Converged {
            let bound = u32::try_from(members.len()).expect("users are counted in 32 bits");
            while self.guests.len() < GUESTS {
                let guest = self.first + members[uniform_below(rng, bound) as usize];
                if !self.guests.contains(&guest) {
                    self.guests.push_back(guest);
                }
            }
        } else {
            self.guests.extend(own.map(|user| self.first + user));
        }
    }

    /// What peers know from the start, as sentences for the fairness ledger.
    pub(crate) fn premises(start: Start, bootstrap: Option<&str>) -> Vec<String> {
        let node = bootstrap.map_or("the first user".to_owned(), |name| format!("\"{name}\""));
        let links = match start {
            Start::Converged => "peers have their neighbours from the start",
            Start::Join => {
                "peers have no neighbours at the start; of the wiring the mean number counts only"
            }
        };
        vec![
            links.into(),
            format!("every peer knows from the start that {node} names peers to newcomers"),
        ]
    }

    fn peer(&mut self, node: NodeId) -> Option<&mut Peer> {
        let user = node.0.checked_sub(self.first)?;
        Some(&mut self.peers[user as usize])
    }

    fn peer_ref(&self, node: NodeId) -> Option<&Peer> {
        let user = node.0.checked_sub(self.first)?;
        Some(&self.peers[user as usize])
    }

    /// How many neighbours a node has.
    pub(crate) fn degree(&self, node: NodeId) -> usize {
        self.neighbours(node).count()
    }

    /// The neighbours of a node.
    pub(crate) fn neighbours(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let links = self.peer_ref(node).map_or(&[][..], |peer| &peer.links);
        links
            .iter()
            .filter(|link| link.agreed && !link.leaf)
            .map(|link| NodeId(link.node))
    }

    /// The leaves that hang on a node.
    pub(crate) fn leaves(&self, node: NodeId) -> impl Iterator<Item = NodeId> {
        let links = self.peer_ref(node).map_or(&[][..], |peer| &peer.links);
        let leaves = links.iter().filter(|link| link.leaf);
        leaves.map(|link| NodeId(link.node))
    }

    /// Whether a node is a peer and no leaf.
    pub(crate) fn is_peer(&self, node: NodeId) -> bool {
        self.peer_ref(node)
            .is_some_and(|peer| peer.role == Role::Peer)
    }

    /// Whether all neighbours of a node have left a ping unanswered for a whole period.
    pub(crate) fn is_cut_off(&self, node: NodeId) -> bool {
        let links = self.peer_ref(node).map_or(&[][..], |peer| &peer.links);
        let neighbours = links.iter().filter(|link| link.agreed && !link.leaf);
        neighbours.into_iter().all(|link| link.missed > 1)
    }

    /// Whom a node knows.
    pub(crate) fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node == self.bootstrap {
            self.guests
                .iter()
                .map(|guest| NodeId(*guest))
                .for_each(&mut *visit);
        }
        if let Some(peer) = self.peer_ref(node) {
            peer.links
                .iter()
                .map(|link| NodeId(link.node))
                .for_each(&mut *visit);
            peer.cache
                .iter()
                .map(|known| NodeId(*known))
                .for_each(&mut *visit);
            if node != self.bootstrap {
                visit(self.bootstrap);
            }
        }
    }

    pub(crate) fn state_bytes(&self) -> usize {
        let of = |peer: &Peer| {
            peer.links.capacity() * size_of::<Link>() + peer.cache.capacity() * size_of::<u32>()
        };
        size_of_val(&*self.peers)
            + self.peers.iter().map(of).sum::<usize>()
            + self.guests.capacity() * size_of::<u32>()
    }

    /// Starts the pings, each peer's at a time of its own.
    pub(crate) fn on_start<A: Host>(&mut self, cx: &mut Context<'_, A>) {
        if self.peer(cx.node()).is_some() {
            let first = uniform(cx.rng()) * self.keep_alive.get();
            cx.after(SimDuration::from_seconds(first), Timer::KeepAlive.into());
        }
    }

    pub(crate) fn on_timer<A: Host>(&mut self, timer: Timer, cx: &mut Context<'_, A>) {
        match timer {
            Timer::KeepAlive => self.keep_alive(cx),
            Timer::Unanswered(node) => {
                let peer = self.peer(cx.node()).expect("only peers connect");
                if peer.link(node).is_some_and(|link| !link.agreed) {
                    peer.drop_link(node);
                    self.look_for_neighbours(cx);
                }
            }
        }
    }

    fn keep_alive<A: Host>(&mut self, cx: &mut Context<'_, A>) {
        let (most, period) = (self.missed, self.keep_alive);
        let peer = self.peer(cx.node()).expect("only peers ping");
        peer.links.retain(|link| !link.agreed || link.missed < most);
        for link in peer.links.iter_mut().filter(|link| link.agreed) {
            link.missed += 1;
            // Leaves ping of their own accord.
            if !link.leaf {
                say(NodeId(link.node), Message::Ping, cx);
            }
        }
        let open = peer.role == Role::Peer;
        let poor = self.look_for_neighbours(cx);
        if poor && cx.node() != self.bootstrap {
            say(self.bootstrap, Message::Join { open }, cx);
        }
        cx.after(period.into(), Timer::KeepAlive.into());
    }

    /// Asks nodes that this one has heard of to be its neighbours, as far as it lacks some; says
    /// whether it knows too few.
    fn look_for_neighbours<A: Host>(&mut self, cx: &mut Context<'_, A>) -> bool {
        let Some(peer) = self.peer(cx.node()) else {
            return false;
        };
        let leaf = peer.role == Role::Leaf;
        while peer.count(false) < peer.wanted as usize {
            let Some(bound) = u32::try_from(peer.cache.len()).ok().filter(|n| *n > 0) else {
                return true;
            };
            let known = peer
                .cache
                .swap_remove(uniform_below(cx.rng(), bound) as usize);
            let known = NodeId(known);
            if peer.link(known).is_some() {
                continue;
            }
            peer.links.push(Link {
                node: known.0,
                missed: 0,
                agreed: false,
                leaf: false,
            });
            say(known, Message::Connect { leaf }, cx);
            let wait = SimDuration::from_seconds(CONNECT_SECONDS);
            cx.after(wait, Timer::Unanswered(known).into());
        }
        false
    }

    pub(crate) fn on_message<A: Host>(
        &mut self,
        from: NodeId,
        message: Message,
        cx: &mut Context<'_, A>,
    ) {
        match message {
            Message::Join { open } => self.on_join(from, open, cx),
            Message::Ping => self.on_ping(from, cx),
            Message::Pong(known) => {
                self.heard(from, cx.node());
                self.learn(known, cx);
            }
            Message::Connect { leaf } => self.on_connect(from, leaf, cx),
            Message::Accept => match self.peer(cx.node()).and_then(|peer| peer.link(from)) {
                Some(link) => link.agreed = true,
                // It took too long, and another has its place.
                None => say(from, Message::Bye, cx),
            },
            Message::Decline(known) => {
                if let Some(peer) = self.peer(cx.node()) {
                    peer.drop_link(from);
                }
                self.learn(known, cx);
                self.look_for_neighbours(cx);
            }
            Message::Bye => {
                if self
                    .peer(cx.node())
                    .is_some_and(|peer| peer.drop_link(from))
                {
                    self.look_for_neighbours(cx);
                }
            }
            Message::Hosts(hosts) => {
                for host in hosts {
                    self.learn(Some(host), cx);
                }
                self.look_for_neighbours(cx);
            }
        }
    }

    fn heard(&mut self, from: NodeId, node: NodeId) {
        if let Some(link) = self.peer(node).and_then(|peer| peer.link(from)) {
            link.missed = 0;
        }
    }

    fn on_ping<A: Host>(&mut self, from: NodeId, cx: &mut Context<'_, A>) {
        let known = self.another(from, cx);
        let peer = self.peer(cx.node());
        let link = peer.and_then(|peer| peer.link(from));
        match link.filter(|link| link.agreed) {
            Some(link) => {
                link.missed = 0;
                say(from, Message::Pong(known), cx);
            }
            // Of a connection that this node no longer knows, as after a crash.
            None => say(from, Message::Bye, cx),
        }
    }

    fn on_connect<A: Host>(&mut self, from: NodeId, leaf: bool, cx: &mut Context<'_, A>) {
        let known = self.another(from, cx);
        let leaves_most = self.leaves_most as usize;
        let Some(peer) = self.peer(cx.node()) else {
            return;
        };
        let room = match (peer.role, leaf) {
            (Role::Leaf, _) => false,
            (Role::Peer, true) => peer.count(true) < leaves_most,
            (Role::Peer, false) => peer.count(false) < 2 * peer.wanted as usize,
        };
        let answer = match peer.link(from) {
            Some(link) => {
                link.agreed = true;
                link.missed = 0;
                Message::Accept
            }
            None if room => {
                peer.add(from, leaf);
                Message::Accept
            }
            None => Message::Decline(known),
        };
        say(from, answer, cx);
    }

    /// A neighbour of this node other than `than`.
    pub(crate) fn another<A: Host>(&self, than: NodeId, cx: &mut Context<'_, A>) -> Option<NodeId> {
        let node = cx.node();
        let others = || self.neighbours(node).filter(|node| *node != than);
        let count = u32::try_from(others().count()).expect("as many as peers");
        if count == 0 {
            return None;
        }
        let index = uniform_below(cx.rng(), count) as usize;
        others().nth(index)
    }

    /// A neighbour of this node.
    pub(crate) fn any<A: Host>(&self, cx: &mut Context<'_, A>) -> Option<NodeId> {
        self.another(cx.node(), cx)
    }

    /// This node has heard of another that takes part.
    pub(crate) fn learn<A: Host>(&mut self, known: Option<NodeId>, cx: &mut Context<'_, A>) {
        let node = cx.node();
        if let (Some(known), Some(peer)) = (known, self.peer(node)) {
            remember(peer, node, known, cx.rng());
        }
    }

    fn on_join<A: Host>(&mut self, from: NodeId, open: bool, cx: &mut Context<'_, A>) {
        if cx.node() != self.bootstrap {
            return;
        }
        self.guests.retain(|guest| *guest != from.0);
        let count = u32::try_from(self.guests.len()).expect("a thousand at most");
        let mut hosts = Vec::with_capacity(NAMED);
        if self.guests.len() <= NAMED {
            hosts.extend(self.guests.iter().map(|guest| NodeId(*guest)));
        } else {
            while hosts.len() < NAMED {
                let guest = NodeId(self.guests[uniform_below(cx.rng(), count) as usize]);
                if !hosts.contains(&guest) {
                    hosts.push(guest);
                }
            }
        }
        if open {
            self.guests.push_back(from.0);
            if self.guests.len() > GUESTS {
                self.guests.pop_front();
            }
        }
        say(from, Message::Hosts(hosts.into()), cx);
    }

    pub(crate) fn on_down<A: Host>(&mut self, down: Down, cx: &mut Context<'_, A>) {
        let lost = down == Down::Crashed(StateLoss::Lost);
        if lost && cx.node() == self.bootstrap {
            self.guests.clear();
        }
        let Some(peer) = self.peer(cx.node()) else {
            return;
        };
        for link in peer.links.drain(..).filter(|link| link.agreed) {
            if down == Down::Left {
                say(NodeId(link.node), Message::Bye, cx);
            } else if !link.leaf && peer.cache.len() < CACHE {
                // The addresses are on the disk.
                peer.cache.push(link.node);
            }
        }
        if lost {
            peer.cache.clear();
        }
    }

    /// Back again, a peer looks for neighbours at once.
    pub(crate) fn on_up<A: Host>(&mut self, cx: &mut Context<'_, A>) {
        if self.peer(cx.node()).is_some() {
            self.keep_alive(cx);
        }
    }
}

fn remember(peer: &mut Peer, own: NodeId, known: NodeId, rng: &mut Stream) {
    if known == own || peer.cache.contains(&known.0) || peer.link(known).is_some() {
        return;
    }
    if peer.cache.len() < CACHE {
        peer.cache.push(known.0);
    } else {
        let index = uniform_below(rng, u32::try_from(CACHE).expect("a few")) as usize;
        peer.cache[index] = known.0;
    }
}

fn say<A: Host>(to: NodeId, message: Message, cx: &mut Context<'_, A>) {
    let size = message.size();
    cx.send(to, message.into(), size);
}

/// The machine that names peers to newcomers, or the first user.
pub(crate) fn bootstrap(name: Option<&str>, cast: Cast<'_>) -> Result<NodeId, ConfigError> {
    match name {
        Some(name) => Ok(NodeId(cast.machines("bootstrap", Some(name))?.start)),
        None => Ok(NodeId(cast.machine_count())),
    }
}

/// The machines that a mesh uses.
pub(crate) fn machines(
    name: Option<&str>,
    cast: Cast<'_>,
) -> Result<Vec<std::ops::Range<u32>>, ConfigError> {
    match name {
        Some(_) => bootstrap(name, cast).map(|node| std::iter::once(node.0..node.0 + 1).collect()),
        None => Ok(Vec::new()),
    }
}
