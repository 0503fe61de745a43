//! Questions that walk about at random.
//!
//! A user sends out a few walkers. Each goes from neighbour to neighbour until it meets the object
//! or has walked far enough, and checks back with the asker every few steps whether to go on.
//!
//! Source: Q. Lv, P. Cao, E. Cohen, K. Li, S. Shenker, "Search and replication in unstructured
//! peer-to-peer networks", ICS 2002.

use std::ops::Range;

use netduel_world::{
    Architecture, Cast, Cause, ConfigError, Context, Down, NodeId, ObjectId, Request, RequestKind,
    Seconds, SimDuration, Stream, TransferEnded, Want, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    unstructured::{
        BARE, HIT, Open, Peers, QUERY, QueryId, Start,
        mesh::{self, Mesh},
        refuse_short, refuse_zero,
    },
    wiring::Wiring,
};

/// Settings of random walks.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Who is linked with whom. A random graph of degree 4 when left out (Lv et al., 2002), or of as
    /// many neighbours as there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wiring: Option<Wiring>,
    /// Walkers that a search sends out; at least 1. Lv et al. (2002) recommend 16 to 64.
    pub walkers: u32,
    /// Steps after which a walker gives up; at least 1. 1,024 keep a search from walking for ever,
    /// which checking back ends long before (Lv et al., 2002).
    pub ttl: u32,
    /// Steps after which a walker asks the asker whether to go on; at least 1. Every fourth, by Lv
    /// et al. (2002).
    pub check_every: u32,
    /// How a walker chooses its next step.
    pub walk: Walk,
    /// Silence of all walkers after which they are taken for lost. Four steps and a check take 3 s
    /// where a link takes half a second.
    pub silence: Seconds,
    /// Whether peers have neighbours from the start or join.
    pub start: Start,
    /// Machine under `[infrastructure]` that names peers to newcomers; the first user when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bootstrap: Option<String>,
    /// Time between pings to a neighbour. With 30 s and `missed` 3 a dead one is noticed within 2
    /// min, a thirtieth of the hour that peers stay (S. Saroiu, P. Gummadi, S. Gribble, "A
    /// measurement study of peer-to-peer file sharing systems", MMCN 2002).
    pub keep_alive: Seconds,
    /// Pings without an answer after which a neighbour is taken for dead; 1 to 255.
    pub missed: u32,
}

/// How a walker chooses its next step.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Walk {
    /// To any neighbour but the one that it comes from, unless there is no other.
    #[default]
    NonBacktracking,
    /// To any neighbour.
    Simple,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half a minute is in range");
        Self {
            wiring: None,
            walkers: 32,
            ttl: 1024,
            check_every: 4,
            walk: Walk::default(),
            silence: seconds(10.0),
            start: Start::default(),
            bootstrap: None,
            keep_alive: mesh::keep_alive(),
            missed: mesh::MISSED,
        }
    }
}

/// What peers say to each other.
#[derive(Debug)]
pub enum Message {
    /// A walker comes by.
    Walk(Walker),
    /// To the asker: am I to go on?
    Check(Walker),
    /// From the asker: yes.
    GoOn(Walker),
    /// To the asker: I have walked far enough, or there was nowhere to go.
    Spent(QueryId),
    /// To the asker: the sender has it.
    Hit {
        /// The question.
        id: QueryId,
        /// Whether the sender had time to say more than that.
        found: bool,
    },
    /// About neighbours.
    Mesh(mesh::Message),
}

/// A question on its walk.
#[derive(Clone, Copy, Debug)]
pub struct Walker {
    /// Which question it is.
    pub id: QueryId,
    /// What is searched for.
    pub object: ObjectId,
    /// Who asks.
    pub asker: NodeId,
    /// Whom it comes from.
    pub from: NodeId,
    /// Steps that it has made.
    pub steps: u32,
    /// Work that the answer takes.
    pub work: SimDuration,
}

