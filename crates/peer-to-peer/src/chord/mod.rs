//! A ring of nodes on which every key has an owner, after Chord.
//!
//! Nodes and keys have places on a circle. The owner of a key is the first node at its place or
//! behind it, going clockwise; the next nodes keep copies. Every node knows its next successors, and
//! fingers that aim half a circle ahead, a quarter, an eighth and so on, so that every hop of a
//! look-up at least halves the way that is left.
//!
//! Source: I. Stoica, R. Morris, D. Liben-Nowell, D. Karger, M. F. Kaashoek, F. Dabek, H. Balakrishnan,
//! "Chord: a scalable peer-to-peer lookup protocol for Internet applications", IEEE/ACM
//! Transactions on Networking 11(1), 2003; its first version, SIGCOMM 2001.

mod config;
mod lookup;
mod message;
mod table;
#[cfg(test)]
mod tests;
mod upkeep;
mod values;

use std::ops::Range;

use prefetch_index::prefetch_index;

use netduel_world::{
    Architecture, Bytes, Cast, ConfigError, Context, Down, Key, NodeId, Request, RequestId,
    RequestKind, Seconds, SimDuration, SimTime, StateLoss, Stream, TransferEnded, TransferId, Want,
    Wants, WorldKey, uniform,
};

use crate::{identifier::Identifiers, waits::Waits};

use message::{Aim, Find, Message};
use table::{Step, Table};

pub use config::{Config, Routing, Start};

/// A ring of nodes on which every key has an owner.
pub struct Chord {
    config: Config,
    /// Nodes that keep a value.
    replicas: usize,
    table: Table,
    nodes: Vec<Node>,
    /// The keys whose values each node has, in order.
    values: Vec<Vec<Key>>,
    waits: Waits<Wait>,
    /// Machines and the users' devices that take part.
    members: Range<u32>,
    /// Through whom others join.
    bootstrap: Range<u32>,
    value: Bytes,
}

/// Where a node stands.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    phase: Phase,
    /// How many entry points did not answer since the node began to join.
    entries: u8,
    /// The finger that is repaired next.
    level: u8,
    /// Whether its timers run.
    upkeep: bool,
    /// Whether it fills its fingers for the first time, one right after the other.
    filling: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Phase {
    /// Not taking part.
    #[default]
    Out,
    Joining,
    OnRing,
}

/// What a node waits for.
#[derive(Debug)]
enum Wait {
    /// The outcome of a look-up of its own.
    Sought(Sought),
    /// A sign that a look-up arrived at the next node.
    Passed { find: Find, to: NodeId },
    /// The next contact or the acknowledgement for a look-up of its own.
    Asked { sought: u32 },
    /// The neighbours of the node that it took for its successor.
    Stabilising { successor: NodeId },
    /// A sign of life of its predecessor.
    Checking { predecessor: NodeId },
    /// Its processor.
    Working(Task),
    /// A value that an asker is to send.
    Receiving(Task),
    /// Copies that another node is to send.
    Copying { keys: Box<[Key]> },
}

/// A look-up of a node's own.
#[derive(Debug)]
struct Sought {
    purpose: Purpose,
    aim: Aim,
    stage: Stage,
}

/// How far a look-up of a node's own has come.
#[derive(Debug)]
enum Stage {
    /// It begins once its node is on the ring.
    Held,
    /// It is with others.
    Sent,
    /// Its node asks others, one after the other.
    Asking(Box<lookup::Way>),
    /// The value is on its way between its node and the owner.
    Moving(TransferId),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Purpose {
    Request(RequestId),
    Join,
    Finger(u8),
    /// To bring a value that this node does not own to its owner.
    Home(Key),
}

/// What an owner does for an asker.
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
    /// To check its successor.
    Stabilise,
    /// To repair a finger.
    FixFinger,
    /// To check its predecessor.
    CheckPredecessor,
    /// To join.
    Join,
    /// That its processor is done with what has this ticket.
    Worked(u32),
}

