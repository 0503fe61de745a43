//! Every user passes the file on to the next in line.
//!
//! The first in line has it from the server. Whoever has a piece sends it to the next at once. A
//! user asks the one right before it in line; if that one has nothing to give, is silent or
//! breaks off, the one before that, and so on up to the server.
//!
//! Source: E. W. Biersack, P. Rodriguez, P. Felber, *Performance Analysis of Peer-to-Peer Networks
//! for File Distribution*, QofIS 2004.

use std::ops::Range;

use netduel_world::{
    Architecture, Bytes, Cast, Cause, ConfigError, Context, Down, Ending, NodeId, Request,
    RequestId, RequestKind, Seconds, SimDuration, StateLoss, Stream, TransferEnded, TransferId,
    Wants, WorldKey,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of a chain.
#[derive(Clone, Debug, Deserialize, JsonSchema, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Machine under `[infrastructure]` that has the file; the only one when left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// Pieces that the file is cut into; at least 1. With as many pieces as users a chain takes no
    /// more than twice the time that one link takes for the file.
    pub pieces: u32,
    /// Silence after which whoever was asked is taken for dead; the time that common web clients
    /// wait for a connection.
    pub response_timeout: Seconds,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            server: None,
            pieces: 100,
            response_timeout: Seconds::new(30.0).expect("half a minute is in range"),
        }
    }
}

/// Every user passes the file on to the next in line.
pub struct Chain {
    config: Config,
    server: NodeId,
    first_user: u32,
    object: Bytes,
    /// What each node knows, by its place in line. The server stands at 0.
    links: Vec<Link>,
}

/// What one node knows.
#[derive(Clone, Debug, Default)]
struct Link {
    /// It has the first so many pieces. They are on its disk.
    pieces: u32,
    /// Requests of its user.
    waiting: Vec<RequestId>,
    /// The place in line of the node that it has asked.
    supplier: Option<usize>,
    /// Whether that node was heard of since it was asked.
    heard: bool,
    /// Rises with every question, so that a timer of an earlier one is told apart.
    question: u32,
    /// The nodes that have asked it.
    takers: Vec<Taker>,
}

/// A node that is being supplied.
#[derive(Clone, Copy, Debug)]
struct Taker {
    node: NodeId,
    /// The piece that it needs next.
    next: u32,
    /// The piece on its way.
    sending: Option<TransferId>,
}

/// What nodes say to each other.
#[derive(Clone, Copy, Debug)]
pub enum Message {
    /// Send me the pieces from this one on, as you get them.
    Ask {
        /// The first piece that is missing.
        next: u32,
    },
    /// I will.
    Yes,
    /// I have not got them and expect none.
    No,
    /// Send me no more.
    Stop,
}

/// 40 bytes of IP and TCP headers (RFC 791, RFC 9293), a byte that says what it is, the number of
/// a piece in four.
const MESSAGE: Bytes = Bytes(45);

/// The node that was asked has had its time to answer this question.
#[derive(Debug)]
pub struct AnswerDue(u32);

impl Architecture for Chain {
    const KIND: &'static str = "chain";
    const FAMILY: &'static str = "peer-to-peer";
    const ABOUT: &'static str = "every user passes the file on to the next in line";
    const SERVES: &'static [RequestKind] = &[RequestKind::Download];
    const USES: &'static [WorldKey] = &[WorldKey::AfterDownload, WorldKey::Retries];
    type Config = Config;
    type Message = Message;
    type Timer = AnswerDue;

    fn assemble(config: &Config, cast: &Cast<'_>, _rng: &mut Stream) -> Result<Self, ConfigError> {
        let server = Self::machines(config, cast)?[0].start;
        let refuse = |key, problem| Err(ConfigError { key, problem });
        if !matches!(cast.wants(), Wants::Download { objects: 1, .. }) {
            let problem = "cuts up one file, and users want several".to_owned();
            return refuse("pieces", problem);
        }
        let object = cast.object_size();
        if config.pieces == 0 || u64::from(config.pieces) > object.0 {
            let problem = format!("is {}; expected 1 to {}", config.pieces, object.0);
            return refuse("pieces", problem);
        }
        if config.response_timeout.get() == 0.0 {
            let problem = "is 0 s; expected a time above 0".to_owned();
            return refuse("response-timeout", problem);
        }
        let mut links = vec![Link::default(); 1 + cast.user_count() as usize];
        links[0].pieces = config.pieces;
        Ok(Self {
            config: config.clone(),
            server: NodeId(server),
            first_user: cast.machine_count(),
            object,
            links,
        })
    }

