//! What a node can do, and the books that are kept of it.

use std::{collections::BTreeMap, sync::Arc};

use netduel_engine::{Digest, EventQueue, SimDuration, SimTime, Stream};
use netduel_network::{Ended, Network, NodeId, TransferId};
use netduel_units::Bytes;

use crate::{
    architecture::{Architecture, Ending, TransferEnded},
    draw::World,
    ledger::{Cause, Ledger, Outcome, RequestId, Standing},
    record::{Load, Traffic},
    spec::AfterDownload,
};

/// Something that will have happened: a fact, subject first.
#[derive(Debug)]
pub(crate) enum Event<M, T> {
    /// A user asks, for the first time or again.
    UserAsked(RequestId),
    /// A request's deadline passed.
    DeadlinePassed(RequestId),
    /// A message reached the node it was sent to.
    MessageDelivered {
        to: NodeId,
        from: NodeId,
        size: Bytes,
        message: M,
    },
    /// The links that a message waited for carry something again. In a box, because it is rare.
    MessageHeld(Box<Held<M>>),
    /// The first bytes of a transfer reach the network's far side.
    TransferBegan { id: TransferId, sender_epoch: u32 },
    /// A node learns that the other end of a transfer is gone, unless it crashed itself meanwhile.
    ///
    /// In a box, because it is rare and twice as large as all others.
    BreakSeen {
        by: NodeId,
        epoch: u32,
        ended: Box<TransferEnded>,
    },
    /// A timer ran out.
    TimerExpired { node: NodeId, epoch: u32, timer: T },
    /// A user's device leaves for good.
    UserLeft(NodeId),
    /// A failure of the scenario begins.
    FailureBegan(usize),
    /// A failure of the scenario ends.
    FailureEnded(usize),
    /// A churning node changes sides for the n-th time.
    ChurnTurned {
        failure: usize,
        node: NodeId,
        turn: u32,
    },
}

/// A message that waits in the network's buffers of a sender until a link is no longer cut.
#[derive(Debug)]
pub(crate) struct Held<M> {
    pub(crate) to: NodeId,
    pub(crate) from: NodeId,
    /// Rises with every crash of the sender, which empties its buffers.
    pub(crate) epoch: u32,
    pub(crate) size: Bytes,
    pub(crate) message: M,
    pub(crate) kind: Kind,
}

/// How a message is charged.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    /// By itself.
    Message,
    /// As an announcement: by whoever hears it.
    Announcement,
}

/// What is ahead in a run.
pub(crate) type Agenda<A> =
    EventQueue<Event<<A as Architecture>::Message, <A as Architecture>::Timer>>;

/// Whether a node is there.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Presence {
    /// Rises with every crash, so that what belonged to an earlier life is told apart.
    pub(crate) epoch: u32,
    /// How many failures hold it down at once. All of it is 8 bytes: every message looks here.
    pub(crate) holds: u16,
    /// Its user left for good.
    pub(crate) gone: bool,
    /// A failure without end holds it down.
    pub(crate) lost: bool,
}

impl Presence {
    pub(crate) fn is_up(self) -> bool {
        self.holds == 0 && !self.gone
    }
}

/// What every message looks at, of its sender and of its receiver. What is needed less often has
/// its place elsewhere.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Node {
    pub(crate) presence: Presence,
    pub(crate) load: Load,
}

/// The state of a run that no architecture owns.
pub(crate) struct Kernel {
    pub(crate) world: Arc<World>,
    pub(crate) network: Network<Node>,
    pub(crate) ledger: Ledger,
    pub(crate) now: SimTime,
    /// The nodes whose links carry nothing, each with the instant at which that ends.
    pub(crate) cuts: BTreeMap<NodeId, SimTime>,
    pub(crate) traffic: Traffic,
    pub(crate) digest: Digest,
    /// The whole transfer whose sender is being told.
    pub(crate) just_sent: Option<TransferId>,
}

impl Kernel {
    #[inline]
    pub(crate) fn presence(&self, node: NodeId) -> Presence {
        self.network.kept(node).presence
    }

