//! An index machine knows who has what; the users pass it on to each other.
//!
//! A peer tells the index what it has. Who wants something asks the index, which names some of those
//! who have it. A search ends there; a download goes on to one of them, chosen at random, and to
//! another when that one is silent, refuses or breaks off. Who has downloaded something tells the
//! index, and is a source from then on.
//!
//! Source: drscholl, "Napster protocol specification", 2001.

mod config;
mod index;
mod message;

use std::ops::Range;

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, ObjectId,
    Request, RequestId, RequestKind, SimDuration, StateLoss, Stream, TransferEnded, TransferId,
    Want, Wants, WorldKey, uniform, uniform_below,
};

use crate::unstructured::Start;
use index::Index;

pub use config::Config;
pub use message::{Message, Ticket};

/// What a node reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// To show the index that it is there.
    Alive,
    /// Index: the answer to a question of this node is ready.
    Answer(NodeId, Ticket, ObjectId),
    /// Source: what this node asked for is ready to be sent.
    Ready(NodeId, Ticket),
    /// Its own user's search is over: the object is at hand.
    AtHand(Ticket),
    /// Somebody should have answered by now.
    Overdue(Ticket),
}

/// An index machine knows who has what; the users pass it on to each other.
pub struct CentralIndex {
    config: Config,
    node: NodeId,
    index: Index,
    peers: Box<[Peer]>,
}

/// What a node has and does.
#[derive(Clone, Default)]
struct Peer {
    /// What it has, in ascending order.
    objects: Vec<ObjectId>,
    /// Whether it lets nobody have anything.
    mute: bool,
    /// Whether it shows signs of life.
    ticking: bool,
    /// How often it has asked.
    serial: u32,
    errands: Vec<Errand>,
    jobs: Vec<Job>,
}

/// Something that its user wants.
#[derive(Clone, Debug)]
struct Errand {
    ticket: Ticket,
    object: ObjectId,
    size: Bytes,
    work: SimDuration,
    /// Whether its user only wants to know who has it.
    search: bool,
    /// Bytes that have come.
    have: u64,
    /// Who is asked at present; the index when nobody.
    source: Option<NodeId>,
    /// Whether the bytes are on their way.
    coming: bool,
    /// Others who may have it.
    others: Vec<NodeId>,
}

/// Something that it sends or is about to send.
#[derive(Clone, Debug)]
struct Job {
    to: NodeId,
    ticket: Ticket,
    object: ObjectId,
    /// Bytes that the asker lacks.
    rest: Bytes,
    transfer: Option<TransferId>,
}

impl Peer {
    fn errand(&mut self, ticket: Ticket) -> Option<&mut Errand> {
        self.errands.iter_mut().find(|e| e.ticket == ticket)
    }

    fn has(&self, object: ObjectId) -> bool {
        self.objects.binary_search(&object).is_ok()
    }
}

