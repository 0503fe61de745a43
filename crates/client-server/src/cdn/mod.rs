//! Edge caches near the users before an origin that has everything.
//!
//! A user asks the nearest edge. An edge that has what is asked for answers; otherwise it fetches
//! it first, from the origin or from a shield, a cache that all edges share.

mod cache;
mod config;

use std::{collections::BTreeMap, ops::Range};

use netduel_world::{
    Architecture, Cast, Cause, ConfigError, Context, Down, Key, NodeId, ObjectId, Request,
    RequestId, RequestKind, StateLoss, Stream, TransferEnded, Want, Wants, WorldKey,
};

use crate::{
    clients::{Clients, Ended},
    content::{Answer, Content},
    message::{Ask, Guest, MESSAGE, Message, Timer},
    reception::{Limits, Reception, Serves},
};
use cache::Cache;
pub use cache::Policy;
pub use config::Config;
use config::Nearest;

/// Edge caches near the users before an origin.
pub struct Cdn {
    coalescing: bool,
    /// By `NodeId` of the machine; nothing for machines that take no part.
    stations: Vec<Option<Station>>,
    nearest: Nearest,
    /// Users ask edges, edges ask shield or origin.
    clients: Clients,
}

/// A machine's view.
struct Station {
    reception: Reception,
    stock: Stock,
}

/// What a machine can answer with.
enum Stock {
    Everything(Content),
    Some(Depot),
}

/// A cache and what is on its way to it.
struct Depot {
    cache: Cache,
    /// Whom it asks for what it lacks.
    parent: NodeId,
    /// What it fetches, by the request that made it do so.
    fetches: BTreeMap<RequestId, u32>,
    /// The fetch that brings each thing; of several the last.
    bringing: BTreeMap<u32, RequestId>,
    /// Who waits for which fetch.
    waiting: BTreeMap<RequestId, Vec<Guest>>,
}

impl Depot {
    /// The fetch that brings this thing, or this request's own when each has its own.
    fn fetch_of(&self, thing: u32, request: RequestId, coalescing: bool) -> Option<RequestId> {
        if !coalescing {
            return self.fetches.contains_key(&request).then_some(request);
        }
        self.bringing.get(&thing).copied()
    }

    fn forget(&mut self) {
        self.fetches.clear();
        self.bringing.clear();
        self.waiting.clear();
    }
}

/// The number of what is wanted, by its popularity.
fn thing_of(want: Want) -> u32 {
    match want {
        Want::Download(ObjectId(thing)) | Want::Lookup(Key(thing)) => thing,
        _ => panic!("caches serve downloads and look-ups only"),
    }
}