/// What a peer reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// The answer to a question of this node is ready.
    Ready(QueryId, NodeId),
    /// Its own user's search is over: the object is at hand.
    AtHand(QueryId),
    /// To look whether walkers are still heard.
    Quiet(QueryId),
    /// About neighbours.
    Mesh(mesh::Timer),
}

impl From<mesh::Message> for Message {
    fn from(message: mesh::Message) -> Self {
        Self::Mesh(message)
    }
}

impl From<mesh::Timer> for Timer {
    fn from(timer: mesh::Timer) -> Self {
        Self::Mesh(timer)
    }
}

/// Questions that walk about at random.
pub struct RandomWalk {
    config: Config,
    peers: Peers,
}

impl Architecture for RandomWalk {
    const KIND: &'static str = "random-walk";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "a few walkers carry a search from peer to peer at random";
    const SERVES: &'static [RequestKind] = &[RequestKind::Search];
    const USES: &'static [WorldKey] = &[WorldKey::FreeRiders, WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        refuse_zero("walkers", config.walkers)?;
        refuse_zero("ttl", config.ttl)?;
        refuse_zero("check-every", config.check_every)?;
        refuse_short("silence", config.silence)?;
        Ok(Self {
            peers: Peers::new(&config.mesh(), *cast, |_| mesh::Role::Peer, None, rng)?,
            config: config.clone(),
        })
    }

    fn premises(config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        let mut premises = Mesh::premises(config.start, config.bootstrap.as_deref());
        premises.push("a walker says who asks, so that anybody can answer straight".into());
        premises
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        mesh::machines(config.bootstrap.as_deref(), *cast)
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.peers.mesh.overlay(node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        match message {
            Message::Walk(walker) | Message::Check(walker) | Message::GoOn(walker) => {
                visit(walker.asker);
                visit(walker.from);
            }
            Message::Spent(_) | Message::Hit { .. } => {}
            Message::Mesh(message) => message.mentions(visit),
        }
    }

    fn state_bytes(&self) -> usize {
        self.peers.state_bytes()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        self.peers.mesh.on_start(cx);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let Want::Search(object) = request.want else {
            unreachable!("it serves searches only");
        };
        let node = cx.node();
        let mut open = Open::new(request, object, cx.now());
        let id = open.id();
        if self.peers.shelves.has(node, object) {
            let then = Timer::AtHand(id);
            self.peers.take_from_home(open, request.work, then, cx);
            return;
        }
        if self.peers.mesh.degree(node) == 0 {
            cx.fail(request.id, Cause::NoAnswer);
            return;
        }
        open.count = self.config.walkers;
        self.peers.open.add(node, open);
        let walker = Walker {
            id,
            object,
            asker: node,
            from: node,
            steps: 0,
            work: request.work,
        };
        for _ in 0..self.config.walkers {
            self.step(walker, cx);
        }
        cx.after(self.config.silence.into(), Timer::Quiet(id));
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.peers.on_abandoned(cx.node(), request);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Walk(walker) => self.on_walker(Walker { from, ..walker }, cx),
            Message::Check(walker) => self.on_check(from, walker, cx),
            Message::GoOn(walker) => self.step(walker, cx),
            Message::Spent(id) => self.on_spent(id, cx),
            Message::Hit { id, found } => self.on_hit(from, id, found, cx),
            Message::Mesh(message) => self.peers.mesh.on_message(from, message, cx),
        }
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {
        unreachable!("nothing is transferred");
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Ready(id, asker) => cx.send(asker, Message::Hit { id, found: true }, HIT),
            Timer::AtHand(id) => self.peers.on_at_hand(id, cx),
            Timer::Quiet(id) => self.on_quiet(id, cx),
            Timer::Mesh(timer) => self.peers.mesh.on_timer(timer, cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        self.peers.on_down(down, cx);
    }

    fn on_up(&mut self, cx: &mut Context<'_, Self>) {
        self.peers.mesh.on_up(cx);
    }
}

impl Config {
    fn mesh(&self) -> mesh::Settings<'_> {
        mesh::Settings {
            wiring: self.wiring.as_ref(),
            start: self.start,
            bootstrap: self.bootstrap.as_deref(),
            keep_alive: self.keep_alive,
            missed: self.missed,
        }
    }
}

