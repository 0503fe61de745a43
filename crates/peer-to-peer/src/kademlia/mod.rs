//! A table of keys spread over nodes by the distance of identifiers, after Kademlia.
//!
//! The distance of two identifiers is their exclusive or. A node knows up to k others at every scale
//! of distance, so that each answer to a question at least halves, on average, the distance that is
//! left. A value is kept by the nodes closest to its key.
//!
//! It serves look-ups and stores of its own. As a component of another architecture it is a directory:
//! [`Kademlia::announce`], [`Kademlia::find_providers`] and [`Kademlia::take_found`].
//!
//! Source: P. Maymounkov, D. Mazières, "Kademlia: a peer-to-peer information system based on the XOR
//! metric", IPTPS 2002.

mod buckets;
mod config;
mod directory;
mod lookup;
mod message;
mod search;
mod searches;
mod upkeep;
mod values;

use std::{collections::BTreeMap, ops::Range};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Key, NodeId, Request, RequestId,
    RequestKind, SimDuration, SimTime, StateLoss, Stream, TransferEnded, TransferId, Want, Wants,
    WorldKey, uniform,
};
use prefetch_index::prefetch_index;

use crate::{chord::Start, identifier::Identifiers, waits::Waits};

use buckets::Buckets;
use message::{Message, Wanted};
use searches::Searches;

pub use config::Config;
pub use directory::Found;
pub(crate) use directory::KEPT;
pub use message::QUESTION;

/// A table of keys spread over nodes by the distance of identifiers.
pub struct Kademlia {
    config: Config,
    /// Contacts in a bucket and in an answer.
    k: usize,
    /// Nodes that keep a value.
    replicas: usize,
    buckets: Buckets,
    nodes: Vec<Node>,
    /// The values that each node has, in the order of their keys.
    values: Vec<Vec<Held>>,
    /// Buckets in which each node looked something up since the last refresh.
    touched: Vec<u64>,
    waits: Waits<Wait>,
    searches: Searches,
    /// Who announced what, where that is kept: by keeper and identifier.
    announced: BTreeMap<(NodeId, u64), Vec<Announced>>,
    /// What was found for the host and not taken yet.
    found: Vec<Found>,
    /// The users' devices that take part.
    members: Range<u32>,
    /// Through whom others join.
    bootstrap: Range<u32>,
    value: Bytes,
    /// Lists of contacts to be used again.
    lists: Vec<Vec<NodeId>>,
}

/// Where a node stands: what every message looks at.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    /// A bit for the keys of each value that it has; others may share it.
    held: u64,
    phase: Phase,
    /// Whether its timer for storing values again runs.
    republishes: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Phase {
    /// Not taking part.
    #[default]
    Out,
    Joining,
    In,
}

/// A value that a node has.
#[derive(Clone, Copy, Debug)]
struct Held {
    key: Key,
    /// When it was stored last, by whomever.
    stored: SimTime,
}

/// An announcement that a node keeps.
#[derive(Clone, Copy, Debug)]
struct Announced {
    by: NodeId,
    until: SimTime,
}

/// What a node waits for.
#[derive(Debug)]
enum Wait {
    /// The answers to a look-up of its own.
    Search(u32),
    /// To have joined.
    Held(RequestId, Aim),
    /// The value that a holder said it has.
    Fetching {
        request: RequestId,
        /// It is on its way.
        transfer: Option<TransferId>,
    },
    /// Those who are to keep a value.
    Storing(Storing),
    /// Its processor.
    Working(Task),
    /// A value that somebody wants it to keep.
    Receiving(Receiving),
}

/// What a user asks for.
#[derive(Clone, Copy, Debug)]
enum Aim {
    Read(Key, SimDuration),
    Write(Key, SimDuration),
}

/// Stores under way.
#[derive(Debug)]
struct Storing {
    request: Option<RequestId>,
    key: Key,
    /// The new node that it is given to.
    to: Option<NodeId>,
    /// Answers that are missing.
    open: u16,
    /// Holders that have the value now.
    done: u16,
    /// Values on their way.
    moving: Vec<TransferId>,
    /// What the last holder that refused said.
    cause: Cause,
    /// Whether this node is to lose its own copy once others have one each.
    leaves: bool,
}

/// A value on its way to a node that is to keep it.
#[derive(Debug)]
struct Receiving {
    task: Task,
    /// Nodes that it got to know meanwhile.
    met: Vec<NodeId>,
}

/// What a holder does for somebody.
#[derive(Clone, Copy, Debug)]
struct Task {
    asker: NodeId,
    ticket: u32,
    key: Key,
    work: SimDuration,
    write: bool,
}

/// What a node reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// Something that it waits for may have run out.
    Due,
    /// To look into buckets that nothing was looked up in.
    Refresh,
    /// To store values again.
    Republish,
    /// To join.
    Join,
    /// That its processor is done with what has this ticket.
    Worked(u32),
}