impl Architecture for Cdn {
    const KIND: &'static str = "cdn";
    const FAMILY: &'static str = "client-server";
    const ABOUT: &'static str = "caches near the users before an origin that has everything";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download, RequestKind::Lookup];
    const USES: &'static [WorldKey] = &[WorldKey::Retries, WorldKey::Work, WorldKey::Storage];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        let roles = config.roles(*cast)?;
        let limits = Limits::check(config.connections, config.queue, config.response_timeout)?;
        let things = match cast.wants() {
            Wants::Download { objects: count, .. } | Wants::Lookup { keys: count, .. } => *count,
            _ => 0,
        };
        let mut stations: Vec<Option<Station>> = Vec::new();
        stations.resize_with(cast.machine_count() as usize, || None);
        let mut open = |machine: NodeId, stock| {
            stations[machine.index()] = Some(Station {
                reception: Reception::new(limits, cast.object_size()),
                stock,
            });
        };
        open(roles.origin, Stock::Everything(Content::complete(*cast)));
        let depot = |room, parent| {
            Stock::Some(Depot {
                cache: Cache::new(config.policy, room, things),
                parent,
                fetches: BTreeMap::new(),
                bringing: BTreeMap::new(),
                waiting: BTreeMap::new(),
            })
        };
        for edge in &roles.edges {
            let room = Config::room("cache", config.cache, *edge, *cast)?;
            open(*edge, depot(room, roles.shield.unwrap_or(roles.origin)));
        }
        match (roles.shield, config.shield_cache) {
            (Some(shield), size) => {
                let size = size.unwrap_or(config.cache);
                let room = Config::room("shield-cache", size, shield, *cast)?;
                open(shield, depot(room, roles.origin));
            }
            (None, Some(_)) => {
                return Err(ConfigError {
                    key: "shield-cache",
                    problem: "has no effect without `shield`".into(),
                });
            }
            (None, None) => {}
        }
        Ok(Self {
            nearest: Nearest::new(&roles, *cast),
            clients: Clients::new(*cast, config.response_timeout, config.resume),
            coalescing: config.coalescing,
            stations,
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let edges = config.roles(*cast).map_or(0, |roles| roles.edges.len());
        if edges == 0 {
            return vec!["there are no edges: every client knows and asks the origin".into()];
        }
        let start = match config.policy {
            Policy::Static => "caches hold what is most popular, which the operator knows",
            Policy::Lru | Policy::Lfu => "caches are empty at the start",
        };
        vec![
            format!("every client knows which of the {edges} edges is nearest, and the next"),
            format!("the origin has everything; {start}"),
        ]
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let roles = config.roles(*cast)?;
        let all = roles.edges.iter().chain(&roles.shield);
        let all = all.chain(std::iter::once(&roles.origin));
        Ok(all.map(|machine| machine.0..machine.0 + 1).collect())
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        match self.stations.get(node.index()) {
            Some(Some(station)) => {
                if let Stock::Some(depot) = &station.stock {
                    visit(depot.parent);
                }
            }
            Some(None) => {}
            None => self.nearest.to(node).iter().for_each(|edge| visit(*edge)),
        }
    }

    fn mentions(_: &Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        let stations = self.stations.iter().flatten().map(|station| {
            station.reception.state_bytes()
                + match &station.stock {
                    Stock::Everything(content) => content.state_bytes(),
                    Stock::Some(depot) => {
                        let guests: usize = depot.waiting.values().map(Vec::capacity).sum();
                        depot.cache.state_bytes()
                            + guests * size_of::<Guest>()
                            + 2 * depot.fetches.len() * size_of::<(RequestId, u32)>()
                    }
                }
        });
        self.clients.state_bytes()
            + self.nearest.state_bytes()
            + size_of_val(&*self.stations)
            + stations.sum::<usize>()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let places = self.nearest.to(cx.node());
        let ended = self.clients.ask(Ask::new(request), places, cx);
        self.settle(ended, cx);
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.clients.abandon(request.id, cx);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Ask(ask) => {
                self.on_ask(from, from, ask, cx);
            }
            Message::HangUp(request) => self.on_hang_up((from, request), cx),
            answer => {
                let ended = self.clients.on_answer(from, answer, cx);
                self.settle(ended, cx);
            }
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if ended.from == cx.node() {
            self.on_served(&ended, cx);
        } else {
            let ended = self.clients.on_transfer(&ended, cx);
            self.settle(ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Silence { request, wait } => {
                let node = cx.node();
                let parent = self.depot(node).map(|depot| [depot.parent]);
                let places = match &parent {
                    Some(parent) => parent.as_slice(),
                    None => self.nearest.to(node),
                };
                let ended = self.clients.on_silence(request, wait, places, cx);
                self.settle(ended, cx);
            }
            Timer::Worked { guest, stay } => self.on_worked(guest, stay, cx),
            Timer::Expected { guest, stay } => self.on_expected(guest, stay, cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let lost = down == Down::Crashed(StateLoss::Lost);
        if let Some(Some(station)) = self.stations.get_mut(node.index()) {
            station.reception.clear();
            match &mut station.stock {
                Stock::Everything(content) if lost => content.lose(),
                Stock::Everything(_) => {}
                Stock::Some(depot) => {
                    depot.forget();
                    if lost {
                        depot.cache.clear();
                    }
                }
            }
        }
        self.clients.on_down(node, down);
    }

    fn on_up(&mut self, _cx: &mut Context<'_, Self>) {}
}

impl Cdn {
    fn station(&mut self, machine: NodeId) -> &mut Station {
        let station = self.stations[machine.index()].as_mut();
        station.expect("only machines that take part are asked")
    }

    /// The cache of a machine that has one.
    fn depot(&mut self, node: NodeId) -> Option<&mut Depot> {
        match &mut self.stations.get_mut(node.index())?.as_mut()?.stock {
            Stock::Some(depot) => Some(depot),
            Stock::Everything(_) => None,
        }
    }

    /// A user's request is over, or an edge's fetch.
    fn settle(&mut self, ended: Ended, cx: &mut Context<'_, Self>) {
        let Some((request, result)) = ended else {
            return;
        };
        if self.depot(cx.node()).is_some() {
            self.on_fetched(request, result, cx);
            return;
        }
        match result {
            Ok(()) => cx.serve(request),
            Err(cause) => cx.fail(request, cause),
        }
    }

    fn on_fetched(
        &mut self,
        fetch: RequestId,
        result: Result<(), Cause>,
        cx: &mut Context<'_, Self>,
    ) {
        let depot = self.depot(cx.node()).expect("only caches fetch");
        let thing = depot.fetches.remove(&fetch);
        let thing = thing.expect("what was fetched was wanted");
        depot.bringing.remove(&thing);
        let waiting = depot.waiting.remove(&fetch).unwrap_or_default();
        if result.is_ok() {
            depot.cache.add(thing);
        }
        for guest in waiting {
            match result {
                Ok(()) => self.send_content(guest, cx),
                Err(cause) => self.refuse(guest, cause, cx),
            }
        }
        self.fill(cx);
    }
}

impl Serves for Cdn {
    fn reception(&mut self, server: NodeId) -> &mut Reception {
        &mut self.station(server).reception
    }

    fn act(&mut self, guest: Guest, ask: &Ask, cx: &mut Context<'_, Self>) {
        let coalescing = self.coalescing;
        let depot = match &mut self.station(cx.node()).stock {
            Stock::Some(depot) => depot,
            Stock::Everything(content) => {
                match content.answer(guest, ask.want, cx.rng()) {
                    Answer::Content => self.send_content(guest, cx),
                    Answer::Message(message) => self.reply(guest, message, cx),
                    Answer::Sorry(cause) => self.refuse(guest, cause, cx),
                }
                return;
            }
        };
        let thing = thing_of(ask.want);
        if depot.cache.has(thing) {
            self.send_content(guest, cx);
            return;
        }
        let known = depot.fetch_of(thing, guest.1, coalescing);
        let fetch = known.unwrap_or(guest.1);
        depot.waiting.entry(fetch).or_default().push(guest);
        let parent = depot.parent;
        cx.send(guest.0, Message::Queued(guest.1), MESSAGE);
        if known.is_none() {
            depot.fetches.insert(fetch, thing);
            depot.bringing.insert(thing, fetch);
            let whole = Ask { offset: 0, ..*ask };
            let ended = self.clients.ask(whole, &[parent], cx);
            assert!(ended.is_none(), "a cache's disk is the cache");
        }
    }

    fn turn_away(&self, server: NodeId, ask: &Ask) -> Option<Cause> {
        match (&self.stations[server.index()].as_ref()?.stock, ask.want) {
            (Stock::Everything(content), Want::Download(object)) if !content.has_object(object) => {
                Some(Cause::NotFound)
            }
            _ => None,
        }
    }

    fn gone(&mut self, guest: Guest, _by: NodeId, cx: &mut Context<'_, Self>) {
        // What is being fetched comes all the same, for those who ask next.
        if let Some(depot) = self.depot(cx.node()) {
            for waiting in depot.waiting.values_mut() {
                waiting.retain(|other| *other != guest);
            }
        }
    }
}
