//! What the operator rents: more servers, or bigger ones.

use std::{collections::VecDeque, ops::Range};

use netduel_world::{Context, SimDuration, SimTime};

use super::{
    Message, ReplicatedServer, Timer,
    balancer::{Phase, Seen},
    config::{Config, Roles},
};
use crate::message::MESSAGE;

/// What the first balancer knows of the operator's wishes.
pub(super) struct Operator {
    /// Machines of the first group, of the bigger ones.
    groups: [Range<usize>; 2],
    /// Whether the bigger ones have been rented.
    upgraded: bool,
    /// Servers wanted at each look at the load, for as long as the calm lasts.
    wanted: VecDeque<(SimTime, usize)>,
    phases: Vec<Phase>,
}

/// How far the load may be off what is aimed at. The tolerance of the Kubernetes autoscaler.
const TOLERANCE: f64 = 0.1;

impl Operator {
    pub(super) fn new(config: &Config, roles: &Roles) -> Self {
        let small = roles.servers.len() - roles.bigger;
        let least = config.autoscaling.as_ref().map(|settings| settings.least);
        let rented = least.map_or(small, |least| least as usize);
        let phase = |server| {
            if server < rented {
                Phase::InUse
            } else {
                Phase::Idle
            }
        };
        Self {
            groups: [0..small, small..roles.servers.len()],
            upgraded: false,
            wanted: VecDeque::new(),
            phases: (0..roles.servers.len()).map(phase).collect(),
        }
    }

    /// What becomes of each machine, as it was last decided.
    pub(super) fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// The machines that are rented from.
    fn group(&self) -> Range<usize> {
        self.groups[usize::from(self.upgraded)].clone()
    }

    /// Whether a machine serves or is about to.
    fn rents(&self, server: usize) -> bool {
        matches!(self.phases[server], Phase::InUse | Phase::Booting)
    }

    /// How many servers it takes to bring the load to the target.
    fn want(
        &mut self,
        now: SimTime,
        in_use: usize,
        load: f64,
        target: f64,
        calm: SimDuration,
    ) -> usize {
        let ratio = load / target;
        let wanted = if (ratio - 1.0).abs() <= TOLERANCE {
            in_use
        } else {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "a load is a small number and not negative"
            )]
            let wanted = (in_use as f64 * ratio).ceil() as usize;
            wanted
        };
        self.wanted.push_back((now, wanted));
        while self.wanted.front().is_some_and(|(at, _)| *at + calm < now) {
            self.wanted.pop_front();
        }
        // Fewer only when fewer would have done all the time.
        let most = self.wanted.iter().map(|(_, wanted)| *wanted).max();
        wanted.max(most.unwrap_or(wanted).min(in_use))
    }
}

/// What the first balancer does for the operator.
impl ReplicatedServer {
    /// Gives back what is not wanted at the start.
    pub(super) fn open_business(&mut self, cx: &mut Context<'_, Self>) {
        for (phase, machine) in self.operator.phases.iter().zip(&self.roles.servers) {
            if *phase == Phase::Idle {
                cx.release(*machine);
            }
        }
        self.look_again(cx);
    }

    /// The balancer that decides is back.
    pub(super) fn reopen_business(&mut self, cx: &mut Context<'_, Self>) {
        for server in 0..self.roles.servers.len() {
            if self.operator.phases[server] == Phase::Booting {
                cx.after(SimDuration::ZERO, Timer::Booted(server));
            }
        }
        self.look_again(cx);
    }

    fn look_again(&mut self, cx: &mut Context<'_, Self>) {
        let scales = self.config.autoscaling.clone().or_else(|| {
            let upgrade = self.config.upgrade.is_some();
            upgrade.then(Default::default)
        });
        if let Some(settings) = scales {
            cx.after(settings.period.into(), Timer::LookDue);
        }
    }

    pub(super) fn look_at_load(&mut self, cx: &mut Context<'_, Self>) {
        self.look_again(cx);
        self.tidy(cx);
        let seen = &self.balancers[0].servers;
        let group = self.operator.group();
        let serving = || group.clone().filter(|server| seen[*server].serves());
        let count = serving().count();
        let load = serving().map(|server| seen[server].load).sum::<f64>() / count.max(1) as f64;
        if count == 0 {
            return;
        }
        self.upgrade(load, cx);
        self.autoscale(count, load, cx);
        if let Some(other) = self.roles.balancers.get(1) {
            let phases = self.operator.phases.clone().into_boxed_slice();
            cx.send(*other, Message::Pool(phases), MESSAGE);
        }
    }

