//! Several servers with the same content, behind a balancer.
//!
//! A client asks the balancer, which sends the request on to one of the servers; that one answers
//! the client directly. Stores go to one server, the primary, which copies them to the others. The
//! balancer checks now and then whether servers answer, and so learns late which are down.

mod backup;
mod balancer;
mod config;
mod message;
mod operator;
mod replica;

use std::{ops::Range, sync::Arc};

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, NodeId, Request, RequestKind,
    SimDuration, StateLoss, Stream, TransferEnded, Want, WorldKey, uniform_below,
};

use crate::{
    clients::{Clients, Ended},
    content::{Answer, Content},
    message::{self as service, Ask, Guest, Label, MESSAGE},
    reception::{Limits, Reception, Serves, sorry},
};
pub use balancer::Phase;
use balancer::{Balancer, Seen};
use config::Roles;
pub use config::{Acknowledge, Autoscaling, Balancing, Config, Upgrade};
pub use message::{Copied, Known, Message, Timer, View};
use operator::Operator;
use replica::Replica;

/// Several servers with the same content, behind a balancer.
pub struct ReplicatedServer {
    config: Config,
    roles: Roles,
    limits: Limits,
    size: Bytes,
    /// By place in `roles.balancers`.
    balancers: Vec<Balancer>,
    /// What the first balancer does for the operator.
    operator: Operator,
    /// By place in `roles.servers`.
    replicas: Vec<Replica>,
    clients: Clients,
}

/// Size of a FIN that closes a connection, which passes the balancer: IP and TCP headers.
const FIN: Bytes = Bytes(40);

/// Bytes by which a check is longer for each server that it names: address and port of IPv4.
const NAMED: u64 = 6;