impl Architecture for Chord {
    const KIND: &'static str = "chord";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str =
        "users' devices form a ring on which every key has an owner: successor lists and fingers";
    const SERVES: &'static [RequestKind] = &[RequestKind::Lookup, RequestKind::Store];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        let (count, first) = (cast.node_count(), cast.machine_count());
        let bootstrap = config.bootstrap(*cast)?;
        let users = first..first + cast.user_count();
        let machines = bootstrap.start.min(first)..bootstrap.end.min(first);
        let ids = Identifiers::draw(config.placing, first, rng);
        let members = machines.chain(users.clone()).map(NodeId);
        let mut sorted: Vec<(u64, NodeId)> = members.map(|n| (ids.of_node(n), n)).collect();
        sorted.sort_unstable();
        config.check(sorted.len())?;
        let successors = config.successors(sorted.len());
        let replicas = config.replicas(sorted.len());
        let mut chord = Self {
            config: config.clone(),
            replicas,
            table: Table::new(ids, count, &sorted, successors, replicas - 1),
            nodes: vec![Node::default(); count],
            values: vec![Vec::new(); count],
            waits: Waits::new(count),
            members: users,
            bootstrap,
            value: cast.object_size(),
        };
        if config.start == Start::Converged {
            chord.table.converge(&sorted);
            for (_, node) in &sorted {
                chord.nodes[node.index()].phase = Phase::OnRing;
                let holders = chord.table.copy_holders(*node);
                chord.table.set_replicas(*node, &holders);
            }
        }
        if let Wants::Lookup { keys, .. } = cast.wants() {
            chord.place_values(*keys, &sorted);
        }
        Ok(chord)
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let machines = config.bootstrap(*cast).unwrap_or_default();
        let machines =
            machines.start.min(cast.machine_count())..machines.end.min(cast.machine_count());
        let replicas = config.replicas(cast.user_count() as usize + machines.len());
        let entry = match &config.bootstrap {
            Some(name) => format!("`{name}`, which takes part in the ring,"),
            None => "the first user's device".into(),
        };
        let begin = match config.start {
            Start::Converged => {
                "the ring is complete at the start, as its upkeep would have it".into()
            }
            Start::Join => format!(
                "nobody is on the ring at the start; every node knows the address of {entry} and \
                 joins through it"
            ),
        };
        vec![
            begin,
            format!("a node that comes back knows its old successors and the address of {entry}"),
            match config.start {
                Start::Converged => format!(
                    "every key has a value at the start, on the {replicas} nodes that are to keep it"
                ),
                Start::Join => format!("every key has a value at the start, on {entry} alone"),
            },
        ]
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
        let known = self.table.successors(node).chain(self.table.fingers(node));
        let known = known.chain(self.table.predecessor(node));
        let entries = self.bootstrap.clone().map(NodeId);
        let others = known.chain(entries).filter(|other| *other != node);
        others.for_each(visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        message.mentions(visit);
    }

    fn state_bytes(&self) -> usize {
        let values = |keys: &Vec<Key>| keys.capacity() * size_of::<Key>();
        self.table.state_bytes()
            + self.waits.state_bytes()
            + size_of_val(&*self.nodes)
            + size_of_val(&*self.values)
            + self.values.iter().map(values).sum::<usize>()
    }

    fn look_ahead(&self, to: NodeId, _from: NodeId, message: &Message) {
        prefetch_index(&self.nodes, to.index());
        match message {
            Message::Find(find) if find.owner => prefetch_index(&self.values, to.index()),
            Message::Find(find) => self.table.prefetch(to, self.place(find.aim())),
            Message::Ask { place, .. } => self.table.prefetch(to, *place),
            message if waits(message) => self.waits.prefetch(to),
            _ => {}
        }
    }

    const LOOKS_FURTHER: bool = true;

    fn look_further(&self, to: NodeId, _from: NodeId, message: &Message) {
        match message {
            Message::Find(find) if find.owner => prefetch_index(&self.values[to.index()], 0),
            message if waits(message) => self.waits.prefetch_newest(to),
            _ => {}
        }
    }

