//! The state of a run that no architecture owns, and the books that are kept of it.

use std::{collections::BTreeMap, sync::Arc};

use netduel_engine::{Digest, EventId, SimDuration, SimTime};
use netduel_network::{Ended, Network, NodeId, TransferId};
use netduel_units::Bytes;

use crate::{
    acquaintance::Acquaintance,
    architecture::{Ending, TransferEnded},
    demand::Wants,
    draw::World,
    event::{Agenda, Event, Schedule as _},
    ledger::{Ledger, Outcome, Request, RequestId, Standing},
    processor::{Desk, Worked},
    reach::Reach,
    record::{Load, Traffic},
    rental::Rentals,
};

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
    /// What nodes work at, once they work.
    desks: Vec<Option<Box<Desk<EventId>>>>,
    /// How far each broadcast came.
    reach: Vec<Reach>,
    /// Since when each machine is rented.
    pub(crate) rentals: Rentals,
    /// What is left of each user's budget for retries.
    tokens: Vec<f64>,
    /// Who may know whom, when that is checked.
    pub(crate) acquaintance: Option<Acquaintance>,
    /// The whole transfer whose sender is being told.
    pub(crate) just_sent: Option<TransferId>,
}

impl Kernel {
    pub(crate) fn new(world: &Arc<World>) -> Self {
        let spec = &world.spec;
        let accesses: Vec<_> = world.devices.iter().map(|device| device.access).collect();
        let network = Network::new(
            spec.latency.clone(),
            spec.corruption,
            &accesses,
            &world.streams,
        )
        .with_loss(spec.message_loss);
        let network = match &spec.routers {
            Some(routers) => network.with_routers(routers),
            None => network,
        };
        let users = spec.population.peers;
        let broadcasts = match spec.demand.wants {
            Wants::Broadcast { .. } => world.issues.len(),
            _ => 0,
        };
        let tokens = spec.patience.budget.map(|budget| {
            let full = f64::from(budget.tokens);
            vec![full; users as usize]
        });
        Self {
            world: Arc::clone(world),
            network,
            ledger: Ledger::new(&world.issues),
            now: SimTime::ZERO,
            cuts: BTreeMap::new(),
            traffic: Traffic::default(),
            digest: Digest::default(),
            desks: Vec::new(),
            reach: vec![Reach::new(users); broadcasts],
            rentals: Rentals::new(world.machine_count()),
            tokens: tokens.unwrap_or_default(),
            acquaintance: None,
            just_sent: None,
        }
    }

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
    pub(crate) fn cut_until(&self, one: NodeId, other: NodeId) -> Option<SimTime> {
        if self.cuts.is_empty() {
            return None;
        }
        let ends = [one, other].map(|node| self.cuts.get(&node).copied());
        ends.into_iter().flatten().max()
    }