impl Architecture for ReplicatedServer {
    const KIND: &'static str = "replicated-server";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str =
        "several servers behind a balancer with health checks, stores copied to backups";
    const SERVES: &'static [RequestKind] = &[
        RequestKind::Download,
        RequestKind::Lookup,
        RequestKind::Store,
        RequestKind::Search,
    ];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        let roles = config.roles(*cast)?;
        let limits = config.check(&roles)?;
        let operator = Operator::new(config, &roles);
        let seen: Vec<Seen> = operator.phases().iter().copied().map(Seen::new).collect();
        let size = cast.object_size();
        let content = Content::complete(*cast);
        let replica = |server: &NodeId| Replica::new(*server, *cast, limits, content.clone());
        Ok(Self {
            balancers: vec![Balancer::new(seen); roles.balancers.len()],
            replicas: roles.servers.iter().map(replica).collect(),
            clients: Clients::new(*cast, config.response_timeout, config.resume),
            config: config.clone(),
            roles,
            limits,
            size,
            operator,
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let roles = config.roles(*cast);
        let count = roles.map_or(0, |roles| roles.servers.len());
        vec![
            format!("the {count} servers have the same content from the start and know each other"),
            "every client knows the balancers from the start".into(),
        ]
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let roles = config.roles(*cast)?;
        let all = roles.balancers.iter().chain(&roles.servers);
        let mut all: Vec<u32> = all.map(|machine| machine.0).collect();
        all.sort_unstable();
        all.dedup();
        Ok(all
            .into_iter()
            .map(|machine| machine..machine + 1)
            .collect())
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        let others = |all: &[NodeId], visit: &mut dyn FnMut(NodeId)| {
            all.iter()
                .filter(|other| **other != node)
                .for_each(|other| visit(*other));
        };
        others(&self.roles.balancers, visit);
        if self.roles.balancers.contains(&node) || self.server_at(node).is_some() {
            others(&self.roles.servers, visit);
        }
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        match message {
            Message::Forward { client, .. } => visit(*client),
            Message::Service(service::Message::Found { holder, .. }) => visit(*holder),
            _ => {}
        }
    }

    fn state_bytes(&self) -> usize {
        let balancers = self.balancers.iter().map(Balancer::state_bytes);
        let replicas = self.replicas.iter().map(Replica::state_bytes);
        self.clients.state_bytes() + balancers.sum::<usize>() + replicas.sum::<usize>()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        if let Some(place) = self.balancer_at(cx.node()) {
            // Spread over the interval, so that two balancers do not check at the same instants.
            let interval = SimDuration::from(self.config.check_interval);
            let nanoseconds = u32::try_from(interval.0 / 1000).unwrap_or(u32::MAX);
            let wait = uniform_below(cx.rng(), nanoseconds.max(1));
            cx.after(SimDuration(1000 * u64::from(wait)), Timer::CheckDue);
            if place == 0 {
                self.open_business(cx);
            }
        }
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let ended = self
            .clients
            .ask(Ask::new(request), &self.roles.balancers, cx);
        settle(ended, cx);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.clients.abandon(request.id, cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Service(service::Message::Ask(ask)) => {
                // Who has heard from a server asks that one again.
                let guest = (from, ask.request);
                let known = |server: usize| self.replicas[server].reception.has(guest);
                let known = self.server_at(cx.node()).is_some_and(known);
                match self.balancer_at(cx.node()) {
                    Some(place) if !known => self.balance(place, from, ask, cx),
                    _ => {
                        self.on_ask(from, from, ask, cx);
                    }
                }
            }
            Message::Service(service::Message::HangUp(request)) => {
                if self.server_at(cx.node()).is_some() {
                    self.on_hang_up((from, request), cx);
                }
            }
            Message::Service(answer) => {
                let ended = self.clients.on_answer(from, answer, cx);
                settle(ended, cx);
            }
            Message::Forward { client, ask } => {
                if !self.on_ask(client, from, ask, cx) {
                    cx.send(from, Message::Over, FIN);
                }
            }
            Message::Over => self.on_over(from, cx),
            Message::Check(view) => self.on_check(from, &view, cx),
            Message::Health { ready, load } => self.on_health(from, ready, load, cx),
            Message::Store(request) => {
                self.replica(cx.node()).stores += 1;
                cx.send(from, Message::Stored(request), MESSAGE);
            }
            Message::Stored(request) => self.on_stored(from, request, cx),
            Message::Damaged(request) => {
                cx.transfer(from, self.size, Label::Upload(request).encode());
            }
            Message::Miss(known) => self.on_miss(from, known, cx),
            Message::Copy(copied) => self.on_copy(*copied, cx),
            Message::Pool(phases) => self.on_pool(&phases, cx),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        let inside = self.server_at(ended.from).is_some() && self.server_at(ended.to).is_some();
        if inside {
            self.on_copied(&ended, cx);
        } else if self.server_at(cx.node()).is_some() {
            self.on_served(&ended, cx);
        } else {
            let ended = self.clients.on_transfer(&ended, cx);
            settle(ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Service(service::Timer::Silence { request, wait }) => {
                let places = &self.roles.balancers;
                let ended = self.clients.on_silence(request, wait, places, cx);
                settle(ended, cx);
            }
            Timer::Service(service::Timer::Worked { guest, stay }) => {
                self.on_worked(guest, stay, cx);
            }
            Timer::Service(service::Timer::Expected { guest, stay }) => {
                self.on_expected(guest, stay, cx);
            }
            Timer::CheckDue => self.check_servers(cx),
            Timer::LookDue => self.look_at_load(cx),
            Timer::Booted(server) => self.on_booted(server),
            Timer::CopyDue => self.on_copy_due(cx.node()),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        if let Some(server) = self.server_at(node) {
            let lost = down == Down::Crashed(StateLoss::Lost);
            self.replicas[server].on_down(lost);
        }
        self.clients.on_down(node, down);
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        if let Some(place) = self.balancer_at(cx.node()) {
            // It knows its list of machines, and nothing else.
            for server in &mut self.balancers[place].servers {
                *server = Seen::new(server.phase);
            }
            cx.after(SimDuration::ZERO, Timer::CheckDue);
            if place == 0 {
                self.reopen_business(cx);
            }
        }
    }
}

fn settle(ended: Ended, cx: &mut Context<'_, ReplicatedServer>) {
    match ended {
        Some((request, Ok(()))) => cx.serve(request),
        Some((request, Err(cause))) => cx.fail(request, cause),
        None => {}
    }
}

/// Who is who.
impl ReplicatedServer {
    fn balancer_at(&self, node: NodeId) -> Option<usize> {
        self.roles.balancers.iter().position(|other| *other == node)
    }

    fn server_at(&self, node: NodeId) -> Option<usize> {
        let place = self.roles.places.get(node.index())?;
        place.map(usize::from)
    }

    fn replica(&mut self, node: NodeId) -> &mut Replica {
        let server = self.server_at(node);
        &mut self.replicas[server.expect("only servers are asked to serve")]
    }
}

/// What a balancer does.
impl ReplicatedServer {
    fn balance(&mut self, place: usize, client: NodeId, ask: Ask, cx: &mut Context<'_, Self>) {
        let balancer = &mut self.balancers[place];
        let chosen = match ask.want {
            Want::Store(_) => balancer.primary(),
            _ => balancer.choose(self.config.balancing, cx.rng()),
        };
        let Some(chosen) = chosen else {
            // 503 Service Unavailable, RFC 9110 §15.6.4.
            sorry(client, &ask, Cause::Refused, cx);
            return;
        };
        balancer.servers[chosen].open += 1;
        let server = self.roles.servers[chosen];
        if server != cx.node() {
            cx.send(server, Message::Forward { client, ask }, MESSAGE);
        } else if !self.on_ask(client, server, ask, cx) {
            self.on_over(server, cx);
        }
    }

    fn on_over(&mut self, server: NodeId, cx: &mut Context<'_, Self>) {
        let (Some(place), Some(server)) = (self.balancer_at(cx.node()), self.server_at(server))
        else {
            return;
        };
        let seen = &mut self.balancers[place].servers[server];
        // What a server that fell had open was written off.
        seen.open = seen.open.saturating_sub(1);
        if place == 0 && seen.open == 0 && seen.phase == Phase::Draining {
            self.release(server, cx);
        }
    }

    fn check_servers(&mut self, cx: &mut Context<'_, Self>) {
        let Some(place) = self.balancer_at(cx.node()) else {
            return;
        };
        let balancer = &mut self.balancers[place];
        for seen in &mut balancer.servers {
            if matches!(seen.phase, Phase::InUse | Phase::Draining) {
                seen.check(self.config.check_fall, self.config.check_rise);
            }
        }
        let serving = balancer.servers.iter().zip(&self.roles.servers);
        let members = serving.filter(|(seen, _)| seen.serves());
        let view = Arc::new(View {
            primary: balancer.primary().map(|index| self.roles.servers[index]),
            members: members.map(|(_, server)| *server).collect(),
        });
        let size = Bytes(MESSAGE.0 + NAMED * view.members.len() as u64);
        let checked = balancer.servers.iter().zip(&self.roles.servers);
        let mut own = false;
        for (_, server) in checked.filter(|(s, _)| !matches!(s.phase, Phase::Idle | Phase::Booting))
        {
            if *server == cx.node() {
                own = true;
            } else {
                cx.send(*server, Message::Check(Arc::clone(&view)), size);
            }
        }
        if own {
            self.on_check(cx.node(), &view, cx);
        }
        cx.after(self.config.check_interval.into(), Timer::CheckDue);
    }

    fn on_health(&mut self, from: NodeId, ready: bool, load: f64, cx: &mut Context<'_, Self>) {
        if let (Some(place), Some(server)) = (self.balancer_at(cx.node()), self.server_at(from)) {
            let seen = &mut self.balancers[place].servers[server];
            seen.answered = ready;
            seen.load = load;
        }
    }
}

/// What a server does.
impl Serves for ReplicatedServer {
    fn reception(&mut self, server: NodeId) -> &mut Reception {
        &mut self.replica(server).reception
    }

    fn act(&mut self, guest: Guest, ask: &Ask, cx: &mut Context<'_, Self>) {
        if let Want::Store(key) = ask.want {
            self.store(guest, key, cx);
            return;
        }
        let replica = self.replica(cx.node());
        match replica.content.answer(guest, ask.want, cx.rng()) {
            Answer::Content => self.send_content(guest, cx),
            Answer::Message(message) => self.reply(guest, message, cx),
            Answer::Sorry(cause) => self.refuse(guest, cause, cx),
        }
    }

    fn turn_away(&self, server: NodeId, ask: &Ask) -> Option<Cause> {
        let replica = &self.replicas[self.server_at(server)?];
        match ask.want {
            Want::Download(object) if !replica.content.has_object(object) => Some(Cause::NotFound),
            _ => None,
        }
    }

    /// The balancer sees the end of a connection.
    fn gone(&mut self, guest: Guest, by: NodeId, cx: &mut Context<'_, Self>) {
        self.replica(cx.node()).forget(guest);
        if by == cx.node() {
            self.on_over(by, cx);
        } else if by != guest.0 {
            cx.send(by, Message::Over, FIN);
        }
    }
}
