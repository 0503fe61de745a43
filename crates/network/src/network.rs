//! The devices' links, the messages between them and the transfers that share them.

use std::collections::BTreeMap;

use netduel_engine::{SimDuration, SimTime, SmallStream, Stream, Streams, uniform};
use prefetch_index::prefetch_index;

use netduel_units::{BitsPerSecond, Bytes, Share};

use crate::{
    latency::{Latency, RegionId},
    routers::Routers,
    sharing::{Capacity, FairSharing, FlowId, LinkId},
};

/// A device or machine on the network.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The node's place in vectors that hold something for every node.
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a node hangs off the network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Access {
    /// Rate of the link from the node to the network.
    pub upload: BitsPerSecond,
    /// Rate of the link from the network to the node.
    pub download: BitsPerSecond,
    /// Where the node is.
    pub region: RegionId,
}

/// A transfer under way. Slots are used again; the generation tells an old handle from a new one.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub struct TransferId {
    slot: u32,
    generation: u32,
}

/// A transfer that is over.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Ended {
    /// Its handle, now invalid.
    pub id: TransferId,
    /// The sending node.
    pub from: NodeId,
    /// The receiving node.
    pub to: NodeId,
    /// What its sender labelled it with.
    pub label: u64,
    /// Bytes it was to carry.
    pub size: Bytes,
    /// Bytes that arrived.
    pub delivered: Bytes,
    /// Whether what arrived is what was sent. Only a whole transfer can be known to be intact.
    pub intact: bool,
}

/// What a message needs to know of the node that sends it, and what the network's user keeps of
/// that node beside it: one cache line, which is the cost of a message among very many nodes.
#[derive(Debug)]
#[repr(align(64))]
struct Node<K> {
    /// What one byte takes on the uplink.
    up_byte: ByteTime,
    /// Jitter and loss of what this node sends.
    jitter: SmallStream,
    kept: K,
}

/// So much can be kept of a node before it takes a second line.
const KEPT_MOST: usize = 48;
const _: () = assert!(size_of::<Node<[u64; KEPT_MOST / 8]>>() == 64, "one line");

/// Trunks as transfers share them.
#[derive(Debug)]
struct Core {
    routers: Routers,
    trunks: Vec<LinkId>,
    /// Kept for its allocation.
    path: Vec<LinkId>,
}

/// What one byte takes on the links of a node that is slowed down, when it is not.
#[derive(Clone, Copy, Debug)]
struct FullRates {
    up_byte: ByteTime,
    down_byte: ByteTime,
}

/// A node's links as transfers share them.
#[derive(Clone, Copy, Debug)]
struct Links {
    up: LinkId,
    down: LinkId,
}

#[derive(Debug)]
struct Transfer {
    generation: u32,
    from: NodeId,
    to: NodeId,
    label: u64,
    size: Bytes,
    /// None before its bytes move.
    flow: FlowId,
}

/// All links, and all transfers on them.
///
/// `K` is what the network's user keeps of each node, as a graph keeps weights: the network never
/// looks at it. It lies beside what a message needs to know of its sender, so that a message that
/// touches both waits for memory once.
pub struct Network<K = ()> {
    latency: Latency,
    /// Probability that a message is lost on its way.
    loss: f64,
    /// Probability that one byte arrives wrong although the transport took it for right.
    corruption: f64,
    damage: Stream,
    nodes: Vec<Node<K>>,
    /// What one byte takes on each downlink: apart from the rest, since a message goes to any node.
    down_bytes: Vec<ByteTime>,
    regions: Vec<RegionId>,
    links: Vec<Links>,
    core: Option<Core>,
    /// The nodes that are slowed down.
    slowed: BTreeMap<NodeId, FullRates>,
    sharing: FairSharing,
    transfers: Vec<Transfer>,
    free: Vec<u32>,
    /// Which transfer a flow belongs to.
    owner: Vec<u32>,
    finished: Vec<FlowId>,
}