    pub(crate) fn charge_sent(&mut self, node: NodeId, size: Bytes, messages: u64) {
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

    /// Enters a message that reaches `node`, unless that is down; says which.
    #[inline]
    pub(crate) fn receive(&mut self, node: NodeId, size: Bytes) -> bool {
        let Node { presence, load } = self.network.kept_mut(node);
        let up = presence.is_up();
        if up {
            load.received = load.received + size;
            self.traffic.received = self.traffic.received + size;
        }
        up
    }

    /// Enters a message that the network loses.
    pub(crate) fn lose_message(&mut self, size: Bytes) {
        self.traffic.lost = self.traffic.lost + size;
    }

    /// Enters what a transfer carried; bytes that left the sender reached the receiver.
    pub(crate) fn charge_transfer(&mut self, ended: &Ended) {
        if !self.world.is_user(ended.from) && !self.world.is_user(ended.to) {
            let between = &mut self.traffic.between_machines;
            *between = *between + ended.delivered;
        }
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

    /// The request as it was asked last.
    pub(crate) fn request(&self, id: RequestId) -> Request {
        let issue = &self.world.issues[id.0 as usize];
        Request {
            id,
            user: issue.user,
            want: issue.want,
            size: self.world.spec.demand.wants.size(),
            work: issue.work,
            attempt: self.ledger.attempts(id),
        }
    }

    /// When the user asks again after a failed attempt, unless enough is enough.
    pub(crate) fn retry_at(&mut self, id: RequestId) -> Option<SimTime> {
        let attempts = self.ledger.attempts(id);
        let patience = &self.world.spec.patience;
        let left = attempts <= patience.retries;
        let affordable = patience.budget.is_none_or(|budget| {
            let first = self.world.machine_count();
            let tokens = &mut self.tokens[(self.ledger.user(id).0 - first) as usize];
            *tokens = (*tokens - 1.0).max(0.0);
            *tokens > f64::from(budget.tokens) / 2.0
        });
        (left && affordable).then(|| self.now + self.backoff(id, attempts))
    }

    /// Ends a request. In a closed loop this says which request its user makes next, and when.
    pub(crate) fn end(&mut self, id: RequestId, outcome: Outcome) -> Option<(RequestId, SimTime)> {
        self.ledger.end(id, self.now, outcome);
        let world = &self.world;
        if let (Some(budget), Outcome::Served) = (world.spec.patience.budget, outcome) {
            let user = self.ledger.user(id).0 - world.machine_count();
            let tokens = &mut self.tokens[user as usize];
            *tokens = (*tokens + budget.ratio).min(f64::from(budget.tokens));
        }
        if !world.spec.demand.arrivals.is_closed_loop() {
            return None;
        }
        let next = RequestId(id.0.checked_add(world.spec.population.peers)?);
        let thought = world.issues.get(next.0 as usize)?.at;
        let at = self.now + (thought - SimTime::ZERO);
        self.ledger.issue(next, at);
        Some((next, at))
    }

    /// Notes that a node has what a broadcast tells; says whether that serves it.
    pub(crate) fn reach(&mut self, node: NodeId, broadcast: RequestId) -> bool {
        let users = self.world.spec.population.peers;
        let Some(user) = node.0.checked_sub(self.world.machine_count()) else {
            return false;
        };
        let all = self.reach[broadcast.0 as usize].note(user, users, self.now);
        all && self.ledger.standing(broadcast) != Standing::Over
    }

    /// Whether a request is a broadcast that everybody has.
    pub(crate) fn has_reached_all(&self, request: RequestId) -> bool {
        let reach = self.reach.get(request.0 as usize);
        reach.is_some_and(|reach| reach.users == self.world.spec.population.peers)
    }

    pub(crate) fn close_reach(&mut self) -> Vec<Reach> {
        std::mem::take(&mut self.reach)
    }

    /// The processor of a node.
    pub(crate) fn desk(&mut self, node: NodeId) -> &mut Desk<EventId> {
        if self.desks.is_empty() {
            self.desks.resize_with(self.world.devices.len(), || None);
        }
        let processor = self.world.processor(node);
        let desk = &mut self.desks[node.index()];
        desk.get_or_insert_with(|| Box::new(Desk::new(processor)))
    }

    /// A node crashed: its work is gone. Returns what waits for it.
    pub(crate) fn clear_desk(&mut self, node: NodeId) -> Vec<EventId> {
        match self.desks.get_mut(node.index()) {
            Some(Some(desk)) => desk.clear(self.now),
            _ => Vec::new(),
        }
    }

    /// What each processor did, by node; nothing when none did anything.
    pub(crate) fn close_desks(&mut self) -> Vec<Worked> {
        let now = self.now;
        let desks = std::mem::take(&mut self.desks);
        let closed = desks
            .into_iter()
            .map(|desk| desk.map(|desk| desk.close(now)));
        closed.map(Option::unwrap_or_default).collect()
    }

    /// Checks, when that is asked for, that something told `node` of `other`.
    #[inline]
    pub(crate) fn check_acquaintance(&self, node: NodeId, other: NodeId) {
        if let Some(acquaintance) = &self.acquaintance {
            acquaintance.check(node, other);
        }
    }

    pub(crate) fn meet(&mut self, node: NodeId, other: NodeId) {
        if let Some(acquaintance) = &mut self.acquaintance {
            acquaintance.meet(node, other);
        }
    }
}

/// Schedules what happens to a request whatever the architecture does.
pub(crate) fn issue<M, T>(
    agenda: &mut Agenda<'_, M, T>,
    world: &World,
    id: RequestId,
    at: SimTime,
) {
    agenda.schedule(at, Event::UserAsked(id));
    if let Some(deadline) = world.spec.patience.deadline {
        let at = at + SimDuration::from(deadline);
        agenda.schedule(at, Event::DeadlinePassed(id));
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
