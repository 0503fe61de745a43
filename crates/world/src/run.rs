//! The run loop: one architecture in one world.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use netduel_engine::{EventQueue, SimDuration, SimTime, Stream};
use netduel_network::{Ended, NodeId, TransferId};
use netduel_units::Bytes;

use crate::{
    acquaintance::Acquaintance,
    architecture::{Architecture, Cast, ConfigError, Down, Ending, TransferEnded},
    context::Context,
    draw::World,
    event::{Agenda, Event},
    failure::Failures,
    kernel::{Kernel, broken, issue},
    ledger::{Cause, Outcome, RequestId, Standing, Want},
    record::{IncidentRecord, RunRecord, Series, StateSize},
};

/// Why a run has no record.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum RunError {
    /// The settings do not fit the world.
    Assemble(ConfigError),
    /// It was told to stop.
    Interrupted,
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assemble(error) => error.fmt(f),
            Self::Interrupted => f.write_str("interrupted"),
        }
    }
}

impl std::error::Error for RunError {}

/// Runs one architecture in one world, to the end or until `stop` becomes true.
///
/// # Errors
/// [`RunError::Assemble`] when the settings do not fit the world, [`RunError::Interrupted`] when
/// it was stopped.
pub fn run<A: Architecture>(
    world: &Arc<World>,
    config: &A::Config,
    stop: &AtomicBool,
) -> Result<RunRecord, RunError> {
    let run = Run::<A>::assemble(world, config).map_err(RunError::Assemble)?;
    run.finish(stop)
}

/// Runs one architecture as [`run`] does, and watches whom its nodes contact.
///
/// # Errors
/// As [`run`].
///
/// # Panics
/// When a node contacts another that it did not know from the start ([`Architecture::overlay`]),
/// that never contacted it and that no message to it mentioned ([`Architecture::mentions`]).
pub fn run_strict<A: Architecture>(
    world: &Arc<World>,
    config: &A::Config,
    stop: &AtomicBool,
) -> Result<RunRecord, RunError> {
    let mut run = Run::<A>::assemble(world, config).map_err(RunError::Assemble)?;
    let mut acquaintance = Acquaintance::new(world.devices.len());
    for node in (0..).map(NodeId).take(world.devices.len()) {
        run.architecture
            .overlay(node, &mut |other| acquaintance.meet(node, other));
    }
    run.kernel.acquaintance = Some(acquaintance);
    run.finish(stop)
}

/// A run under way.
pub(crate) struct Run<A: Architecture> {
    pub(crate) kernel: Kernel,
    pub(crate) failures: Failures,
    pub(crate) incidents: Vec<IncidentRecord>,
    architecture: A,
    queue: EventQueue<Event<A::Message, A::Timer>>,
    rng: Stream,
    ended: Vec<Ended>,
    delivered: Series,
    limit: SimTime,
    /// Open requests of devices that never come back; no deadline ends them either.
    hopeless: usize,
    events: u64,
    state_start: usize,
}

impl<A: Architecture> Run<A> {
    fn assemble(world: &Arc<World>, config: &A::Config) -> Result<Self, ConfigError> {
        // Without the contender's label: a design that duels itself meets the same draws.
        let mut rng = world.streams.open("architecture", 0);
        let architecture = A::assemble(config, &Cast::new(world), &mut rng)?;
        let mut kernel = Kernel::new(world);
        for machine in A::machines(config, &Cast::new(world))?
            .into_iter()
            .flatten()
        {
            kernel.rentals.begin(NodeId(machine), SimTime::ZERO);
        }
        let spec = &world.spec;
        let limit = SimTime::ZERO + SimDuration::from(spec.run_for.unwrap_or(spec.at_most));
        Ok(Self {
            kernel,
            failures: Failures::new(spec.failures.len(), world.devices.len()),
            incidents: Vec::new(),
            state_start: architecture.state_bytes(),
            architecture,
            queue: EventQueue::default(),
            rng,
            ended: Vec::new(),
            delivered: Series::default(),
            limit,
            hopeless: 0,
            events: 0,
        })
    }

    fn finish(mut self, stop: &AtomicBool) -> Result<RunRecord, RunError> {
        self.schedule_world();
        for node in (0..).map(NodeId).take(self.kernel.world.devices.len()) {
            self.act(node, Architecture::on_start);
        }
        // A look at the flag costs a memory access; every 4096 events it costs nothing.
        while self.step() {
            if self.events.is_multiple_of(4096) && stop.load(Ordering::Relaxed) {
                return Err(RunError::Interrupted);
            }
        }
        Ok(self.close())
    }