impl<K: Default> Network<K> {
    /// A network of `nodes`, drawing jitter and damage from `streams`.
    ///
    /// `corruption` is the probability that one byte of a transfer arrives wrong undetected.
    pub fn new(latency: Latency, corruption: f64, nodes: &[Access], streams: &Streams) -> Self {
        let mut sharing = FairSharing::default();
        let links = nodes
            .iter()
            .map(|access| Links {
                up: sharing.add_link(access.upload),
                down: sharing.add_link(access.download),
            })
            .collect();
        const { assert!(size_of::<K>() <= KEPT_MOST, "a node is one cache line") };
        let parts = nodes.iter().zip(0..).map(|(access, entity)| Node {
            up_byte: ByteTime::at(access.upload.get()),
            jitter: streams.open_small("network/jitter", entity),
            kept: K::default(),
        });
        let down_bytes = nodes
            .iter()
            .map(|access| ByteTime::at(access.download.get()));
        let regions = nodes.iter().map(|access| access.region);
        Self {
            latency,
            loss: 0.0,
            corruption,
            damage: streams.open("network/damage", 0),
            nodes: parts.collect(),
            down_bytes: down_bytes.collect(),
            regions: regions.collect(),
            links,
            core: None,
            slowed: BTreeMap::new(),
            sharing,
            transfers: Vec::new(),
            free: Vec::new(),
            owner: Vec::new(),
            finished: Vec::new(),
        }
    }
}

impl<K> Network<K> {
    /// The same with routers between the regions: transfers share the trunks on their way, and the
    /// latency of the trunks comes on top of every other.
    ///
    /// # Panics
    /// When the routers are for fewer regions than nodes are in.
    #[must_use]
    pub fn with_routers(mut self, routers: &Routers) -> Self {
        let regions = self.regions.iter().map(|region| usize::from(region.0));
        assert!(
            regions.max() < Some(routers.region_count()),
            "every region hangs off a router"
        );
        self.latency = self.latency.over(routers);
        let trunks = routers.trunks().iter();
        let sharing = &mut self.sharing;
        self.core = Some(Core {
            trunks: trunks.map(|trunk| sharing.add_link(trunk.rate)).collect(),
            routers: routers.clone(),
            path: Vec::new(),
        });
        self
    }

    /// The same, losing each message with probability `loss`, one independently of the other.
    ///
    /// # Panics
    /// When `loss` is not a share from 0 to 1.
    #[must_use]
    pub fn with_loss(mut self, loss: f64) -> Self {
        assert!((0.0..=1.0).contains(&loss), "a share from 0 to 1");
        self.loss = loss;
        self
    }

    /// Whether the next message of a node is lost on its way.
    #[inline]
    pub fn loses_next(&mut self, from: NodeId) -> bool {
        self.loss > 0.0 && self.nodes[from.index()].jitter.uniform() < self.loss
    }

    /// What is kept of a node.
    #[inline]
    pub fn kept(&self, node: NodeId) -> &K {
        &self.nodes[node.index()].kept
    }

    /// Has fetched into the cache what a message to `node`, and one back to `other`, will touch.
    #[inline]
    pub fn prefetch(&self, node: NodeId, other: NodeId) {
        prefetch_index(&self.nodes, node.index());
        prefetch_index(&self.down_bytes, other.index());
    }

    /// What is kept of a node, to be changed.
    #[inline]
    pub fn kept_mut(&mut self, node: NodeId) -> &mut K {
        &mut self.nodes[node.index()].kept
    }

    /// What was kept of all nodes, in their order, when the network is no longer needed.
    pub fn into_kept(self) -> impl Iterator<Item = K> {
        self.nodes.into_iter().map(|node| node.kept)
    }

    /// How many nodes there are.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Time from sending a message of `size` to its arrival: latency, jitter, and the
    /// serialisation onto the sender's uplink and the receiver's downlink.
    #[inline]
    pub fn message_delay(&mut self, from: NodeId, to: NodeId, size: Bytes) -> SimDuration {
        let (here, there) = self.regions(from, to);
        let sender = &mut self.nodes[from.index()];
        let latency = self.latency.draw(here, there, &mut sender.jitter);
        if size == Bytes(0) {
            return latency;
        }
        latency + sender.up_byte.times(size) + self.down_bytes[to.index()].times(size)
    }

    /// Where a sender and a receiver are.
    #[inline]
    fn regions(&self, from: NodeId, to: NodeId) -> (RegionId, RegionId) {
        if self.latency.is_uniform() {
            return Default::default();
        }
        (self.regions[from.index()], self.regions[to.index()])
    }

    /// The longest that [`Self::message_delay`] can be while neither end is slowed down.
    pub fn message_delay_max(&self, from: NodeId, to: NodeId, size: Bytes) -> SimDuration {
        let (here, there) = self.regions(from, to);
        let latency = self.latency.max(here, there);
        let mut up_byte = self.nodes[from.index()].up_byte;
        let mut down_byte = self.down_bytes[to.index()];
        if !self.slowed.is_empty() {
            up_byte = self.slowed.get(&from).map_or(up_byte, |full| full.up_byte);
            down_byte = self
                .slowed
                .get(&to)
                .map_or(down_byte, |full| full.down_byte);
        }
        latency + up_byte.times(size) + down_byte.times(size)
    }

