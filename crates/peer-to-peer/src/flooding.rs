//! Everybody passes every question on, after Gnutella.
//!
//! A question goes to all neighbours, which pass it on to all of theirs but the one it came from,
//! as long as its time to live lasts. Who has seen a question before drops it. Who has the object
//! answers along the way that the question came, or straight to the asker.
//!
//! Source: The Annotated Gnutella Protocol Specification v0.4, rev. 1.6. Rings that grow: Q. Lv,
//! P. Cao, E. Cohen, K. Li, S. Shenker, "Search and replication in unstructured peer-to-peer
//! networks", ICS 2002.

use std::ops::Range;

use netduel_world::{
    Architecture, Cast, Cause, ConfigError, Context, Down, NodeId, ObjectId, Request, RequestKind,
    Seconds, SimDuration, Stream, TransferEnded, Want, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    unstructured::{
        HIT, Heard, Open, Peers, QueryId, Seen, Start,
        mesh::{self, Mesh},
        refuse_short, refuse_zero,
    },
    wiring::Wiring,
};

/// Settings of flooding.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Who is linked with whom. A random graph of degree 4 when left out (Lv et al., 2002), or of as
    /// many neighbours as there are others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wiring: Option<Wiring>,
    /// How many links a question passes at most; at least 1. Gnutella clients asked for 7.
    pub ttl: u32,
    /// Times to live that are tried before `ttl`, each after `query-timeout` without an answer; not
    /// falling. None is plain flooding; Lv et al. (2002) raise it from 1 by 2.
    pub rings: Vec<u32>,
    /// Which way answers go.
    pub answers: Answers,
    /// Questions that a peer remembers to know them again; at least 1. At ten a second 1,000 hold
    /// those of 100 s, longer than any copy is under way.
    pub memory: u32,
    /// Silence after which a question is taken for unanswered. 14 links of half a second, there and
    /// back at a TTL of 7, take 7 s.
    pub query_timeout: Seconds,
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

/// Which way answers go.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answers {
    /// Back the way that the question came, as in Gnutella 0.4: nobody learns who asks.
    #[default]
    ReversePath,
    /// Straight to the asker, whose address the question carries.
    Direct,
}