    fn premises(_config: &Config, _cast: &Cast<'_>) -> Vec<String> {
        vec![
            "every user knows its place in line and all who stand before it, from the start".into(),
            "users' uplinks carry pieces as well as questions".into(),
        ]
    }

    fn machines(config: &Config, cast: &Cast<'_>) -> Result<Vec<Range<u32>>, ConfigError> {
        let machines = cast.machines("server", config.server.as_deref())?;
        if machines.len() != 1 {
            let problem = format!("names {} machines; expected a group of 1", machines.len());
            return Err(ConfigError {
                key: "server",
                problem,
            });
        }
        Ok(vec![machines])
    }

    fn overlay(&self, node: NodeId, visit: &mut dyn FnMut(NodeId)) {
        let place = self.place(node).unwrap_or(0);
        (0..place).for_each(|before| visit(self.at(before)));
    }

    fn mentions(_: &Message, _: &mut dyn FnMut(NodeId)) {}

    fn state_bytes(&self) -> usize {
        let lists = self.links.iter().map(|link| {
            link.waiting.capacity() * size_of::<RequestId>()
                + link.takers.capacity() * size_of::<Taker>()
        });
        size_of_val(&*self.links) + lists.sum::<usize>()
    }

    fn on_request(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        if link.pieces == self.config.pieces {
            cx.serve(request.id);
            return;
        }
        link.waiting.push(request.id);
        if link.supplier.is_none() {
            self.ask(place - 1, cx);
        }
    }

    fn on_abandoned(&mut self, request: &Request, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        link.waiting.retain(|waiting| *waiting != request.id);
        if link.waiting.is_empty()
            && let Some(supplier) = link.supplier.take()
        {
            cx.send(self.at(supplier), Message::Stop, MESSAGE);
        }
    }

    fn on_message(&mut self, from: NodeId, message: Message, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        match message {
            Message::Ask { next } => self.on_ask(from, next, cx),
            Message::Stop => self.dismiss(from, cx),
            Message::Yes if self.is_supplier(from, place) => self.links[place].heard = true,
            Message::No if self.is_supplier(from, place) => self.ask_further_up(Cause::Refused, cx),
            Message::Yes | Message::No => {}
        }
    }

    fn on_transfer(&mut self, ended: TransferEnded, cx: &mut Context<'_, Self>) {
        if cx.node() == ended.from {
            self.on_sent(&ended, cx);
        } else {
            self.on_received(&ended, cx);
        }
    }

    fn on_timer(&mut self, timer: AnswerDue, cx: &mut Context<'_, Self>) {
        let link = &self.links[self.here(cx)];
        match link.supplier {
            Some(supplier) if link.question == timer.0 && link.heard => self.ask(supplier, cx),
            Some(_) if link.question == timer.0 => self.ask_further_up(Cause::NoAnswer, cx),
            _ => {}
        }
    }

    fn on_down(&mut self, down: Down, cx: &mut Context<'_, Self>) {
        let (Some(place), Down::Crashed(loss)) = (self.place(cx.node()), down) else {
            return;
        };
        let link = &mut self.links[place];
        *link = Link {
            pieces: match loss {
                StateLoss::Kept => link.pieces,
                StateLoss::Lost => 0,
            },
            question: link.question,
            ..Link::default()
        };
    }

    /// The world asks again for what its user still wants.
    fn on_up(&mut self, _cx: &mut Context<'_, Self>) {}
}

/// Who stands where.
impl Chain {
    /// A node's place in line; other machines than the server have none.
    fn place(&self, node: NodeId) -> Option<usize> {
        match node.0.checked_sub(self.first_user) {
            Some(user) => Some(1 + user as usize),
            None => (node == self.server).then_some(0),
        }
    }

    fn here(&self, cx: &Context<'_, Self>) -> usize {
        self.place(cx.node())
            .expect("only who stands in line is spoken to")
    }

    /// The node at this place.
    fn at(&self, place: usize) -> NodeId {
        match u32::try_from(place).expect("nodes are counted in 32 bits") {
            0 => self.server,
            place => NodeId(self.first_user + place - 1),
        }
    }