    /// Schedules what happens whatever the architecture does.
    fn schedule_world(&mut self) {
        let world = Arc::clone(&self.kernel.world);
        for (failure, index) in world.spec.failures.iter().zip(0..) {
            let at = SimTime::ZERO + SimDuration::from(failure.at);
            self.queue.schedule(at, Event::FailureBegan(index));
            if let Some(lasts) = failure.lasts {
                let until = at + SimDuration::from(lasts);
                self.queue.schedule(until, Event::FailureEnded(index));
            }
        }
        let closed = world.spec.demand.arrivals.is_closed_loop();
        // In a closed loop everybody's first request; the others follow one by one.
        let count = if closed {
            world.issues.len().min(world.spec.population.peers as usize)
        } else {
            world.issues.len()
        };
        let mut agenda = Agenda::Queue(&mut self.queue);
        for (request, id) in world.issues[..count].iter().zip(0..) {
            issue(&mut agenda, &world, RequestId(id), request.at);
        }
    }

    /// Lets the next thing happen; says whether there is more to come.
    ///
    /// Within an instant transfers end first, then events happen in the order of scheduling; rates
    /// settle once, when time is about to move on.
    fn step(&mut self) -> bool {
        let fixed = self.kernel.world.spec.run_for.is_some();
        if !fixed && self.kernel.ledger.open() == self.hopeless {
            return false;
        }
        let now = self.kernel.now;
        // Where no bytes flow, nothing settles, and only readings come between events.
        let idle = self.kernel.network.is_idle();
        let until = if idle {
            self.limit.min(just_before(self.delivered.due()))
        } else {
            now
        };
        if self.pop(until) {
            return true;
        }
        let flowing = self.kernel.network.next_time().unwrap_or(SimTime::NEVER);
        let queued = self.queue.next_time_until(flowing);
        let next = queued.unwrap_or(SimTime::NEVER).min(flowing);
        if next == SimTime::NEVER && !fixed {
            // Waiting for nothing: what is open can never end.
            return false;
        }
        self.read_series(next.min(self.limit));
        if next > self.limit || next == SimTime::NEVER {
            self.kernel.now = self.limit;
            return false;
        }
        if flowing > next {
            return self.pop(next);
        }
        assert!(now <= next, "time never steps back");
        self.kernel.now = next;
        self.end_transfers();
        true
    }

    /// Prefetches what nodes whose turn comes soon will need. Nothing depends on it but speed: their
    /// cache misses overlap, which one turn after the other would not let them.
    fn look_ahead(&mut self) {
        let Some(events) = self.queue.come_near() else {
            return;
        };
        for event in events.clone() {
            match event {
                Event::MessageDelivered {
                    to, from, message, ..
                } => {
                    self.kernel.network.prefetch(*to, *from);
                    self.architecture.look_ahead(*to, *from, message);
                }
                Event::UserAsked(id) => {
                    let request = self.kernel.request(*id);
                    self.kernel.network.prefetch(request.user, request.user);
                    self.architecture.look_ahead_to_request(&request);
                }
                _ => {}
            }
        }
        if !A::LOOKS_FURTHER {
            return;
        }
        for event in events {
            if let Event::MessageDelivered {
                to, from, message, ..
            } = event
            {
                self.architecture.look_further(*to, *from, message);
            }
        }
    }

    /// Takes the readings that are due before `next`, while rates are what they are.
    fn read_series(&mut self, next: SimTime) {
        while self.delivered.due() <= next && self.delivered.due() < self.limit {
            let due = self.delivered.due().max(self.kernel.now);
            let delivered = self.kernel.network.delivered(due);
            self.delivered.push(delivered.0);
        }
    }

    /// Lets the next event happen, when it is not after `until`; says whether one did.
    #[inline]
    fn pop(&mut self, until: SimTime) -> bool {
        self.look_ahead();
        let Some((at, event)) = self.queue.pop_until(until) else {
            return false;
        };
        assert!(self.kernel.now <= at, "time never steps back");
        self.kernel.now = at;
        self.events += 1;
        self.happen(event);
        true
    }