impl Architecture for CentralIndex {
    const KIND: &'static str = "central-index";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "a machine knows who has what, users send it to each other";
    const SERVES: &'static [RequestKind] = &[RequestKind::Search, RequestKind::Download];
    const USES: &'static [WorldKey] = &[
        WorldKey::FreeRiders,
        WorldKey::AfterDownload,
        WorldKey::Retries,
        WorldKey::Work,
    ];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        config.check()?;
        let [index, origins] = config.machines(*cast)?;
        let count = match cast.wants() {
            Wants::Download { objects, .. } | Wants::Search { objects, .. } => *objects,
            _ => 0,
        };
        let mut index_of = Index::new(count, cast.node_count());
        let peer = |node: NodeId| {
            let objects: Vec<ObjectId> = if origins.contains(&node.0) {
                (0..count).map(ObjectId).collect()
            } else {
                let mut objects = cast.objects_of(node).to_vec();
                objects.sort_unstable();
                objects
            };
            Peer {
                objects,
                mute: node.0 >= cast.machine_count() && cast.is_free_rider(node),
                ..Peer::default()
            }
        };
        let nodes = || (0..).map(NodeId).take(cast.node_count());
        let peers: Box<[Peer]> = nodes().map(peer).collect();
        if config.start == Start::Converged {
            for (node, peer) in nodes().zip(&peers) {
                if !peer.mute {
                    index_of.register(node, &peer.objects, netduel_world::SimTime::ZERO);
                }
            }
        }
        Ok(Self {
            config: config.clone(),
            node: NodeId(index.start),
            index: index_of,
            peers,
        })
    }

    fn premises(config: &Config, cast: &Cast<'_>) -> Vec<String> {
        let index = config.index.as_deref().unwrap_or("the only machine");
        let mut premises = vec![format!(
            "every peer knows from the start that {index} is the index"
        )];
        if config.start == Start::Converged {
            premises.push("the index knows from the start who has what".into());
        }
        if matches!(cast.wants(), Wants::Download { .. }) {
            premises.push("users' uplinks carry what others download".into());
        }
        premises
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        Ok(config.machines(*cast)?.into())
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        if node == self.node {
            self.index.known().for_each(&mut *visit);
        } else {
            visit(self.node);
        }
        let peer = &self.peers[node.index()];
        for errand in &peer.errands {
            errand.others.iter().copied().for_each(&mut *visit);
            errand.source.into_iter().for_each(&mut *visit);
        }
        peer.jobs.iter().map(|job| job.to).for_each(visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        if let Message::Sources(_, sources) = message {
            sources.iter().copied().for_each(visit);
        }
    }

    fn state_bytes(&self) -> usize {
        let errand = |errand: &Errand| errand.others.capacity() * size_of::<NodeId>();
        let peer = |peer: &Peer| {
            peer.objects.capacity() * size_of::<ObjectId>()
                + peer.errands.capacity() * size_of::<Errand>()
                + peer.errands.iter().map(errand).sum::<usize>()
                + peer.jobs.capacity() * size_of::<Job>()
        };
        self.index.state_bytes()
            + size_of_val(&*self.peers)
            + self.peers.iter().map(peer).sum::<usize>()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        if peer.mute || peer.objects.is_empty() {
            return;
        }
        peer.ticking = true;
        // Newcomers do not come all at once.
        let first = uniform(cx.rng()) * self.config.keep_alive.get();
        cx.after(SimDuration::from_seconds(first), Timer::Alive);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let (object, search) = match request.want {
            Want::Search(object) => (object, true),
            Want::Download(object) => (object, false),
            _ => unreachable!("it serves searches and downloads only"),
        };
        let peer = &mut self.peers[node.index()];
        let at_hand = peer.has(object);
        if at_hand && !search {
            cx.serve(request.id);
            return;
        }
        let ticket = peer.next_ticket(request.id);
        let errand = Errand {
            ticket,
            object,
            size: request.size,
            work: request.work,
            search,
            have: 0,
            source: None,
            coming: false,
            others: Vec::new(),
        };
        if !at_hand {
            peer.errands.push(errand);
            // Who sends a download spends the work, who answers a search likewise.
            let work = if search {
                request.work
            } else {
                SimDuration::ZERO
            };
            let ask = Message::Ask {
                ticket,
                object,
                work,
            };
            say(self.node, ask, cx);
            cx.after(self.config.response_timeout.into(), Timer::Overdue(ticket));
        } else if cx.work(request.work, Timer::AtHand(ticket)).is_ok() {
            peer.errands.push(errand);
        } else {
            cx.fail(request.id, Cause::Refused);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let errand = peer
            .errands
            .iter()
            .position(|e| e.ticket.request == request.id);
        if let Some(index) = errand {
            let errand = peer.errands.swap_remove(index);
            if let Some(source) = errand.source {
                say(source, Message::HangUp(errand.ticket), cx);
            }
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Register(objects) => self.index.register(from, &objects, cx.now()),
            Message::Alive => {
                if !self.index.hear(from, cx.now()) {
                    say(from, Message::Unknown, cx);
                }
            }
            Message::Unknown => self.register(cx),
            Message::Leave => self.index.forget(from),
            Message::Ask {
                ticket,
                object,
                work,
            } => {
                if cx.work(work, Timer::Answer(from, ticket, object)).is_err() {
                    say(from, Message::Busy(ticket), cx);
                }
            }
            Message::Sources(ticket, sources) => self.on_sources(ticket, &sources, cx),
            Message::Busy(ticket) => self.next_source(ticket, Cause::Refused, cx),
            Message::Get {
                ticket,
                object,
                offset,
                size,
                work,
            } => {
                let job = Job {
                    to: from,
                    ticket,
                    object,
                    rest: Bytes(size.0 - offset),
                    transfer: None,
                };
                self.on_get(job, work, cx);
            }
            Message::Coming(ticket) => match self.peers[cx.node().index()].errand(ticket) {
                Some(errand) => errand.coming = true,
                None => say(from, Message::HangUp(ticket), cx),
            },
            Message::Gone(ticket) => self.next_source(ticket, Cause::NotFound, cx),
            Message::HangUp(ticket) => self.on_hang_up(from, ticket, cx),
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if ended.from == cx.node() {
            let jobs = &mut self.peers[cx.node().index()].jobs;
            jobs.retain(|job| job.transfer != Some(ended.id));
        } else {
            self.on_bytes(&ended, cx);
        }
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Alive => self.show_life(cx),
            Timer::Answer(to, ticket, object) => self.answer(to, ticket, object, cx),
            Timer::Ready(to, ticket) => self.send_object(to, ticket, cx),
            Timer::AtHand(ticket) => self.finish(ticket, cx),
            Timer::Overdue(ticket) => {
                let errand = self.peers[cx.node().index()].errand(ticket);
                if let Some(source) = errand.filter(|e| !e.coming).map(|e| e.source) {
                    if let Some(source) = source {
                        say(source, Message::HangUp(ticket), cx);
                    }
                    self.next_source(ticket, Cause::NoAnswer, cx);
                }
            }
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        peer.errands.clear();
        peer.jobs.clear();
        if peer.ticking && down == Down::Left {
            say(self.node, Message::Leave, cx);
        }
        peer.ticking = false;
        if down == Down::Crashed(StateLoss::Lost) {
            peer.objects = Vec::new();
        }
        if node == self.node {
            self.index.clear();
        }
    }

    /// Back again, a peer registers at once.
    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        self.register(cx);
    }
}

impl Peer {
    fn next_ticket(&mut self, request: RequestId) -> Ticket {
        self.serial = self.serial.wrapping_add(1);
        Ticket {
            request,
            serial: self.serial,
        }
    }
}

impl CentralIndex {
    /// Tells the index what this node has.
    fn register(&mut self, cx: &mut Context<'_, Self>) {
        let peer = &self.peers[cx.node().index()];
        let objects: Box<[ObjectId]> = peer.objects.as_slice().into();
        self.tell(objects, cx);
    }

    /// Tells the index of objects, and from now on that this node is there.
    fn tell(&mut self, objects: Box<[ObjectId]>, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        if peer.mute || objects.is_empty() {
            return;
        }
        if !peer.ticking {
            peer.ticking = true;
            cx.after(self.config.keep_alive.into(), Timer::Alive);
        }
        if node == self.node {
            self.index.register(node, &objects, cx.now());
        } else {
            say(self.node, Message::Register(objects), cx);
        }
    }

    fn show_life(&mut self, cx: &mut Context<'_, Self>) {
        cx.after(self.config.keep_alive.into(), Timer::Alive);
        if cx.node() != self.node {
            say(self.node, Message::Alive, cx);
        } else if !self.index.hear(self.node, cx.now()) {
            self.register(cx);
        }
    }
}

/// What the index does.
impl CentralIndex {
    fn answer(&mut self, to: NodeId, ticket: Ticket, object: ObjectId, cx: &mut Context<'_, Self>) {
        let silence = self.config.keep_alive * f64::from(self.config.missed + 1);
        let when = (cx.now(), SimDuration::from(silence));
        let most = self.config.sources;
        let sources = self.index.sources(object, most, when, cx.rng());
        say(to, Message::Sources(ticket, sources), cx);
    }
}

/// What a source does.
impl CentralIndex {
    fn on_get(&mut self, job: Job, work: SimDuration, cx: &mut Context<'_, Self>) {
        let (to, ticket) = (job.to, job.ticket);
        let peer = &mut self.peers[cx.node().index()];
        if peer.mute || !peer.has(job.object) {
            say(to, Message::Gone(ticket), cx);
        } else if cx.work(work, Timer::Ready(to, ticket)).is_ok() {
            peer.jobs.push(job);
        } else {
            say(to, Message::Busy(ticket), cx);
        }
    }

    fn send_object(&mut self, to: NodeId, ticket: Ticket, cx: &mut Context<'_, Self>) {
        let peer = &mut self.peers[cx.node().index()];
        let job = |job: &&mut Job| job.to == to && job.ticket == ticket;
        // It may be wanted no longer.
        if let Some(job) = peer.jobs.iter_mut().find(job) {
            say(to, Message::Coming(ticket), cx);
            job.transfer = Some(cx.transfer(to, job.rest, ticket.label()));
        }
    }

    fn on_hang_up(&mut self, from: NodeId, ticket: Ticket, cx: &mut Context<'_, Self>) {
        let jobs = &mut self.peers[cx.node().index()].jobs;
        let job = jobs.iter().position(|j| j.to == from && j.ticket == ticket);
        if let Some(transfer) = job.and_then(|index| jobs.swap_remove(index).transfer) {
            cx.cancel(transfer);
        }
    }
}

/// What an asker does.
impl CentralIndex {
    fn on_sources(&mut self, ticket: Ticket, sources: &[NodeId], cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(errand) = self.peers[node.index()].errand(ticket) else {
            return;
        };
        if errand.search && !sources.is_empty() {
            self.finish(ticket, cx);
        } else {
            errand.others = sources.iter().copied().filter(|s| *s != node).collect();
            self.next_source(ticket, Cause::NotFound, cx);
        }
    }

    /// Asks the next source for what is still missing, or gives up.
    fn next_source(&mut self, ticket: Ticket, cause: Cause, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let peer = &mut self.peers[node.index()];
        let serial = peer.serial.wrapping_add(1);
        let Some(errand) = peer.errand(ticket) else {
            return;
        };
        errand.coming = false;
        let left = u32::try_from(errand.others.len()).expect("nodes are counted in 32 bits");
        if left == 0 {
            if let Some(errand) = self.take(ticket, cx) {
                cx.fail(errand.ticket.request, cause);
            }
            return;
        }
        let index = uniform_below(cx.rng(), left) as usize;
        let source = errand.others.swap_remove(index);
        errand.source = Some(source);
        errand.ticket.serial = serial;
        let ticket = errand.ticket;
        let get = Message::Get {
            ticket,
            object: errand.object,
            offset: errand.have,
            size: errand.size,
            work: errand.work,
        };
        peer.serial = serial;
        say(source, get, cx);
        cx.after(self.config.response_timeout.into(), Timer::Overdue(ticket));
    }

    fn on_bytes(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let ticket = Ticket::from_label(ended.label);
        let resume = self.config.resume;
        let Some(errand) = self.peers[cx.node().index()].errand(ticket) else {
            return;
        };
        match ended.ending {
            Ending::Whole { intact: true } => self.finish(ticket, cx),
            Ending::Whole { intact: false } => {
                errand.have = 0;
                self.next_source(ticket, Cause::Damaged, cx);
            }
            Ending::Broken { delivered } => {
                errand.have = if resume { errand.have + delivered.0 } else { 0 };
                self.next_source(ticket, Cause::ConnectionLost, cx);
            }
        }
    }

    fn take(&mut self, ticket: Ticket, cx: &Context<'_, Self>) -> Option<Errand> {
        let errands = &mut self.peers[cx.node().index()].errands;
        let index = errands.iter().position(|e| e.ticket == ticket)?;
        Some(errands.swap_remove(index))
    }

    /// The user has what was wanted.
    fn finish(&mut self, ticket: Ticket, cx: &mut Context<'_, Self>) {
        let Some(errand) = self.take(ticket, cx) else {
            return;
        };
        if !errand.search {
            let objects = &mut self.peers[cx.node().index()].objects;
            if let Err(place) = objects.binary_search(&errand.object) {
                objects.insert(place, errand.object);
            }
            self.tell([errand.object].into(), cx);
        }
        cx.serve(errand.ticket.request);
    }
}

fn say(to: NodeId, message: Message, cx: &mut Context<'_, CentralIndex>) {
    let size = message.size();
    cx.send(to, message, size);
}