impl Architecture for Kademlia {
    const KIND: &'static str = "kademlia";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str =
        "values lie with the users' devices closest to their keys: buckets, parallel look-ups";
    const SERVES: &'static [RequestKind] = &[RequestKind::Lookup, RequestKind::Store];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        let (count, first) = (cast.node_count(), cast.machine_count());
        let bootstrap = config.bootstrap(*cast)?;
        let users = first..first + cast.user_count();
        let ids = Identifiers::draw(config.placing, first, rng);
        let members = config.members(*cast)?.into_iter();
        let mut sorted: Vec<(u64, NodeId)> = members.map(|n| (ids.of_node(n), n)).collect();
        sorted.sort_unstable();
        config.check(sorted.len())?;
        let k = config.k(sorted.len());
        let sizes = [k, config.replacements as usize];
        let mut kademlia = Self {
            config: config.clone(),
            k,
            replicas: config.replicas(sorted.len()),
            buckets: Buckets::new(ids, count, &sorted, sizes, config.failures),
            nodes: vec![Node::default(); count],
            values: vec![Vec::new(); count],
            touched: vec![0; count],
            waits: Waits::new(count),
            searches: Searches::new(ids, k, config.alpha as usize),
            announced: BTreeMap::new(),
            found: Vec::new(),
            members: users,
            bootstrap,
            value: cast.object_size(),
            lists: Vec::new(),
        };
        if config.start == Start::Converged {
            kademlia.buckets.converge(&sorted, rng);
            for (_, node) in &sorted {
                kademlia.nodes[node.index()].phase = Phase::In;
            }
        }
        if let Wants::Lookup { keys, .. } = cast.wants() {
            kademlia.place_values(*keys, &sorted);
        }
        Ok(kademlia)
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let entry = match &config.bootstrap {
            Some(name) => format!("`{name}`, which takes part,"),
            None => "the first user's device".into(),
        };
        let begin = match config.start {
            Start::Converged => "every node's buckets are full at the start, with nodes chosen at \
                                 random among those that belong there"
                .into(),
            Start::Join => format!(
                "nobody knows anybody at the start but the address of {entry} and joins through it"
            ),
        };
        let back =
            format!("a node that comes back knows its old contacts and the address of {entry}");
        if let Wants::Lookup { .. } = cast.wants() {
            let members = config.members(*cast).map_or(0, |members| members.len());
            let replicas = config.replicas(members);
            let values = match config.start {
                Start::Converged => format!(
                    "every key has a value at the start, on the {replicas} nodes closest to it"
                ),
                Start::Join => format!("every key has a value at the start, on {entry} alone"),
            };
            vec![begin, back, values]
        } else {
            vec![begin, back]
        }
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        match config.bootstrap {
            Some(_) => Ok(vec![config.bootstrap(*cast)?]),
            None => Ok(Vec::new()),
        }
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if !self.is_member(node) {
            return;
        }
        let entries = self.bootstrap.clone().map(NodeId);
        let known = self.buckets.known(node).chain(entries);
        known.filter(|other| *other != node).for_each(visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        message.mentions(visit);
    }

    fn state_bytes(&self) -> usize {
        let values = |values: &Vec<Held>| values.capacity() * size_of::<Held>();
        let contacts = |list: &Vec<NodeId>| list.capacity() * size_of::<NodeId>();
        let lists = self.announced.values();
        let lists = lists.map(|list| list.capacity() * size_of::<Announced>() + 40);
        self.buckets.state_bytes()
            + self.waits.state_bytes()
            + self.searches.state_bytes()
            + size_of_val(&*self.nodes)
            + size_of_val(&*self.touched)
            + size_of_val(&*self.values)
            + self.values.iter().map(values).sum::<usize>()
            + size_of_val(&*self.lists)
            + self.lists.iter().map(contacts).sum::<usize>()
            + lists.sum::<usize>()
    }