    fn end_transfers(&mut self) {
        let mut ended = std::mem::take(&mut self.ended);
        let now = self.kernel.now;
        self.kernel.network.advance(now, &mut ended);
        for transfer in ended.drain(..) {
            self.events += 1;
            self.fold(1, transfer.to);
            self.kernel.meet(transfer.to, transfer.from);
            self.kernel.charge_transfer(&transfer);
            let seen = TransferEnded {
                id: transfer.id,
                from: transfer.from,
                to: transfer.to,
                label: transfer.label,
                size: transfer.size,
                ending: Ending::Whole {
                    intact: transfer.intact,
                },
            };
            self.act(transfer.to, |architecture, cx| {
                architecture.on_transfer(seen, cx);
            });
            self.kernel.just_sent = Some(transfer.id);
            self.act(transfer.from, |architecture, cx| {
                architecture.on_transfer(seen, cx);
            });
            self.kernel.just_sent = None;
        }
        self.ended = ended;
    }

    fn happen(&mut self, event: Event<A::Message, A::Timer>) {
        match event {
            Event::UserAsked(id) => self.user_asked(id),
            Event::DeadlinePassed(id) => self.deadline_passed(id),
            Event::AttemptTimedOut { request, asked } => self.attempt_timed_out(request, asked),
            Event::MessageDelivered {
                to,
                from,
                size,
                message,
            } => self.message_delivered(to, from, size, message),
            Event::MessageHeld(held) => {
                self.fold(12, held.from);
                if self.kernel.presence(held.from).epoch == held.epoch && self.is_up(held.from) {
                    self.act(held.from, |_, cx| cx.send_held(*held));
                }
            }
            Event::TransferBegan { id, sender_epoch } => self.transfer_began(id, sender_epoch),
            Event::BreakSeen { by, epoch, ended } => {
                self.fold(5, by);
                if self.kernel.presence(by).epoch == epoch && self.is_up(by) {
                    self.act(by, |architecture, cx| architecture.on_transfer(*ended, cx));
                }
            }
            Event::TimerExpired { node, epoch, timer } => {
                if self.kernel.presence(node).epoch == epoch && self.is_up(node) {
                    self.fold(6, node);
                    self.act(node, |architecture, cx| architecture.on_timer(timer, cx));
                }
            }
            Event::WorkDone { node, epoch, timer } => self.work_done(node, epoch, timer),
            Event::UserLeft(node) => self.leave(node),
            Event::FailureBegan(index) => self.failure_began(index),
            Event::FailureEnded(index) => self.failure_ended(index),
            Event::ChurnTurned {
                failure,
                node,
                turn,
            } => self.churn_turned(failure, node, turn),
        }
    }

    fn user_asked(&mut self, id: RequestId) {
        let user = self.kernel.ledger.user(id);
        self.fold(2, user);
        if self.kernel.ledger.standing(id) == Standing::Over {
            return;
        }
        let attempt = self.kernel.ledger.count_attempt(id);
        let ahead_counted = self.kernel.world.spec.demand.arrivals.is_closed_loop();
        if attempt == 1 && self.kernel.presence(user).lost && !ahead_counted {
            self.count_hopeless();
        }
        if self.is_up(user) {
            self.ask(id);
        } else {
            self.kernel.ledger.stand(id, Standing::DeviceDown);
        }
    }

    fn ask(&mut self, id: RequestId) {
        self.kernel.ledger.stand(id, Standing::Asked);
        let request = self.kernel.request(id);
        let asked = self.kernel.ledger.count_asked(id);
        if let Some(timeout) = self.kernel.world.spec.patience.timeout {
            let at = self.kernel.now + SimDuration::from(timeout);
            let event = Event::AttemptTimedOut { request: id, asked };
            self.queue.schedule(at, event);
        }
        if request.want == Want::Broadcast {
            self.act(request.user, |_, cx| cx.reached(id));
            if self.kernel.ledger.standing(id) == Standing::Over {
                return;
            }
        }
        self.act(request.user, |architecture, cx| {
            architecture.on_request(&request, cx);
        });
    }

    fn deadline_passed(&mut self, id: RequestId) {
        let standing = self.kernel.ledger.standing(id);
        if standing == Standing::Over {
            return;
        }
        let request = self.kernel.request(id);
        self.fold(3, request.user);
        self.end(id, Outcome::Failed(Cause::DeadlinePassed));
        if standing == Standing::Asked {
            self.act(request.user, |architecture, cx| {
                architecture.on_abandoned(&request, cx);
            });
        }
    }