    fn look_ahead_to_request(&self, request: &Request) {
        if let Want::Lookup(key) | Want::Store(key) = request.want {
            let place = self.table.ids.of_key(key);
            self.table.prefetch(request.user, place);
        }
        self.waits.prefetch(request.user);
        prefetch_index(&self.nodes, request.user.index());
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if !self.is_member(node) {
            return;
        }
        match self.config.start {
            Start::Converged => {
                self.nodes[node.index()].upkeep = true;
                self.begin_upkeep(cx);
            }
            Start::Join if self.bootstrap.contains(&node.0) => self.begin_joining(cx),
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
        self.seek(Purpose::Request(request.id), aim, cx);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let of_request = |wait: &Wait| match wait {
            Wait::Sought(sought) => sought.purpose == Purpose::Request(request.id),
            _ => false,
        };
        if let Some((_, Wait::Sought(sought))) = self.waits.take_if(cx.node(), of_request)
            && let Stage::Moving(transfer) = sought.stage
        {
            cx.cancel(transfer);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        if self.is_on_ring(cx.node()) {
            self.on_ring_message(from, message, cx);
            return;
        }
        // A node that is not on the ring hears what it asked for itself, and no more.
        match message {
            Message::Ack { asker, ticket } => self.on_ack(asker, ticket, cx),
            Message::Answer { ticket, answer } => self.on_answer(ticket, answer, from, cx),
            Message::Found { ticket, owner } => self.on_found(ticket, owner, cx),
            Message::Next {
                ticket,
                node,
                owner,
            } => self.on_next(from, ticket, Step { node, owner }, cx),
            Message::Coming { ticket } => self.on_coming(ticket, cx),
            _ => {}
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
            Timer::Stabilise => {
                again(self.config.stabilise, Timer::Stabilise, cx);
                if self.is_on_ring(cx.node()) {
                    self.stabilise(cx);
                }
            }
            Timer::FixFinger => {
                again(self.config.fix_fingers, Timer::FixFinger, cx);
                if self.is_on_ring(cx.node()) {
                    self.fix_finger(cx);
                }
            }
            Timer::CheckPredecessor => {
                again(self.config.check_predecessor, Timer::CheckPredecessor, cx);
                if self.is_on_ring(cx.node()) {
                    self.check_predecessor(cx);
                    self.bring_home(cx);
                }
            }
            Timer::Join => self.begin_joining(cx),
            Timer::Worked(ticket) => {
                if let Some(Wait::Working(task)) = self.waits.take(cx.node(), ticket) {
                    self.finish(task, cx);
                }
            }
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        self.waits.clear(node);
        self.nodes[node.index()] = Node::default();
        if down == Down::Crashed(StateLoss::Lost) {
            self.table.clear(node);
            self.values[node.index()].clear();
        }
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        if self.is_member(cx.node()) {
            self.begin_joining(cx);
        }
    }
}

impl Chord {
    fn is_member(&self, node: NodeId) -> bool {
        self.members.contains(&node.0) || self.bootstrap.contains(&node.0)
    }

    #[inline]
    fn is_on_ring(&self, node: NodeId) -> bool {
        self.nodes[node.index()].phase == Phase::OnRing
    }

    #[inline]
    fn on_ring_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Find(find) => self.on_find(from, find, cx),
            Message::Ack { asker, ticket } => self.on_ack(asker, ticket, cx),
            Message::Answer { ticket, answer } => self.on_answer(ticket, answer, from, cx),
            Message::Found { ticket, owner } => self.on_found(ticket, owner, cx),
            Message::Ask {
                place,
                ticket,
                silent,
            } => self.on_ask(from, place, ticket, &silent, cx),
            Message::Next {
                ticket,
                node,
                owner,
            } => self.on_next(from, ticket, Step { node, owner }, cx),
            Message::Neighbours { ticket } => self.on_neighbours(from, ticket, cx),
            Message::Around { ticket, told } => self.on_around(from, ticket, &told, cx),
            Message::Notify => self.on_notify(from, cx),
            Message::Ping { ticket } => say(from, Message::Pong { ticket }, cx),
            Message::Pong { ticket } => {
                self.waits.take(cx.node(), ticket);
            }
            Message::Offer { keys, fresh } => self.on_offer(from, keys, fresh, cx),
            Message::Lack { ticket, keys } => self.on_lack(from, ticket, &keys, cx),
            Message::Coming { ticket } => self.on_coming(ticket, cx),
            Message::Release { keys } => self.on_release(&keys, cx),
        }
    }

    /// Notes what this node waits for, and for how long.
    fn wait(&mut self, what: Wait, time: SimDuration, cx: &mut Context<'_, Self>) -> u32 {
        let (node, due) = (cx.node(), cx.now() + time);
        let ticket = self.waits.add(node, due, what);
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
        while let Some((_, wait)) = self.waits.take_due(node, cx.now()) {
            match wait {
                Wait::Sought(sought) => self.on_lost(&sought, cx),
                Wait::Passed { mut find, to } => {
                    find.silent.add(to);
                    self.pass(find, cx);
                }
                Wait::Asked { sought } => self.on_silence(sought, cx),
                Wait::Stabilising { successor } => self.on_successor_silent(successor, cx),
                Wait::Checking { predecessor } => {
                    if self.table.predecessor(node) == Some(predecessor) {
                        self.table.set_predecessor(node, None);
                    }
                }
                Wait::Working(_) | Wait::Receiving(_) | Wait::Copying { .. } => {}
            }
        }
        let next = self.waits.next_due(node);
        self.arm(next, cx);
    }
}

fn say(to: NodeId, message: Message, cx: &mut Context<'_, Chord>) {
    let size = message.size();
    cx.send_datagram(to, message, size);
}

/// Runs a timer out after a time within a half of `mean`.
fn again(mean: Seconds, timer: Timer, cx: &mut Context<'_, Chord>) {
    let wait = mean.get() * (0.5 + uniform(cx.rng()));
    cx.after(SimDuration::from_seconds(wait), timer);
}

/// Whether somebody waits for this message.
fn waits(message: &Message) -> bool {
    matches!(
        message,
        Message::Ack { .. } | Message::Answer { .. } | Message::Found { .. } | Message::Next { .. }
    )
}