impl RandomWalk {
    /// Sends a walker on from this node.
    fn step(&mut self, walker: Walker, cx: &mut Context<'_, Self>) {
        let next = match self.config.walk {
            Walk::Simple => self.peers.mesh.any(cx),
            Walk::NonBacktracking => self.peers.mesh.another(walker.from, cx),
        };
        match next.or_else(|| self.peers.mesh.any(cx)) {
            Some(next) => cx.send(next, Message::Walk(walker), QUERY),
            // Where nobody is left to go to, the asker itself sees it by its silence.
            None if walker.asker == cx.node() => {}
            None => cx.send(walker.asker, Message::Spent(walker.id), BARE),
        }
    }

    fn on_walker(&mut self, walker: Walker, cx: &mut Context<'_, Self>) {
        let walker = Walker {
            steps: walker.steps + 1,
            ..walker
        };
        let (id, asker) = (walker.id, walker.asker);
        if asker == cx.node() {
            // What has come home can be asked without a message.
            self.come_home(walker, cx);
        } else if self.peers.shelves.shares(cx.node(), walker.object) {
            if cx.work(walker.work, Timer::Ready(id, asker)).is_err() {
                cx.send(asker, Message::Hit { id, found: false }, HIT);
            }
        } else if walker.steps >= self.config.ttl {
            cx.send(asker, Message::Spent(id), BARE);
        } else if walker.steps.is_multiple_of(self.config.check_every) {
            cx.send(asker, Message::Check(walker), QUERY);
        } else {
            self.step(walker, cx);
        }
    }

    fn come_home(&mut self, walker: Walker, cx: &mut Context<'_, Self>) {
        let now = cx.now();
        let Some(open) = self.peers.open.find(cx.node(), walker.id) else {
            return;
        };
        open.last = now;
        if walker.steps >= self.config.ttl {
            self.on_spent(walker.id, cx);
        } else {
            self.step(walker, cx);
        }
    }

    fn on_check(&mut self, from: NodeId, walker: Walker, cx: &mut Context<'_, Self>) {
        let now = cx.now();
        if let Some(open) = self.peers.open.find(cx.node(), walker.id) {
            open.last = now;
            cx.send(from, Message::GoOn(walker), QUERY);
        }
    }

    fn on_spent(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let now = cx.now();
        let Some(open) = self.peers.open.find(cx.node(), id) else {
            return;
        };
        open.last = now;
        open.in_vain = true;
        open.count -= 1;
        if open.count == 0 {
            self.give_up(id, cx);
        }
    }

    fn on_hit(&mut self, from: NodeId, id: QueryId, found: bool, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(open) = self.peers.open.find(node, id) else {
            return;
        };
        if found {
            let open = self.peers.open.end(node, id).expect("it was found");
            self.peers.mesh.learn(Some(from), cx);
            cx.serve(open.request);
        } else {
            open.refused = true;
            self.on_spent(id, cx);
        }
    }

    fn on_quiet(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let now = cx.now();
        let Some(open) = self.peers.open.find(cx.node(), id) else {
            return;
        };
        let due = open.last + self.config.silence.into();
        if due > now {
            cx.after(due - now, Timer::Quiet(id));
        } else {
            self.give_up(id, cx);
        }
    }

    fn give_up(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let Some(open) = self.peers.open.end(cx.node(), id) else {
            return;
        };
        let cause = match open {
            Open { refused: true, .. } => Cause::Refused,
            Open { in_vain: true, .. } => Cause::NotFound,
            _ => Cause::NoAnswer,
        };
        cx.fail(open.request, cause);
    }
}
