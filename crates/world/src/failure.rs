//! What goes wrong, and whom it hits: blind to the design.

use netduel_engine::{SimDuration, SimTime};
use netduel_network::NodeId;
use netduel_units::{Bytes, Share};

use crate::{
    architecture::{Architecture, Down},
    demand::Wants,
    draw::World,
    event::Event,
    record::{IncidentRecord, Victim},
    run::Run,
    spec::{Failure, Pick, What, Who},
};

/// Who is held down by which failure.
#[derive(Debug)]
pub(crate) struct Failures {
    over: Vec<bool>,
    /// For each failure, whether it holds each node down at present.
    holds: Vec<Vec<bool>>,
}

impl Failures {
    pub(crate) fn new(failure_count: usize, node_count: usize) -> Self {
        Self {
            over: vec![false; failure_count],
            holds: vec![vec![false; node_count]; failure_count],
        }
    }
}

/// When a failure ends.
fn end(failure: &Failure) -> SimTime {
    let at = SimTime::ZERO + SimDuration::from(failure.at);
    failure
        .lasts
        .map_or(SimTime::NEVER, |lasts| at + SimDuration::from(lasts))
}

impl World {
    /// The nodes that a failure hits, when that does not depend on the contender.
    ///
    /// A random share takes the nodes with the smallest draws, so that a larger share includes a
    /// smaller one.
    fn targets(&self, index: usize, failure: &Failure) -> Vec<NodeId> {
        let all = (0..).map(NodeId).take(self.devices.len());
        let of = |pick: Pick| {
            all.clone()
                .filter(move |n| self.devices[n.index()].is(pick))
        };
        match &failure.who {
            Who::Role(pick) => of(*pick).collect(),
            Who::Machine(name) => of(Pick::Infrastructure)
                .filter(|node| {
                    let group = self.devices[node.index()].group;
                    let group = group.expect("infrastructure belongs to a group");
                    self.spec.infrastructure[usize::from(group)].name == *name
                })
                .collect(),
            Who::Random { share, of: pick } => {
                let purpose = format!("failures/{index}/pick");
                let mut drawn: Vec<(f64, NodeId)> = of(*pick)
                    .map(|node| (self.streams.draw(&purpose, u64::from(node.0)), node))
                    .collect();
                drawn.sort_by(|a, b| a.0.total_cmp(&b.0));
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "a share of a count is a smaller count"
                )]
                let count = (drawn.len() as f64 * share.get()).round() as usize;
                drawn.truncate(count);
                let mut targets: Vec<NodeId> = drawn.into_iter().map(|(_, node)| node).collect();
                targets.sort_unstable();
                targets
            }
            Who::MostLoaded(_) => Vec::new(),
        }
    }
}

impl<A: Architecture> Run<A> {
    pub(crate) fn failure_began(&mut self, index: usize) {
        let world = std::sync::Arc::clone(&self.kernel.world);
        let failure = &world.spec.failures[index];
        match &failure.what {
            What::Crash(_) | What::Slow(_) => {
                let loads = self.bytes_sent();
                let targets = match failure.who {
                    Who::MostLoaded(count) => self.most_loaded(count, &loads),
                    _ => world.targets(index, failure),
                };
                self.record_incident(index, failure, &targets, &loads);
                for node in targets {
                    self.failures.holds[index][node.index()] = true;
                    let What::Crash(loss) = &failure.what else {
                        self.slow(node);
                        continue;
                    };
                    self.crash(node, Down::Crashed(*loss));
                    if failure.lasts.is_none() {
                        self.lose(node);
                    }
                }
            }
            What::Churn { .. } => {
                for node in world.targets(index, failure) {
                    self.begin_churn(index, node);
                }
            }
        }
    }

    pub(crate) fn failure_ended(&mut self, index: usize) {
        self.failures.over[index] = true;
        let slow = matches!(self.kernel.world.spec.failures[index].what, What::Slow(_));
        for node in (0..).map(NodeId).take(self.kernel.network.node_count()) {
            if std::mem::take(&mut self.failures.holds[index][node.index()]) {
                if slow {
                    self.slow(node);
                } else {
                    self.recover(node);
                }
            }
        }
    }