    /// Rents as many bigger machines as there are small ones in use, when the load is high.
    fn upgrade(&mut self, load: f64, cx: &mut Context<'_, Self>) {
        let Some(upgrade) = self.config.upgrade.clone() else {
            return;
        };
        if self.operator.upgraded || load <= upgrade.above.get() {
            return;
        }
        let in_use = |server: &usize| self.operator.phases[*server] == Phase::InUse;
        let count = self.operator.group().filter(in_use).count();
        self.operator.upgraded = true;
        self.operator.wanted.clear();
        for server in self.operator.group().take(count) {
            self.rent(server, upgrade.delay.into(), cx);
        }
    }

    fn autoscale(&mut self, in_use: usize, load: f64, cx: &mut Context<'_, Self>) {
        let Some(settings) = self.config.autoscaling.clone() else {
            return;
        };
        let group = self.operator.group();
        let count = group
            .clone()
            .filter(|server| self.operator.rents(*server))
            .count();
        let most = settings.most.map_or(group.len(), |most| most as usize);
        let (target, calm) = (settings.target.get(), settings.calm.into());
        let wanted = self.operator.want(cx.now(), in_use, load, target, calm);
        let wanted = wanted.clamp(settings.least as usize, most.min(group.len()));
        if wanted > count {
            let idle = |server: &usize| self.operator.phases[*server] == Phase::Idle;
            let chosen: Vec<usize> = group.filter(idle).take(wanted - count).collect();
            for server in chosen {
                self.rent(server, settings.delay.into(), cx);
            }
        } else if wanted < count {
            // Those rented last go first; the primary is the first.
            let rented = |server: &usize| self.operator.rents(*server);
            let chosen: Vec<usize> = group.rev().filter(rented).take(count - wanted).collect();
            for server in chosen {
                self.drain(server, cx);
            }
        }
    }

    fn rent(&mut self, server: usize, delay: SimDuration, cx: &mut Context<'_, Self>) {
        cx.rent(self.roles.servers[server]);
        self.turn(server, Phase::Booting);
        cx.after(delay, Timer::Booted(server));
    }

    /// A machine answers: once it is checked to be well it gets requests.
    pub(super) fn on_booted(&mut self, server: usize) {
        if self.operator.phases[server] != Phase::Booting {
            return;
        }
        self.turn(server, Phase::InUse);
    }

    /// Small machines go when the bigger ones serve, and whatever serves nobody any longer.
    fn tidy(&mut self, cx: &mut Context<'_, Self>) {
        let seen = &self.balancers[0].servers;
        let [small, bigger] = self.operator.groups.clone();
        let rented = bigger.filter(|server| seen[*server].phase != Phase::Idle);
        if self.operator.upgraded && rented.clone().all(|server| seen[server].serves()) {
            for server in small {
                self.drain(server, cx);
            }
        }
        for server in 0..self.roles.servers.len() {
            let seen = &self.balancers[0].servers[server];
            if seen.phase == Phase::Draining && seen.open == 0 {
                self.release(server, cx);
            }
        }
    }

    /// A server gets no more requests.
    fn drain(&mut self, server: usize, cx: &mut Context<'_, Self>) {
        if !self.operator.rents(server) {
            return;
        }
        self.turn(server, Phase::Draining);
        if self.balancers[0].servers[server].open == 0 {
            self.release(server, cx);
        }
    }

    pub(super) fn release(&mut self, server: usize, cx: &mut Context<'_, Self>) {
        cx.release(self.roles.servers[server]);
        self.turn(server, Phase::Idle);
    }

    fn turn(&mut self, server: usize, phase: Phase) {
        self.operator.phases[server] = phase;
        turn(&mut self.balancers[0].servers[server], phase);
    }

    /// The other balancer hears what became of the machines.
    pub(super) fn on_pool(&mut self, phases: &[Phase], cx: &mut Context<'_, Self>) {
        if let Some(place) = self.balancer_at(cx.node()) {
            for (seen, phase) in self.balancers[place].servers.iter_mut().zip(phases) {
                turn(seen, *phase);
            }
        }
    }
}

fn turn(seen: &mut Seen, phase: Phase) {
    if seen.phase == phase {
        return;
    }
    if seen.phase == Phase::Booting || phase == Phase::Booting {
        *seen = Seen::new(Phase::Booting);
    }
    seen.phase = phase;
}