    fn look_ahead(&self, to: NodeId, from: NodeId, message: &Message) {
        prefetch_index(&self.nodes, to.index());
        self.buckets.look_at_contact(to, from);
        match message {
            Message::Find { target, wanted, .. } => {
                self.buckets.look_at_closest(to, *target);
                if let Wanted::Value(_) = wanted {
                    prefetch_index(&self.values, to.index());
                }
            }
            Message::Nodes { token, contacts } => {
                prefetch_index(contacts, 0);
                self.searches.look_at(*token);
            }
            Message::Have { token } => self.searches.look_at(*token),
            _ => {}
        }
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if !self.is_member(node) {
            return;
        }
        match self.config.start {
            Start::Converged => self.begin_upkeep(cx),
            Start::Join if self.bootstrap.contains(&node.0) => self.join(cx),
            Start::Join => {
                let wait = self.config.join_within.get() * uniform(cx.rng());
                cx.after(SimDuration::from_seconds(wait), Timer::Join);
            }
        }
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let aim = match request.want {
            Want::Lookup(key) => Aim::Read(key, request.work),
            Want::Store(key) => Aim::Write(key, request.work),
            _ => unreachable!("only what it serves is asked of it"),
        };
        if self.nodes[cx.node().index()].phase == Phase::In {
            self.take_up(request.id, aim, cx);
        } else {
            let patience = SimDuration::from(self.config.answer_timeout);
            self.wait(Wait::Held(request.id, aim), patience, cx);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let id = Some(request.id);
        let searches = &self.searches;
        let taken = self.waits.take_if(cx.node(), |wait| match wait {
            Wait::Search(slot) => searches.purpose(*slot).request() == id,
            Wait::Held(held, _) => Some(*held) == id,
            Wait::Fetching { request, .. } => Some(*request) == id,
            Wait::Storing(storing) => storing.request == id,
            Wait::Working(_) | Wait::Receiving(_) => false,
        });
        let moving = match taken {
            Some((_, Wait::Search(slot))) => return self.searches.end(slot),
            Some((_, Wait::Fetching { transfer, .. })) => Vec::from_iter(transfer),
            Some((_, Wait::Storing(storing))) => storing.moving,
            _ => return,
        };
        for transfer in moving {
            cx.cancel(transfer);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        if self.nodes[cx.node().index()].phase == Phase::Out {
            return;
        }
        self.see(from, cx);
        match message {
            Message::Find {
                target,
                token,
                wanted,
            } => self.on_find(from, target, token, wanted, cx),
            Message::Nodes { token, contacts } => self.on_nodes(from, token, contacts, cx),
            Message::Have { token } => self.on_have(from, token, cx),
            Message::Providers { token, told } => self.on_providers(from, token, *told, cx),
            Message::Fetch { key, ticket, work } => self.on_fetch(from, key, ticket, work, cx),
            Message::Store {
                key,
                ticket,
                work,
                fresh,
            } => {
                let task = Task {
                    asker: from,
                    ticket,
                    key,
                    work,
                    write: true,
                };
                self.on_store(task, fresh, cx);
            }
            Message::Answer { ticket, answer } => self.on_answer(from, ticket, answer, cx),
            Message::Coming { ticket } => self.on_coming(ticket, cx),
            Message::Announce { target } => self.on_announce(from, target, cx),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == ended.to {
            self.on_received(&ended, cx);
        } else {
            self.on_sent(&ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Due => self.on_due(cx),
            Timer::Refresh => self.refresh(cx),
            Timer::Republish => self.republish(cx),
            Timer::Join => self.join(cx),
            Timer::Worked(ticket) => {
                if let Some(Wait::Working(task)) = self.waits.take(cx.node(), ticket) {
                    self.finish(task, cx);
                }
            }
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        while let Some((_, wait)) = self.waits.take_if(node, |_| true) {
            if let Wait::Search(slot) = wait {
                self.searches.end(slot);
            }
        }
        self.waits.clear(node);
        self.stop(node);
        self.forget_announced(node);
        if down == Down::Crashed(StateLoss::Lost) {
            self.buckets.clear(node);
            self.values[node.index()].clear();
            self.nodes[node.index()].held = 0;
        }
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        if self.is_member(cx.node()) {
            self.join(cx);
        }
    }
}

impl Kademlia {
    /// A node takes part no more; what is on its disk stays there.
    fn stop(&mut self, node: NodeId) {
        let this = &mut self.nodes[node.index()];
        this.phase = Phase::Out;
        this.republishes = false;
        self.touched[node.index()] = 0;
    }

    fn is_member(&self, node: NodeId) -> bool {
        let groups = [&self.members, &self.bootstrap, &self.config.machines];
        groups.into_iter().any(|group| group.contains(&node.0))
    }

    /// Notes what this node waits for, and for how long.
    fn wait(&mut self, what: Wait, time: SimDuration, cx: &mut Context<'_, Self>) -> u32 {
        let due = cx.now() + time;
        let ticket = self.waits.add(cx.node(), due, what);
        self.arm(due, cx);
        ticket
    }

    /// Gives a wait of this node so much more time.
    fn put_off(&mut self, ticket: u32, time: SimDuration, cx: &mut Context<'_, Self>) {
        let due = cx.now() + time;
        self.waits.put_off(cx.node(), ticket, due);
        self.arm(due, cx);
    }

    fn arm(&mut self, due: SimTime, cx: &mut Context<'_, Self>) {
        if due < SimTime::NEVER && self.waits.arm(cx.node(), due) {
            cx.after(due.since(cx.now()), Timer::Due);
        }
    }

    fn on_due(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if !self.waits.ring(node, cx.now()) {
            return;
        }
        while let Some(ticket) = self.waits.due(node, cx.now()) {
            if let Some(&mut Wait::Search(slot)) = self.waits.get(node, ticket) {
                self.on_search_due(slot, cx);
                continue;
            }
            match self.waits.take(node, ticket) {
                Some(Wait::Fetching { request, .. } | Wait::Held(request, _)) => {
                    cx.fail(request, Cause::NoAnswer);
                }
                // Those who did not answer by now have it, or will never have.
                Some(Wait::Storing(storing)) => self.stored(&storing, cx),
                _ => {}
            }
        }
        let next = self.waits.next_due(node);
        self.arm(next, cx);
    }
}

fn say(to: NodeId, message: Message, cx: &mut Context<'_, Kademlia>) {
    let size = message.size();
    cx.send_datagram(to, message, size);
}