    fn attempt_timed_out(&mut self, id: RequestId, asked: u32) {
        let current = self.kernel.ledger.asked(id) == asked;
        if !current || self.kernel.ledger.standing(id) != Standing::Asked {
            return;
        }
        let request = self.kernel.request(id);
        self.fold(13, request.user);
        match self.kernel.retry_at(id) {
            Some(at) => {
                self.kernel.ledger.stand(id, Standing::BackingOff);
                self.queue.schedule(at, Event::UserAsked(id));
            }
            None => self.end(id, Outcome::Failed(Cause::NoAnswer)),
        }
        self.act(request.user, |architecture, cx| {
            architecture.on_abandoned(&request, cx);
        });
    }

    fn end(&mut self, id: RequestId, outcome: Outcome) {
        if let Some((next, at)) = self.kernel.end(id, outcome) {
            let mut agenda = Agenda::Queue(&mut self.queue);
            issue(&mut agenda, &self.kernel.world, next, at);
        }
    }

    fn work_done(&mut self, node: NodeId, epoch: u32, timer: A::Timer) {
        if self.kernel.presence(node).epoch != epoch {
            return;
        }
        let now = self.kernel.now;
        let desk = self.kernel.desk(node);
        desk.finish(now);
        if let Some((at, next)) = desk.next() {
            self.queue.reschedule(next, at);
        }
        self.fold(14, node);
        self.act(node, |architecture, cx| architecture.on_timer(timer, cx));
    }

    fn message_delivered(&mut self, to: NodeId, from: NodeId, size: Bytes, message: A::Message) {
        self.fold(4, to);
        if !self.kernel.receive(to, size) {
            self.kernel.traffic.lost = self.kernel.traffic.lost + size;
            return;
        }
        if let Some(acquaintance) = &mut self.kernel.acquaintance {
            acquaintance.meet(to, from);
            A::mentions(&message, &mut |other| acquaintance.meet(to, other));
        }
        self.act(to, |architecture, cx| {
            architecture.on_message(from, message, cx);
        });
    }

    fn transfer_began(&mut self, id: TransferId, sender_epoch: u32) {
        let Some((from, to)) = self.kernel.network.ends(id) else {
            return;
        };
        self.fold(7, to);
        let sender = self.kernel.presence(from);
        let sender_lives = sender.is_up() && sender.epoch == sender_epoch;
        if sender_lives && self.is_up(to) {
            self.kernel.network.begin(self.kernel.now, id);
            return;
        }
        let now = self.kernel.now;
        let ended = self.kernel.network.close(now, id);
        let ended = ended.expect("an open transfer can be closed");
        // Whichever end is still there sees the connection break one latency later.
        if sender_lives {
            self.see_break(from, to, &ended);
        } else if self.is_up(to) {
            self.see_break(to, from, &ended);
        }
    }

    /// Tells `by` one latency from now that `lost` is gone.
    fn see_break(&mut self, by: NodeId, lost: NodeId, ended: &Ended) {
        let at = self.kernel.now + self.kernel.network.latency(lost, by);
        let event = Event::BreakSeen {
            by,
            epoch: self.kernel.presence(by).epoch,
            ended: Box::new(broken(ended)),
        };
        self.queue.schedule(at, event);
    }