    /// Gives a node the rates that all failures which slow it down at present leave it.
    fn slow(&mut self, node: NodeId) {
        let world = std::sync::Arc::clone(&self.kernel.world);
        let (mut share, mut cut_until) = (1.0, None);
        for (failure, holds) in world.spec.failures.iter().zip(&self.failures.holds) {
            if let What::Slow(to) = failure.what
                && holds[node.index()]
            {
                share *= to.get();
                if to.get() == 0.0 {
                    cut_until = cut_until.max(Some(end(failure)));
                }
            }
        }
        match cut_until {
            Some(until) => self.kernel.cuts.insert(node, until),
            None => self.kernel.cuts.remove(&node),
        };
        let share = Share::new(share).expect("a product of shares is a share");
        let access = &world.devices[node.index()].access;
        let now = self.kernel.now;
        self.kernel.network.slow(now, node, access, share);
        self.fold(11, node);
    }

    /// A node's churn begins with its first session: that of a user who downloads with the request.
    fn begin_churn(&mut self, failure: usize, node: NodeId) {
        let world = &self.kernel.world;
        let asks = match (&world.spec.demand.wants, world.requests_of(node)) {
            (Wants::Download { .. }, [first, ..]) => world.issues[first.0 as usize].at,
            _ => SimTime::ZERO,
        };
        let from = asks.max(self.kernel.now);
        self.schedule_turn(failure, node, 0, from);
    }

    /// Even turns end a session, odd turns end a downtime.
    fn schedule_turn(&mut self, failure: usize, node: NodeId, turn: u32, from: SimTime) {
        let world = &self.kernel.world;
        let What::Churn { session, downtime } = &world.spec.failures[failure].what else {
            unreachable!("only churn takes turns");
        };
        let law = if turn.is_multiple_of(2) {
            session
        } else {
            downtime
        };
        let entity = u64::from(turn) << 32 | u64::from(node.0);
        let purpose = format!("failures/{failure}/churn");
        let lasts = law.quantile(world.streams.draw(&purpose, entity));
        let at = from + SimDuration::from_seconds(lasts);
        let event = Event::ChurnTurned {
            failure,
            node,
            turn,
        };
        self.schedule(at, event);
    }

    pub(crate) fn churn_turned(&mut self, failure: usize, node: NodeId, turn: u32) {
        if self.failures.over[failure] || self.kernel.presence(node).gone {
            return;
        }
        let held = &mut self.failures.holds[failure][node.index()];
        *held = turn.is_multiple_of(2);
        if *held {
            // Churn is people switching devices off: what was on their disks stays.
            self.crash(node, Down::Crashed(crate::spec::StateLoss::Kept));
        } else {
            self.recover(node);
        }
        let now = self.kernel.now;
        self.schedule_turn(failure, node, turn + 1, now);
    }

    /// Bytes each node has sent so far, those of transfers under way included.
    fn bytes_sent(&mut self) -> Vec<Bytes> {
        let now = self.kernel.now;
        let network = &mut self.kernel.network;
        let nodes = (0..).map(NodeId).take(network.node_count());
        nodes
            .map(|node| network.kept(node).load.sent + network.sent_in_progress(now, node))
            .collect()
    }

    /// The nodes on the network that have sent most, the first of equals before the others.
    fn most_loaded(&self, count: u32, loads: &[Bytes]) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = (0..)
            .map(NodeId)
            .take(loads.len())
            .filter(|node| self.is_up(*node))
            .collect();
        nodes.sort_by_key(|node| (std::cmp::Reverse(loads[node.index()]), *node));
        nodes.truncate(count as usize);
        nodes
    }

    fn record_incident(
        &mut self,
        index: usize,
        failure: &Failure,
        targets: &[NodeId],
        loads: &[Bytes],
    ) {
        let total: Bytes = loads.iter().copied().sum();
        let now = self.kernel.now;
        let victims = targets.iter().map(|node| Victim {
            node: *node,
            load_share: loads[node.index()].0 as f64 / (total.0 as f64).max(1.0),
        });
        self.incidents.push(IncidentRecord {
            failure: index,
            at: now,
            until: end(failure),
            victims: victims.collect(),
        });
    }
}