    fn is_supplier(&self, node: NodeId, of: usize) -> bool {
        self.links[of]
            .supplier
            .is_some_and(|supplier| self.at(supplier) == node)
    }
}

/// What a node does for its own user.
impl Chain {
    fn ask(&mut self, supplier: usize, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        link.supplier = Some(supplier);
        link.heard = false;
        link.question += 1;
        let (question, next) = (link.question, link.pieces);
        cx.send(self.at(supplier), Message::Ask { next }, MESSAGE);
        let timeout = SimDuration::from(self.config.response_timeout);
        cx.after(timeout, AnswerDue(question));
    }

    /// Leaves its supplier for the one before; behind the server there is none.
    fn ask_further_up(&mut self, cause: Cause, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let left = self.links[place].supplier.take();
        let left = left.expect("only who has a supplier leaves it");
        cx.send(self.at(left), Message::Stop, MESSAGE);
        if left > 0 {
            self.ask(left - 1, cx);
            return;
        }
        for request in std::mem::take(&mut self.links[place].waiting) {
            cx.fail(request, cause);
        }
    }

    fn on_received(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        let wanted = ended.label == u64::from(link.pieces);
        if !wanted || !self.is_supplier(ended.from, place) {
            return;
        }
        match ended.ending {
            Ending::Whole { intact: true } => self.keep_piece(cx),
            Ending::Whole { intact: false } => self.ask_further_up(Cause::Damaged, cx),
            Ending::Broken { .. } => self.ask_further_up(Cause::ConnectionLost, cx),
        }
    }

    /// Passes the piece on to those who wait for it.
    fn keep_piece(&mut self, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        link.pieces += 1;
        link.heard = true;
        for taker in 0..link.takers.len() {
            self.supply(taker, None, cx);
        }
        let link = &mut self.links[place];
        if link.pieces == self.config.pieces {
            link.supplier = None;
            for request in std::mem::take(&mut link.waiting) {
                cx.serve(request);
            }
        }
    }
}

/// What a node does for those behind it.
impl Chain {
    fn on_ask(&mut self, from: NodeId, next: u32, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        if link.pieces < self.config.pieces && link.supplier.is_none() {
            cx.send(from, Message::No, MESSAGE);
            return;
        }
        cx.send(from, Message::Yes, MESSAGE);
        let known = link.takers.iter().position(|taker| taker.node == from);
        let taker = known.unwrap_or_else(|| {
            link.takers.push(Taker {
                node: from,
                next,
                sending: None,
            });
            link.takers.len() - 1
        });
        if link.takers[taker].sending.is_none() {
            // It may have lost its disk since it asked before.
            link.takers[taker].next = next;
            self.supply(taker, None, cx);
        }
    }

    /// Sends a taker its next piece, if none is on its way and this node has it: right behind the
    /// one that has just arrived there, if one has.
    fn supply(&mut self, taker: usize, behind: Option<&TransferEnded>, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let link = &mut self.links[place];
        let taker = &mut link.takers[taker];
        if taker.sending.is_some() || taker.next >= link.pieces {
            return;
        }
        let piece = u64::from(taker.next);
        let size = size(self.object, self.config.pieces, piece);
        taker.sending = Some(match behind {
            Some(ended) => cx.follow_on(ended, size, piece),
            None => cx.transfer(taker.node, size, piece),
        });
    }

    fn on_sent(&mut self, ended: &TransferEnded, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let takers = &mut self.links[place].takers;
        let found = takers.iter().position(|t| t.sending == Some(ended.id));
        let Some(index) = found else {
            return;
        };
        let taker = &mut takers[index];
        taker.sending = None;
        taker.next += 1;
        let done = taker.next == self.config.pieces;
        if done || matches!(ended.ending, Ending::Broken { .. }) {
            takers.swap_remove(index);
        } else {
            self.supply(index, Some(ended), cx);
        }
    }

    fn dismiss(&mut self, node: NodeId, cx: &mut Context<'_, Self>) {
        let place = self.here(cx);
        let takers = &mut self.links[place].takers;
        let found = takers.iter().position(|taker| taker.node == node);
        if let Some(index) = found
            && let Some(sending) = takers.swap_remove(index).sending
        {
            cx.cancel(sending);
        }
    }
}

/// Size of a piece: as equal as whole bytes allow.
fn size(object: Bytes, pieces: u32, piece: u64) -> Bytes {
    let pieces = u64::from(pieces);
    let start = |piece: u64| u128::from(object.0) * u128::from(piece) / u128::from(pieces);
    let size = start(piece + 1) - start(piece);
    Bytes(u64::try_from(size).expect("a piece is smaller than the file"))
}