    /// Lets a node act.
    fn act(&mut self, node: NodeId, action: impl FnOnce(&mut A, &mut Context<'_, A>)) {
        let mut context = Context {
            node,
            kernel: &mut self.kernel,
            rng: &mut self.rng,
            agenda: Agenda::Queue(&mut self.queue),
        };
        action(&mut self.architecture, &mut context);
    }

    pub(crate) fn schedule(&mut self, at: SimTime, event: Event<A::Message, A::Timer>) {
        self.queue.schedule(at, event);
    }

    pub(crate) fn is_up(&self, node: NodeId) -> bool {
        self.kernel.presence(node).is_up()
    }

    pub(crate) fn fold(&mut self, kind: u64, node: NodeId) {
        self.kernel.digest.fold(self.kernel.now.0);
        self.kernel.digest.fold(kind << 32 | u64::from(node.0));
    }

    /// Takes a node down. Failures may hold it down together; only the first takes effect.
    pub(crate) fn crash(&mut self, node: NodeId, down: Down) {
        let was_up = self.is_up(node);
        let presence = self.kernel.presence_mut(node);
        let holds = presence.holds.checked_add(1);
        presence.holds = holds.expect("fewer than 65,536 failures at once");
        if !was_up {
            return;
        }
        presence.epoch += 1;
        self.fold(8, node);
        self.break_transfers(node);
        self.clear_desk(node);
        self.hold_requests(node);
        self.act(node, |architecture, cx| architecture.on_down(down, cx));
    }

    /// Notes that a node never comes back. A request whose time has not come counts when it does.
    pub(crate) fn lose(&mut self, node: NodeId) {
        let presence = self.kernel.presence_mut(node);
        if std::mem::replace(&mut presence.lost, true) {
            return;
        }
        let world = Arc::clone(&self.kernel.world);
        let closed = world.spec.demand.arrivals.is_closed_loop();
        for id in world.requests_of(node) {
            let standing = self.kernel.ledger.standing(*id);
            if standing != Standing::Over && (closed || standing != Standing::Ahead) {
                self.count_hopeless();
            }
        }
    }

    fn count_hopeless(&mut self) {
        if self.kernel.world.spec.patience.deadline.is_none() {
            self.hopeless += 1;
        }
    }

    /// Releases a node from one failure; it comes up when none is left.
    pub(crate) fn recover(&mut self, node: NodeId) {
        let presence = self.kernel.presence_mut(node);
        presence.holds -= 1;
        if !presence.is_up() {
            return;
        }
        self.fold(9, node);
        self.act(node, Architecture::on_up);
        let world = Arc::clone(&self.kernel.world);
        for id in world.requests_of(node) {
            if self.kernel.ledger.standing(*id) == Standing::DeviceDown {
                self.ask(*id);
            }
        }
    }

    fn leave(&mut self, node: NodeId) {
        if self.is_up(node) {
            self.fold(10, node);
            self.act(node, |architecture, cx| {
                architecture.on_down(Down::Left, cx);
            });
            self.break_transfers(node);
            self.clear_desk(node);
        }
        let presence = self.kernel.presence_mut(node);
        presence.gone = true;
        presence.epoch += 1;
    }

    /// Work that is not done when its node goes is never done.
    fn clear_desk(&mut self, node: NodeId) {
        for work in self.kernel.clear_desk(node) {
            self.queue.cancel(work);
        }
    }

    fn break_transfers(&mut self, node: NodeId) {
        for id in self.kernel.network.transfers_of(node) {
            let now = self.kernel.now;
            let ended = self.kernel.network.close(now, id);
            let ended = ended.expect("a flowing transfer is open");
            self.kernel.charge_transfer(&ended);
            let other = if ended.from == node {
                ended.to
            } else {
                ended.from
            };
            self.see_break(other, node, &ended);
        }
    }

    /// Requests that were being asked wait for their user's device.
    fn hold_requests(&mut self, node: NodeId) {
        let world = Arc::clone(&self.kernel.world);
        for id in world.requests_of(node) {
            if self.kernel.ledger.standing(*id) == Standing::Asked {
                self.kernel.ledger.stand(*id, Standing::DeviceDown);
            }
        }
    }

    fn close(mut self) -> RunRecord {
        let now = self.kernel.now;
        let delivered = self.kernel.network.delivered(now);
        self.delivered.finish(now, delivered.0);
        let stalled = self.kernel.network.stalled();
        for ended in self.kernel.network.close_all(now) {
            self.kernel.charge_transfer(&ended);
        }
        let mut traffic = self.kernel.traffic;
        // Messages and announcements still under way reach nobody.
        let arrived = traffic.received + traffic.lost;
        assert!(arrived <= traffic.sent, "nothing arrives that was not sent");
        traffic.lost = Bytes(traffic.sent.0 - traffic.received.0);
        let worked = self.kernel.close_desks();
        let rented = self.kernel.rentals.close(now);
        let reach = self.kernel.close_reach();
        let requests = self.kernel.ledger.close(now);
        let nodes = self.kernel.network.into_kept();
        RunRecord {
            requests,
            loads: nodes.map(|node| node.load).collect(),
            worked,
            rented,
            reach,
            state: StateSize {
                start: self.state_start,
                end: self.architecture.state_bytes(),
            },
            traffic,
            delivered: self.delivered,
            incidents: self.incidents,
            stalled,
            ended: now,
            events: self.events,
            digest: self.kernel.digest,
        }
    }
}

/// The last instant before `at`.
fn just_before(at: SimTime) -> SimTime {
    SimTime(at.0.saturating_sub(1))
}