    #[inline]
    pub(crate) fn presence_mut(&mut self, node: NodeId) -> &mut Presence {
        &mut self.network.kept_mut(node).presence
    }

    /// Until when nothing passes between two nodes, as far as is known, when one of them is cut off.
    #[inline]
    fn cut_until(&self, one: NodeId, other: NodeId) -> Option<SimTime> {
        if self.cuts.is_empty() {
            return None;
        }
        let ends = [one, other].map(|node| self.cuts.get(&node).copied());
        ends.into_iter().flatten().max()
    }

    fn charge_sent(&mut self, node: NodeId, size: Bytes, messages: u64) {
        let load = &mut self.network.kept_mut(node).load;
        load.sent = load.sent + size;
        load.messages += messages;
        self.traffic.sent = self.traffic.sent + size;
    }

    pub(crate) fn charge_received(&mut self, node: NodeId, size: Bytes) {
        let load = &mut self.network.kept_mut(node).load;
        load.received = load.received + size;
        self.traffic.received = self.traffic.received + size;
    }

    /// Enters what a transfer carried; bytes that left the sender reached the receiver.
    pub(crate) fn charge_transfer(&mut self, ended: &Ended) {
        self.charge_sent(ended.from, ended.delivered, 0);
        self.charge_received(ended.to, ended.delivered);
    }

    /// The wait before the attempt after `attempts`.
    fn backoff(&self, id: RequestId, attempts: u32) -> SimDuration {
        let patience = &self.world.spec.patience;
        let longest = patience.backoff_max.get();
        let mut wait = patience.backoff.get();
        for _ in 1..attempts {
            let next = (wait * patience.backoff_factor).min(longest);
            // A wait that no longer grows stays as it is, however many attempts follow.
            if next <= wait {
                break;
            }
            wait = next;
        }
        let entity = u64::from(attempts) << 32 | u64::from(id.0);
        let u = self.world.streams.draw("patience/backoff", entity);
        let jitter = patience.backoff_jitter.get();
        SimDuration::from_seconds(wait.min(longest) * (1.0 + jitter * (2.0 * u - 1.0)))
    }
}

/// What the node whose turn it is can see and do.
///
/// There is no way to ask whether another node is alive.
pub struct Context<'a, A: Architecture> {
    pub(crate) node: NodeId,
    pub(crate) kernel: &'a mut Kernel,
    pub(crate) rng: &'a mut Stream,
    pub(crate) agenda: &'a mut Agenda<A>,
}