    /// Lets both links of a node carry a share of their full rates, which `access` tells, from
    /// `now` on: all of it, a part, or nothing, when transfers over them stall until there is more.
    ///
    /// A message that is sent from now on takes as much longer. Those of a node whose links carry
    /// nothing are for the caller to hold back; their delay is that at the rates before.
    pub fn slow(&mut self, now: SimTime, node: NodeId, access: &Access, to: Share) {
        let links = self.links[node.index()];
        let [up, down] = [access.upload, access.download].map(|rate| Capacity::share_of(rate, to));
        self.sharing.set_capacity(now, links.up, up);
        self.sharing.set_capacity(now, links.down, down);
        let full = FullRates {
            up_byte: ByteTime::at(access.upload.get()),
            down_byte: ByteTime::at(access.download.get()),
        };
        if to.get() < 1.0 {
            self.slowed.insert(node, full);
        } else {
            self.slowed.remove(&node);
        }
        if to.get() > 0.0 {
            self.nodes[node.index()].up_byte = ByteTime::at(up.get());
            self.down_bytes[node.index()] = ByteTime::at(down.get());
        }
    }

    /// How many transfers cannot move, because a link on their way carries nothing.
    pub fn stalled(&mut self) -> usize {
        self.sharing.stalled().len()
    }

    /// The latency of one bit from one node to another, with jitter.
    pub fn latency(&mut self, from: NodeId, to: NodeId) -> SimDuration {
        self.message_delay(from, to, Bytes(0))
    }

    /// The mean latency of one bit from one node to another.
    pub fn latency_mean(&self, from: NodeId, to: NodeId) -> SimDuration {
        let (here, there) = self.regions(from, to);
        self.latency.mean(here, there)
    }

    /// Opens a transfer. Its bytes do not move before [`Self::begin`].
    pub fn open(&mut self, from: NodeId, to: NodeId, size: Bytes, label: u64) -> TransferId {
        assert_ne!(from, to, "a node does not transfer to itself");
        let transfer = |generation| Transfer {
            generation,
            from,
            to,
            label,
            size,
            flow: FlowId::NONE,
        };
        if let Some(slot) = self.free.pop() {
            let generation = self.transfers[slot as usize].generation + 1;
            self.transfers[slot as usize] = transfer(generation);
            return TransferId { slot, generation };
        }
        let slot = u32::try_from(self.transfers.len()).expect("fewer than 2^32 transfers at once");
        self.transfers.push(transfer(0));
        TransferId {
            slot,
            generation: 0,
        }
    }

    /// Lets the bytes of an open transfer flow from `now` on. Does nothing when it was closed.
    pub fn begin(&mut self, now: SimTime, id: TransferId) {
        if !self.is_open(id) {
            return;
        }
        let transfer = &self.transfers[id.slot as usize];
        let [from, to] = [transfer.from, transfer.to].map(NodeId::index);
        let (up, down) = (self.links[from].up, self.links[to].down);
        let size = Bytes(transfer.size.0.max(1));
        let flow = match &mut self.core {
            None => self.sharing.start(now, &[up, down], None, size),
            Some(core) => {
                let way = core.routers.way(self.regions[from], self.regions[to]);
                core.path.clear();
                core.path.push(up);
                core.path
                    .extend(way.iter().map(|trunk| core.trunks[*trunk]));
                core.path.push(down);
                self.sharing.start(now, &core.path, None, size)
            }
        };
        self.transfers[id.slot as usize].flow = flow;
        let index = flow.index();
        if self.owner.len() <= index {
            self.owner.resize(index + 1, 0);
        }
        self.owner[index] = id.slot;
    }

    /// Whether the transfer has neither finished nor been closed.
    pub fn is_open(&self, id: TransferId) -> bool {
        // A closed slot waits with the generation of its last transfer and no size.
        self.transfers
            .get(id.slot as usize)
            .is_some_and(|t| t.generation == id.generation && t.size != CLOSED)
    }

    /// Sender and receiver of an open transfer.
    pub fn ends(&self, id: TransferId) -> Option<(NodeId, NodeId)> {
        self.is_open(id).then(|| {
            let transfer = &self.transfers[id.slot as usize];
            (transfer.from, transfer.to)
        })
    }

    /// Closes a transfer before its end; says how far it came. `None` when it is over already.
    pub fn close(&mut self, now: SimTime, id: TransferId) -> Option<Ended> {
        if !self.is_open(id) {
            return None;
        }
        let delivered = match self.transfers[id.slot as usize].flow {
            FlowId::NONE => Bytes(0),
            flow => self.sharing.abort(now, flow),
        };
        Some(self.retire(id.slot, delivered, false))
    }

