//! What a node can do.

use std::fmt;

use netduel_engine::{SimDuration, SimTime, Stream};
use netduel_network::{NodeId, TransferId};
use netduel_units::Bytes;

use crate::{
    architecture::{Architecture, TransferEnded},
    demand::Wants,
    event::{Agenda, Event, Held, Kind, Narrowed, Schedule as _},
    kernel::{Kernel, broken, issue},
    ledger::{Cause, Outcome, RequestId, Standing},
    processor::Taken,
    spec::AfterDownload,
};

/// The processor's queue is full.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Busy;

impl fmt::Display for Busy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the processor's queue is full")
    }
}

impl std::error::Error for Busy {}

/// What the node whose turn it is can see and do.
///
/// There is no way to ask whether another node is alive.
pub struct Context<'a, A: Architecture> {
    pub(crate) node: NodeId,
    pub(crate) kernel: &'a mut Kernel,
    pub(crate) rng: &'a mut Stream,
    pub(crate) agenda: Agenda<'a, A::Message, A::Timer>,
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

    /// Time that the cores of this node's processor were busy so far, all together, as its
    /// operating system counts it.
    pub fn processor_busy(&mut self) -> SimDuration {
        let (node, now) = (self.node, self.kernel.now);
        self.kernel.desk(node).busy(now)
    }

    /// The operator rents this machine from now on; it was told to by this node. A machine that is
    /// given back at the start costs nothing.
    ///
    /// # Panics
    /// When it is a user's device.
    pub fn rent(&mut self, machine: NodeId) {
        self.kernel.rentals.begin(machine, self.kernel.now);
    }

    /// The operator gives this machine back. It is for the architecture not to use it from then on.
    ///
    /// # Panics
    /// When it is a user's device.
    pub fn release(&mut self, machine: NodeId) {
        self.kernel.rentals.end(machine, self.kernel.now);
    }

    /// The architecture's own random stream.
    pub fn rng(&mut self) -> &mut Stream {
        self.rng
    }

    /// Sends a small message over a connection. It is lost without a word when its receiver is down
    /// on arrival. While either end is cut off it waits; what the network loses is sent again, and
    /// paid for again, one retransmission timeout later (RFC 6298: three round trips, and a second
    /// at least, twice as long after each further loss). What follows may overtake it.
    pub fn send(&mut self, to: NodeId, message: A::Message, size: Bytes) {
        self.assert_up();
        self.kernel.charge_sent(self.node, size, 1);
        self.dispatch(to, message, size, Kind::Connected { losses: 0 });
    }

    /// Sends a small message by itself, as [`Self::send`] does, but what the network loses is lost,
    /// without a word.
    pub fn send_datagram(&mut self, to: NodeId, message: A::Message, size: Bytes) {
        self.assert_up();
        self.kernel.charge_sent(self.node, size, 1);
        self.dispatch(to, message, size, Kind::Datagram);
    }

    fn dispatch(&mut self, to: NodeId, message: A::Message, size: Bytes, kind: Kind) {
        let from = self.node;
        self.kernel.check_acquaintance(from, to);
        if let Some(until) = self.kernel.cut_until(from, to) {
            self.hold(until, to, message, size, kind);
            return;
        }
        if self.kernel.network.loses_next(from) {
            self.lose(to, message, size, kind);
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

    /// The network loses a message.
    #[cold]
    fn lose(&mut self, to: NodeId, message: A::Message, size: Bytes, kind: Kind) {
        self.kernel.lose_message(size);
        let Kind::Connected { losses } = kind else {
            return;
        };
        let at = self.kernel.now + self.retransmission_timeout(to, losses);
        let kind = Kind::Connected { losses: losses + 1 };
        let held = self.held(to, message, size, kind, true);
        self.agenda.schedule(at, Event::MessageHeld(Box::new(held)));
    }

    /// How long a connection waits for the acknowledgement of what it has lost `losses` times
    /// before.
    ///
    /// # Source
    /// V. Paxson et al., RFC 6298, 2011: the timeout after the first measurement (2.2), which later
    /// ones only bring down to a second (2.4), doubled each time (5.5) up to a minute (2.5).
    fn retransmission_timeout(&self, to: NodeId, losses: u32) -> SimDuration {
        let round_trip = self.round_trip(to).as_seconds();
        let first = (3.0 * round_trip).max(1.0);
        let doublings = losses.min(6);
        let backed_off = first * f64::from(1_u32 << doublings);
        SimDuration::from_seconds(backed_off.min(first.max(60.0)))
    }

    /// Keeps a message back until a cut is over; for good when it never is.
    fn hold(&mut self, until: SimTime, to: NodeId, message: A::Message, size: Bytes, kind: Kind) {
        if until == SimTime::NEVER {
            return;
        }
        let held = self.held(to, message, size, kind, false);
        self.agenda
            .schedule(until, Event::MessageHeld(Box::new(held)));
    }

    fn held(
        &self,
        to: NodeId,
        message: A::Message,
        size: Bytes,
        kind: Kind,
        again: bool,
    ) -> Held<A::Message> {
        Held {
            to,
            from: self.node,
            epoch: self.kernel.presence(self.node).epoch,
            size,
            message,
            kind,
            again,
        }
    }

    /// Sends what had been held back.
    pub(crate) fn send_held(&mut self, held: Held<A::Message>) {
        if held.again {
            self.kernel.charge_sent(self.node, held.size, 1);
        }
        match held.kind {
            Kind::Announcement => self.wake(held.to, held.message, held.size),
            kind => self.dispatch(held.to, held.message, held.size, kind),
        }
    }

    /// Sends bulk bytes, which share both nodes' links with all other transfers. They begin to
    /// arrive one latency from now. `label` is for the two ends to know it by.
    pub fn transfer(&mut self, to: NodeId, size: Bytes, label: u64) -> TransferId {
        self.assert_up();
        let from = self.node;
        self.kernel.check_acquaintance(from, to);
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

    /// Has this node's processor do `work`, measured on one core of speed 1; `then` runs out when it
    /// is done, unless the node crashes before.
    ///
    /// # Errors
    /// [`Busy`] when the processor's queue is full.
    pub fn work(&mut self, work: SimDuration, then: A::Timer) -> Result<(), Busy> {
        self.assert_up();
        let (node, now) = (self.node, self.kernel.now);
        let epoch = self.kernel.presence(node).epoch;
        if work == SimDuration::ZERO {
            self.after(SimDuration::ZERO, then);
            return Ok(());
        }
        // Parked until the processor says when.
        let parked = Event::WorkDone {
            node,
            epoch,
            timer: then,
        };
        let id = self.agenda.schedule(SimTime::NEVER, parked);
        let desk = self.kernel.desk(node);
        let before = desk.next();
        match desk.take(now, work, id) {
            Taken::DoneAt(at) => self.agenda.reschedule(id, at),
            Taken::Shared => {
                let next = desk.next();
                if let Some((_, head)) = before {
                    self.agenda.reschedule(head, SimTime::NEVER);
                }
                let (at, head) = next.expect("there is work");
                self.agenda.reschedule(head, at);
            }
            Taken::Refused => {
                self.agenda.cancel(id);
                return Err(Busy);
            }
        }
        Ok(())
    }

    /// Lets a component act: an architecture that is part of this one and knows nothing of it. Its
    /// messages and timers travel inside this one's.
    pub fn narrow<C: Architecture, R>(
        &mut self,
        message_of: fn(C::Message) -> A::Message,
        timer_of: fn(C::Timer) -> A::Timer,
        act: impl FnOnce(&mut Context<'_, C>) -> R,
    ) -> R {
        let mut narrowed = Narrowed {
            host: &mut self.agenda,
            message_of,
            timer_of,
        };
        act(&mut Context {
            node: self.node,
            kernel: &mut *self.kernel,
            rng: &mut *self.rng,
            agenda: Agenda::Host(&mut narrowed),
        })
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
        self.kernel.check_acquaintance(from, to);
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
    /// When the request is not this node's, not being asked, or a broadcast, which is served once
    /// all are [reached](Self::reached).
    pub fn serve(&mut self, request: RequestId) {
        self.assert_asking(request);
        let world = &self.kernel.world;
        // What all requests are for stands in one place; each by itself would be one more miss.
        let broadcasts = matches!(world.spec.demand.wants, Wants::Broadcast { .. });
        assert!(!broadcasts, "a broadcast is served by reaching all");
        // Machines make no requests, and all users behave alike.
        let after_download = world.spec.population.after_download;
        self.end(request, Outcome::Served);
        let stays = match after_download {
            AfterDownload::Stay => return,
            AfterDownload::Leave => SimDuration::ZERO,
            AfterDownload::Linger(time) => SimDuration::from(time),
        };
        let at = self.kernel.now + stays;
        self.agenda.schedule(at, Event::UserLeft(self.node));
    }

    /// This attempt to serve the request failed. The user asks again after a while, or gives up. A
    /// broadcast may have reached everybody without its user knowing; then nothing happens.
    ///
    /// # Panics
    /// When the request is not this node's, or not being asked.
    pub fn fail(&mut self, request: RequestId, cause: Cause) {
        if self.kernel.has_reached_all(request) {
            return;
        }
        self.assert_asking(request);
        match self.kernel.retry_at(request) {
            Some(at) => {
                self.kernel.ledger.stand(request, Standing::BackingOff);
                self.agenda.schedule(at, Event::UserAsked(request));
            }
            None => self.end(request, Outcome::Failed(cause)),
        }
    }

    /// This node has what the broadcast tells. A broadcast is served once every user's device has.
    pub fn reached(&mut self, broadcast: RequestId) {
        self.assert_up();
        if self.kernel.reach(self.node, broadcast) {
            self.end(broadcast, Outcome::Served);
        }
    }

    fn end(&mut self, request: RequestId, outcome: Outcome) {
        if let Some((next, at)) = self.kernel.end(request, outcome) {
            issue(&mut self.agenda, &self.kernel.world, next, at);
        }
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