impl Default for Config {
    fn default() -> Self {
        let seconds = |s| Seconds::new(s).expect("half a minute is in range");
        Self {
            wiring: None,
            ttl: 7,
            rings: Vec::new(),
            answers: Answers::default(),
            memory: 1000,
            query_timeout: seconds(10.0),
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
    /// Who has this object?
    Query(Query),
    /// Somebody has it.
    Hit {
        /// The question.
        id: QueryId,
        /// Who has it.
        holder: NodeId,
        /// Whether the holder had time to say more than that.
        found: bool,
    },
    /// About neighbours.
    Mesh(mesh::Message),
}

/// A question that is passed on.
#[derive(Clone, Copy, Debug)]
pub struct Query {
    /// Which it is.
    pub id: QueryId,
    /// What is searched for.
    pub object: ObjectId,
    /// Links that it may still pass.
    pub ttl: u32,
    /// Work that the answer takes.
    pub work: SimDuration,
    /// Who asks, when answers are to come straight.
    pub asker: Option<NodeId>,
}

/// What a peer reminds itself of.
#[derive(Debug)]
pub enum Timer {
    /// The answer to a question is ready.
    Ready {
        /// The question.
        id: QueryId,
        /// Who asks, when answers are to go straight.
        asker: Option<NodeId>,
    },
    /// Its own user's search is over: the object is at hand.
    AtHand(QueryId),
    /// A question has been out for long.
    Overdue(QueryId),
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

/// Everybody passes every question on.
pub struct Flooding {
    config: Config,
    peers: Peers,
    seen: Box<[Seen]>,
}

impl Architecture for Flooding {
    const KIND: &'static str = "flooding";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "peers pass every search on to all their neighbours, up to a TTL";
    const SERVES: &'static [RequestKind] = &[RequestKind::Search];
    const USES: &'static [WorldKey] = &[WorldKey::FreeRiders, WorldKey::Retries, WorldKey::Work];
    type Config = Config;
    type Message = Message;
    type Timer = Timer;

    fn assemble(config: &Config, cast: &Cast<'_>, rng: &mut Stream) -> Result<Self, ConfigError> {
        refuse_zero("ttl", config.ttl)?;
        refuse_zero("memory", config.memory)?;
        refuse_short("query-timeout", config.query_timeout)?;
        let rings = config.rings.iter().chain([&config.ttl]);
        if config.rings.contains(&0) || !rings.is_sorted() {
            return Err(ConfigError {
                key: "rings",
                problem: format!(
                    "is {:?}; expected numbers that rise from 1 up to the ttl, {}",
                    config.rings, config.ttl
                ),
            });
        }
        Ok(Self {
            peers: Peers::new(&config.mesh(), *cast, |_| mesh::Role::Peer, None, rng)?,
            seen: vec![Seen::default(); cast.node_count()].into(),
            config: config.clone(),
        })
    }

    fn premises(config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        Mesh::premises(config.start, config.bootstrap.as_deref())
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        mesh::machines(config.bootstrap.as_deref(), *cast)
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        self.peers.mesh.overlay(node, visit);
    }

    fn mentions(message: &Message, visit: &mut dyn FnMut(NodeId)) {
        match message {
            Message::Query(query) => query.asker.into_iter().for_each(visit),
            Message::Hit { holder, .. } => visit(*holder),
            Message::Mesh(message) => message.mentions(visit),
        }
    }

    fn state_bytes(&self) -> usize {
        self.peers.state_bytes()
            + size_of_val(&*self.seen)
            + self.seen.iter().map(Seen::state_bytes).sum::<usize>()
    }

    fn on_start(&mut self, cx: &mut Context<'_, Self>) {
        self.peers.mesh.on_start(cx);
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let Want::Search(object) = request.want else {
            unreachable!("it serves searches only");
        };
        let open = Open::new(request, object, cx.now());
        let id = open.id();
        if self.peers.shelves.has(cx.node(), object) {
            let then = Timer::AtHand(id);
            self.peers.take_from_home(open, request.work, then, cx);
        } else if self.peers.mesh.degree(cx.node()) == 0 {
            cx.fail(request.id, Cause::NoAnswer);
        } else {
            self.peers.open.add(cx.node(), open);
            self.ask(id, cx);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        self.peers.on_abandoned(cx.node(), request);
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        match message {
            Message::Query(query) => self.on_query(from, query, cx),
            Message::Hit { id, holder, found } => self.on_hit(id, holder, found, cx),
            Message::Mesh(message) => self.peers.mesh.on_message(from, message, cx),
        }
    }

    fn on_transfer(&mut self, _: TransferEnded, _: &mut Context<'_, Self>) {
        unreachable!("nothing is transferred");
    }

    fn on_timer(&mut self, timer: Timer, cx: &mut Context<'_, Self>) {
        match timer {
            Timer::Ready { id, asker } => self.answer(id, asker, true, cx),
            Timer::AtHand(id) => self.peers.on_at_hand(id, cx),
            Timer::Overdue(id) => self.on_overdue(id, cx),
            Timer::Mesh(timer) => self.peers.mesh.on_timer(timer, cx),
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        self.seen[cx.node().index()] = Seen::default();
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

    /// The time to live of the question that is asked after so many.
    fn ttl_after(&self, asked: u32) -> Option<u32> {
        let mut ttls = self.rings.iter().chain([&self.ttl]);
        ttls.nth(asked as usize).copied()
    }
}

impl Flooding {
    /// Asks all neighbours, with the next time to live.
    fn ask(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let open = self
            .peers
            .open
            .find(node, id)
            .expect("only what is open is asked");
        let ttl = self.config.ttl_after(open.count);
        let ttl = ttl.expect("nobody asks more often than there are rings");
        open.count += 1;
        let query = Query {
            id,
            object: open.object,
            ttl,
            work: open.work,
            asker: (self.config.answers == Answers::Direct).then_some(node),
        };
        // Its own question is none to pass on when it comes round.
        self.seen[node.index()].note(id, node, self.config.memory as usize);
        self.peers.pass_on(|| Message::Query(query), node, cx);
        cx.after(self.config.query_timeout.into(), Timer::Overdue(id));
    }

    fn on_query(&mut self, from: NodeId, query: Query, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let most = self.config.memory as usize;
        if !self.seen[node.index()].note(query.id, from, most) {
            return;
        }
        if query.ttl > 1 {
            let further = Query {
                ttl: query.ttl - 1,
                ..query
            };
            self.peers.pass_on(|| Message::Query(further), from, cx);
        }
        if self.peers.shelves.shares(node, query.object) {
            let (id, asker) = (query.id, query.asker);
            if cx.work(query.work, Timer::Ready { id, asker }).is_err() {
                self.answer(id, asker, false, cx);
            }
        }
    }

    /// Sends the answer on its way.
    fn answer(
        &mut self,
        id: QueryId,
        asker: Option<NodeId>,
        found: bool,
        cx: &mut Context<'_, Self>,
    ) {
        let holder = cx.node();
        let back = self.seen[holder.index()].came_from(id);
        if let Some(next) = asker.or(back) {
            cx.send(next, Message::Hit { id, holder, found }, HIT);
        }
    }

    fn on_hit(&mut self, id: QueryId, holder: NodeId, found: bool, cx: &mut Context<'_, Self>) {
        match self.peers.on_hit(id, found, cx) {
            Heard::Served => self.peers.mesh.learn(Some(holder), cx),
            Heard::Refused => {}
            Heard::ForOthers => {
                let node = cx.node();
                let back = self.seen[node.index()].came_from(id);
                // Its own question is answered already.
                if let Some(next) = back.filter(|next| *next != node) {
                    cx.send(next, Message::Hit { id, holder, found }, HIT);
                }
            }
        }
    }

    /// A question has been out for long: the next ring, or the end.
    fn on_overdue(&mut self, id: QueryId, cx: &mut Context<'_, Self>) {
        let node = cx.node();
        let Some(open) = self.peers.open.find(node, id) else {
            return;
        };
        if self.config.ttl_after(open.count).is_some() {
            let id = QueryId { at: cx.now(), ..id };
            self.ask(id, cx);
            return;
        }
        self.peers.give_up(id, cx);
    }
}