    /// Closes every transfer, at the end of a run.
    pub fn close_all(&mut self, now: SimTime) -> Vec<Ended> {
        let slots = 0..self.transfers.len();
        let ids: Vec<TransferId> = slots
            .map(|slot| TransferId {
                slot: u32::try_from(slot).expect("fewer than 2^32 transfers at once"),
                generation: self.transfers[slot].generation,
            })
            .collect();
        ids.into_iter()
            .filter_map(|id| self.close(now, id))
            .collect()
    }

    /// The transfers whose bytes flow from or to `node`, in the order in which they began.
    pub fn transfers_of(&self, node: NodeId) -> Vec<TransferId> {
        let link = &self.links[node.index()];
        let up = self.sharing.flows_on(link.up);
        let down = self.sharing.flows_on(link.down);
        up.into_iter()
            .chain(down)
            .map(|flow| {
                let slot = self.owner[flow.index()];
                TransferId {
                    slot,
                    generation: self.transfers[slot as usize].generation,
                }
            })
            .collect()
    }

    /// Bytes that flowing transfers have moved from `node` so far.
    pub fn sent_in_progress(&mut self, now: SimTime, node: NodeId) -> Bytes {
        let flows = self.sharing.flows_on(self.links[node.index()].up);
        flows
            .into_iter()
            .map(|flow| self.sharing.delivered(now, flow))
            .sum()
    }

    /// The whole bytes in what all transfers have moved so far, parts of bytes counted: up to one
    /// more for each that flows or was broken off than [`Ended::delivered`] adds up to. An empty
    /// transfer moves one. It never falls.
    pub fn delivered(&mut self, now: SimTime) -> Bytes {
        self.sharing.moved(now)
    }

    /// Whether no bytes flow.
    #[inline]
    pub fn is_idle(&self) -> bool {
        self.sharing.is_empty()
    }

    /// The instant at which the next transfer finishes.
    pub fn next_time(&mut self) -> Option<SimTime> {
        if self.is_idle() {
            return None;
        }
        self.sharing.next_time()
    }

    /// Hands out the transfers that finish at or before `now`, in the order in which they began.
    pub fn advance(&mut self, now: SimTime, ended: &mut Vec<Ended>) {
        let mut finished = std::mem::take(&mut self.finished);
        self.sharing.advance(now, &mut finished);
        for flow in finished.drain(..) {
            let slot = self.owner[flow.index()];
            let size = self.transfers[slot as usize].size;
            let intact = self.arrives_intact(size);
            ended.push(self.retire(slot, size, intact));
        }
        self.finished = finished;
    }

    fn arrives_intact(&mut self, size: Bytes) -> bool {
        if self.corruption == 0.0 {
            return true;
        }
        // Every byte arrives right with probability 1 - corruption, independently.
        let all_right = libm::exp(size.0 as f64 * libm::log1p(-self.corruption));
        uniform(&mut self.damage) < all_right
    }

    fn retire(&mut self, slot: u32, delivered: Bytes, intact: bool) -> Ended {
        let transfer = &mut self.transfers[slot as usize];
        let ended = Ended {
            id: TransferId {
                slot,
                generation: transfer.generation,
            },
            from: transfer.from,
            to: transfer.to,
            label: transfer.label,
            size: transfer.size,
            delivered,
            intact,
        };
        transfer.flow = FlowId::NONE;
        transfer.size = CLOSED;
        self.free.push(slot);
        ended
    }
}

/// The size that marks a slot without a transfer.
const CLOSED: Bytes = Bytes(u64::MAX);

/// What one byte takes on a link, in 2^-20 ns: a message costs a multiplication instead of a
/// division, and its time is off by less than a nanosecond per MiB.
#[derive(Clone, Copy, Debug)]
struct ByteTime(u64);

impl ByteTime {
    const FRACTION: u32 = 20;

    /// At a rate above 0 in bits per second.
    fn at(rate: f64) -> Self {
        let nanoseconds = 8.0 / rate * 1e9;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "at 1 bit per hour a byte takes 2^65 / 2^20 ns, and a cast saturates"
        )]
        Self((nanoseconds * f64::from(1_u32 << Self::FRACTION)).round() as u64)
    }

    #[inline]
    fn times(self, size: Bytes) -> SimDuration {
        let product = u128::from(self.0) * u128::from(size.0);
        let half = 1 << (Self::FRACTION - 1);
        let nanoseconds = (product + half) >> Self::FRACTION;
        SimDuration(u64::try_from(nanoseconds).unwrap_or(u64::MAX))
    }
}