impl<A: Architecture> Context<'_, A> {
    /// The node whose turn it is.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The present instant.
    pub fn now(&self) -> SimTime {
        self.kernel.now
    }

    /// Bytes that this node has sent so far, those of transfers under way included.
    pub fn bytes_sent(&mut self) -> Bytes {
        let kernel = &mut *self.kernel;
        let moving = kernel.network.sent_in_progress(kernel.now, self.node);
        kernel.network.kept(self.node).load.sent + moving
    }

    /// The architecture's own random stream.
    pub fn rng(&mut self) -> &mut Stream {
        self.rng
    }

    /// Sends a small message. It is lost without a word when its receiver is down on arrival. While
    /// either end is cut off it waits.
    pub fn send(&mut self, to: NodeId, message: A::Message, size: Bytes) {
        self.assert_up();
        self.kernel.charge_sent(self.node, size, 1);
        self.dispatch(to, message, size);
    }

    fn dispatch(&mut self, to: NodeId, message: A::Message, size: Bytes) {
        let from = self.node;
        if let Some(until) = self.kernel.cut_until(from, to) {
            self.hold(until, to, message, size, Kind::Message);
            return;
        }
        let at = self.kernel.now + self.kernel.network.message_delay(from, to, size);
        let event = Event::MessageDelivered {
            to,
            from,
            size,
            message,
        };
        self.agenda.schedule(at, event);
    }

    /// Keeps a message back until a cut is over; for good when it never is.
    fn hold(&mut self, until: SimTime, to: NodeId, message: A::Message, size: Bytes, kind: Kind) {
        if until == SimTime::NEVER {
            return;
        }
        let held = Held {
            to,
            from: self.node,
            epoch: self.kernel.presence(self.node).epoch,
            size,
            message,
            kind,
        };
        self.agenda
            .schedule(until, Event::MessageHeld(Box::new(held)));
    }

    /// Sends what had been held back.
    pub(crate) fn send_held(&mut self, held: Held<A::Message>) {
        match held.kind {
            Kind::Message => self.dispatch(held.to, held.message, held.size),
            Kind::Announcement => self.wake(held.to, held.message, held.size),
        }
    }

    /// Sends bulk bytes, which share both nodes' links with all other transfers. They begin to
    /// arrive one latency from now. `label` is for the two ends to know it by.
    pub fn transfer(&mut self, to: NodeId, size: Bytes, label: u64) -> TransferId {
        self.assert_up();
        let from = self.node;
        let id = self.kernel.network.open(from, to, size, label);
        let at = self.kernel.now + self.kernel.network.latency(from, to);
        let sender_epoch = self.kernel.presence(from).epoch;
        self.agenda
            .schedule(at, Event::TransferBegan { id, sender_epoch });
        id
    }

    /// Sends more over the connection of a transfer that this node has just seen end. The sender
    /// pushed the last byte one latency ago and went on at once, so more bytes arrive right now.
    ///
    /// # Panics
    /// When the transfer did not end whole at this very moment, or was not sent by this node.
    pub fn follow_on(&mut self, ended: &TransferEnded, size: Bytes, label: u64) -> TransferId {
        self.assert_up();
        assert_eq!(
            (self.kernel.just_sent, ended.from),
            (Some(ended.id), self.node),
            "only what has just been sent can be followed"
        );
        let kernel = &mut *self.kernel;
        let id = kernel.network.open(self.node, ended.to, size, label);
        let sender_epoch = kernel.presence(self.node).epoch;
        self.agenda
            .schedule(kernel.now, Event::TransferBegan { id, sender_epoch });
        id
    }

    /// The round-trip time to a node with which this one has a connection, as its transport
    /// measures it (RFC 6298).
    pub fn round_trip(&self, other: NodeId) -> SimDuration {
        let network = &self.kernel.network;
        network.latency_mean(self.node, other) + network.latency_mean(other, self.node)
    }

    /// Breaks off a transfer from or to this node; the other end sees it one latency later. Does
    /// nothing when it is over already.
    ///
    /// # Panics
    /// When this node is neither of its ends.
    pub fn cancel(&mut self, id: TransferId) {
        let Some((from, to)) = self.kernel.network.ends(id) else {
            return;
        };
        let other = match self.node {
            node if node == from => to,
            node if node == to => from,
            _ => panic!("a node cancels transfers of its own only"),
        };
        let now = self.kernel.now;
        let ended = self.kernel.network.close(now, id);
        let ended = ended.expect("an open transfer can be closed");
        self.kernel.charge_transfer(&ended);
        let at = now + self.kernel.network.latency(self.node, other);
        let event = Event::BreakSeen {
            by: other,
            epoch: self.kernel.presence(other).epoch,
            ended: Box::new(broken(&ended)),
        };
        self.agenda.schedule(at, event);
    }

    /// Reminds this node of something after `delay`, unless it crashes before.
    pub fn after(&mut self, delay: SimDuration, timer: A::Timer) {
        self.assert_up();
        let event = Event::TimerExpired {
            node: self.node,
            epoch: self.kernel.presence(self.node).epoch,
            timer,
        };
        self.agenda.schedule(self.kernel.now + delay, event);
    }

    /// Announces something of `size` to `receivers` nodes.
    ///
    /// An announcement is a message to many that changes nobody's course at once, such as "I have
    /// piece 7": it needs no event of its own. The architecture keeps it with the present instant,
    /// and a receiver may know of it once [`Self::announcement_delay`] has passed and while
    /// [`Self::is_reached_by`] holds; it then calls [`Self::hear`].
    pub fn announce(&mut self, receivers: usize, size: Bytes) {
        self.assert_up();
        let total = Bytes(size.0 * receivers as u64);
        self.kernel.charge_sent(self.node, total, receivers as u64);
    }

    /// How long an announcement of `size` takes from one node to another: with the longest latency
    /// that jitter allows, so that none overtakes another.
    pub fn announcement_delay(&self, from: NodeId, to: NodeId, size: Bytes) -> SimDuration {
        self.kernel.network.message_delay_max(from, to, size)
    }

    /// Whether announcements of `from` get through to this node at present: not while either is cut
    /// off. What is announced meanwhile gets through afterwards.
    pub fn is_reached_by(&self, from: NodeId) -> bool {
        self.kernel.cut_until(from, self.node).is_none()
    }

    /// Charges this node for `count` announcements of `size` that have reached it; each is to be
    /// charged once.
    pub fn hear(&mut self, count: u32, size: Bytes) {
        let total = Bytes(size.0 * u64::from(count));
        self.kernel.charge_received(self.node, total);
    }

    /// Wakes `to` with `message` at the instant at which an announcement of `size` posted now
    /// arrives there. For a receiver whose course it does change; it still calls [`Self::hear`].
    pub fn wake(&mut self, to: NodeId, message: A::Message, size: Bytes) {
        self.assert_up();
        let from = self.node;
        if let Some(until) = self.kernel.cut_until(from, to) {
            self.hold(until, to, message, size, Kind::Announcement);
            return;
        }
        let delay = self.kernel.network.message_delay_max(from, to, size);
        let event = Event::MessageDelivered {
            to,
            from,
            size: Bytes(0),
            message,
        };
        self.agenda.schedule(self.kernel.now + delay, event);
    }

    /// The user at this node has what was wanted.
    ///
    /// # Panics
    /// When the request is not this node's, or not being asked.
    pub fn serve(&mut self, request: RequestId) {
        self.assert_asking(request);
        let now = self.kernel.now;
        self.kernel.ledger.end(request, now, Outcome::Served);
        let device = &self.kernel.world.devices[self.node.index()];
        let stays = match device.after_download {
            AfterDownload::Stay => return,
            AfterDownload::Leave => SimDuration::ZERO,
            AfterDownload::Linger(time) => SimDuration::from(time),
        };
        self.agenda
            .schedule(now + stays, Event::UserLeft(self.node));
    }

    /// This attempt to serve the request failed. The user asks again after a while, or gives up.
    ///
    /// # Panics
    /// When the request is not this node's, or not being asked.
    pub fn fail(&mut self, request: RequestId, cause: Cause) {
        self.assert_asking(request);
        let now = self.kernel.now;
        let attempts = self.kernel.ledger.request(request).attempt;
        if attempts > self.kernel.world.spec.patience.retries {
            self.kernel.ledger.end(request, now, Outcome::Failed(cause));
            return;
        }
        self.kernel.ledger.stand(request, Standing::BackingOff);
        let at = now + self.kernel.backoff(request, attempts);
        self.agenda.schedule(at, Event::UserAsked(request));
    }

    fn assert_up(&self) {
        let presence = self.kernel.presence(self.node);
        assert!(presence.is_up(), "a node that is down cannot act");
    }

    fn assert_asking(&self, request: RequestId) {
        let ledger = &self.kernel.ledger;
        assert_eq!(
            (ledger.user(request), ledger.standing(request)),
            (self.node, Standing::Asked),
            "an outcome belongs to the node that asks, while it asks"
        );
    }
}

/// What the surviving end of a broken transfer sees.
pub(crate) fn broken(ended: &Ended) -> TransferEnded {
    TransferEnded {
        id: ended.id,
        from: ended.from,
        to: ended.to,
        label: ended.label,
        size: ended.size,
        ending: Ending::Broken {
            delivered: ended.delivered,
        },
    }
}
